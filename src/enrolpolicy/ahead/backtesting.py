"""How this policy would have done what an older system did: the same nights planned, and each difference by its rule.

What the register looked like on a past night is not stored, so it is put together from what is dated: see
`enrolpolicy.ahead.restoring`. Credits are taken to have been enough, as no old balance is known.

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
from enrolpolicy.ahead.restoring import PastEnrolment, earlier, put_back
from enrolpolicy.ahead.stepping import PairAnswer, Step, steps
from enrolpolicy.errors import InvalidValue
from enrolpolicy.model import Snapshot
from enrolpolicy.plans import Enrol
from enrolpolicy.policy import NO_TRIGGER
from enrolpolicy.sweep import Pair


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
    past, happenings = put_back(snapshot, start)
    past = evolve(past, enrolments=(*past.enrolments, *earlier(past, outside, start)))
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
