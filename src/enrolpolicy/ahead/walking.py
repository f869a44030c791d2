"""A register in motion: bookings are made on it, withdrawn and completed, and records arrive.

It is looked up like any other register, and what is done to it is what `enrolpolicy.planner.project` and the lifecycle
do to a snapshot. Each walk has tables of its own; nobody else sees them change.
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import final

from attrs import Factory, define, evolve, field, frozen

from enrolpolicy.ahead.agenda import Agenda, Lapse, Queue
from enrolpolicy.ahead.assumptions import Assumptions, completed_on, days_lost, record_of
from enrolpolicy.bookings import OPEN
from enrolpolicy.dates import ONE_DAY, add_days, first_instant, local_date
from enrolpolicy.lifecycle import Event, advance
from enrolpolicy.model import Enrolment, EnrolmentStatus, Level, Snapshot
from enrolpolicy.night import night_of
from enrolpolicy.planner import Demand, available_credits, booking, is_ours_and_booked, withdrawn
from enrolpolicy.plans import Action, Cancel, Enrol, Invite
from enrolpolicy.register import Register, register
from enrolpolicy.renewal import counted, expiries
from enrolpolicy.sweep import Pair, open_pairs
from enrolpolicy.verdict import verdict_of


@final
@define(eq=False, kw_only=True)
class Walk:
    """A register in motion. Its tables are this walk's own, and change as the nights pass."""

    snapshot: Snapshot
    rows: Register
    assume: Assumptions
    agenda: Agenda
    unlimited: bool
    left: int | None
    booked: int
    held: dict[Pair, Demand] = field(factory=dict)
    queue: Queue = Factory(Queue)


def begin(snapshot: Snapshot, start: date, until: date, assume: Assumptions, *, unlimited: bool) -> Walk:
    rows = register(snapshot)
    agenda = Agenda(until=until)
    agenda.day(start)
    of_everybody = [row for of_person in rows.enrolments.values() for of_pair in of_person.values() for row in of_pair]
    walk = Walk(
        snapshot=snapshot,
        rows=rows,
        assume=assume,
        agenda=agenda,
        unlimited=unlimited,
        left=available_credits(snapshot),
        booked=sum(map(is_ours_and_booked, of_everybody)),
    )
    first = night_of(rows, start)
    moving = {(row.person, row.course) for row in of_everybody}
    for person, course, code in open_pairs(first):
        # What was never recorded and is not enrolled tonight never will be: no date is in it.
        if course in rows.records[person] or verdict_of(code).enrols:
            moving.add((person, course))
    for pair in moving:
        agenda.read(pair, start)
    for row in of_everybody:
        if row.status in OPEN:
            expect(walk, row, start, first.read(row.person, row.course).renewal.expires_on)
    for lapse in _standing_lapses(rows, moving):
        on = lapse.expires_on + ONE_DAY
        if on >= start and (day := agenda.day(on)) is not None:
            day.lapses.append(lapse)
    return walk


def _standing_lapses(rows: Register, moving: set[Pair]) -> Iterator[Lapse]:
    """The lapses of trainings that nothing will be done about, whatever night it is."""
    for person, levels in rows.levels.items():
        if rows.people[person].archived:
            continue
        for course, records in rows.records[person].items():
            if levels.get(course) is not Level.REQUIRED or (person, course) in moving:
                continue
            validity = rows.courses[course].validity
            for expires_on in {day for _, day in expiries(records, validity) if day is not None and day < date.max}:
                found = counted(records, validity, expires_on + ONE_DAY)
                if found is not None and found[1] == expires_on:
                    yield Lapse(person=person, course=course, expires_on=expires_on)


# What a plan does


def carry_out(walk: Walk, on: date, actions: Iterable[Action]) -> None:
    """What `enrolpolicy.planner.project` does, on the register in motion."""
    at: datetime | None = None
    for action in actions:
        at = at or first_instant(walk.snapshot.account.timezone, on)
        pair = action.person, action.course
        of_pair = walk.rows.enrolments[action.person].setdefault(action.course, [])
        match action:
            case Enrol():
                row = booking(action, at)
                of_pair.append(row)
                walk.queue.discard(pair)  # and not read again before its next boundary: a gate is shut until then
                _pay(walk, -action.credits)
                walk.booked += 1
                expect(walk, row, on, action.expires_on)
            case Cancel():
                index = _index(of_pair, action.enrolment)
                of_pair[index] = withdrawn(of_pair[index], action, on)
                _pay(walk, walk.rows.courses[action.course].credit_cost)
                walk.booked -= 1
                again_tomorrow(walk, pair, on)
            case Invite():
                index = _index(of_pair, action.enrolment)
                of_pair[index] = evolve(of_pair[index], invited_at=at)


def _index(rows: list[Enrolment], id: str) -> int:
    return next(index for index, row in enumerate(rows) if row.id == id)


def _pay(walk: Walk, credits: int) -> None:
    """A booking reserves its credits, and a cancellation gives them back; to start spends what was reserved."""
    if walk.left is not None:
        walk.left += credits


def again_tomorrow(walk: Walk, pair: Pair, on: date) -> None:
    """Note that something was done about a pair that may give the next night another answer."""
    walk.agenda.read(pair, add_days(on, 1))


# What people do


@final
@frozen(kw_only=True)
class Completed:
    """A completion: whether it renewed something that had an expiry, and the days of validity lost by it."""

    renewal: bool
    lost: int


def expect(walk: Walk, row: Enrolment, today: date, valid_until: date | None) -> None:
    """Note when an enrolment is to be completed."""
    if walk.rows.people[row.person].archived:
        return
    enrolled_on = local_date(walk.snapshot.account.timezone, row.enrolled_at)
    on = completed_on(walk.assume, row.id, enrolled_on=enrolled_on, valid_until=valid_until, today=today)
    if on is not None and (day := walk.agenda.day(on)) is not None:
        day.completions.append(((row.person, row.course), row.id))


def complete(walk: Walk, pair: Pair, id: str, on: date) -> Completed | None:
    """Complete an enrolment, if it is still open, and note the record that this brings."""
    person, course = pair
    of_pair = walk.rows.enrolments[person][course]
    index = _index(of_pair, id)
    row = of_pair[index]
    if row.status not in OPEN:
        return None
    walk.booked -= is_ours_and_booked(row)
    of_pair[index] = finished(row, on)
    something, records = walk.rows.courses[course], walk.rows.records[person].setdefault(course, [])
    renewed = counted(records, something.validity, on)
    records.append(record_of(person, something, on, renewed))
    again_tomorrow(walk, pair, on)
    if renewed is None or renewed[1] is None:
        return Completed(renewal=False, lost=0)
    now = counted(records, something.validity, on)
    return Completed(renewal=True, lost=days_lost(something, on, renewed, None if now is None else now[1]))


def finished(row: Enrolment, on: date) -> Enrolment:
    """An open enrolment after it was completed; one the LMS had not confirmed is confirmed first."""
    for event in (Event.CONFIRM, Event.COMPLETE) if row.status is EnrolmentStatus.PENDING else (Event.COMPLETE,):
        moved = advance(row, event, on=on)
        assert isinstance(moved, Enrolment)
        row = moved
    return row
