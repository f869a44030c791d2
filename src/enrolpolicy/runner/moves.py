"""The transactions about enrolments: claiming them, writing the LMS's answer down, and settling what is in doubt.

Each takes many rows at once, for a run may have them share a commit; every row stands for itself all the same.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import final

from attrs import frozen

from enrolpolicy.guarantees import InDoubt
from enrolpolicy.model import Origin
from enrolpolicy.night import Night
from enrolpolicy.plans import Enrol
from enrolpolicy.ports import FOR_EVER, Booking, Done, Progress, Receipt, Refused, Work
from enrolpolicy.reports import Fate, Outcome
from enrolpolicy.rows import Letter, Row, RowStatus
from enrolpolicy.runner.job import Job
from enrolpolicy.runner.sheet import Sheet
from enrolpolicy.runner.transactions import deciding, outcome, writing
from enrolpolicy.staleness import changed_facts, spread_changed

# 1. Claim


def claim(job: Job, actions: Sequence[Enrol]) -> Work[tuple[Row | Outcome, ...]]:
    """Write down that these enrolments are about to be asked for, and reserve their credits.

    Each is decided again on the facts of now: it must be the same action under the same key, else it is dropped with
    the facts that changed.
    """
    return deciding(
        job,
        {action.course for action in actions},
        lambda sheet, tonight: tuple([_claimed(sheet, tonight, action) for action in actions]),
    )


def _claimed(sheet: Sheet, tonight: Night, action: Enrol) -> Row | Outcome:
    known = sheet.rows.get(action.key)
    if known is not None:
        return outcome("enrol", action, Fate.ALREADY, known.status.value)
    changed = tuple(changed_facts(tonight, {}, action))
    if not changed:
        changed = (*spread_changed(tonight, action), *sheet.in_the_way(action))
    if changed:
        return outcome("enrol", action, Fate.DROPPED, changed[0].id, changed)
    return sheet.claim(action)


# 2. Confirm, refuse, hold


@final
@frozen(kw_only=True)
class Answer:
    """What the LMS said to the enrolment of a row that this run holds."""

    row: Row
    said: Done[Receipt] | Refused

    @property
    def key(self) -> str:
        """The row's."""
        return self.row.key

    @property
    def person(self) -> str:
        """The row's."""
        return self.row.person


@final
@frozen(kw_only=True)
class Answered:
    """A row after the LMS's answer was written down, and what is to follow at once.

    `letter` is to be sent; `row` is being cancelled again where nobody wants it any more; None: another run has it.
    """

    outcome: Outcome
    row: Row | None = None
    letter: Letter | None = None


def answer(job: Job, answers: Sequence[Answer]) -> Work[tuple[Answered, ...]]:
    """Write down what the LMS said to enrolments that this run has claimed or taken over."""
    return deciding(
        job,
        {one.row.course for one in answers},
        lambda sheet, tonight: tuple([_answered(sheet, tonight, one.row, one.said) for one in answers]),
    )


def _answered(sheet: Sheet, tonight: Night, claimed: Row, said: Done[Receipt] | Refused) -> Answered:
    row = sheet.mine(claimed)
    if row is None:
        return Answered(outcome=outcome("enrol", claimed, Fate.ALREADY, "taken-over"))
    if isinstance(said, Refused):
        sheet.end(row, RowStatus.REFUSED, said.reason)
        return Answered(outcome=outcome("enrol", row, Fate.FAILED, said.reason))
    if said.value.foreign:
        # Somebody else's booking: it is theirs to cancel, and it cost us nothing.
        row = sheet.move(row, RowStatus.BOOKED, "foreign", ref=said.value.ref, origin=Origin.MANUAL, credits=0)
        return Answered(outcome=outcome("enrol", row, Fate.ALREADY, "enrolled-by-hand"), row=row)
    return _booked(sheet, tonight, row, said.value.ref, RowStatus.BOOKED.value)


def _booked(sheet: Sheet, tonight: Night, row: Row, ref: str, because: str) -> Answered:
    """A row that the LMS has made: invite, or cancel it again where a fact changed while nobody knew of it."""
    row = sheet.move(row, RowStatus.BOOKED, because, ref=ref)
    unwanted = sheet.unwanted_because(tonight, row)
    if unwanted is not None:
        row = sheet.own(row, RowStatus.CANCELLING, unwanted, ended_because=unwanted)
        return Answered(outcome=outcome("enrol", row, Fate.DONE, unwanted), row=row)
    letter = sheet.invite(tonight, row)
    return Answered(outcome=outcome("enrol", row, Fate.DONE), row=row, letter=letter)


def hold(job: Job, rows: Sequence[Row]) -> Work[tuple[Outcome, ...]]:
    """Leave rows in doubt to a person."""
    return writing(job, lambda sheet: tuple([_held(sheet, row) for row in rows]))


