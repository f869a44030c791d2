"""Why, or why not: one candidate's verdict with every rule in words.

The same evaluation as the plan's. What others have a say in, credits, is settled by the same allocation.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from functools import partial
from typing import final

from attrs import frozen

from enrolpolicy.bookings import OPEN
from enrolpolicy.candidate import Candidate
from enrolpolicy.facts import Status
from enrolpolicy.model import Employment, EnrolmentStatus, Level, Snapshot
from enrolpolicy.night import Night, Reading, night, night_of
from enrolpolicy.planner import allocate, available_credits, demand_of, spread_until, survey
from enrolpolicy.plans import Deferred
from enrolpolicy.policy import GATES, NO_TRIGGER, TRIGGERS, Row
from enrolpolicy.renewal import LeadSource
from enrolpolicy.verdict import Verdict, judge, verdict_of

ENROL, DEFERRED, NOT_ENROLLED = "enrol", "deferred", "not-enrolled"


@final
@frozen(kw_only=True)
class Answer:
    """What one rule found: its id, whether it holds, and that in words."""

    id: str
    holds: bool
    sentence: str


@final
@frozen(kw_only=True)
class Explanation:
    """Why one person is, or is not, enrolled on one course on a date.

    `outcome` is `enrol`, `deferred` or `not-enrolled`; `trigger` is the one that fires, gates shut or not; `shut` holds
    the shut gates in table order. `lead_days` is effective, in days. `next_check_on` is the next date on which the
    answer changes by time alone, None where it never does.
    """

    person: str
    course: str
    on: date
    outcome: str
    trigger: str | None
    shut: tuple[str, ...]
    deferred: Deferred | None
    status: Status
    level: Level | None
    lead_days: int
    lead_from: LeadSource
    lead_clamped: bool
    expires_on: date | None
    opens_on: date | None
    cycle: str
    attempt: int
    next_check_on: date | None
    rows: tuple[Answer, ...]

    @property
    def reason(self) -> str:
        """The reason shown first: the trigger for an enrolment, what it waits for, or what is in the way."""
        if self.deferred is not None:
            return self.deferred.because
        if self.shut:
            return self.shut[0]
        return self.trigger or NO_TRIGGER

    @property
    def sentence(self) -> str:
        """The reason shown first, in words."""
        if self.deferred is not None:
            return _waiting(self.deferred)
        if self.reason == NO_TRIGGER:
            return next(row.sentence for row in self.rows if row.id == _NEAREST_TRIGGER[self.status])
        return next(row.sentence for row in self.rows if row.id == self.reason)


# The trigger whose sentence tells best why none fires.
_NEAREST_TRIGGER = {Status.CURRENT: "expiring", Status.EXPIRED: "expired"}


def _waiting(deferred: Deferred) -> str:
    if deferred.until is not None:
        return f"held until {deferred.until}, so that not everybody is booked on one night"
    return f"waits for credits: {deferred.shortfall} more would be enough"


def explain(snapshot: Snapshot, *, person: str, course: str, on: date) -> Explanation:
    """Why one person is, or is not, enrolled on a course on a date; raises `UnknownId` for either."""
    tonight = night(snapshot, on, {person})
    reading = tonight.read(person, course)
    waits = _deferrals(snapshot, on) if verdict_of(reading.code).enrols else {}
    return _explained(tonight, reading, waits)


def explain_all(
    snapshot: Snapshot, *, on: date, person: str | None = None, course: str | None = None
) -> Iterator[Explanation]:
    """The same for every candidate, by person, then course; or for those of one person, or of one course.

    Raises `UnknownId` for either, when the first is asked for.
    """
    tonight = night(snapshot, on)
    people = sorted(tonight.register.people) if person is None else [tonight.register.person(person).id]
    wanted = tonight.register.courses.keys() if course is None else {tonight.register.course(course).id}
    waits = _deferrals(snapshot, on)
    for somebody in people:
        for something in sorted(tonight.register.courses_of(somebody) & wanted):
            yield _explained(tonight, tonight.read(somebody, something), waits)


Waits = Mapping[tuple[str, str], Deferred]


def _deferrals(snapshot: Snapshot, on: date) -> Waits:
    demand = survey(night(snapshot, on)).demand
    _, deferred = allocate(demand, snapshot.account, on, available_credits(snapshot))
    return {(row.person, row.course): row for row in deferred}


def _explained(tonight: Night, reading: Reading, waits: Waits) -> Explanation:
    candidate = tonight.candidate(reading)
    verdict = judge(candidate.facts)
    deferred = waits.get((candidate.person.id, candidate.course.id)) if verdict.enrols else None
    standing = candidate.renewal
    return Explanation(
        person=candidate.person.id,
        course=candidate.course.id,
        on=candidate.on,
        outcome=DEFERRED if deferred else ENROL if verdict.enrols else NOT_ENROLLED,
        trigger=verdict.trigger,
        shut=verdict.shut,
        deferred=deferred,
        status=standing.status,
        level=candidate.facts.level,
        lead_days=standing.lead_days,
        lead_from=candidate.lead.source,
        lead_clamped=candidate.lead_clamped,
        expires_on=standing.expires_on,
        opens_on=standing.opens_on,
        cycle=candidate.cycle,
        attempt=candidate.attempt,
        next_check_on=next_check_on(tonight, reading),
        rows=answers(candidate, verdict),
    )


# When the answer changes by time alone


def next_check_on(tonight: Night, reading: Reading) -> date | None:
    """The next date on which the answer to a pair changes though nothing else does; None: never.

    The answer is the status, the trigger, the shut gates, and whether the spread holds it back. It can change only on
    the few dates named here, so each is asked in turn; a record that counts from one of them on names dates of its own.
    """
    now = _answer(tonight, reading)
    at, here = tonight, reading
    while day := min((day for day in boundaries(at, here) if day > at.on), default=None):
        at = night_of(tonight.register, day, only=(reading.course.id,))
        here = at.read(reading.person.id, reading.course.id)
        if _answer(at, here) != now:
            return day
    return None


def _answer(tonight: Night, reading: Reading) -> tuple[Status, Verdict, bool]:
    verdict = verdict_of(reading.code)
    until = _spread(tonight, reading, verdict)
    return reading.renewal.status, verdict, until is not None and tonight.on < until


def _spread(tonight: Night, reading: Reading, verdict: Verdict) -> date | None:
    spread_days = tonight.register.account.spread_days
    return spread_until(demand_of(tonight, reading), spread_days) if verdict.enrols and spread_days else None


def boundaries(tonight: Night, reading: Reading) -> set[date]:
    """The dates, past ones among them, on which alone the answer to a pair can change though nothing else does."""
    standing, account = reading.renewal, tonight.register.account
    days = {row.completed_on for row in tonight.register.records[reading.person.id].get(reading.course.id, ())}
    if standing.opens_on is not None:
        days.add(standing.opens_on)
    if standing.expires_on is not None:
        days |= _days_after(standing.expires_on, 1, 1 + account.expired_lookback_days)
    if reading.bookings.retry_on is not None:
        days.add(reading.bookings.retry_on)
    until = _spread(tonight, reading, verdict_of(reading.code))
    return days | {until} if until is not None else days


def _days_after(day: date, *offsets: int) -> set[date]:
    left = (date.max - day).days
    return {day + timedelta(offset) for offset in offsets if offset <= left}


# Rules in words


def answers(candidate: Candidate, verdict: Verdict) -> tuple[Answer, ...]:
    """What every trigger and gate found about a candidate, in table order."""
    words = _words(candidate)
    fired = [_in_words(row, row.id == verdict.trigger, words) for row in TRIGGERS]
    return (*fired, *(_in_words(row, row.id not in verdict.shut, words) for row in GATES))


def _in_words(row: Row, holds: bool, words: Mapping[str, Callable[[], str]]) -> Answer:
    sentence = _PLACEHOLDER.sub(lambda found: words[found[1]](), row.yes if holds else row.no)
    return Answer(id=row.id, holds=holds, sentence=sentence)


_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def _words(candidate: Candidate) -> dict[str, Callable[[], str]]:
    """What the placeholders of the tables stand for; worked out only where a sentence has them."""
    renewal, account = candidate.renewal, candidate.account
    return {
        "expires_on": lambda: str(renewal.expires_on),
        "opens_on": lambda: str(renewal.opens_on),
        "lookback": lambda: str(account.expired_lookback_days),
        "delivery": lambda: candidate.course.delivery.value,
        "employment": lambda: _EMPLOYMENTS[candidate.person.employment],
        "level": lambda: candidate.facts.level.value if candidate.facts.level else "not asked",
        "lead": partial(_lead, candidate),
        "standing": partial(_standing, candidate),
        "sources": partial(_sources, candidate),
        "opt_out": partial(_opt_out, candidate),
        "open": partial(_open, candidate),
        "refusals": partial(_refusals, candidate),
        "retry_on": lambda: str(candidate.bookings.retry_on),
        "missing_yes": partial(_missing_yes, candidate),
        "missing_no": partial(_missing_no, candidate),
    }


_EMPLOYMENTS = {Employment.EMPLOYEE: "employee", Employment.SUBCONTRACTOR: "sub-contractor"}
_LEADS = {
    LeadSource.DEFAULT: "the default",
    LeadSource.ACCOUNT: "set for the account",
    LeadSource.COURSE: "set for the course",
}


def _lead(candidate: Candidate) -> str:
    lead = candidate.lead
    words = f"{candidate.renewal.lead_days} days ahead, "
    if candidate.lead_clamped:
        words += f"half of what it is valid for; {lead.days} are "
    words += _LEADS[lead.source]
    return words + ("; custom days are stored, and ignored while custom expiry is off" if lead.ignored else "")


def _standing(candidate: Candidate) -> str:
    renewal = candidate.renewal
    if renewal.completed_on is None:
        return "never recorded"
    if renewal.expires_on is None:
        return f"completed on {renewal.completed_on}, never expires"
    if renewal.status is Status.CURRENT:
        return f"expires on {renewal.expires_on}, opens on {renewal.opens_on}"
    return f"{'expired' if renewal.status is Status.EXPIRED else 'expires'} on {renewal.expires_on}"


def _sources(candidate: Candidate) -> str:
    def words(role: str | None) -> str:
        return "an assignment of their own" if role is None else f"role `{role}`"

    asked = [f"{source.level.value} by {words(source.role)}" for source in candidate.sources]
    return ", ".join(dict.fromkeys(asked))


def _opt_out(candidate: Candidate) -> str:
    ways = []
    if not candidate.facts.person_enabled:
        ways.append("the toggle on the profile")
    if candidate.facts.opted_out:
        ways.append("an opt-out from this course")
    return " and ".join(ways)


def _open(candidate: Candidate) -> str:
    rows = [row for row in candidate.enrolments if row.status in OPEN]
    return ", ".join(f"{row.origin.value}, {row.status.value}, `{row.id}`" for row in rows)


def _refusals(candidate: Candidate) -> str:
    refused = [row for row in candidate.enrolments if row.status is EnrolmentStatus.REFUSED]
    reasons = [row.ended_because for row in refused if row.cycle == candidate.cycle and row.ended_because]
    times = candidate.bookings.refusals
    count = "once" if times == 1 else f"{times} times"
    return f"{count}, saying: {reasons[-1]}" if reasons else count


def _missing_yes(candidate: Candidate) -> str:
    if candidate.facts.status is not Status.MISSING:
        return "the training was recorded before"
    return "the training was never recorded, and the account enrols missing training"


def _missing_no(candidate: Candidate) -> str:
    if not candidate.facts.missing_enabled:
        return "the account does not enrol missing training"
    return f"it was not asked of the person on or after {candidate.account.missing_since}"
