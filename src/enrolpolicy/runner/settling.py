"""What earlier runs left behind: rows in doubt, open cancellations, letters due; and what people did meanwhile."""

from datetime import datetime

from enrolpolicy.guarantees import InDoubt
from enrolpolicy.model import EnrolmentStatus, Origin, Snapshot
from enrolpolicy.ports import Backlog, Done, Progress, Receipt
from enrolpolicy.reports import Fate, Outcome
from enrolpolicy.rows import Row, RowStatus
from enrolpolicy.runner import moves
from enrolpolicy.runner.calls import Run, Steps, in_doubt
from enrolpolicy.runner.effects import STARTED, ask, deliver, go_on, withdraw, write_down
from enrolpolicy.runner.job import Job
from enrolpolicy.runner.moves import Taken
from enrolpolicy.runner.sheet import revives
from enrolpolicy.runner.transactions import outcome

_UNFINISHED = (RowStatus.PENDING, RowStatus.CANCELLING)
_FOLLOWED = (EnrolmentStatus.BOOKED, EnrolmentStatus.IN_PROGRESS)


def settle(run: Run, backlog: Backlog) -> Steps[None]:
    """Settle rows first, under their own keys, then the letters; what waits for a person is told of every time."""
    yield from run.tell([outcome("enrol", row, Fate.HELD, "in-doubt") for row in backlog.held])
    for row in backlog.rows:
        if run.stopped:
            return
        if row.status in _UNFINISHED:
            yield from _settle_row(run, row)
        else:
            yield from _look_again(run, row, backlog.now)
    yield from deliver(run, backlog.letters)


def _settle_row(run: Run, seen: Row) -> Steps[None]:
    act = "enrol" if seen.status is RowStatus.PENDING else "cancel"
    [taken] = yield from run.each([seen], moves.take_over, act)
    if isinstance(taken, Outcome):
        yield from run.tell([taken])
    elif taken is None:
        return
    elif taken.row.status is RowStatus.CANCELLING:
        yield from withdraw(run, [taken.row])
    elif taken.how is InDoubt.RESEND:
        yield from ask(run, [taken.row])
    elif taken.how is InDoubt.FIND:
        yield from _find_first(run, taken)
    else:
        yield from run.tell((yield from run.each([taken.row], moves.hold, "enrol")))


def _find_first(run: Run, taken: Taken) -> Steps[None]:
    """Look a row in doubt up; ask again only when no earlier request can arrive any more."""
    row = taken.row
    found = yield from run.find(row.key)
    if isinstance(found, Done) and found.value is not None:
        answer = moves.Answer(row=row, said=Done(Receipt(ref=found.value.ref)))
        yield from write_down(run, [answer])
        return
    if not isinstance(found, Done) or moves.may_still_arrive(run.job, taken):
        yield from run.tell([in_doubt("enrol", row, "lms")])
        return
    again = yield from run.transact((row.person,), moves.ask_again(run.job, row))
    if isinstance(again, Done) and again.value is not None:
        yield from ask(run, [again.value])


def watches_ended(job: Job) -> bool:
    """Whether ended rows are looked at again: a late request can bring some back, and they can be looked up."""
    return job.lms.finds and any(revives(job.lms, status) for status in (RowStatus.REFUSED, RowStatus.CANCELLED))


def _look_again(run: Run, row: Row, now: datetime) -> Steps[None]:
    """Whether a late request has brought an ended row back; looked at until it cannot any more."""
    if not revives(run.job.lms, row.status):
        return
    found = yield from run.find(row.key)
    if not isinstance(found, Done):
        return
    bound = run.job.lms.latest_arrival
    if found.value is not None and found.value.progress is not Progress.CANCELLED:
        answered = yield from run.transact((row.person,), moves.found_again(run.job, row, found.value))
        if isinstance(answered, Done):
            yield from go_on(run, [answered.value])
    elif row.ended_at is not None and bound is not None and now >= row.ended_at + bound:
        yield from run.transact((row.person,), moves.settled(run.job, row))


def follow_up(run: Run) -> Steps[None]:
    """Ask the LMS how far our open bookings have come, and write that down."""
    if run.stopped or not run.job.lms.finds:
        return
    snapshot = yield from run.read("snapshot", Snapshot)
    for enrolment in snapshot.enrolments if snapshot is not None else ():
        if run.stopped:
            return
        if enrolment.origin is not Origin.AUTO or enrolment.status not in _FOLLOWED:
            continue
        found = yield from run.find(enrolment.id)
        if not isinstance(found, Done) or found.value is None or found.value.progress not in STARTED:
            continue
        moved = yield from run.transact((enrolment.person,), moves.follow(run.job, enrolment.id, found.value))
        if isinstance(moved, Done) and moved.value is not None:
            yield from run.tell([moved.value])