def _held(sheet: Sheet, taken: Row) -> Outcome:
    row = sheet.mine(taken)
    if row is None:
        return outcome("enrol", taken, Fate.ALREADY, "taken-over")
    return outcome("enrol", sheet.move(row, RowStatus.HELD, "in-doubt"), Fate.HELD, "in-doubt")


# 4. Take over


@final
@frozen(kw_only=True)
class Taken:
    """A row taken over, how it is to be settled, and the store's time at which that was decided."""

    row: Row
    how: InDoubt
    now: datetime


def take_over(job: Job, rows: Sequence[Row]) -> Work[tuple[Taken | None, ...]]:
    """Take rows over from a run that did not come back: a new fence, a new lease. None: another run has it."""
    return writing(job, lambda sheet: tuple([_taken(sheet, row) for row in rows]))


def _taken(sheet: Sheet, seen: Row) -> Taken | None:
    row, now = sheet.rows.get(seen.key), sheet.desk.now
    if row is None or row.fence != seen.fence or row.status is not seen.status:
        return None
    how = _how(sheet.job, row, now)
    asked = {"asked_at": now} if how is InDoubt.RESEND and row.status is RowStatus.PENDING else {}
    return Taken(row=sheet.own(row, row.status, "taken-over", **asked), how=how, now=now)


def _how(job: Job, row: Row, now: datetime) -> InDoubt:
    """What may be done about a row in doubt: how old its key is decides."""
    kept = job.lms.keys_kept
    if kept is None or kept == FOR_EVER or row.sent_at is None:
        return job.guarantee.in_doubt
    return job.guarantee.in_doubt if now + job.lms.longest_call < row.sent_at + kept else job.guarantee.later


def may_still_arrive(job: Job, taken: Taken) -> bool:
    """Whether an earlier request for a row can still take effect at the LMS."""
    bound, asked_at = job.lms.latest_arrival, taken.row.asked_at
    return bound is None or asked_at is None or taken.now < asked_at + bound


def ask_again(job: Job, row: Row) -> Work[Row | None]:
    """Write down that the LMS is about to be asked again, for no late request can arrive any more."""

    def step(sheet: Sheet) -> Row | None:
        mine = sheet.mine(row)
        return mine and sheet.own(mine, RowStatus.PENDING, "asked-again", asked_at=sheet.desk.now)

    return writing(job, step)


# 7. Found again


def settled(job: Job, seen: Row) -> Work[None]:
    """Write down that an ended row was looked at after the last moment at which it could have come back."""

    def step(sheet: Sheet) -> None:
        row = sheet.rows.get(seen.key)
        if row is not None and row.ended_at is not None and row.status is seen.status:
            sheet.note(row, ended_at=None)

    return writing(job, step)


def found_again(job: Job, seen: Row, booking: Booking) -> Work[Answered]:
    """Write down that an ended row was made at the LMS after all, by a request that arrived late."""

    def step(sheet: Sheet, tonight: Night) -> Answered:
        row = sheet.rows.get(seen.key)
        if row is None or row.status is not seen.status:
            return Answered(outcome=outcome("enrol", seen, Fate.ALREADY, "taken-over"))
        if sheet.open_beside(row):
            return Answered(outcome=outcome("enrol", row, Fate.IN_DOUBT, "made-twice-by-a-late-request"))
        if row.status is RowStatus.REFUSED:
            return _booked(sheet, tonight, row, booking.ref, "found-again")
        because = row.ended_because or "found-again"
        row = sheet.move(row, RowStatus.BOOKED, "found-again", ref=booking.ref, ended_on=None, ended_at=None)
        row = sheet.own(row, RowStatus.CANCELLING, because, ended_because=because)
        return Answered(outcome=outcome("enrol", row, Fate.DONE, "found-again"), row=row)

    return deciding(job, {seen.course}, step)


# What people did


def follow(job: Job, key: str, booking: Booking) -> Work[Outcome | None]:
    """Write down that a person started or completed a course; None: it is known already."""

    def step(sheet: Sheet) -> Outcome | None:
        row = sheet.rows.get(key)
        if row is None or row.status not in (RowStatus.BOOKED, RowStatus.IN_PROGRESS):
            return None
        to = _FOLLOWED.get(booking.progress)
        if to is None or to is row.status:
            return None
        unspent = row.status is RowStatus.BOOKED
        after = sheet.end(row, to, to.value) if to is RowStatus.COMPLETED else sheet.move(row, to, to.value)
        if unspent:
            sheet.spend(after)
        return outcome("follow", after, Fate.DONE, to.value)

    return writing(job, step)


_FOLLOWED = {Progress.IN_PROGRESS: RowStatus.IN_PROGRESS, Progress.COMPLETED: RowStatus.COMPLETED}
