"""A register as it may have been on a past night, put together from what is dated, and what happened from then on.

On the first night it holds what is dated before it; records, bookings made by hand, roles and assignments come in on
their days, and are known to the night after. What is not dated is taken as it is now: settings, courses, who is
archived, addresses, opt-outs and toggles, roles and assignments without a date.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import final

from attrs import evolve, frozen

from enrolpolicy.ahead.happenings import Assigned, Booked, Ended, GivenRole, Happening, Recorded
from enrolpolicy.bookings import OPEN, REQUESTED
from enrolpolicy.constraints import Id, checked
from enrolpolicy.dates import first_instant, local_date
from enrolpolicy.lifecycle import ENDED
from enrolpolicy.model import Enrolment, EnrolmentStatus, Origin, Person, Snapshot, TrainingRecord
from enrolpolicy.renewal import FIRST_CYCLE, counted
from enrolpolicy.sweep import Pair


@final
@frozen(kw_only=True, field_transformer=checked)
class PastEnrolment:
    """An enrolment that an older system made on a night."""

    person: Id
    course: Id
    on: date


def put_back(snapshot: Snapshot, start: date) -> tuple[Snapshot, dict[date, list[Happening]]]:
    """The register of the first night, and what happened from then on, by day."""
    happenings: dict[date, list[Happening]] = {}

    def later(on: date, it: Happening) -> bool:
        """Whether something happened on or after the first night; then it is noted."""
        if on >= start:
            happenings.setdefault(on, []).append(it)
        return on >= start

    people = {person.id for person in snapshot.personnel}
    courses = {course.id for course in snapshot.courses}
    timezone = snapshot.account.timezone
    known = frozenset(row.id for row in snapshot.enrolments if not _replaced(row, timezone, start))
    personnel = tuple(_before_roles(person, later) for person in snapshot.personnel)
    assignments = tuple(
        row
        for row in snapshot.assignments
        if row.person in people
        and row.course in courses
        and not (row.assigned_on is not None and later(row.assigned_on, Assigned(row)))
    )
    enrolments = tuple(
        before
        for row in snapshot.enrolments
        if row.person in people and row.course in courses
        for before in _before(row, timezone, later, start)
    )
    records = tuple(
        row
        for row in snapshot.records
        if row.person in people and row.course in courses and not later(row.completed_on, Recorded(row, known))
    )
    past = evolve(snapshot, personnel=personnel, assignments=assignments, enrolments=enrolments, records=records)
    return past, happenings


Later = Callable[[date, Happening], bool]


def _before_roles(person: Person, later: Later) -> Person:
    held = tuple(
        role
        for role in person.roles
        if not (role.assigned_on is not None and later(role.assigned_on, GivenRole(person.id, role)))
    )
    return person if len(held) == len(person.roles) else evolve(person, roles=held)


def _replaced(row: Enrolment, timezone: str, start: date) -> bool:
    """Whether an enrolment is one of theirs, in whose place ours are made."""
    return row.origin is Origin.AUTO and local_date(timezone, row.enrolled_at) >= start


def _before(row: Enrolment, timezone: str, later: Later, start: date) -> Iterator[Enrolment]:
    """An enrolment as it was on the first night, if it was there; what becomes of it is noted."""
    made_on = local_date(timezone, row.enrolled_at)
    opened = row
    if row.status in ENDED and row.ended_on is not None and row.ended_on >= start:
        opened = evolve(row, status=EnrolmentStatus.BOOKED, ended_on=None, ended_because=None)
    if _replaced(row, timezone, start):
        if row.status is EnrolmentStatus.CANCELLED and row.ended_because == REQUESTED and row.ended_on is not None:
            later(row.ended_on, Ended(row))  # of ours, that is made in its place
        return
    if made_on >= start and opened.status in OPEN:
        later(made_on, Booked(opened))
    elif made_on < start or opened.status not in OPEN:
        yield opened
    if opened is not row and row.ended_on is not None:
        later(row.ended_on, Ended(row))


def earlier(past: Snapshot, outside: Iterable[PastEnrolment], start: date) -> Iterator[Enrolment]:
    """The bookings of theirs that were made before the first night, were not completed, and are not in the register."""
    timezone = past.account.timezone
    courses = {course.id: course for course in past.courses}
    records: dict[Pair, list[TrainingRecord]] = {}
    for record in past.records:
        records.setdefault((record.person, record.course), []).append(record)
    known = {(row.person, row.course, local_date(timezone, row.enrolled_at)) for row in past.enrolments}
    for row in outside:
        of_pair = records.get((row.person, row.course), [])
        over = row.on >= start or any(record.completed_on >= row.on for record in of_pair)
        if over or (row.person, row.course, row.on) in known:
            continue
        at = first_instant(timezone, row.on)
        renewed = counted(of_pair, courses[row.course].validity, row.on)
        yield Enrolment(
            id=f"{row.on} {row.person} {row.course}"[:255],
            person=row.person,
            course=row.course,
            cycle=FIRST_CYCLE if renewed is None else renewed[0].isoformat(),
            origin=Origin.AUTO,
            status=EnrolmentStatus.BOOKED,
            enrolled_at=at,
            invited_at=at,
        )
