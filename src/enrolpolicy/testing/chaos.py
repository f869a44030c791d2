"""Ports that fail now and then, the same way every time, for hosts' own tests.

    chaos = Chaos.seeded(7, one_in=10)
    ports = Ports(store=chaos.store(store), lms=chaos.lms(lms), mailer=chaos.mailer(mailer))

`Crash` passes through a run like the end of its process: catch it around `run_night`, and run again. What happened,
`happened` says; the seed brings it back. After `stop()` nothing fails any more, and a run or two must put it all right.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from enum import Enum
from random import Random
from threading import Lock
from typing import TypeVar, final

from enrolpolicy.model import Snapshot
from enrolpolicy.ports import (
    Backlog,
    Booking,
    Cancelled,
    Done,
    LaunchUrl,
    Lms,
    LmsCapabilities,
    Mailer,
    MailerCapabilities,
    Message,
    Order,
    Receipt,
    Refused,
    Store,
    Trouble,
    Unknown,
    Work,
)

T = TypeVar("T")


@final
class Fault(Enum):
    """What befalls a call."""

    LOST_REQUEST = "lost-request"
    """It is never carried out, and answered with Unknown."""
    LOST_ANSWER = "lost-answer"
    """It is carried out, and answered with Unknown."""
    LATE = "late"
    """It is answered with Unknown, and carried out some calls later, or by `deliver`."""
    RAISES_BEFORE = "raises-before"
    """The port raises, and has done nothing."""
    RAISES_AFTER = "raises-after"
    """The port raises, and has done it."""
    CRASH_BEFORE = "crash-before"
    """The process ends before the call."""
    CRASH_AFTER = "crash-after"
    """The process ends after the call."""


EVERY_FAULT = tuple(Fault)


@final
class Crash(BaseException):
    """The end of a process, in a test: no port and no runner catches it."""


@final
class PortRaised(Exception):
    """What a port raises that raises."""


@final
class Chaos:
    """Rare trouble on a schedule: one entry for each call to come, None where it goes well; at its end all goes well.

    `happened` lists what befell which call, as (port, method, fault).
    """

    def __init__(self, schedule: Iterable[Fault | None]) -> None:
        self.happened: list[tuple[str, str, Fault]] = []
        self._schedule: Iterator[Fault | None] = iter(schedule)
        self._late: list[tuple[int, Callable[[], object]]] = []
        self._calls = 0
        self._one_at_a_time = Lock()

    @classmethod
    def seeded(cls, seed: int, *, one_in: int = 10, faults: Sequence[Fault] = EVERY_FAULT) -> "Chaos":
        """Trouble without end, at one call in so many, the same for the same seed."""
        dice = Random(seed)  # noqa: S311 - it is to be foreseeable

        def schedule() -> Iterator[Fault | None]:
            while True:
                yield dice.choice(faults) if dice.randrange(one_in) == 0 else None

        return cls(schedule())

    def lms(self, lms: Lms) -> Lms:
        """An LMS, with trouble."""
        return _Lms(lms, self)

    def store(self, store: Store) -> Store:
        """A store, with trouble; its transactions are never late, for a store keeps order."""
        return _Store(store, self)

    def mailer(self, mailer: Mailer) -> Mailer:
        """A mailer, with trouble."""
        return _Mailer(mailer, self)

    def stop(self) -> None:
        """Let everything go well from now on, and late requests arrive."""
        self._schedule = iter(())
        self.deliver()

    def deliver(self) -> None:
        """Let late requests arrive."""
        late, self._late = self._late, []
        for _, request in late:
            request()

    def drop(self) -> None:
        """Lose late requests for good."""
        self._late = []

    def call(self, port: str, method: str, make: Callable[[], T], *, late: bool = False) -> T | Unknown:
        """A call, and what befalls it; `late`: whether it can arrive later."""
        with self._one_at_a_time:
            self._calls += 1
            due = [request for at, request in self._late if at <= self._calls]
            self._late = [(at, request) for at, request in self._late if at > self._calls]
            fault = next(self._schedule, None)
            if fault is not None:
                self.happened.append((port, method, fault))
        for request in due:
            request()
        if fault is None:
            return make()
        if fault is Fault.CRASH_BEFORE:
            raise Crash
        if fault is Fault.RAISES_BEFORE:
            raise PortRaised
        if fault is Fault.LATE and late:
            self._late.append((self._calls + 7, make))
        if fault in (Fault.LOST_ANSWER, Fault.RAISES_AFTER, Fault.CRASH_AFTER):
            make()
        if fault is Fault.CRASH_AFTER:
            raise Crash
        if fault is Fault.RAISES_AFTER:
            raise PortRaised
        return Unknown(fault.value)


@final
class _Lms:
    def __init__(self, lms: Lms, chaos: Chaos) -> None:
        self._lms, self._chaos = lms, chaos

    @property
    def capabilities(self) -> LmsCapabilities:
        return self._lms.capabilities

    def check(self, courses: Sequence[str]) -> Done[tuple[Trouble, ...]] | Refused | Unknown:
        return self._chaos.call("lms", "check", lambda: self._lms.check(courses))

    def enrol(self, order: Order) -> Done[Receipt] | Refused | Unknown:
        return self._chaos.call("lms", "enrol", lambda: self._lms.enrol(order), late=True)

    def find(self, key: str) -> Done[Booking | None] | Refused | Unknown:
        return self._chaos.call("lms", "find", lambda: self._lms.find(key))

    def cancel_if_not_started(self, ref: str) -> Done[Cancelled] | Refused | Unknown:
        return self._chaos.call("lms", "cancel_if_not_started", lambda: self._lms.cancel_if_not_started(ref), late=True)

    def launch_url(self, ref: str, return_to: str) -> Done[LaunchUrl] | Refused | Unknown:
        return self._chaos.call("lms", "launch_url", lambda: self._lms.launch_url(ref, return_to))


@final
class _Store:
    def __init__(self, store: Store, chaos: Chaos) -> None:
        self._store, self._chaos = store, chaos

    def snapshot(self, account: str) -> Done[Snapshot] | Refused | Unknown:
        return self._chaos.call("store", "snapshot", lambda: self._store.snapshot(account))

    def backlog(self, account: str, ended: bool) -> Done[Backlog] | Refused | Unknown:
        return self._chaos.call("store", "backlog", lambda: self._store.backlog(account, ended))

    def transact(self, account: str, people: Collection[str], work: Work[T]) -> Done[T] | Refused | Unknown:
        return self._chaos.call("store", "transact", lambda: self._store.transact(account, people, work))


@final
class _Mailer:
    def __init__(self, mailer: Mailer, chaos: Chaos) -> None:
        self._mailer, self._chaos = mailer, chaos

    @property
    def capabilities(self) -> MailerCapabilities:
        return self._mailer.capabilities

    def send(self, message: Message) -> Done[None] | Refused | Unknown:
        return self._chaos.call("mailer", "send", lambda: self._mailer.send(message), late=True)
