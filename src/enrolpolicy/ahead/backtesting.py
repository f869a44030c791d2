"""How this policy would have done what an older system did: the same nights planned, and each difference by its rule.

What the register looked like on a past night is not stored, so it is put together from what is dated. On the first
night it holds what is dated before it; records, bookings made by hand, roles and assignments come in on their days, and
are known to the night after. What is not dated is taken as it is now: settings, courses, who is archived, addresses,
opt-outs and toggles, roles and assignments without a date. Credits are taken to have been enough, as no old balance is
known.

The older system's bookings are left out of those nights, and ours are made in their place: a training record completes
ours as it did theirs, and where somebody had theirs cancelled, ours is cancelled that day. So both sides answer for the
same renewal, and a booking of ours a month before theirs is told as one difference, not as two. What the older system
booked before the first night, and nobody had completed, is there as a booking.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from enum import Enum
from typing import final

from attrs import evolve, field, frozen

from enrolpolicy.ahead.assumptions import Assumptions, Completion
from enrolpolicy.ahead.happenings import Assigned, Booked, Ended, GivenRole, Happening, Recorded
from enrolpolicy.ahead.stepping import PairAnswer, Step, steps
from enrolpolicy.bookings import OPEN, REQUESTED
from enrolpolicy.constraints import Id, checked
from enrolpolicy.dates import first_instant, local_date
from enrolpolicy.errors import InvalidValue
from enrolpolicy.lifecycle import ENDED
from enrolpolicy.model import Enrolment, EnrolmentStatus, Origin, Person, Snapshot, TrainingRecord
from enrolpolicy.plans import Enrol
from enrolpolicy.policy import NO_TRIGGER
from enrolpolicy.renewal import FIRST_CYCLE, counted
from enrolpolicy.sweep import Pair


@final
@frozen(kw_only=True, field_transformer=checked)
class PastEnrolment:
    """An enrolment that an older system made on a night."""

    person: Id
    course: Id
    on: date


@final
class Match(Enum):
    """How an enrolment of the one side stands to the other's."""

    AGREED = "agreed"
    OTHER_NIGHT = "other-night"
    OURS_ONLY = "ours-only"
    THEIRS_ONLY = "theirs-only"


@final
@frozen(kw_only=True)
class Compared:
    """One renewal that at least one side made an enrolment for.

    `reasons` are ids of rules: the trigger of ours, where there is one; else all gates that were shut to theirs on its
    night, `no-trigger` where none was, or `spread`, where ours would have come after the last night.
    """

    person: str
    course: str
    cycle: str
    match: Match
    ours_on: date | None
    theirs_on: date | None
    reasons: tuple[str, ...]

    @property
    def days_later(self) -> int | None:
        """By how many days ours comes after theirs, below 0 where it comes before; None where one is missing."""
        return None if self.ours_on is None or self.theirs_on is None else (self.ours_on - self.theirs_on).days


@final
@frozen(kw_only=True)
class BackTest:
    """What both sides did from `start` to `until`.

    `rows` are by person, course and night. `outside` are enrolments of theirs on other nights, `unknown` those of
    people or courses that the snapshot does not have; neither is compared.
    """

    account: str
    start: date
    until: date
    rows: tuple[Compared, ...] = field(repr=False)
    outside: tuple[PastEnrolment, ...] = field(repr=False)
    unknown: tuple[PastEnrolment, ...] = field(repr=False)

    @property
    def counts(self) -> tuple[tuple[Match, int], ...]:
        """How many there are of each, in the order of `Match`; those at 0 are left out."""
        found = Counter(row.match for row in self.rows)
        return tuple((match, found[match]) for match in Match if match in found)

    @property
    def rules(self) -> tuple[tuple[Match, str, int], ...]:
        """The differences by their first rule, the most frequent first."""
        found = Counter((row.match, row.reasons[0]) for row in self.rows if row.match is not Match.AGREED)
        return tuple((*key, found[key]) for key in sorted(found, key=lambda key: (-found[key], key[0].value, key[1])))


