"""What people see, as plain values for any screen: the course register, the panel beside a course, a person's profile.

Nothing is decided here. What is shown as a status, a reason or a date is what the explanation of that pair says.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import date
from enum import Enum
from typing import final

from attrs import frozen

from enrolpolicy.bookings import OPEN, REQUESTED
from enrolpolicy.dates import add_days, local_date
from enrolpolicy.explanation import Explanation, explain_all
from enrolpolicy.facts import Status
from enrolpolicy.model import (
    Account,
    Audience,
    Course,
    Delivery,
    Employment,
    Enrolment,
    EnrolmentStatus,
    Level,
    Origin,
    Scope,
    Snapshot,
)
from enrolpolicy.policy import WITHDRAWALS
from enrolpolicy.register import register

ENROL_SYMBOL = "⟳"
"""Shown behind the delivery of a course that is booked automatically."""

DELIVERIES = {
    Delivery.IHASCO: "iHasco",
    Delivery.SCORM: "SCORM",
    Delivery.CLASSROOM: "Classroom",
    Delivery.OTHER: "Other",
}

# The course register


@final
@frozen(kw_only=True)
class CourseRow:
    """A course in the register.

    `method` is how it is taken, with the enrol symbol where its auto-enrol box is ticked. `asked` counts the people who
    are asked to take it, `booked` its open enrolments; archived people are counted in neither.
    """

    course: str
    name: str
    method: str
    auto_enrol: bool
    archived: bool
    audience: Audience
    scope: Scope
    lead_days: int | None
    asked: int
    booked: int


def course_register(snapshot: Snapshot) -> tuple[CourseRow, ...]:
    """Every course, by name, then id."""
    rows = register(snapshot)
    here = [id for id, person in rows.people.items() if not person.archived]
    asked = Counter(course for id in here for course in rows.levels[id])
    booked = Counter(
        course
        for id in here
        for course, of_pair in rows.enrolments[id].items()
        for row in of_pair
        if row.status in OPEN
    )
    courses = sorted(snapshot.courses, key=_by_name)
    return tuple(
        CourseRow(
            course=course.id,
            name=course.name,
            method=method(course),
            auto_enrol=course.auto_enrol,
            archived=course.archived,
            audience=course.audience,
            scope=course.scope,
            lead_days=course.lead_days,
            asked=asked[course.id],
            booked=booked[course.id],
        )
        for course in courses
    )


def _by_name(course: Course) -> tuple[str, str]:
    return course.name.casefold(), course.id


def method(course: Course) -> str:
    """A course's Method: how it is taken, with the enrol symbol where its auto-enrol box is ticked."""
    way = DELIVERIES[course.delivery]
    return f"{way} {ENROL_SYMBOL}" if course.auto_enrol else way


# The panel beside a course


@final
class BookingStatus(Enum):
    """Where somebody stands with a course."""

    NOT_BOOKED = "not-booked"
    BOOKED = "booked"
    IN_PROGRESS = "in-progress"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


@final
@frozen(kw_only=True)
class PanelRow:
    """Where one person stands with a course, why in words, and since when, where that is known.

    An enrolment the LMS has not confirmed is shown as booked. `completed` is whoever's training is valid and not due
    for renewal, or waits for its record; whose renewal is due and not booked is `not-booked`, or `cancelled` if the
    booking of that renewal was. `automatic` says who made the booking that is shown, None where none is.
    """

    person: str
    name: str
    status: BookingStatus
    why: str
    since: date | None
    expires_on: date | None
    automatic: bool | None


@final
@frozen(kw_only=True)
class CoursePanel:
    """A course, and everybody who is asked to take it, has taken it, or is booked on it; by name, then id."""

    course: str
    name: str
    method: str
    people: tuple[PanelRow, ...]


def course_panel(snapshot: Snapshot, *, course: str, on: date) -> CoursePanel:
    """The panel beside a course on a date, without archived people; raises `UnknownId`."""
    rows = register(snapshot)
    something = rows.course(course)
    found = [
        _panel_row(snapshot.account, rows.people[told.person].name, told, rows.enrolments[told.person].get(course, []))
        for told in explain_all(snapshot, on=on, course=course)
        if not rows.people[told.person].archived
    ]
    people = tuple(sorted(found, key=_by_person))
    return CoursePanel(course=course, name=something.name, method=method(something), people=people)


def _by_person(row: PanelRow) -> tuple[str, str]:
    return row.name.casefold(), row.person


def _panel_row(account: Account, name: str, told: Explanation, enrolments: Iterable[Enrolment]) -> PanelRow:
    status, why, since, shown = _booking(account, told, list(enrolments))
    return PanelRow(
        person=told.person,
        name=name,
        status=status,
        why=why,
        since=since,
        expires_on=told.expires_on,
        automatic=None if shown is None else shown.origin is Origin.AUTO,
    )


_OPEN = {
    EnrolmentStatus.PENDING: (BookingStatus.BOOKED, "asked of the LMS, which has not confirmed it yet"),
    EnrolmentStatus.BOOKED: (BookingStatus.BOOKED, "booked, and not started"),
    EnrolmentStatus.IN_PROGRESS: (BookingStatus.IN_PROGRESS, "under way"),
}

Shown = tuple[BookingStatus, str, date | None, Enrolment | None]


