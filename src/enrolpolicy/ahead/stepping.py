"""A register walked through the nights to come, looking only at what can have changed.

Stepping every night would plan, carry the plan out, let people complete what is due, and plan again. Here the same is
done on one register in motion. A pair is read, by the very evaluation a plan is made of, on the dates on which its
answer can change by time alone (`enrolpolicy.explanation.boundaries`), and on the night after a booking of it ended.
What is asked for and not yet given waits in a queue in the order of its rank, so that a night pays from its front, and
a night on which nothing can have changed is not looked at. The tests hold this against stepping every night.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import final

from attrs import frozen

from enrolpolicy.ahead.agenda import Day, Lapse
from enrolpolicy.ahead.assumptions import Assumptions
from enrolpolicy.ahead.happenings import Happening, happen
from enrolpolicy.ahead.walking import Walk, begin, carry_out, complete
from enrolpolicy.explanation import boundaries
from enrolpolicy.model import Level, Snapshot
from enrolpolicy.night import Night, Reading, night_of
from enrolpolicy.planner import allocate, demand_of, ordered, spread_until, tripped, upkeep
from enrolpolicy.plans import Action, Cancel, Invite
from enrolpolicy.sweep import Pair
from enrolpolicy.verdict import Verdict, verdict_of


@final
@frozen
class PairAnswer:
    """A pair's verdict on a night before anything is done on it, and which renewal it is about."""

    verdict: Verdict
    cycle: str


@final
@frozen(kw_only=True)
class Step:
    """What one night, and the day after it, come to.

    `held` counts those the spread holds back, `waiting` those for whom there were no credits. `asked` is the credits
    that all who are not held asked for together, `there` what there was for them, and `left` what the next night begins
    with; both are None where credits are not metered. Of the day's completions, `renewals` are those of training that
    had an expiry, by which `lost` days of validity were lost. `answers` are those to the questions asked.
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
    answers: tuple[tuple[Pair, PairAnswer], ...]


def steps(
    snapshot: Snapshot,
    start: date,
    until: date,
    assume: Assumptions,
    *,
    unlimited: bool = False,
    happenings: Mapping[date, Sequence[Happening]] = MappingProxyType({}),
    questions: Mapping[date, Sequence[Pair]] = MappingProxyType({}),
) -> Iterator[Step]:
    """Every night from `start` to `until` on which something can be different, in order; the first is always told.

    With `unlimited`, nobody waits for credits; what is left of them then falls below 0. `happenings` are put into the
    register at the end of their days, beside what is assumed; `questions` are pairs whose answer is wanted on a night.
    """
    walk = begin(snapshot, start, until, assume, unlimited=unlimited)
    agenda = walk.agenda
    for day in (*happenings, *questions):
        agenda.day(day)
    while (on := agenda.next()) is not None:
        yield _step(walk, on, agenda.take(on), questions.get(on, ()), happenings.get(on, ()))


def _step(walk: Walk, on: date, day: Day, questions: Iterable[Pair], happenings: Iterable[Happening]) -> Step:
    tonight = night_of(walk.rows, on)
    lapses, cancelled, invited = _read(walk, tonight, day)
    answers = tuple((pair, _answer(tonight.read(*pair))) for pair in questions)
    there = walk.left
    available = None if walk.unlimited else there
    asked = walk.queue.cost
    enrolled, _ = allocate(walk.queue.front(available), walk.snapshot.account, on, available)
    actions = ordered(enrolled, cancelled, invited)
    guards = tripped(walk.snapshot, actions, walk.booked)
    carry_out(walk, on, actions)
    done = [found for pair, id in day.completions if (found := complete(walk, pair, id, on))]
    for it in happenings:
        happen(walk, it, on)
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
        answers=answers,
    )


def _read(walk: Walk, tonight: Night, day: Day) -> tuple[list[Lapse], list[Cancel], list[Invite]]:
    """Read every pair that is due, and note when it is to be read again."""
    lapses, cancelled, invited = list(day.lapses), list[Cancel](), list[Invite]()
    for pair in day.pairs:
        reading = tonight.read(*pair)
        _queue(walk, tonight, pair, reading)
        withdrawals, invitations = upkeep(tonight, reading)
        cancelled += withdrawals
        invited += invitations
        lapses += _lapse(tonight, reading)
        later = [one for one in boundaries(tonight, reading) if one > tonight.on]
        if later:
            walk.agenda.read(pair, min(later))
    return lapses, cancelled, invited


def _answer(reading: Reading) -> PairAnswer:
    return PairAnswer(verdict_of(reading.code), reading.renewal.cycle)


def _pair(row: Lapse) -> Pair:
    return row.person, row.course


def _queue(walk: Walk, tonight: Night, pair: Pair, reading: Reading) -> None:
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
