"""A register walked through the nights to come, looking only at what can have changed.

Stepping every night would plan, carry the plan out, let people complete what is due, and plan again. Here the same is
done on one register in motion. A pair is read, by the very evaluation a plan is made of, on the dates on which its
answer can change by time alone (`enrolpolicy.explanation.boundaries`), and on the night after a booking of it ended.
What is asked for and not yet given waits in a queue in the order of its rank, so that a night pays from its front, and
a night on which nothing can have changed is not looked at. The tests hold this against stepping every night.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from heapq import heappop, heappush
from operator import itemgetter
from typing import final

from attrs import Factory, define, evolve, field, frozen

from enrolpolicy.assumptions import Assumptions, completed_on, days_lost, record_of
from enrolpolicy.bookings import OPEN
from enrolpolicy.dates import ONE_DAY, first_instant, local_date
from enrolpolicy.explanation import boundaries
from enrolpolicy.lifecycle import Event, advance
from enrolpolicy.model import Enrolment, EnrolmentStatus, Level, Snapshot
from enrolpolicy.night import Night, Reading, night_of
from enrolpolicy.planner import (
    Demand,
    allocate,
    available_credits,
    booking,
    demand_of,
    is_ours_and_booked,
    ordered,
    spread_until,
    tripped,
    upkeep,
    withdrawn,
)
from enrolpolicy.plans import Action, Cancel, Enrol, Invite
from enrolpolicy.register import Register, register
from enrolpolicy.renewal import counted, expiries
from enrolpolicy.sweep import Pair, open_pairs
from enrolpolicy.verdict import verdict_of


@final
@frozen(kw_only=True)
class Lapse:
    """A required training of somebody on the register that is not valid any more; `expires_on` was its last day."""

    person: str
    course: str
    expires_on: date


@final
@frozen(kw_only=True)
class Step:
    """What one night, and the day after it, come to.

    `held` counts those the spread holds back, `waiting` those for whom there were no credits. `asked` is the credits
    that all who are not held asked for together, `there` what there was for them, and `left` what the next night begins
    with; both are None where credits are not metered. Of the day's completions, `renewals` are those of training that
    had an expiry, by which `lost` days of validity were lost.
    """

    on: date
    actions: tuple[Action, ...]
    guards: tuple[str, ...]
    lapses: tuple[Lapse, ...]
    held: int
    waiting: int
    asked: int
    there: int | None
    left: int | None
    completed: int
    renewals: int
    lost: int


def steps(
    snapshot: Snapshot, start: date, until: date, assume: Assumptions, *, unlimited: bool = False
) -> Iterator[Step]:
    """Every night from `start` to `until` on which something can be different, in order; the first is always told.

    With `unlimited`, nobody waits for credits; what is left of them then falls below 0.
    """
    walk = _walk(snapshot, start, until, assume, unlimited=unlimited)
    agenda = walk.agenda
    while (on := agenda.next()) is not None:
        yield _step(walk, on, agenda.take(on))


# The state of a walk


@final
@define(eq=False)
class _Day:
    """What is to be done on a date: pairs to read, bookings to complete, and lapses that were known from the start."""

    pairs: set[Pair] = field(factory=set)
    completions: list[tuple[Pair, str]] = field(factory=list)
    lapses: list[Lapse] = field(factory=list)


@final
@define(eq=False)
class _Agenda:
    """Days to come, up to the last one that is asked about."""

    until: date
    _days: dict[date, _Day] = field(factory=dict)
    _dates: list[date] = field(factory=list)

    def day(self, on: date) -> _Day | None:
        """The entries of a date; None for one that is not asked about."""
        if on > self.until:
            return None
        if on not in self._days:
            self._days[on] = _Day()
            heappush(self._dates, on)
        return self._days[on]

    def read(self, pair: Pair, on: date) -> None:
        """Note that a pair is to be read on a date."""
        if (day := self.day(on)) is not None:
            day.pairs.add(pair)

    def next(self) -> date | None:
        """The first date with entries."""
        return self._dates[0] if self._dates else None

    def take(self, on: date) -> _Day:
        """The entries of the first date, which others may still be added to while it lasts."""
        heappop(self._dates)
        return self._days[on]

    def close(self, on: date) -> None:
        """Forget a date that is over."""
        del self._days[on]


_rank = itemgetter(0)


@final
@define(eq=False)
class _Queue:
    """Who is to be enrolled and was not yet: free courses, and paid ones by rank with what they cost together."""

    free: dict[Pair, Demand] = field(factory=dict)
    paid: list[tuple[tuple[bool, bool, date, str, str], Demand]] = field(factory=list)
    cost: int = 0
    _ranks: dict[Pair, tuple[bool, bool, date, str, str]] = field(factory=dict)

    def add(self, row: Demand) -> None:
        """Somebody more."""
        if row.credits == 0:
            self.free[row.person, row.course] = row
            return
        rank = row.rank
        insort(self.paid, (rank, row), key=_rank)
        self._ranks[row.person, row.course] = rank
        self.cost += row.credits

    def discard(self, pair: Pair) -> None:
        """Somebody less, if they are there."""
        self.free.pop(pair, None)
        rank = self._ranks.pop(pair, None)
        if rank is not None:
            _, row = self.paid.pop(bisect_left(self.paid, rank, key=_rank))
            self.cost -= row.credits

    def front(self, available: int | None) -> list[Demand]:
        """All that can be allocated: what is free, what the credits pay for in order of rank, and the first beyond."""
        rows = list(self.free.values())
        for _, row in self.paid:
            rows.append(row)
            if available is not None:
                available -= row.credits
                if available < 0:
                    break
        return rows


@final
@define(eq=False, kw_only=True)
class _Walk:
    """A register in motion. Its tables are this walk's own, and change as the nights pass."""

    snapshot: Snapshot
    rows: Register
    assume: Assumptions
    agenda: _Agenda
    unlimited: bool
    left: int | None
    booked: int
    held: dict[Pair, Demand] = field(factory=dict)
    queue: _Queue = Factory(_Queue)


