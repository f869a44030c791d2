"""What the runner asks of a host: a store, an LMS, a mailer. Nobody subclasses anything; the methods are the contract.

Every call with an effect answers `Done`, `Refused` or `Unknown`. `Unknown` means that it may have happened: a time-out,
a lost connection, a commit nobody confirmed. An exception that leaves a port counts as `Unknown` as well. Each port
keeps its own time-outs.

The numbered clauses are what `enrolpolicy.testing` examines.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import date, datetime, timedelta
from enum import Enum
from typing import Generic, Protocol, TypeVar, final

from attrs import frozen

from enrolpolicy.constraints import Id, checked
from enrolpolicy.model import Snapshot
from enrolpolicy.rows import Entry, Letter, Row

T = TypeVar("T")
_T_co = TypeVar("_T_co", covariant=True)


# Answers


@final
@frozen
class Done(Generic[_T_co]):
    """It happened, and this came of it."""

    value: _T_co


@final
@frozen
class Refused:
    """It did not happen, and nothing else did.

    `reason` is a short code (`unknown-course`), never a body or an address. `final`: asking again under the same key
    will be refused again, even for a copy still under way; not `final`: it may be asked again later (busy, say).
    `everything`: nothing else would fare better now (wrong credentials, a server that is down), so no more is asked.
    """

    reason: str
    final: bool = True
    everything: bool = False


@final
@frozen
class Unknown:
    """It may have happened, or not. `detail` says what was seen, without addresses, bodies or secrets."""

    detail: str


# The LMS

FOR_EVER = timedelta.max


@final
class Charge(Enum):
    """When an LMS charges for an enrolment."""

    ON_ENROL = "on-enrol"
    ON_START = "on-start"


@final
@frozen(kw_only=True)
class LmsCapabilities:
    """What an LMS can do; `enrolpolicy.guarantees` works out what may be promised with it.

    `keys_kept`: how long a repeated key is recognised, `FOR_EVER`, or None where keys mean nothing (L1).
    `refusals_final`: a refused key stays refused (L3). `finds`: enrolments can be looked up by key (L4).
    `latest_arrival`: how long after it was given up a request can still take effect, None where nobody knows (L4).
    `one_open`: enrolling twice on one course leaves one open enrolment, keys or no keys.
    `cancels_unstarted`: cancelling refuses what was started, in one step (L5). `cancel_frees_key`: a cancelled key is
    forgotten (L6). `sends_invitation`: the LMS writes to the person itself. `charges`: when it does.
    `longest_call`: no call lasts longer (L7).
    """

    keys_kept: timedelta | None
    refusals_final: bool
    finds: bool
    latest_arrival: timedelta | None
    one_open: bool
    cancels_unstarted: bool
    cancel_frees_key: bool
    sends_invitation: bool
    charges: Charge
    longest_call: timedelta


@final
@frozen(kw_only=True)
class Order:
    """An enrolment asked of an LMS: whom and what for, by the register's ids; `key` is its identity."""

    key: str
    account: str
    person: str
    course: str
    cycle: str
    attempt: int


@final
@frozen(kw_only=True, field_transformer=checked)
class Receipt:
    """An LMS's yes: its name for the enrolment; `foreign` where somebody else had made it, and nothing was charged."""

    ref: Id
    foreign: bool = False


@final
class Progress(Enum):
    """How far an enrolment has come at the LMS."""

    NOT_STARTED = "not-started"
    IN_PROGRESS = "in-progress"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


@final
@frozen(kw_only=True, field_transformer=checked)
class Booking:
    """An enrolment as the LMS has it; `completed_at` where it was completed and the LMS says when."""

    ref: Id
    progress: Progress
    completed_at: datetime | None = None


@final
class Cancelled(Enum):
    """What became of a cancellation."""

    CANCELLED = "cancelled"
    ALREADY = "already-cancelled"
    IN_PROGRESS = "in-progress"
    COMPLETED = "completed"
    NOT_FOUND = "not-found"


@final
@frozen(kw_only=True)
class LaunchUrl:
    """Where a person starts a course, and until when; a secret, so it is neither stored, mailed nor logged."""

    url: str
    expires_at: datetime

    def __repr__(self) -> str:
        return f"LaunchUrl(url=…, expires_at={self.expires_at!r})"


@final
@frozen(kw_only=True)
class Trouble:
    """Something that would keep an LMS from being used: a code, what it is about, what to do."""

    code: str
    about: str
    message: str


