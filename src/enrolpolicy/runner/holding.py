"""What only a person can settle: an enrolment in doubt at an LMS that can neither be asked again nor be looked up.

The person has looked at the LMS, and says what is there. A booking that was found is invited to, or withdrawn, by the
next night, as any other; of one that is not there the credits are given back, and the policy plans it again.
"""

from collections.abc import Generator
from datetime import date, datetime

from attrs import evolve

from enrolpolicy.dates import run_date
from enrolpolicy.model import Snapshot
from enrolpolicy.ports import Desk, Done, Receipt, Refused, RowWrite, Unknown, Work, Writes
from enrolpolicy.reports import Fate, Outcome
from enrolpolicy.rows import Row, RowStatus
from enrolpolicy.runner.calls import Call
from enrolpolicy.runner.entries import entry_of
from enrolpolicy.runner.transactions import outcome

FOUND, NOT_THERE = "found-by-hand", "not-there"


def steps_of_settlement(
    account: str, key: str, *, found: str | None, at: datetime, actor: str
) -> Generator[Call, object, Outcome | Refused | Unknown]:
    """Write down what a person found under the key of a held row: the LMS's name for the enrolment, or None.

    Raises `InvalidValue` for a name that cannot be one.
    """
    receipt = Receipt(ref=found) if found is not None else None
    said = yield Call("store", "snapshot", (account,))
    if not isinstance(said, Done) or not isinstance(said.value, Snapshot):
        return said if isinstance(said, Refused | Unknown) else _no_answer("snapshot")
    person = next((row.person for row in said.value.enrolments if row.id == key), "")
    on = run_date(said.value.account.timezone, at)
    answer = yield Call("store", "transact", (account, (person,), _settled(key, receipt, on=on, actor=actor)))
    if isinstance(answer, Done) and isinstance(answer.value, Outcome):
        return answer.value
    return answer if isinstance(answer, Refused | Unknown) else _no_answer("transact")


def _settled(key: str, found: Receipt | None, *, on: date, actor: str) -> Work[Outcome]:
    def work(desk: Desk) -> tuple[Writes, Outcome]:
        row = next((row for row in desk.rows if row.key == key), None)
        if row is None:
            return Writes(), Outcome(act="settle", key=key, person="", course="", fate=Fate.DROPPED, detail="known")
        if row.status is not RowStatus.HELD:
            return Writes(), outcome("settle", row, Fate.DROPPED, row.status.value)
        after, because = _there(row, found.ref) if found is not None else _absent(row, desk.now, on)
        course = next((course for course in desk.snapshot.courses if course.id == row.course), None)
        entry = entry_of(desk, course, after, row.status, because, actor=actor, on=on)
        writes = Writes(rows=(RowWrite(row=after, fence=row.fence),), entries=(entry,))
        return writes, outcome("settle", after, Fate.DONE, after.status.value)

    return work


def _there(row: Row, ref: str) -> tuple[Row, str]:
    return evolve(row, status=RowStatus.BOOKED, ref=ref, fence=row.fence + 1), FOUND


def _absent(row: Row, now: datetime, on: date) -> tuple[Row, str]:
    status, fence = RowStatus.REFUSED, row.fence + 1
    return evolve(row, status=status, fence=fence, ended_on=on, ended_at=now, ended_because=NOT_THERE), NOT_THERE


def _no_answer(method: str) -> Unknown:
    return Unknown(f"the store answered `{method}` with something that is no answer")