def _walk(snapshot: Snapshot, start: date, until: date, assume: Assumptions, *, unlimited: bool) -> _Walk:
    rows = register(snapshot)
    agenda = _Agenda(until=until)
    agenda.day(start)
    of_everybody = [row for of_person in rows.enrolments.values() for of_pair in of_person.values() for row in of_pair]
    walk = _Walk(
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
            _expect(walk, row, start, first.read(row.person, row.course).renewal.expires_on)
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


# A night


def _step(walk: _Walk, on: date, day: _Day) -> Step:
    tonight = night_of(walk.rows, on)
    lapses, cancelled, invited = list(day.lapses), list[Cancel](), list[Invite]()
    for pair in day.pairs:
        reading = tonight.read(*pair)
        _queue(walk, tonight, pair, reading)
        withdrawals, invitations = upkeep(tonight, reading)
        cancelled += withdrawals
        invited += invitations
        lapses += _lapse(tonight, reading)
        later = [one for one in boundaries(tonight, reading) if one > on]
        if later:
            walk.agenda.read(pair, min(later))
    there = walk.left
    available = None if walk.unlimited else there
    asked = walk.queue.cost
    enrolled, _ = allocate(walk.queue.front(available), walk.snapshot.account, on, available)
    actions = ordered(enrolled, cancelled, invited)
    guards = tripped(walk.snapshot, actions, walk.booked)
    _carry_out(walk, on, actions)
    done = [found for pair, id in day.completions if (found := _complete(walk, pair, id, on))]
    walk.agenda.close(on)
    return Step(
        on=on,
        actions=actions,
        guards=guards,
        lapses=tuple(sorted(lapses, key=_pair)),
        held=len(walk.held),
        waiting=len(walk.queue.paid),
        asked=asked,
        there=there,
        left=walk.left,
        completed=len(done),
        renewals=sum(found.renewal for found in done),
        lost=sum(found.lost for found in done),
    )


def _pair(row: Lapse) -> Pair:
    return row.person, row.course


def _queue(walk: _Walk, tonight: Night, pair: Pair, reading: Reading) -> None:
    """Put a pair where it belongs now: held back, in the queue, or nowhere."""
    walk.held.pop(pair, None)
    walk.queue.discard(pair)
    if not verdict_of(reading.code).enrols:
        return
    row = demand_of(tonight, reading)
    until = spread_until(row, walk.snapshot.account.spread_days)
    if until is not None and tonight.on < until:
        walk.held[pair] = row
    else:
        walk.queue.add(row)


def _lapse(tonight: Night, reading: Reading) -> Iterator[Lapse]:
    person, course, expires_on = reading.person, reading.course.id, reading.renewal.expires_on
    if expires_on is None or (tonight.on - expires_on).days != 1 or person.archived:
        return
    if tonight.register.levels[person.id].get(course) is Level.REQUIRED:
        yield Lapse(person=person.id, course=course, expires_on=expires_on)


def _carry_out(walk: _Walk, on: date, actions: Iterable[Action]) -> None:
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
                _expect(walk, row, on, action.expires_on)
            case Cancel():
                index = _index(of_pair, action.enrolment)
                of_pair[index] = withdrawn(of_pair[index], action, on)
                _pay(walk, walk.rows.courses[action.course].credit_cost)
                walk.booked -= 1
                _again_tomorrow(walk, pair, on)
            case Invite():
                index = _index(of_pair, action.enrolment)
                of_pair[index] = evolve(of_pair[index], invited_at=at)


def _index(rows: list[Enrolment], id: str) -> int:
    return next(index for index, row in enumerate(rows) if row.id == id)


def _pay(walk: _Walk, credits: int) -> None:
    """A booking reserves its credits, and a cancellation gives them back; to start spends what was reserved."""
    if walk.left is not None:
        walk.left += credits


def _again_tomorrow(walk: _Walk, pair: Pair, on: date) -> None:
    if on < date.max:
        walk.agenda.read(pair, on + ONE_DAY)


# What people do


@final
@frozen(kw_only=True)
class _Completed:
    """A completion: whether it renewed something that had an expiry, and the days of validity lost by it."""

    renewal: bool
    lost: int


def _expect(walk: _Walk, row: Enrolment, today: date, valid_until: date | None) -> None:
    """Note when an enrolment is to be completed."""
    if walk.rows.people[row.person].archived:
        return
    enrolled_on = local_date(walk.snapshot.account.timezone, row.enrolled_at)
    on = completed_on(walk.assume, row.id, enrolled_on=enrolled_on, valid_until=valid_until, today=today)
    if on is not None and (day := walk.agenda.day(on)) is not None:
        day.completions.append(((row.person, row.course), row.id))


def _complete(walk: _Walk, pair: Pair, id: str, on: date) -> _Completed | None:
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
    _again_tomorrow(walk, pair, on)
    if renewed is None or renewed[1] is None:
        return _Completed(renewal=False, lost=0)
    now = counted(records, something.validity, on)
    return _Completed(renewal=True, lost=days_lost(something, on, renewed, None if now is None else now[1]))


def finished(row: Enrolment, on: date) -> Enrolment:
    """An open enrolment after it was completed; one the LMS had not confirmed is confirmed first."""
    for event in (Event.CONFIRM, Event.COMPLETE) if row.status is EnrolmentStatus.PENDING else (Event.COMPLETE,):
        moved = advance(row, event, on=on)
        assert isinstance(moved, Enrolment)
        row = moved
    return row
