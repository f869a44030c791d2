"""The transactions of a cancellation: marking a booking, and writing down what the LMS said to its cancellation."""

from collections.abc import Sequence
from typing import final

from attrs import frozen

from enrolpolicy.night import Night
from enrolpolicy.plans import Cancel
from enrolpolicy.ports import Cancelled, Done, Refused, Work
from enrolpolicy.reports import Fate, Outcome
from enrolpolicy.rows import Row, RowStatus
from enrolpolicy.runner.job import Job
from enrolpolicy.runner.sheet import Sheet
from enrolpolicy.runner.transactions import deciding, dropped, outcome, writing
from enrolpolicy.staleness import changed_facts


def begin_cancel(job: Job, actions: Sequence[Cancel]) -> Work[tuple[Row | Outcome, ...]]:
    """Write down that these bookings are about to be cancelled, each decided again on the facts of now."""
    return deciding(
        job,
        {action.course for action in actions},
        lambda sheet, tonight: tuple([_cancelling(sheet, tonight, action) for action in actions]),
    )


def _cancelling(sheet: Sheet, tonight: Night, action: Cancel) -> Row | Outcome:
    row = sheet.rows.get(action.enrolment)
    if row is not None and row.status in (RowStatus.CANCELLING, RowStatus.CANCELLED):
        return outcome("cancel", row, Fate.ALREADY, row.status.value)
    changed = tuple(changed_facts(tonight, sheet.booking(action.enrolment), action))
    if row is None or changed:
        return dropped("cancel", action, changed)
    return sheet.own(row, RowStatus.CANCELLING, action.because, ended_because=action.because)


@final
@frozen(kw_only=True)
class CancelAnswer:
    """What the LMS said to the cancellation of a row that this run holds."""

    row: Row
    said: Done[Cancelled] | Refused

    @property
    def key(self) -> str:
        """The row's."""
        return self.row.key

    @property
    def person(self) -> str:
        """The row's."""
        return self.row.person


def end_cancel(job: Job, answers: Sequence[CancelAnswer]) -> Work[tuple[Outcome, ...]]:
    """Write down what the LMS said to cancellations."""
    return writing(job, lambda sheet: tuple([_cancel_answered(sheet, one.row, one.said) for one in answers]))


def _cancel_answered(sheet: Sheet, taken: Row, said: Done[Cancelled] | Refused) -> Outcome:
    row = sheet.mine(taken)
    if row is None:
        return outcome("cancel", taken, Fate.ALREADY, "taken-over")
    if isinstance(said, Refused):
        sheet.move(row, RowStatus.BOOKED, said.reason, ended_because=None)
        return outcome("cancel", row, Fate.FAILED, said.reason)
    if said.value is Cancelled.IN_PROGRESS:
        sheet.spend(sheet.move(row, RowStatus.IN_PROGRESS, "started", ended_because=None))
        return outcome("cancel", row, Fate.FAILED, said.value.value)
    if said.value is Cancelled.COMPLETED:
        sheet.spend(sheet.end(row, RowStatus.COMPLETED, "completed", ended_because=None))
        return outcome("cancel", row, Fate.FAILED, said.value.value)
    cause = row.ended_because or ""
    # Nothing to cancel is what was wanted, and not what was expected; the journal has it, behind the cause.
    noted = said.value.value if said.value is Cancelled.NOT_FOUND else cause
    sheet.end(row, RowStatus.CANCELLED, noted, ended_because=cause)
    return outcome("cancel", row, Fate.DONE, cause)
