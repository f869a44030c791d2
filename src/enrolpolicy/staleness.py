"""A plan on newer data: which of its actions still stand, and for the others which fact changed (rule 6).

Between planning and acting somebody may have booked, opted out, left, or come back with a certificate. A plan is
therefore not carried out because its snapshot is unchanged, which it never is for long, but action by action: each has
its preconditions, and only the actions for which one of them fails are dropped.

The preconditions are not stored with an action, as they follow from it: the rules that made it, and what it promised.
"""

from collections.abc import Iterator, Mapping
from typing import final

from attrs import frozen

from enrolpolicy.bookings import REQUESTED
from enrolpolicy.candidate import Candidate, usable
from enrolpolicy.errors import InvalidValue
from enrolpolicy.explanation import answers
from enrolpolicy.facts import facts_of
from enrolpolicy.model import Enrolment, EnrolmentStatus, Origin, Snapshot, Withdrawal
from enrolpolicy.night import OTHER_CYCLE, Night, Reading, night
from enrolpolicy.planner import Demand, allocate, available_credits, demand_of, spread_until
from enrolpolicy.plans import Action, Cancel, Deferred, Enrol, Invite, Plan
from enrolpolicy.policy import GATES, TRIGGERS, WITHDRAWALS
from enrolpolicy.verdict import Verdict, verdict_of, withdrawn_because

KNOWN = "known"
_PROMISES = ("same-cycle", "same-attempt", "same-expiry", "same-cost")
_WAITS = ("spread", "credits")
_BOOKED = ("automatic", "booked")
_TRIGGERS = frozenset(row.id for row in TRIGGERS)
_CAUSES = {row.id: row for row in WITHDRAWALS}


@final
@frozen(kw_only=True)
class Changed:
    """A precondition that holds no longer: its id, and what is the case now."""

    id: str
    sentence: str


@final
@frozen(kw_only=True)
class Stale:
    """An action that must not be carried out any more, and every precondition of it that fails."""

    action: Action
    changed: tuple[Changed, ...]


@final
@frozen(kw_only=True)
class Rechecked:
    """What is left of a plan: the actions that stand, and those that were dropped, in the plan's order."""

    standing: tuple[Action, ...]
    dropped: tuple[Stale, ...]


def preconditions(action: Action) -> tuple[str, ...]:
    """The ids of all that must still hold when an action is carried out.

    For an `Enrol`: its trigger, every gate, that cycle, attempt, expiry and cost are what the plan says, and that
    neither spread nor credits hold it back. For a `Cancel`: the booking is automatic and not started, and the cause
    still holds. For an `Invite`: the same booking, not invited yet, not withdrawn, and its person reachable.
    """
    match action:
        case Enrol():
            return (KNOWN, action.because, *(gate.id for gate in GATES), *_PROMISES, *_WAITS)
        case Cancel():
            return (KNOWN, *_BOOKED, *(() if action.because == REQUESTED else (action.because,)))
        case Invite():
            return (KNOWN, *_BOOKED, "not-invited", "not-withdrawn", "reachable")


def recheck(plan: Plan, snapshot: Snapshot) -> Rechecked:
    """Hold a plan against a newer snapshot of the same account, on the plan's own date.

    Nobody new is added: whoever fell due since is for the next plan. Raises `InvalidValue` for another account's.
    """
    if plan.account != snapshot.account.id:
        raise InvalidValue("plan", f"is for account `{plan.account[:80]}`, not `{snapshot.account.id}`; plan anew")
    people = {person.id for person in snapshot.personnel} & {action.person for action in plan.actions}
    tonight = night(snapshot, plan.on, people)
    bookings = {row.id: row for row in snapshot.enrolments}
    changed = {action: tuple(changed_facts(tonight, bookings, action)) for action in plan.actions}
    waits = _waits(tonight, snapshot, [action for action in plan.enrolments if not changed[action]])
    changed |= {action: (_waiting(row),) for action, row in waits.items()}
    return Rechecked(
        standing=tuple(action for action in plan.actions if not changed[action]),
        dropped=tuple(Stale(action=action, changed=changed[action]) for action in plan.actions if changed[action]),
    )


def changed_facts(tonight: Night, bookings: Mapping[str, Enrolment], action: Action) -> Iterator[Changed]:
    """What an action was decided on and is not so any more; who else there is (credits) is not looked at."""
    rows = tonight.register
    if action.person not in rows.people or action.course not in rows.courses:
        yield Changed(id=KNOWN, sentence="the person or the course is not in the register any more")
    elif isinstance(action, Enrol):
        yield from _enrol_changed(tonight, tonight.read(action.person, action.course), action)
    else:
        yield from _booking_changed(tonight, bookings.get(action.enrolment), action)


