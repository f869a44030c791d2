"""What an exam is given: an adapter, and controls over the world behind it that do not go through the adapter.

An implementer fills in what their world can do. A control that is left out is one that is not offered; the laws that
use it are then told as not examined, never as passed.
"""

from collections.abc import Callable
from datetime import timedelta
from enum import Enum
from typing import final

from attrs import frozen

from enrolpolicy.model import Snapshot
from enrolpolicy.ports import Lms, Mailer, Order, Progress, Store
from enrolpolicy.rows import Entry, Letter, Row
from enrolpolicy.testing.contract import without


@final
class Mishap(Enum):
    """What may befall the next call."""

    LOST_REQUEST = "lost-request"
    """It never arrives."""
    LOST_ANSWER = "lost-answer"
    """It is carried out, and its answer is lost."""
    STALL = "stall"
    """The other side takes the call, and says nothing any more."""
    NONSENSE = "nonsense"
    """The other side answers with something that makes no sense."""


@final
@frozen(kw_only=True)
class Seen:
    """An enrolment as the LMS has it, seen from behind; `key` is None where the LMS keeps none."""

    key: str | None
    person: str
    course: str
    progress: Progress


def _nothing(_person: str, _course: str) -> None:
    return None


@final
@frozen(kw_only=True)
class LmsHarness:
    """An LMS to be examined.

    `peek` gives every enrolment ever made that the LMS still knows of. `given` makes sure that it has a person and a
    course; the exam calls it before it uses them. `learner_starts`, `learner_completes`: the person does, by the key of
    the enrolment. `refuse` makes it refuse a person on a course from now on, for a reason; `allow` takes that back.
    `befall`: the next call meets with a mishap. `delay`: the next request is lost on its way, and arrives when
    `deliver` is called. `book_by_hand`: somebody else makes an enrolment there. `lock_out`: our credentials are wrong
    from now on. `unknown_course`: the id of a course it does not have. `advance`: its time goes on. `charged`,
    `invited`: how many credits it has charged, and how many letters it has sent by itself. `another`: a second handle
    on the same LMS. `secrets`: what must never be shown (passwords, tokens). `launches`: whether it has launch
    addresses.
    """

    lms: Lms
    peek: Callable[[], tuple[Seen, ...]]
    account: str = "acme"
    secrets: tuple[str, ...] = ()
    launches: bool = True
    given: Callable[[str, str], None] = _nothing
    learner_starts: Callable[[str], None] = without("learner_starts")
    learner_completes: Callable[[str], None] = without("learner_completes")
    refuse: Callable[[str, str, str], None] = without("refuse")
    allow: Callable[[str, str], None] = without("allow")
    befall: Callable[[Mishap], None] = without("befall")
    delay: Callable[[], None] = without("delay")
    deliver: Callable[[], None] = without("deliver")
    book_by_hand: Callable[[str, str], None] = without("book_by_hand")
    lock_out: Callable[[], None] = without("lock_out")
    unknown_course: Callable[[], str] = without("unknown_course")
    advance: Callable[[timedelta], None] = without("advance")
    charged: Callable[[], int] = without("charged")
    invited: Callable[[], int] = without("invited")
    another: Callable[[], Lms] = without("another")

    def order(self, key: str, person: str = "ana", course: str = "fire", cycle: str = "2025-12-20") -> Order:
        """An order for a person and a course that are there."""
        self.given(person, course)
        return Order(key=key, account=self.account, person=person, course=course, cycle=cycle, attempt=0)


@final
@frozen(kw_only=True)
class StoreHarness:
    """A store to be examined.

    `put` gives it a register, or a newer state of one, past the adapter. `rows`, `letters`, `journal` (oldest first)
    and `balance` read what it holds of an account, on a connection of their own. `advance`: its clock goes on.
    `another`: a second handle on the same store, for another thread. `reopen`: everything is closed, and opened anew.
    `befall`: the next commit meets with a mishap.
    """

    store: Store
    put: Callable[[Snapshot], None]
    rows: Callable[[str], tuple[Row, ...]]
    letters: Callable[[str], tuple[Letter, ...]]
    journal: Callable[[str], tuple[Entry, ...]]
    balance: Callable[[str], int | None]
    secrets: tuple[str, ...] = ()
    advance: Callable[[timedelta], None] = without("advance")
    another: Callable[[], Store] = without("another")
    reopen: Callable[[], Store] = without("reopen")
    befall: Callable[[Mishap], None] = without("befall")


@final
class Reply(Enum):
    """What the other side of a mailer says to the next message."""

    REFUSE = "refuse"
    """No, for good (5yz)."""
    REFUSE_FOR_NOW = "refuse-for-now"
    """Not now (4yz)."""
    DROP_BEFORE = "drop-before"
    """The connection is lost before the message was there."""
    DROP_AFTER = "drop-after"
    """The message is taken, and the connection is lost before that is said."""
    STALL = "stall"
    """Nothing is said any more."""
    NONSENSE = "nonsense"
    """Something is said that makes no sense."""


@final
@frozen(kw_only=True)
class Received:
    """A message that arrived in a mailbox; `content` as it was sent, without what servers write above it."""

    recipient: str
    content: bytes


@final
@frozen(kw_only=True)
class MailerHarness:
    """A mailer to be examined.

    `received`: what has arrived, in whatever mailbox, oldest first. `answer`: what the other side says to the next
    message. `advance`: its time goes on. `recipient`: an address that works, `another_recipient` a second one.
    `longest_call`: no call lasts longer. `another`: a second handle on the same mailer.
    """

    mailer: Mailer
    received: Callable[[], tuple[Received, ...]]
    recipient: str = "ana@acme.example"
    another_recipient: str = "bo@acme.example"
    longest_call: timedelta = timedelta(seconds=30)
    secrets: tuple[str, ...] = ()
    answer: Callable[[Reply], None] = without("answer")
    advance: Callable[[timedelta], None] = without("advance")
    another: Callable[[], Mailer] = without("another")
