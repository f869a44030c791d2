"""All three ports in memory: the reference model that the exams hold other adapters against, and what tests run on.

Nothing here fails, forgets or waits; what a real one may do wrong is added around it (`enrolpolicy.testing`).
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from threading import RLock
from typing import TypeVar, final
from urllib.parse import quote

from attrs import evolve, mutable

from enrolpolicy.candidate import usable
from enrolpolicy.model import Snapshot
from enrolpolicy.ports import (
    FOR_EVER,
    Backlog,
    Booking,
    Cancelled,
    Charge,
    Desk,
    Done,
    LaunchUrl,
    LmsCapabilities,
    MailerCapabilities,
    Message,
    Order,
    Progress,
    Receipt,
    Refused,
    Trouble,
    Unknown,
    Work,
    Writes,
)
from enrolpolicy.rows import (
    RESERVING_ROWS,
    Entry,
    Letter,
    Row,
    due,
    enrolment_of,
    may_come_back,
    row_of,
    unfinished,
)
from enrolpolicy.stores import of_people, spent, unjournalled

T = TypeVar("T")
Clock = Callable[[], datetime]


def now() -> datetime:
    """The machine's clock."""
    return datetime.now(UTC)


# The store


@final
class MemoryStore:
    """A store for one process: registers by account, rows, letters, and the journal.

    `clock` gives the instants of leases and of the journal.
    """

    def __init__(self, *registers: Snapshot, clock: Clock = now) -> None:
        self._clock = clock
        self._registers: dict[str, Snapshot] = {}
        self._rows: dict[str, Row] = {}
        self._letters: dict[str, Letter] = {}
        self._nights: dict[str, date] = {}
        self._turns: dict[str, tuple[str, datetime]] = {}
        self._journal: list[Entry] = []
        self._one_at_a_time = RLock()
        for register in registers:
            self.put(register)

    def put(self, register: Snapshot) -> None:
        """Take a register over, or a newer state of one; enrolments that are not known yet become rows."""
        account = register.account.id
        costs = {course.id: course.credit_cost for course in register.courses}
        for enrolment in register.enrolments:
            row = row_of(enrolment, account=account, credits=costs.get(enrolment.course, 0))
            self._rows.setdefault(row.key, row)
        self._registers[account] = evolve(register, enrolments=())

    def take_over(self, desk: Desk, last_night: date | None) -> None:
        """Be as another store is: with the account, the rows, the letters and the turn that a transaction saw there."""
        account = desk.snapshot.account.id
        self._registers[account] = evolve(desk.snapshot, enrolments=())
        self._rows |= {row.key: row for row in desk.rows}
        self._letters |= {letter.message_id: letter for letter in desk.letters}
        if last_night is not None:
            self._nights[account] = last_night
        if desk.run_by is not None and desk.run_until is not None:
            self._turns[account] = desk.run_by, desk.run_until

    def register(self, account: str) -> Snapshot:
        """The register of an account without its enrolments, as it was last put, less what was spent."""
        return self._registers[account]

    def rows(self, account: str) -> tuple[Row, ...]:
        """The rows of an account, by key."""
        return tuple(sorted((row for row in self._rows.values() if row.account == account), key=lambda row: row.key))

    def letters(self, account: str) -> tuple[Letter, ...]:
        """The letters of an account, in the order in which they were written."""
        return tuple(letter for letter in self._letters.values() if letter.account == account)

    def journal(self, account: str) -> tuple[Entry, ...]:
        """The journal of an account, oldest first."""
        return tuple(entry for entry in self._journal if entry.account == account)

    # The port

    def snapshot(self, account: str) -> Done[Snapshot] | Refused | Unknown:
        """As `Store.snapshot`."""
        if account not in self._registers:
            return Refused("unknown-account", final=False, everything=True)
        return Done(self._whole(account))

    def backlog(self, account: str, ended: bool) -> Done[Backlog] | Refused | Unknown:
        """As `Store.backlog`."""
        if account not in self._registers:
            return Refused("unknown-account", final=False, everything=True)
        at = self._clock()
        letters = [letter for letter in self.letters(account) if due(letter, at)]
        rows = [row for row in self.rows(account) if unfinished(row, at) or (ended and may_come_back(row))]
        return Done(Backlog(rows=tuple(rows), letters=tuple(letters), last_night=self._nights.get(account), now=at))

    def transact(self, account: str, people: Collection[str], work: Work[T]) -> Done[T] | Refused | Unknown:
        """As `Store.transact`."""
        if account not in self._registers:
            return Refused("unknown-account", final=False, everything=True)
        with self._one_at_a_time:
            writes, answer = work(self._desk(account, people))
            broken = self._broken(account, writes)
            if broken is not None:
                return Refused(broken, final=False)
            self._write(account, writes)
            return Done(answer)

    # Reading

    def _whole(self, account: str) -> Snapshot:
        return evolve(self._registers[account], enrolments=tuple(map(enrolment_of, self.rows(account))))

    def _desk(self, account: str, people: Collection[str]) -> Desk:
        rows = tuple(row for row in self.rows(account) if row.person in people)
        keys = {row.key for row in rows}
        run_by, run_until = self._turns.get(account, (None, None))
        return Desk(
            snapshot=of_people(self._registers[account], people, rows),
            rows=rows,
            letters=tuple(letter for letter in self.letters(account) if letter.key in keys),
            reserved=self._reserved(account, {}),
            now=self._clock(),
            run_by=run_by,
            run_until=run_until,
        )

    def _reserved(self, account: str, instead: dict[str, Row]) -> int:
        rows = {row.key: row for row in self.rows(account)} | instead
        return sum(row.credits for row in rows.values() if row.status in RESERVING_ROWS)

    # Writing

    def _broken(self, account: str, writes: Writes) -> str | None:
        """Which clause a transaction would break; None: none."""
        for write in writes.rows:
            known = self._rows.get(write.row.key)
            if known is not None and write.fence is None:
                return "key"
            if (known.fence if known else None) != write.fence:
                return "fence"
        for sent in writes.letters:
            written = self._letters.get(sent.letter.message_id)
            if (written.fence if written else None) != sent.fence:
                return "fence"
        after = {write.row.key: write.row for write in writes.rows}
        if unjournalled(self._rows, writes):
            return "journal"
        rows = {row.key: row for row in self.rows(account)} | after
        open_pairs = Counter((row.person, row.course) for row in rows.values() if row.open)
        if any(open_pairs[row.person, row.course] > 1 for row in after.values()):
            return "open"
        credits, before = self._registers[account].account.credits, self._reserved(account, {})
        reserved = self._reserved(account, after)
        if credits is not None and reserved > before and reserved > credits - writes.spent:
            return "credits"
        return None

    def _write(self, account: str, writes: Writes) -> None:
        self._rows |= {write.row.key: write.row for write in writes.rows}
        self._letters |= {write.letter.message_id: write.letter for write in writes.letters}
        self._journal += writes.entries
        if writes.spent:
            self._registers[account] = spent(self._registers[account], writes.spent)
        if writes.night is not None:
            self._nights[account] = max(writes.night, self._nights.get(account, writes.night))
        if writes.run_by is not None and writes.run_until is not None:
            self._turns[account] = writes.run_by, writes.run_until


