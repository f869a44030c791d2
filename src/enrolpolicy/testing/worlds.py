"""Harnesses around the adapters in memory: what the exams are themselves examined with, and a model for one's own."""

from collections import deque
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import final

from enrolpolicy.adapters.memory import STRONG, MemoryLms, MemoryMailer, MemoryStore
from enrolpolicy.ports import (
    Done,
    Lms,
    LmsCapabilities,
    Mailer,
    MailerCapabilities,
    Message,
    Order,
    Refused,
    Store,
    Unknown,
)
from enrolpolicy.testing.chaos import Chaos, Fault
from enrolpolicy.testing.harness import LmsHarness, MailerHarness, Mishap, Received, Reply, Seen, StoreHarness

MISSING = "no-such-course"


@final
class Clock:
    """A clock that goes on when it is told to."""

    def __init__(self, at: datetime = datetime(2026, 11, 23, 3, tzinfo=UTC)) -> None:
        self.at: datetime = at

    def __call__(self) -> datetime:
        """What it shows."""
        return self.at

    def advance(self, by: timedelta) -> None:
        """Go on."""
        self.at += by


_FAULTS = {
    Mishap.LOST_REQUEST: Fault.LOST_REQUEST,
    Mishap.LOST_ANSWER: Fault.LOST_ANSWER,
    Mishap.STALL: Fault.LOST_REQUEST,
    Mishap.NONSENSE: Fault.LOST_ANSWER,
}


def _queued(queue: deque[Fault]) -> Iterator[Fault | None]:
    while True:
        yield queue.popleft() if queue else None


@final
class LmsWorld:
    """The LMS in memory, and a line to it that loses what it is told to lose."""

    def __init__(self, capabilities: LmsCapabilities = STRONG) -> None:
        self.clock: Clock = Clock()
        self.lms: MemoryLms = MemoryLms(capabilities, clock=self.clock)
        self._queue: deque[Fault] = deque()
        self._line = Chaos(_queued(self._queue))
        self._delayed_at = self.clock()

    def harness(self, wrap: Callable[[Lms], Lms] = lambda lms: lms) -> LmsHarness:
        """The LMS behind its line, to be examined; `wrap` puts something around it, at the near end."""
        adapter = wrap(self._line.lms(self.lms))
        return LmsHarness(
            lms=adapter,
            peek=self.peek,
            learner_starts=self.lms.start,
            learner_completes=self.lms.complete,
            refuse=self._refuse,
            allow=self._allow,
            befall=lambda mishap: self._queue.append(_FAULTS[mishap]),
            delay=self._delay,
            deliver=self._deliver,
            book_by_hand=self._book_by_hand,
            lock_out=self._lock_out,
            unknown_course=self._unknown_course,
            advance=self.clock.advance,
            charged=lambda: self.lms.charged,
            invited=lambda: self.lms.invited,
            another=lambda: adapter,
        )

    def peek(self) -> tuple[Seen, ...]:
        """Every enrolment ever made."""
        return tuple(
            Seen(key=order.key, person=order.person, course=order.course, progress=progress)
            for order, progress in self.lms.bookings()
        )

    def _refuse(self, person: str, course: str, reason: str) -> None:
        self.lms.refusals[person, course] = reason

    def _allow(self, person: str, course: str) -> None:
        del self.lms.refusals[person, course]

    def _delay(self) -> None:
        self._delayed_at = self.clock()
        self._queue.append(Fault.LATE)

    def _deliver(self) -> None:
        bound = self.lms.capabilities.latest_arrival
        if bound is not None and self.clock() - self._delayed_at >= bound:
            self._line.drop()
        self._line.deliver()

    def _book_by_hand(self, person: str, course: str) -> None:
        order = Order(
            key=f"by-hand-{person}-{course}", account="acme", person=person, course=course, cycle="", attempt=0
        )
        self.lms.enrol(order)

    def _lock_out(self) -> None:
        self.lms.locked_out = True

    def _unknown_course(self) -> str:
        self.lms.missing_courses.add(MISSING)
        return MISSING


def lms_harness(capabilities: LmsCapabilities = STRONG) -> LmsHarness:
    """The LMS in memory, to be examined."""
    return LmsWorld(capabilities).harness()


def store_harness(
    wrap: Callable[[Store], Store] = lambda store: store, remember: Callable[[MemoryStore], None] = lambda _: None
) -> StoreHarness:
    """The store in memory, to be examined; `wrap` puts something around it, `remember` is told what is inside."""
    clock, queue = Clock(), deque[Fault]()
    memory = MemoryStore(clock=clock)
    remember(memory)
    store = wrap(Chaos(_queued(queue)).store(memory))
    return StoreHarness(
        store=store,
        put=memory.put,
        rows=memory.rows,
        letters=memory.letters,
        journal=memory.journal,
        balance=lambda account: memory.register(account).account.credits,
        advance=clock.advance,
        another=lambda: store,
        reopen=lambda: store,
        befall=lambda mishap: queue.append(_FAULTS[mishap]),
    )


_STEPS: dict[Reply, Refused | Unknown] = {
    Reply.REFUSE: Refused("refused", final=True),
    Reply.REFUSE_FOR_NOW: Refused("refused-for-now", final=False),
    Reply.DROP_BEFORE: Unknown("lost-before"),
    Reply.DROP_AFTER: Unknown("lost-after"),
    Reply.STALL: Unknown("timed-out"),
    Reply.NONSENSE: Unknown("no-answer"),
}


@final
class _Answering:
    """A mailer whose other side says what it is told to say."""

    def __init__(self, mailer: Mailer, replies: deque[Reply]) -> None:
        self._mailer, self._replies = mailer, replies

    @property
    def capabilities(self) -> MailerCapabilities:
        return self._mailer.capabilities

    def send(self, message: Message) -> Done[None] | Refused | Unknown:
        if not self._replies:
            return self._mailer.send(message)
        reply = self._replies.popleft()
        if reply is Reply.DROP_AFTER:
            self._mailer.send(message)
        return _STEPS[reply]


def mailer_harness(
    deduplicates_for: timedelta | None = None, wrap: Callable[[Mailer], Mailer] = lambda mailer: mailer
) -> MailerHarness:
    """The mailer in memory, to be examined; `wrap` puts something around it."""
    clock, replies = Clock(), deque[Reply]()
    memory = MemoryMailer(deduplicates_for=deduplicates_for, clock=clock)
    mailer = wrap(_Answering(memory, replies))
    return MailerHarness(
        mailer=mailer,
        received=lambda: tuple(Received(recipient=one.recipient, content=one.content) for one in memory.inbox),
        answer=replies.append,
        advance=clock.advance,
        another=lambda: mailer,
    )
