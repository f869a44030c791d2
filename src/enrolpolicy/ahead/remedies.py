"""What one change would help: every single switch that could bring required training on its way, tried one by one.

Nothing is guessed from a reason. Each change is made on the register, and the trainings that are not on their way are
asked again by the policy itself; what counts is who is then to be enrolled.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import final

from attrs import frozen

from enrolpolicy.ahead.covering import Coverage, Covered, Standing
from enrolpolicy.ahead.whatif import Supposition, TopUp, moved, supposed
from enrolpolicy.changes import ChangeAccount, ChangeCourse, ChangeOptOut, ChangePerson
from enrolpolicy.dates import ONE_DAY
from enrolpolicy.model import Audience, Snapshot
from enrolpolicy.night import Night, night_of
from enrolpolicy.planner import allocate, available_credits, demand_of, spread_until, survey
from enrolpolicy.register import Register, register
from enrolpolicy.sweep import Pair
from enrolpolicy.verdict import verdict_of


@final
@frozen(kw_only=True)
class Remedy:
    """One change, and which trainings it would bring on their way.

    `now` are those that would be enrolled tonight and are stuck or waiting, `later` those that would lapse and would be
    renewed in time. `credits` is what those of tonight cost; whether there are so many is another question, which
    `what_if` answers.
    """

    change: Supposition
    now: tuple[Pair, ...]
    later: tuple[Pair, ...]
    credits: int

    @property
    def helps(self) -> int:
        """How many trainings it helps."""
        return len({*self.now, *self.later})


def what_helps(
    snapshot: Snapshot, found: Coverage, *, progress: Callable[[int, int], None] | None = None
) -> tuple[Remedy, ...]:
    """Every single change that would help, the one that helps most first.

    `found` is the `coverage` of this snapshot. What is tried: each switch of the account, of a course, of a person and
    each opt-out that could stand before something that is not on its way; a lookback that reaches back to it; no
    spread; and as many credits as nobody has to wait for. `progress` is called with how many were tried, of how many.
    """
    trouble = [row for row in found.rows if row.standing in _NOT_ON_ITS_WAY or row.lapses_on is not None]
    rows = register(snapshot)
    tried = list(_changes(snapshot, found, trouble))
    remedies = []
    for index, (change, concerned) in enumerate(tried):
        if progress is not None:
            progress(index, len(tried))
        remedies.append(_remedy(snapshot, rows, change, concerned, found.on))
    if (top_up := _top_up(snapshot, rows, found)) is not None:
        remedies.append(top_up)
    return tuple(sorted((row for row in remedies if row.helps), key=_most_first))


_NOT_ON_ITS_WAY = frozenset({Standing.STUCK, Standing.WAITING})


def _most_first(row: Remedy) -> tuple[int, str]:
    return -row.helps, repr(row.change)


Tried = tuple[Supposition, list[Covered]]


def _changes(snapshot: Snapshot, found: Coverage, trouble: list[Covered]) -> Iterator[Tried]:
    """What there is to be tried, each with the trainings that it can make a difference to."""
    for change in _of_account(snapshot, found, trouble):
        yield change, trouble
    by_course, by_person = _by(trouble, lambda row: row.course), _by(trouble, lambda row: row.person)
    for course in snapshot.courses:
        concerned = by_course.get(course.id, [])
        if concerned and not course.auto_enrol:
            yield ChangeCourse(course=course.id, auto_enrol=True), concerned
        if concerned and course.audience is Audience.EMPLOYEES:
            yield ChangeCourse(course=course.id, audience=Audience.EVERYONE), concerned
    for person in snapshot.personnel:
        if not person.auto_enrol and person.id in by_person:
            yield ChangePerson(person=person.id, auto_enrol=True), by_person[person.id]
    for pair in sorted({(row.person, row.course) for row in snapshot.opt_outs}):
        concerned = [row for row in by_person.get(pair[0], []) if row.course == pair[1]]
        if concerned:
            yield ChangeOptOut(person=pair[0], course=pair[1], opted_out=False), concerned


def _by(rows: Iterable[Covered], part: Callable[[Covered], str]) -> dict[str, list[Covered]]:
    found: dict[str, list[Covered]] = {}
    for row in rows:
        found.setdefault(part(row), []).append(row)
    return found


def _of_account(snapshot: Snapshot, found: Coverage, trouble: Iterable[Covered]) -> Iterator[ChangeAccount]:
    account = snapshot.account
    if not account.auto_enrol:
        yield ChangeAccount(auto_enrol=True)
    if not account.auto_enrol_missing:
        yield ChangeAccount(auto_enrol_missing=True)
    if account.missing_since is not None:
        yield ChangeAccount(missing_since=None)
    if account.spread_days:
        yield ChangeAccount(spread_days=0)
    ago = [(found.on - row.expires_on).days for row in trouble if row.expires_on is not None]
    longest = min(max(ago, default=0), _LONGEST_LOOKBACK)
    if longest > account.expired_lookback_days:
        yield ChangeAccount(expired_lookback_days=longest)


_LONGEST_LOOKBACK, _LARGEST_BALANCE = 36525, 10**9


# One of them tried


def _remedy(snapshot: Snapshot, rows: Register, change: Supposition, concerned: Iterable[Covered], on: date) -> Remedy:
    changed = moved(rows, snapshot, supposed(snapshot, [change], on=on))
    nights: dict[date, Night] = {}

    def night(day: date) -> Night:
        if day not in nights:
            nights[day] = night_of(changed, day)
        return nights[day]

    now, later, credits = list[Pair](), list[Pair](), 0
    for row in concerned:
        pair = row.person, row.course
        if row.standing in _NOT_ON_ITS_WAY and row.because != "credits" and _enrols(night(on), pair):
            now.append(pair)
            credits += rows.courses[row.course].credit_cost
        if row.lapses_on is not None and _enrols(night(row.lapses_on - ONE_DAY), pair):
            later.append(pair)
    return Remedy(change=change, now=tuple(now), later=tuple(later), credits=credits)


def _enrols(night: Night, pair: Pair) -> bool:
    """Whether a pair is to be enrolled on a night, credits aside."""
    reading = night.read(*pair)
    if not verdict_of(reading.code).enrols:
        return False
    until = spread_until(demand_of(night, reading), night.register.account.spread_days)
    return until is None or night.on >= until


def _top_up(snapshot: Snapshot, rows: Register, found: Coverage) -> Remedy | None:
    """As many credits as nobody waits for any."""
    waiting = {(row.person, row.course) for row in found.rows if row.because == "credits"}
    if not waiting:
        return None
    demand = survey(night_of(rows, found.on)).demand
    _, deferred = allocate(demand, snapshot.account, found.on, available_credits(snapshot))
    short = max(row.shortfall or 0 for row in deferred)
    if short + (snapshot.account.credits or 0) > _LARGEST_BALANCE:
        return None  # nobody has so many
    changed = supposed(snapshot, [TopUp(credits=short)], on=found.on)
    enrolled, _ = allocate(demand, changed.account, found.on, available_credits(changed))
    now = [row for row in enrolled if (row.person, row.course) in waiting]
    return Remedy(
        change=TopUp(credits=short),
        now=tuple((row.person, row.course) for row in now),
        later=(),
        credits=sum(row.credits for row in now),
    )
