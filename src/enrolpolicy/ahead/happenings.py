"""What happened on a past day, and is put into a register in motion at the end of it.

Whatever is dated a day is known to the night after it: at midnight it had not happened yet.
"""

from datetime import date
from typing import final

from attrs import evolve, frozen

from enrolpolicy.ahead.walking import Walk, again_tomorrow, finished
from enrolpolicy.bookings import OPEN
from enrolpolicy.dates import local_date
from enrolpolicy.model import Assignment, Enrolment, HeldRole, TrainingRecord
from enrolpolicy.planner import is_ours_and_booked
from enrolpolicy.register import levels_of


@final
@frozen
class Recorded:
    """A training was completed, and with it what the person had booked on the course by then.

    Of enrolments that are `known` by their ids, it is known how they ended, and they are left as they are.
    """

    record: TrainingRecord
    known: frozenset[str]


@final
@frozen
class Booked:
    """Somebody made an enrolment, which is open from then on."""

    enrolment: Enrolment


@final
@frozen
class Ended:
    """An enrolment ended. Where it is not in the register, its end is that of the booking made in its place."""

    enrolment: Enrolment


@final
@frozen
class GivenRole:
    """A person was given a role."""

    person: str
    role: HeldRole


@final
@frozen
class Assigned:
    """A training was asked of one person."""

    assignment: Assignment


Happening = Recorded | Booked | Ended | GivenRole | Assigned


def happen(walk: Walk, it: Happening, on: date) -> None:
    """Put something that happened on a day into the register."""
    match it:
        case Recorded():
            _recorded(walk, it, on)
        case Booked(row):
            walk.rows.enrolments[row.person].setdefault(row.course, []).append(row)
            walk.booked += is_ours_and_booked(row)
            again_tomorrow(walk, (row.person, row.course), on)
        case Ended(row):
            _ended(walk, row, on)
        case GivenRole(person, role):
            somebody = walk.rows.people[person]
            walk.rows.people[person] = evolve(somebody, roles=(*somebody.roles, role))
            _asked_anew(walk, person, on)
        case Assigned(row):
            walk.rows.assignments[row.person].setdefault(row.course, []).append(row)
            _asked_anew(walk, row.person, on)


def _recorded(walk: Walk, it: Recorded, on: date) -> None:
    record = it.record
    walk.rows.records[record.person].setdefault(record.course, []).append(record)
    rows = walk.rows.enrolments[record.person].get(record.course, [])
    for index, row in enumerate(rows):
        made_by = local_date(walk.snapshot.account.timezone, row.enrolled_at) <= record.completed_on
        if row.status in OPEN and made_by and row.id not in it.known:
            walk.booked -= is_ours_and_booked(row)
            rows[index] = finished(row, on)
    again_tomorrow(walk, (record.person, record.course), on)


def _ended(walk: Walk, ended: Enrolment, on: date) -> None:
    rows = walk.rows.enrolments[ended.person].get(ended.course, [])
    known = any(row.id == ended.id for row in rows)
    for index, row in enumerate(rows):
        if row.status in OPEN and (row.id == ended.id if known else is_ours_and_booked(row)):
            walk.booked -= is_ours_and_booked(row)
            rows[index] = evolve(row, status=ended.status, ended_on=on, ended_because=ended.ended_because)
    again_tomorrow(walk, (ended.person, ended.course), on)


def _asked_anew(walk: Walk, person: str, on: date) -> None:
    rows = walk.rows
    rows.levels[person] = levels_of(rows, person)
    for course in rows.courses_of(person):
        again_tomorrow(walk, (person, course), on)
