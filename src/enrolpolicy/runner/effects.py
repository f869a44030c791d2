"""Enrolling, cancelling, inviting: a transaction, an effect outside, a transaction that writes its answer down."""

from collections.abc import Sequence
from typing import TypeVar

from enrolpolicy.plans import Cancel, Enrol, Invite
from enrolpolicy.ports import Cancelled, Done, Message, Order, Progress, Receipt, Refused, Unknown
from enrolpolicy.reports import Fate, Outcome
from enrolpolicy.rows import Letter, Row, RowStatus
from enrolpolicy.runner import cancelling, mailing, moves
from enrolpolicy.runner.calls import Run, Steps, in_doubt, reason
from enrolpolicy.runner.moves import Answered
from enrolpolicy.runner.transactions import outcome

T = TypeVar("T")

STARTED = {Progress.IN_PROGRESS: Cancelled.IN_PROGRESS, Progress.COMPLETED: Cancelled.COMPLETED}
"""How far an enrolment has come that is not to be cancelled any more, and what its cancellation comes to."""


def _told(run: Run, found: Sequence[T | Outcome], kind: type[T]) -> Steps[list[T]]:
    """Those of a kind; what is settled already is told."""
    yield from run.tell([row for row in found if isinstance(row, Outcome)])
    return [row for row in found if isinstance(row, kind)]


# Enrolling


def enrol(run: Run, actions: Sequence[Enrol]) -> Steps[None]:
    """Claim, ask the LMS, write its answer down, invite."""
    unusable = [action for action in actions if action.course in run.unusable]
    yield from run.tell([outcome("enrol", row, Fate.FAILED, run.unusable[row.course]) for row in unusable])
    usable = [action for action in actions if action.course not in run.unusable]
    rows = yield from _told(run, (yield from run.each(usable, moves.claim, "enrol")), Row)
    yield from ask(run, rows)


def ask(run: Run, rows: Sequence[Row]) -> Steps[None]:
    """Ask the LMS for rows that this run holds, and go on from what it says."""
    answers: list[moves.Answer] = []
    for row in rows:
        if run.stopped:
            break
        said = yield from run.lms("enrol", Receipt, _order(row))
        if isinstance(said, Unknown) or (isinstance(said, Refused) and (said.everything or run.later(said))):
            yield from run.tell([in_doubt("enrol", row, reason(said))])
        else:
            answers.append(moves.Answer(row=row, said=said))
    yield from write_down(run, answers)


def write_down(run: Run, answers: Sequence[moves.Answer]) -> Steps[None]:
    """Write down what the LMS said, and do what follows at once."""
    answered = yield from _told(run, (yield from run.each(answers, moves.answer, "enrol")), Answered)
    yield from go_on(run, answered)


def go_on(run: Run, answered: Sequence[Answered]) -> Steps[None]:
    """What follows at once: the letters, and the cancellation of what nobody wants any more."""
    yield from run.tell([row.outcome for row in answered])
    yield from _send(run, [row.letter for row in answered if row.letter is not None])
    yield from withdraw(run, [row.row for row in answered if row.row and row.row.status is RowStatus.CANCELLING])


def _order(row: Row) -> Order:
    return Order(
        key=row.key,
        account=row.account,
        person=row.person,
        course=row.course,
        cycle=row.cycle or "",
        attempt=row.attempt,
    )


# Cancelling


def cancel(run: Run, actions: Sequence[Cancel]) -> Steps[None]:
    """Mark, ask the LMS, write its answer down."""
    rows = yield from _told(run, (yield from run.each(actions, cancelling.begin_cancel, "cancel")), Row)
    yield from withdraw(run, rows)


def withdraw(run: Run, rows: Sequence[Row]) -> Steps[None]:
    """Have the LMS cancel rows that this run holds, and write down what it says."""
    answers: list[cancelling.CancelAnswer] = []
    for row in rows:
        if run.stopped:
            break
        said = yield from _cancelled(run, row)
        if isinstance(said, Unknown) or (isinstance(said, Refused) and said.everything):
            yield from run.tell([in_doubt("cancel", row, reason(said))])
        else:
            answers.append(cancelling.CancelAnswer(row=row, said=said))
    yield from run.tell((yield from run.each(answers, cancelling.end_cancel, "cancel")))


def _cancelled(run: Run, row: Row) -> Steps[Done[Cancelled] | Refused | Unknown]:
    """A cancellation at the LMS; where it cannot refuse what was started, it is looked at before and after."""
    watched = run.job.lms.finds and not run.job.lms.cancels_unstarted
    if watched:
        before = yield from run.find(row.key)
        if not isinstance(before, Done):
            return before
        if before.value is not None and before.value.progress in STARTED:
            return Done(STARTED[before.value.progress])
    said = yield from run.lms("cancel_if_not_started", Cancelled, row.ref or row.key)
    if watched and isinstance(said, Done):
        after = yield from run.find(row.key)
        if isinstance(after, Done) and after.value is not None and after.value.progress in STARTED:
            yield from run.tell([outcome("cancel", row, Fate.FAILED, "lost-race")])
            return Done(STARTED[after.value.progress])
    return said


# Letters


def invite(run: Run, actions: Sequence[Invite]) -> Steps[None]:
    """Write the letters of bookings that never had one, and send them."""
    letters = yield from _told(run, (yield from run.each(actions, mailing.post, "invite")), Letter)
    yield from _send(run, letters)


def deliver(run: Run, letters: Sequence[Letter]) -> Steps[None]:
    """Take letters that an earlier run left, and send them."""
    for batch in run.batches(letters):
        taken = yield from run.each(batch, mailing.take_letters, "mail")
        yield from _send(run, (yield from _told(run, [row for row in taken if row is not None], Letter)))


def _send(run: Run, letters: Sequence[Letter]) -> Steps[None]:
    """Send letters that this run holds, and write down what the mailer says."""
    answers: list[mailing.MailAnswer] = []
    for letter in letters:
        said: Done[None] | Refused | Unknown = mailing.NOT_BEGUN
        if not run.mail_stopped:
            message = Message(message_id=letter.message_id, recipient=letter.recipient, content=letter.content)
            said = yield from run.send(message)
        answers.append(mailing.MailAnswer(letter=letter, said=said))
    yield from run.tell((yield from run.each(answers, mailing.settle_letters, "mail")))