def _booking(account: Account, told: Explanation, enrolments: list[Enrolment]) -> Shown:
    """The booking to show: the latest open one, else the last of this renewal that ended, else none."""
    latest = sorted(enrolments, key=_made)
    for row in reversed([row for row in latest if row.status in OPEN]):
        status, words = _OPEN[row.status]
        return status, f"{words}; {made_because(row)}", made_on(account, row), row
    of_cycle = [row for row in latest if row.cycle == told.cycle]
    if "completion-recorded" in told.shut:
        row = next(row for row in reversed(of_cycle) if row.status is EnrolmentStatus.COMPLETED)
        return BookingStatus.COMPLETED, _sentence(told, "completion-recorded"), row.ended_on, row
    if told.status is Status.CURRENT:
        return BookingStatus.COMPLETED, _valid_until(told), _completed_on(told), None
    if of_cycle and of_cycle[-1].status is EnrolmentStatus.CANCELLED:
        row = of_cycle[-1]
        return BookingStatus.CANCELLED, _cancelled_because(row), row.ended_on, row
    return BookingStatus.NOT_BOOKED, told.sentence, _due_since(told), None


def _made(row: Enrolment) -> tuple[float, str]:
    return row.enrolled_at.timestamp(), row.id


def made_on(account: Account, row: Enrolment) -> date:
    """The local date on which an enrolment was made."""
    return local_date(account.timezone, row.enrolled_at)


def made_because(row: Enrolment) -> str:
    """Who made an enrolment, and why."""
    if row.origin is Origin.MANUAL:
        return "made by hand"
    return f"enrolled automatically, because {_REASONS.get(row.because or '', 'its renewal was due')}"


_REASONS = {
    "expiring": "the training was about to expire",
    "expired": "the training had expired a short while before",
    "missing": "the training was never recorded",
}

_CAUSES = {row.id: row.yes for row in WITHDRAWALS} | {REQUESTED: "somebody asked for it"}


def _cancelled_because(row: Enrolment) -> str:
    return f"cancelled: {_CAUSES.get(row.ended_because or '', 'nobody noted why')}"


def _sentence(told: Explanation, id: str) -> str:
    return next(answer.sentence for answer in told.rows if answer.id == id)


def _valid_until(told: Explanation) -> str:
    if told.expires_on is None:
        return "completed, and never expires"
    return f"completed, and valid until {told.expires_on}; its renewal opens on {told.opens_on}"


def _completed_on(told: Explanation) -> date | None:
    return date.fromisoformat(told.cycle)


def _due_since(told: Explanation) -> date | None:
    """Since when a renewal is due, as long as that is known: nobody notes when missing training began to be missing."""
    if told.status is Status.EXPIRED and told.expires_on is not None:
        return add_days(told.expires_on, 1)
    return told.opens_on


# A person's profile


@final
class Light(Enum):
    """A traffic light: green is valid, amber expires soon, red has expired or was never recorded."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"


@final
@frozen(kw_only=True)
class Tag:
    """That somebody was enrolled automatically: on which date, and why in words."""

    enrolled_on: date
    why: str


@final
@frozen(kw_only=True)
class ProfileRow:
    """One training of a person. `tag` is there while an automatic enrolment on it is open."""

    course: str
    name: str
    method: str
    level: Level | None
    light: Light
    expires_on: date | None
    booking: BookingStatus
    tag: Tag | None
    opted_out: bool


@final
@frozen(kw_only=True)
class Profile:
    """A person, and every training asked of them, recorded, or booked, by name, then id.

    `auto_enrol` is the toggle. `light` is the worst of the trainings that are required, None where none is.
    """

    person: str
    name: str
    email: str | None
    employment: Employment
    division: str | None
    archived: bool
    auto_enrol: bool
    light: Light | None
    trainings: tuple[ProfileRow, ...]


def personnel_profile(snapshot: Snapshot, *, person: str, on: date) -> Profile:
    """The profile of a person on a date; raises `UnknownId`."""
    rows = register(snapshot)
    somebody = rows.person(person)
    trainings = []
    for told in explain_all(snapshot, on=on, person=person):
        course, enrolments = rows.courses[told.course], rows.enrolments[person].get(told.course, [])
        status, _, _, shown = _booking(snapshot.account, told, enrolments)
        trainings.append(
            ProfileRow(
                course=course.id,
                name=course.name,
                method=method(course),
                level=told.level,
                light=light(told, amber_days(snapshot.account, course)),
                expires_on=told.expires_on,
                booking=status,
                tag=_tag(snapshot.account, shown),
                opted_out=course.id in rows.out_of(person),
            )
        )
    required = [row.light for row in trainings if row.level is Level.REQUIRED]
    return Profile(
        person=somebody.id,
        name=somebody.name,
        email=somebody.email,
        employment=somebody.employment,
        division=somebody.division,
        archived=somebody.archived,
        auto_enrol=somebody.auto_enrol,
        light=max(required, key=list(Light).index, default=None),
        trainings=tuple(sorted(trainings, key=_by_training)),
    )


def _by_training(row: ProfileRow) -> tuple[str, str]:
    return row.name.casefold(), row.course


def amber_days(account: Account, course: Course) -> int:
    """The days before its expiry from which a training is amber: the course's custom ones, else the account's."""
    if account.custom_expiry and course.lead_days is not None:
        return course.lead_days
    return account.expiring_soon_days


def light(told: Explanation, amber: int) -> Light:
    """The traffic light of one training on the date it was explained for."""
    if told.status in (Status.MISSING, Status.EXPIRED):
        return Light.RED
    if told.expires_on is not None and (told.expires_on - told.on).days <= amber:
        return Light.AMBER
    return Light.GREEN


def _tag(account: Account, shown: Enrolment | None) -> Tag | None:
    if shown is None or shown.origin is Origin.MANUAL or shown.status not in OPEN:
        return None
    return Tag(enrolled_on=made_on(account, shown), why=made_because(shown))
