"""The same three ports with methods that are awaited; the contracts are the same."""

from collections.abc import Collection, Sequence
from typing import Protocol, TypeVar

from enrolpolicy.model import Snapshot
from enrolpolicy.ports.answers import Done, Refused, Unknown
from enrolpolicy.ports.lms import Booking, Cancelled, LaunchUrl, LmsCapabilities, Order, Receipt, Trouble
from enrolpolicy.ports.mailer import MailerCapabilities, Message
from enrolpolicy.ports.store import Backlog, Work

T = TypeVar("T")


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