def back_test(
    snapshot: Snapshot,
    theirs: Iterable[PastEnrolment],
    *,
    start: date,
    until: date,
    progress: Callable[[date], None] | None = None,
) -> BackTest:
    """Plan every night from `start` to `until` (both included) as it may have been, and hold it against what was done.

    How a past night is put together, the head of `enrolpolicy.ahead.backtesting` says. `progress` is called with each
    date that is reached. Raises `InvalidValue` where `until` is before `start`.
    """
    if until < start:
        raise InvalidValue("until", f"must not be before `start`, {start}; give a later date")
    asked, outside, unknown = _sorted_out(snapshot, theirs, start, until)
    questions: dict[date, list[Pair]] = {}
    for row in asked:
        questions.setdefault(row.on, []).append((row.person, row.course))
    past, happenings = _put_back(snapshot, start)
    past = evolve(past, enrolments=(*past.enrolments, *_earlier(past, outside, start)))
    ours: dict[tuple[str, str, str], list[tuple[date, Enrol]]] = {}
    answers: dict[tuple[date, Pair], PairAnswer] = {}
    for step in steps(
        past, start, until, _NOBODY_COMPLETES, unlimited=True, happenings=happenings, questions=questions
    ):
        if progress is not None:
            progress(step.on)
        answers |= {(step.on, pair): answer for pair, answer in step.answers}
        for enrol in _enrolments(step):
            ours.setdefault((enrol.person, enrol.course, enrol.cycle), []).append((step.on, enrol))
    rows = _compared(asked, answers, ours)
    return BackTest(
        account=snapshot.account.id,
        start=start,
        until=until,
        rows=tuple(sorted(rows, key=_place)),
        outside=tuple(outside),
        unknown=tuple(unknown),
    )


_NOBODY_COMPLETES = Assumptions(completed=Completion.NEVER)  # what was completed is on record


def _enrolments(step: Step) -> Iterator[Enrol]:
    return (action for action in step.actions if isinstance(action, Enrol))


def _sorted_out(
    snapshot: Snapshot, theirs: Iterable[PastEnrolment], start: date, until: date
) -> tuple[list[PastEnrolment], list[PastEnrolment], list[PastEnrolment]]:
    """Each row once, by date: those to compare, those outside the nights, those of nobody known."""
    people = {person.id for person in snapshot.personnel}
    courses = {course.id for course in snapshot.courses}
    asked, outside, unknown = list[PastEnrolment](), list[PastEnrolment](), list[PastEnrolment]()
    for row in sorted(set(theirs), key=_by_night):
        if row.person not in people or row.course not in courses:
            unknown.append(row)
        else:
            (asked if start <= row.on <= until else outside).append(row)
    return asked, outside, unknown


def _by_night(row: PastEnrolment) -> tuple[date, str, str]:
    return row.on, row.person, row.course


# The register as it may have been


def _put_back(snapshot: Snapshot, start: date) -> tuple[Snapshot, dict[date, list[Happening]]]:
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


def _earlier(past: Snapshot, outside: Iterable[PastEnrolment], start: date) -> Iterator[Enrolment]:
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


# The comparison


def _compared(
    asked: Iterable[PastEnrolment],
    answers: dict[tuple[date, Pair], PairAnswer],
    ours: dict[tuple[str, str, str], list[tuple[date, Enrol]]],
) -> Iterator[Compared]:
    for row in asked:
        answer = answers[row.on, (row.person, row.course)]
        made = ours.get((row.person, row.course, answer.cycle), [])
        if made:
            on, enrol = made.pop(_nearest(made, row.on))
            match = Match.AGREED if on == row.on else Match.OTHER_NIGHT
            yield _row(row.person, row.course, answer.cycle, match, on, row.on, (enrol.because,))
        else:
            reasons = _reasons(answer)
            yield _row(row.person, row.course, answer.cycle, Match.THEIRS_ONLY, None, row.on, reasons)
    for (person, course, cycle), left in ours.items():
        for on, enrol in left:
            yield _row(person, course, cycle, Match.OURS_ONLY, on, None, (enrol.because,))


def _nearest(made: list[tuple[date, Enrol]], on: date) -> int:
    return min(range(len(made)), key=lambda index: abs((made[index][0] - on).days))


def _reasons(answer: PairAnswer) -> tuple[str, ...]:
    if answer.verdict.enrols:
        return ("spread",)  # nothing else holds back who is to be enrolled, as credits are enough
    return answer.verdict.shut or (NO_TRIGGER,)


def _row(
    person: str,
    course: str,
    cycle: str,
    match: Match,
    ours_on: date | None,
    theirs_on: date | None,
    reasons: tuple[str, ...],
) -> Compared:
    return Compared(
        person=person,
        course=course,
        cycle=cycle,
        match=match,
        ours_on=ours_on,
        theirs_on=theirs_on,
        reasons=reasons,
    )


def _place(row: Compared) -> tuple[str, str, date]:
    return row.person, row.course, row.ours_on or row.theirs_on or date.min