class Lms(Protocol):
    """A learning management system.

    L1 at most one enrolment for each key, for ever or for the time declared; the same key with other arguments is
    refused. L2 a repeated key gets the same answer, whatever became of the enrolment. L3 a final refusal is final for
    its key. L4 `find` tells what is there; that nothing is there counts once `latest_arrival` is over. L5
    `cancel_if_not_started` leaves alone what was started. L6 a cancelled key stays known, unless declared otherwise.
    L7 capabilities are declared, and true. L8 a new attempt never reports an old completion: where the LMS cannot
    forget it, `enrol` is refused with `stale-completion`. L9 a launch address is made when it is asked for. L10
    `check` has no effect, and says what is missing before anything is done.
    """

    @property
    def capabilities(self) -> LmsCapabilities:
        """What this LMS can do."""
        ...

    def check(self, courses: Sequence[str]) -> Done[tuple[Trouble, ...]] | Refused | Unknown:
        """What would keep these courses from being booked: rights, set-up, courses it does not have."""
        ...

    def enrol(self, order: Order) -> Done[Receipt] | Refused | Unknown:
        """Enrol a person on a course under a key."""
        ...

    def find(self, key: str) -> Done[Booking | None] | Refused | Unknown:
        """The enrolment made under a key; None: there is none."""
        ...

    def cancel_if_not_started(self, ref: str) -> Done[Cancelled] | Refused | Unknown:
        """Cancel an enrolment that nobody has started."""
        ...

    def launch_url(self, ref: str, return_to: str) -> Done[LaunchUrl] | Refused | Unknown:
        """Where the person starts, made now, for a click; `return_to` is where they are sent afterwards."""
        ...


# The mailer


@final
@frozen(kw_only=True)
class MailerCapabilities:
    """What a mailer can do.

    `deduplicates_for`: how long a repeated `message_id` is sent once only; None: never, as with SMTP (M2).
    `longest_call`: no call lasts longer.
    """

    deduplicates_for: timedelta | None
    longest_call: timedelta = timedelta(minutes=1)


@final
@frozen(kw_only=True)
class Message:
    """A mail as it goes out: one recipient, and the bytes of the whole message, headers included."""

    message_id: str
    recipient: str
    content: bytes


class Mailer(Protocol):
    """What sends mail.

    M1 `send` answers Done when the message was accepted, Refused when it was not, Unknown when that cannot be told. M2
    how long ids are recognised is declared. M3 one message goes to one mailbox, and the recipient is never changed. M4
    what is sent is the bytes that were given.
    """

    @property
    def capabilities(self) -> MailerCapabilities:
        """What this mailer can do."""
        ...

    def send(self, message: Message) -> Done[None] | Refused | Unknown:
        """Send one message."""
        ...


@final
@frozen(kw_only=True)
class Invitation:
    """What a letter says: who is enrolled on what, and why.

    `message_id` is 32 hex digits, the same for the same enrolment and address; `at` the instant it is written.
    `because` is the trigger, `expires_on` the last day of the training that is renewed, `asked_by` the names of the
    roles that ask for it. `name`, `course_name` are as the register has them, and may be empty.
    """

    message_id: str
    account: str
    key: str
    person: str
    name: str
    recipient: str
    course: str
    course_name: str
    because: str
    expires_on: date | None
    asked_by: tuple[str, ...]
    at: datetime


Composer = Callable[[Invitation], bytes | Refused]
"""Writes a letter: a pure function, called inside a transaction. Refused: it cannot be written (a bad address)."""


# The store


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


# The same, awaited


class AsyncLms(Protocol):
    """An `Lms` whose methods are awaited; the same contract."""

    @property
    def capabilities(self) -> LmsCapabilities:
        """What this LMS can do."""
        ...

    async def check(self, courses: Sequence[str]) -> Done[tuple[Trouble, ...]] | Refused | Unknown:
        """As `Lms.check`."""
        ...

    async def enrol(self, order: Order) -> Done[Receipt] | Refused | Unknown:
        """As `Lms.enrol`."""
        ...

    async def find(self, key: str) -> Done[Booking | None] | Refused | Unknown:
        """As `Lms.find`."""
        ...

    async def cancel_if_not_started(self, ref: str) -> Done[Cancelled] | Refused | Unknown:
        """As `Lms.cancel_if_not_started`."""
        ...

    async def launch_url(self, ref: str, return_to: str) -> Done[LaunchUrl] | Refused | Unknown:
        """As `Lms.launch_url`."""
        ...


class AsyncMailer(Protocol):
    """A `Mailer` whose methods are awaited; the same contract."""

    @property
    def capabilities(self) -> MailerCapabilities:
        """What this mailer can do."""
        ...

    async def send(self, message: Message) -> Done[None] | Refused | Unknown:
        """As `Mailer.send`."""
        ...


class AsyncStore(Protocol):
    """A `Store` whose methods are awaited; the same contract. `work` itself is not: it is called inside."""

    async def snapshot(self, account: str) -> Done[Snapshot] | Refused | Unknown:
        """As `Store.snapshot`."""
        ...

    async def backlog(self, account: str, ended: bool) -> Done[Backlog] | Refused | Unknown:
        """As `Store.backlog`."""
        ...

    async def transact(self, account: str, people: Collection[str], work: Work[T]) -> Done[T] | Refused | Unknown:
        """As `Store.transact`."""
        ...
