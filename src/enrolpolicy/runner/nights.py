"""A night carried out: a generator of port calls, which never makes one itself.

    settle what earlier runs left → send the letters that are due → the plan: claim, ask, confirm, invite; cancel

Each effect is yielded as a value (`enrolpolicy.runner.calls.Call`), and its answer sent in. So each is a place where a
run may be stopped, delayed or repeated, and the simulations do just that; `enrolpolicy.runner.driving` makes the calls
for real.

Nothing is written down between an effect and its answer. A run that stops anywhere either has not asked, or leaves a
pending row with its key behind, which the next run settles first, under that key. Slowness is no fault either: what a
slow run holds may be taken over meanwhile, and then its fence is refused.
"""

from collections.abc import Sequence
from datetime import date

from attrs import evolve

from enrolpolicy.dates import days_between, run_date
from enrolpolicy.model import Delivery, Snapshot
from enrolpolicy.planner import plan as plan_night
from enrolpolicy.plans import Action, Cancel, Enrol, Invite, Plan
from enrolpolicy.ports import Backlog, Done, Refused, Unknown
from enrolpolicy.reports import PlanRefused, Report
from enrolpolicy.runner import turns
from enrolpolicy.runner.accepting import refusal_of
from enrolpolicy.runner.calls import Run, Steps, reason
from enrolpolicy.runner.effects import cancel, enrol, invite
from enrolpolicy.runner.job import Job
from enrolpolicy.runner.settling import follow_up, settle, watches_ended

_BOOKABLE = (Delivery.IHASCO, Delivery.SCORM)


def steps_of_night(job: Job, *, follow: bool = False) -> Steps[Report]:
    """Settle what earlier runs left, plan the night, and carry the plan out.

    `follow`: ask the LMS first how far open bookings have come. A night whose plan trips a guard settles what was left,
    and does no more.
    """
    run = Run(job)
    yield from _begin(run)
    missed = yield from _settle(run)
    if follow:
        yield from follow_up(run)
    snapshot = None if run.stopped else (yield from run.read("snapshot", Snapshot))
    if snapshot is None:
        return _report(run, missed)
    tonight = plan_night(snapshot, on=run.job.on)
    if tonight.guards:
        return _report(run, missed, tonight.guards)
    yield from _carry_out(run, tonight.actions)
    return (yield from _finish(run, missed))


def steps_of_plan(job: Job, plan: Plan, *, exact: bool = False) -> Steps[Report | PlanRefused]:
    """Carry out a plan that was made, and perhaps looked through, before; `exact`: on the register it was made from."""
    run = Run(job)
    yield from _begin(run)
    snapshot = None if run.stopped else (yield from run.read("snapshot", Snapshot))
    if snapshot is None:
        return _report(run)
    refused = refusal_of(plan, snapshot, on=run.job.on, exact=exact)
    if refused is not None:
        return refused
    missed = yield from _settle(run)
    yield from _carry_out(run, plan.actions)
    return (yield from _finish(run, missed))


def steps_of_actions(job: Job, actions: Sequence[Action]) -> Steps[Report]:
    """Carry out some actions by themselves: a cancellation that somebody asked for, say."""
    run = Run(job)
    yield from _begin(run)
    yield from _carry_out(run, actions)
    return _report(run)


def _carry_out(run: Run, actions: Sequence[Action]) -> Steps[None]:
    for enrols in run.batches([action for action in actions if isinstance(action, Enrol)]):
        yield from enrol(run, enrols)
    for cancels in run.batches([action for action in actions if isinstance(action, Cancel)]):
        yield from cancel(run, cancels)
    for invites in run.batches([action for action in actions if isinstance(action, Invite)]):
        yield from invite(run, invites)


# Before and after


def _begin(run: Run) -> Steps[None]:
    """Which night it is, whose turn it is, and whether the LMS passes its check."""
    said = yield from run.transact((), turns.settings)
    if not isinstance(said, Done):
        run.stopped = f"the store did not give the account's settings: {reason(said)}"
        return
    run.job = evolve(run.job, on=run_date(said.value.account.timezone, run.job.at))
    if run.job.guarantee.exclusive:
        yield from _take_turn(run)
    if not run.stopped:
        yield from _check(run, said.value)


def _take_turn(run: Run) -> Steps[None]:
    said = yield from run.transact((), turns.take_turn(run.job))
    if not isinstance(said, Done):
        run.stopped = f"the store could not say whose turn it is: {reason(said)}"
    elif said.value is not None:
        run.stopped = f"another run has the account until {said.value.isoformat()}; this LMS bears one at a time"


def _check(run: Run, snapshot: Snapshot) -> Steps[None]:
    """The preflight: what cannot work is said before anything is done."""
    courses = {course.id for course in snapshot.courses if course.auto_enrol and course.delivery in _BOOKABLE}
    said = yield from run.lms("check", tuple, tuple(sorted(courses)))
    if isinstance(said, Refused | Unknown):
        run.stopped = run.stopped or f"the lms did not pass its check: {reason(said)}"
        return
    for trouble in said.value:
        if trouble.about in courses:
            run.unusable[trouble.about] = trouble.code
        else:
            run.stopped = f"the lms cannot be used: {trouble.code}; {trouble.message}"


def _settle(run: Run) -> Steps[tuple[date, ...]]:
    """Settle what earlier runs left; the answer is the nights that none of them ran."""
    backlog = None if run.stopped else (yield from run.read("backlog", Backlog, watches_ended(run.job)))
    if backlog is None:
        return ()
    yield from settle(run, backlog)
    return days_between(backlog.last_night, run.job.on)


def _finish(run: Run, missed: tuple[date, ...]) -> Steps[Report]:
    if not run.stopped:
        yield from run.transact((), turns.finish(run.job))
    return _report(run, missed)


def _report(run: Run, missed: tuple[date, ...] = (), guards: tuple[str, ...] = ()) -> Report:
    return Report(
        account=run.job.account,
        on=run.job.on,
        outcomes=tuple(run.outcomes),
        missed=missed,
        guards=guards,
        stopped=run.stopped or run.mail_stopped,
    )