# Enrolments


def _enrol_changed(tonight: Night, reading: Reading, action: Enrol) -> Iterator[Changed]:
    verdict = verdict_of(reading.code)
    if verdict.shut or verdict.trigger != action.because:
        yield from _rules_changed(tonight.candidate(reading), verdict, action.because)
    then = (action.cycle, action.attempt, action.expires_on, action.credits)
    now = (reading.renewal.cycle, reading.bookings.attempt, reading.renewal.expires_on, reading.course.credit_cost)
    for id, before, after in zip(_PROMISES, then, now, strict=True):
        if before != after:
            yield Changed(id=id, sentence=f"the plan says `{before}`, and it is `{after}` now")


def _rules_changed(candidate: Candidate, verdict: Verdict, because: str) -> Iterator[Changed]:
    """The trigger that fires no longer, and the gates that are shut, in words; nothing else is put into any."""
    asked = {because, *(gate.id for gate in GATES)}
    if because not in _TRIGGERS:
        yield Changed(id=KNOWN, sentence=f"no rule enrols anybody because of `{because[:80]}`")
    for answer in answers(candidate, verdict):
        if answer.id in asked and not answer.holds:
            yield Changed(id=answer.id, sentence=answer.sentence)


def _waits(tonight: Night, snapshot: Snapshot, actions: list[Enrol]) -> dict[Action, Deferred]:
    """Those of the enrolments that the spread, or the credits there are now, hold back."""
    demand: list[Demand] = []
    for action in actions:
        reading = tonight.read(action.person, action.course)
        demand.append(demand_of(tonight, reading))
    _, deferred = allocate(demand, snapshot.account, tonight.on, available_credits(snapshot))
    waiting = {(row.person, row.course): row for row in deferred}
    return {action: row for action in actions if (row := waiting.get((action.person, action.course)))}


def spread_changed(tonight: Night, action: Enrol) -> Iterator[Changed]:
    """That the spread holds an enrolment back now, whose facts have not changed."""
    spread_days = tonight.register.account.spread_days
    if not spread_days:
        return
    until = spread_until(demand_of(tonight, tonight.read(action.person, action.course)), spread_days)
    if until is not None and tonight.on < until:
        yield Changed(id="spread", sentence=f"it is held until {until}")


def _waiting(row: Deferred) -> Changed:
    now = f"it is held until {row.until}" if row.until else f"{row.shortfall} more credits are needed"
    return Changed(id=row.because, sentence=now)


# Bookings


def _booking_changed(tonight: Night, row: Enrolment | None, action: Cancel | Invite) -> Iterator[Changed]:
    if row is None or (row.person, row.course) != (action.person, action.course):
        yield Changed(id=KNOWN, sentence=f"the enrolment `{action.enrolment[:80]}` is not in the register any more")
        return
    if row.origin is not Origin.AUTO:
        yield Changed(id="automatic", sentence="the enrolment was made by hand")
    if row.status is not EnrolmentStatus.BOOKED:
        yield Changed(id="booked", sentence=f"the enrolment is {row.status.value} now")
    reading = tonight.read(row.person, row.course)
    code = reading.code | (OTHER_CYCLE if row.cycle != reading.renewal.cycle else 0)
    if isinstance(action, Cancel):
        yield from _cause_changed(tonight, code, action.because)
        return
    if row.invited_at is not None:
        yield Changed(id="not-invited", sentence="the invitation has gone out")
    cause = withdrawn_because(facts_of(code), tonight.register.account.withdraw_when)
    if cause is not None:
        yield Changed(id="not-withdrawn", sentence=f"the booking is to be withdrawn: {_CAUSES[cause].yes}")
    if not usable(reading.person.email):
        yield Changed(id="reachable", sentence="the person has no usable e-mail address")


def _cause_changed(tonight: Night, code: int, because: str) -> Iterator[Changed]:
    if because == REQUESTED:
        return
    row = _CAUSES.get(because)
    if row is None or Withdrawal(because) not in tonight.register.account.withdraw_when:
        yield Changed(id=because, sentence="the account does not withdraw bookings for this cause")
    elif not row.holds(facts_of(code)):
        yield Changed(id=because, sentence=row.no)