# The LMS

STRONG = LmsCapabilities(
    keys_kept=FOR_EVER,
    refusals_final=True,
    finds=True,
    latest_arrival=None,
    one_open=False,
    cancels_unstarted=True,
    cancel_frees_key=False,
    sends_invitation=False,
    charges=Charge.ON_ENROL,
    longest_call=timedelta(seconds=1),
)
"""All that can be wished for of an LMS."""


_LOCKED_OUT = Refused("wrong-credentials", final=False, everything=True)


@final
@mutable(kw_only=True)
class _Made:
    """An enrolment at the LMS."""

    order: Order
    ref: str
    made_at: datetime
    progress: Progress = Progress.NOT_STARTED
    completed_at: datetime | None = None
    forgotten: bool = False


@final
class MemoryLms:
    """An LMS for one process, as strong or as weak as its capabilities say.

    `refusals` names what it refuses, by person and course, `missing_courses` what it does not have; `locked_out`: our
    credentials are wrong. What people do is told it by `start` and `complete`. `charged` counts credits, `invited` the
    letters that it has sent by itself.
    """

    def __init__(
        self,
        capabilities: LmsCapabilities = STRONG,
        *,
        refusals: Mapping[tuple[str, str], str] | None = None,
        clock: Clock = now,
    ) -> None:
        self.capabilities = capabilities
        self.refusals: dict[tuple[str, str], str] = dict(refusals or {})
        self.missing_courses: set[str] = set()
        self.locked_out: bool = False
        self.charged: int = 0
        self.invited: int = 0
        self._clock = clock
        self._one_at_a_time = RLock()
        self._made: list[_Made] = []
        self._refused: dict[str, str] = {}

    # The port

    def check(self, courses: Sequence[str]) -> Done[tuple[Trouble, ...]] | Refused | Unknown:
        """As `Lms.check`."""
        if self.locked_out:
            return _LOCKED_OUT
        message = "it has no such course; put it on, or turn off auto-enrolment for it"
        missing = [course for course in courses if course in self.missing_courses]
        return Done(tuple([Trouble(code="unknown-course", about=course, message=message) for course in missing]))

    def enrol(self, order: Order) -> Done[Receipt] | Refused | Unknown:
        """As `Lms.enrol`."""
        with self._one_at_a_time:
            return _LOCKED_OUT if self.locked_out else self._enrol(order)

    def _enrol(self, order: Order) -> Done[Receipt] | Refused:
        known = self._known(order.key)
        if known is not None:
            return Done(Receipt(ref=known.ref)) if known.order == order else Refused("key-conflict")
        missing = "unknown-course" if order.course in self.missing_courses else None
        reason = self.refusals.get((order.person, order.course), missing)
        if self.capabilities.refusals_final:
            reason = self._refused.get(order.key, reason)
        if reason is not None:
            self._refused[order.key] = reason
            return Refused(reason, final=self.capabilities.refusals_final)
        beside = self._open(order.person, order.course) if self.capabilities.one_open else None
        if beside is not None:
            return Done(Receipt(ref=beside.ref, foreign=beside.order.key != order.key))
        made = _Made(order=order, ref=f"booking-{len(self._made) + 1}", made_at=self._clock())
        self._made.append(made)
        self.charged += self.capabilities.charges is Charge.ON_ENROL
        self.invited += self.capabilities.sends_invitation
        return Done(Receipt(ref=made.ref))

    def find(self, key: str) -> Done[Booking | None] | Refused | Unknown:
        """As `Lms.find`."""
        if self.locked_out:
            return _LOCKED_OUT
        if not self.capabilities.finds:
            return Refused("cannot-find")
        made = next((row for row in reversed(self._made) if row.order.key == key and not row.forgotten), None)
        if made is None:
            return Done(None)
        return Done(Booking(ref=made.ref, progress=made.progress, completed_at=made.completed_at))

    def cancel_if_not_started(self, ref: str) -> Done[Cancelled] | Refused | Unknown:
        """As `Lms.cancel_if_not_started`; one that cannot tell cancels what was started, too."""
        with self._one_at_a_time:
            return _LOCKED_OUT if self.locked_out else self._cancel(ref)

    def _cancel(self, ref: str) -> Done[Cancelled] | Refused:
        made = next((row for row in self._made if row.ref == ref and not row.forgotten), None)
        if made is None:
            return Done(Cancelled.NOT_FOUND)
        if made.progress is Progress.CANCELLED:
            return Done(Cancelled.ALREADY)
        if self.capabilities.cancels_unstarted and made.progress is Progress.IN_PROGRESS:
            return Done(Cancelled.IN_PROGRESS)
        if self.capabilities.cancels_unstarted and made.progress is Progress.COMPLETED:
            return Done(Cancelled.COMPLETED)
        made.progress = Progress.CANCELLED
        made.forgotten = self.capabilities.cancel_frees_key
        return Done(Cancelled.CANCELLED)

    def launch_url(self, ref: str, return_to: str) -> Done[LaunchUrl] | Refused | Unknown:
        """As `Lms.launch_url`."""
        if all(row.ref != ref or row.progress is Progress.CANCELLED for row in self._made):
            return Refused("not-found")
        at = self._clock() + timedelta(minutes=2)
        return Done(LaunchUrl(url=f"https://lms.example/launch/{ref}?to={quote(return_to, safe='')}", expires_at=at))

    # What people do, and what there is

    def start(self, key: str) -> None:
        """The person starts the course."""
        self._set(key, Progress.IN_PROGRESS)

    def complete(self, key: str) -> None:
        """The person completes the course."""
        self._set(key, Progress.COMPLETED)

    def bookings(self) -> tuple[tuple[Order, Progress], ...]:
        """Every enrolment ever made, in order, and how far it has come."""
        return tuple((row.order, row.progress) for row in self._made)

    def _set(self, key: str, progress: Progress) -> None:
        for row in self._made:
            if row.order.key == key and row.progress in (Progress.NOT_STARTED, Progress.IN_PROGRESS):
                if row.progress is Progress.NOT_STARTED:
                    self.charged += self.capabilities.charges is Charge.ON_START
                row.progress = progress
                row.completed_at = self._clock() if progress is Progress.COMPLETED else None

    def _known(self, key: str) -> _Made | None:
        kept = self.capabilities.keys_kept
        if kept is None:
            return None
        made = next((row for row in reversed(self._made) if row.order.key == key and not row.forgotten), None)
        return made if made is not None and self._clock() - made.made_at < kept else None

    def _open(self, person: str, course: str) -> _Made | None:
        return next(
            (
                row
                for row in self._made
                if (row.order.person, row.order.course) == (person, course)
                and row.progress in (Progress.NOT_STARTED, Progress.IN_PROGRESS)
            ),
            None,
        )


# The mailer


@final
class MemoryMailer:
    """A mailer that keeps what it is given; `inbox` holds it, in order."""

    def __init__(self, *, deduplicates_for: timedelta | None = None, clock: Clock = now) -> None:
        self.capabilities: MailerCapabilities = MailerCapabilities(deduplicates_for=deduplicates_for)
        self.inbox: list[Message] = []
        self._clock = clock
        self._sent_at: dict[str, datetime] = {}
        self._one_at_a_time = RLock()

    def send(self, message: Message) -> Done[None] | Refused | Unknown:
        """As `Mailer.send`."""
        if not usable(message.recipient):
            return Refused("bad-address")
        kept, at = self.capabilities.deduplicates_for, self._clock()
        with self._one_at_a_time:
            earlier = self._sent_at.get(message.message_id)
            if kept is None or earlier is None or at - earlier >= kept:
                self.inbox.append(message)
                self._sent_at[message.message_id] = at
        return Done(None)
