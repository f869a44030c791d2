"""Is every required training on its way? Where each of them stands tonight, and what will be lost if nothing changes.

The same evaluation as the plan's: of tonight, and of the last day on which a training is valid.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from enum import Enum
from typing import final

from attrs import field, frozen

from enrolpolicy.bookings import OPEN
from enrolpolicy.dates import add_days
from enrolpolicy.facts import Status
from enrolpolicy.model import Level, Snapshot
from enrolpolicy.night import Night, Reading, night, night_of
from enrolpolicy.planner import allocate, available_credits, survey
from enrolpolicy.plans import Deferred
from enrolpolicy.policy import NO_TRIGGER
from enrolpolicy.verdict import Verdict, verdict_of

Pair = tuple[str, str]


@final
class Standing(Enum):
    """Where a required training of somebody on the register stands, as far as renewing it goes.

    `intact`: valid, and its renewal is not due. `booked`: there is an open enrolment, whoever made it. `enrol`:
    tonight's plan makes one. `waiting`: credits or the spread hold it back. `stuck`: it is due, and nothing is on its
    way. `not-applicable`: the course is archived or not eLearning, so that nothing can be booked.
    """

    INTACT = "intact"
    BOOKED = "booked"
    ENROL = "enrol"
    WAITING = "waiting"
    STUCK = "stuck"
    NOT_APPLICABLE = "not-applicable"


NOT_BOOKABLE = ("course-active", "course-elearning")
"""The gates that no setting of auto-enrolment opens."""
SWITCHED_OFF = frozenset({"plan-active", "account-enabled", "course-enabled"})
"""The gates that are shut where auto-enrolment is not on for the account or the course."""


@final
@frozen(kw_only=True)
class Covered:
    """One required training of one person.

    `because` is the first shut gate, or `no-trigger`, for what is stuck; `credits` or `spread` for what waits; the
    trigger for what is enrolled tonight; the enrolment's status for what is booked; the gate for what cannot be booked;
    None for what is intact. `expires_on` is its last valid day, None where it never expires or was never recorded.

    `lapses_on` is the day on which it is not valid any more, where it is valid now and, if nothing changes, no renewal
    is booked before; `lapse_because` is then the first gate that is shut on its last day.
    """

    person: str
    course: str
    standing: Standing
    because: str | None
    status: Status
    expires_on: date | None
    lapses_on: date | None = None
    lapse_because: str | None = None

    @property
    def lapses_although_on(self) -> bool:
        """It will lapse, although auto-enrolment is on for the account and the course."""
        return self.lapses_on is not None and self.lapse_because not in SWITCHED_OFF


@final
@frozen(kw_only=True)
class CoverageCell:
    """Those of whom one role requires one course, counted by where they stand; `role` is None for assignments.

    `lapsing` counts those who will lapse if nothing changes, wherever they stand. Somebody with two roles that require
    a course is counted for both.
    """

    course: str
    role: str | None
    counts: tuple[tuple[Standing, int], ...]
    lapsing: int

    @property
    def people(self) -> int:
        """All of them."""
        return sum(count for _, count in self.counts)

    @property
    def covered(self) -> float | None:
        """The share that is intact, booked, or enrolled tonight, of those who can be; None where nobody can be."""
        counts = dict(self.counts)
        able = self.people - counts.get(Standing.NOT_APPLICABLE, 0)
        well = sum(counts.get(standing, 0) for standing in ON_ITS_WAY)
        return well / able if able else None

    @property
    def percent(self) -> int | None:
        """That share in percent, rounded down, so that nobody reads 100 % where somebody is missing."""
        return None if self.covered is None else int(self.covered * 100 + 1e-9)


ON_ITS_WAY = (Standing.INTACT, Standing.BOOKED, Standing.ENROL)
"""Where a training stands about which nothing needs to be done."""


@final
@frozen(kw_only=True)
class Coverage:
    """Every required training of everybody who is not archived, by person, then course, and counted by cell."""

    account: str
    on: date
    rows: tuple[Covered, ...] = field(repr=False)
    cells: tuple[CoverageCell, ...] = field(repr=False)

    @property
    def counts(self) -> tuple[tuple[Standing, int], ...]:
        """How many stand where, in the order of `Standing`; those at 0 are left out."""
        return _counts(row.standing for row in self.rows)

    @property
    def stuck(self) -> tuple[tuple[str, int], ...]:
        """The reasons for which trainings are stuck, and how many for each, the most frequent first."""
        reasons = Counter(row.because or NO_TRIGGER for row in self.rows if row.standing is Standing.STUCK)
        return tuple(sorted(reasons.items(), key=_most_first))

    @property
    def lapsing(self) -> tuple[Covered, ...]:
        """Those that will lapse if nothing changes, the earliest first."""
        return tuple(sorted((row for row in self.rows if row.lapses_on is not None), key=_by_lapse))


def _most_first(row: tuple[str, int]) -> tuple[int, str]:
    return -row[1], row[0]


def _by_lapse(row: Covered) -> tuple[date, str, str]:
    return row.lapses_on or date.max, row.person, row.course


def coverage(snapshot: Snapshot, *, on: date) -> Coverage:
    """Where every required training stands on a date, and which will lapse if nothing changes.

    Only people who are not archived are looked at, and only what is required of them. `what_helps` tries what would
    bring more of it on its way.
    """
    tonight = night(snapshot, on)
    waits = _waits(tonight, snapshot)
    nights: dict[tuple[date, str], Night] = {}
    rows = tuple(_covered(tonight, nights, waits, pair) for pair in required(tonight))
    return Coverage(account=snapshot.account.id, on=on, rows=rows, cells=_cells(tonight, rows))


def required(tonight: Night) -> Iterator[Pair]:
    """Every required training of everybody who is not archived, by person, then course."""
    register = tonight.register
    for person in sorted(register.people):
        if not register.people[person].archived:
            for course, level in sorted(register.levels[person].items(), key=_course):
                if level is Level.REQUIRED:
                    yield person, course


def _course(row: tuple[str, Level]) -> str:
    return row[0]


Waits = Mapping[Pair, Deferred]


def _waits(tonight: Night, snapshot: Snapshot) -> Waits:
    _, deferred = allocate(survey(tonight).demand, snapshot.account, tonight.on, available_credits(snapshot))
    return {(row.person, row.course): row for row in deferred}


def _covered(tonight: Night, nights: dict[tuple[date, str], Night], waits: Waits, pair: Pair) -> Covered:
    reading = tonight.read(*pair)
    standing, because = _standing(reading, waits.get(pair))
    expires_on = reading.renewal.expires_on
    lost = None
    if standing in (Standing.INTACT, Standing.STUCK) and expires_on is not None and expires_on >= tonight.on:
        lost = lost_because(_last_day(tonight, nights, expires_on, pair))
    return Covered(
        person=pair[0],
        course=pair[1],
        standing=standing,
        because=because,
        status=reading.renewal.status,
        expires_on=expires_on,
        lapses_on=add_days(expires_on, 1) if lost is not None and expires_on is not None else None,
        lapse_because=lost,
    )


def _standing(reading: Reading, waits: Deferred | None) -> tuple[Standing, str | None]:
    verdict = verdict_of(reading.code)
    unbookable = next((gate for gate in NOT_BOOKABLE if gate in verdict.shut), None)
    if unbookable is not None:
        return Standing.NOT_APPLICABLE, unbookable
    if reading.bookings.enrolled:
        return Standing.BOOKED, _furthest(reading)
    if reading.renewal.status is Status.CURRENT:
        return Standing.INTACT, None
    if waits is not None:
        return Standing.WAITING, waits.because
    if verdict.enrols:
        return Standing.ENROL, verdict.trigger
    return Standing.STUCK, verdict.reason


def _furthest(reading: Reading) -> str:
    """The status of the open enrolment that has come furthest, as a rule the only one."""
    statuses = [row.status for row in reading.enrolments if row.status in OPEN]
    order = list(type(statuses[0]))
    return max(statuses, key=order.index).value


def _last_day(tonight: Night, nights: dict[tuple[date, str], Night], day: date, pair: Pair) -> Verdict:
    """The verdict on the last valid day, if nothing but the date changes."""
    key = day, pair[1]
    if key not in nights:
        nights[key] = night_of(tonight.register, day, only=(pair[1],))
    return verdict_of(nights[key].read(*pair).code)


def lost_because(verdict: Verdict) -> str | None:
    """Why a training is lost that has this verdict on its last valid day; None: it is renewed, or somebody else did."""
    return None if verdict.enrols or verdict.trigger is None else verdict.reason


# By course and role


def _cells(tonight: Night, rows: Iterable[Covered]) -> tuple[CoverageCell, ...]:
    of_cell: dict[tuple[str, str | None], list[Covered]] = {}
    for row in rows:
        sources = tonight.register.sources(row.person, row.course)
        for role in {source.role for source in sources if source.level is Level.REQUIRED}:
            of_cell.setdefault((row.course, role), []).append(row)
    return tuple(
        CoverageCell(
            course=course,
            role=role,
            counts=_counts(row.standing for row in of_cell[course, role]),
            lapsing=sum(row.lapses_on is not None for row in of_cell[course, role]),
        )
        for course, role in sorted(of_cell, key=_by_name)
    )


def _by_name(cell: tuple[str, str | None]) -> tuple[str, bool, str]:
    course, role = cell
    return course, role is None, role or ""


def _counts(standings: Iterable[Standing]) -> tuple[tuple[Standing, int], ...]:
    found = Counter(standings)
    return tuple((standing, found[standing]) for standing in Standing if standing in found)
