"""What people see of courses, as plain values for any screen: the course register, and the panel beside a course.

Nothing is decided here. What is shown as a status, a reason or a date is what the explanation of that pair says.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import final

from attrs import frozen

from enrolpolicy.ahead.shown import BookingStatus, booking, method
from enrolpolicy.bookings import OPEN
from enrolpolicy.explanation import Explanation, explain_all
from enrolpolicy.model import (
    Account,
    Audience,
    Course,
    Enrolment,
    Origin,
    Scope,
    Snapshot,
)
from enrolpolicy.register import register

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


# The panel beside a course


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
    status, why, since, shown = booking(account, told, list(enrolments))
    return PanelRow(
        person=told.person,
        name=name,
        status=status,
        why=why,
        since=since,
        expires_on=told.expires_on,
        automatic=None if shown is None else shown.origin is Origin.AUTO,
    )
