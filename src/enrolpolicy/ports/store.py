"""What a store is asked: clauses S1 to S10, and what a transaction sees and writes."""

from collections.abc import Callable, Collection
from datetime import date, datetime
from typing import Protocol, TypeVar, final

from attrs import frozen

from enrolpolicy.model import Snapshot
from enrolpolicy.ports.answers import Done, Refused, Unknown
from enrolpolicy.rows import Entry, Letter, Row

T = TypeVar("T")


@final
@frozen(kw_only=True)
class Desk:
    """What a transaction sees, all of it read inside (S8).

    `snapshot` has the account, its courses and roles, and of the people asked for all that concerns them, their
    enrolments made from `rows` (`enrolment_of`). `letters` are theirs too. `reserved` is the sum of credits that all
    open, unstarted rows of the account hold, theirs or not; the balance is `snapshot.account.credits`. `now` is by
    the store's clock (S9). `run_until` says until when a run has the account to itself, and `run_by` which.
    """

    snapshot: Snapshot
    rows: tuple[Row, ...]
    letters: tuple[Letter, ...]
    reserved: int
    now: datetime
    run_by: str | None = None
    run_until: datetime | None = None


@final
@frozen(kw_only=True)
class RowWrite:
    """A row as it is to be; `fence` is the one it has now, None where there is no such row yet."""

    row: Row
    fence: int | None


@final
@frozen(kw_only=True)
class LetterWrite:
    """A letter as it is to be; `fence` is the one it has now, None where there is no such letter yet."""

    letter: Letter
    fence: int | None


@final
@frozen(kw_only=True)
class Writes:
    """What a transaction writes, all of it or nothing.

    `spent` is taken off the account's balance. `run_by`, `run_until` are for the run that wants the account to itself;
    `night` is the date of a night that is done.
    """

    rows: tuple[RowWrite, ...] = ()
    letters: tuple[LetterWrite, ...] = ()
    entries: tuple[Entry, ...] = ()
    spent: int = 0
    run_by: str | None = None
    run_until: datetime | None = None
    night: date | None = None


@final
@frozen(kw_only=True)
class Backlog:
    """What earlier runs left behind, by the store's clock `now`.

    `rows`: pending or being cancelled, their lease over (`unfinished`); and, where they were asked for, those that
    ended and may come back (`may_come_back`). `held`: those that wait for a person. `letters`: those to be sent now
    (`due`). `last_night`: the date of the last night that was done.
    """

    rows: tuple[Row, ...]
    held: tuple[Row, ...]
    letters: tuple[Letter, ...]
    last_night: date | None
    now: datetime


Work = Callable[[Desk], tuple[Writes, T]]
"""What is done in a transaction: a pure function. A store may call it more than once, and uses the last answer."""


class Store(Protocol):
    """Where the register and the rows are kept.

    S1 a transaction is serialisable for its account, all or nothing, and durable once it is done. S2 keys are unique.
    S3 a person has at most one open row on a course. S4 a write that names another fence than the row has changes
    nothing, and is refused as `fence`. S5 a transaction after which reserved credits exceed the balance, and which
    reserved more, is refused as `credits`. S6 letters are written with the rows they go with. S7 a commit that nobody
    confirmed is Unknown. S8 what `work` sees was read inside. S9 `now` and all leases are by the store's own clock.
    S10 each move of a row has its entry in the journal, which is only ever added to; a move without one is refused as
    `journal`.

    What breaks S2 is refused as `key`, S3 as `open`; a refusal here is never final. An account the store does not
    have is refused as `unknown-account`, and writes that name another account than the transaction's as
    `other-account`: accounts never meet. Bookings that came with the register, and that no transaction has moved,
    follow it.
    """

    def snapshot(self, account: str) -> Done[Snapshot] | Refused | Unknown:
        """The whole register of an account as it is now, its enrolments made from the rows."""
        ...

    def backlog(self, account: str, ended: bool) -> Done[Backlog] | Refused | Unknown:
        """What earlier runs left behind; `ended`: the rows that ended and may come back, too."""
        ...

    def transact(self, account: str, people: Collection[str], work: Work[T]) -> Done[T] | Refused | Unknown:
        """Read what concerns these people, call `work` with it, write what it says, and answer with its result."""
        ...
