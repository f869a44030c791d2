"""What people see of a person: the profile, with traffic lights, and when and why bookings were made automatically."""

from datetime import date
from enum import Enum
from typing import final

from attrs import frozen

from enrolpolicy.ahead.shown import BookingStatus, booking, made_because, made_on, method
from enrolpolicy.bookings import OPEN
from enrolpolicy.explanation import Explanation, explain_all
from enrolpolicy.facts import Status
from enrolpolicy.model import (
    Account,
    Course,
    Employment,
    Enrolment,
    Level,
    Origin,
    Snapshot,
)
from enrolpolicy.register import register


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
        status, _, _, shown = booking(snapshot.account, told, enrolments)
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
