"""A run that does nothing: the same runner on a copy of the account, with an LMS and a mailer that say yes.

Everything is decided as it would be: on the register, the rows and the letters of now, by the same code. The real store
and LMS are read, and nothing is written, asked for or sent.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import final

from attrs import frozen

from enrolpolicy.adapters.memory import MemoryStore
from enrolpolicy.ports import (
    Booking,
    Cancelled,
    Desk,
    Done,
    LaunchUrl,
    Lms,
    LmsCapabilities,
    MailerCapabilities,
    Message,
    Order,
    Progress,
    Receipt,
    Refused,
    Store,
    Trouble,
    Unknown,
    Writes,
)
from enrolpolicy.runner.driving import Ports

_LOG = logging.getLogger(__name__)
_LOG.addHandler(logging.NullHandler())

DRY_RUN = "dry-run"


def dry_run(account: str, ports: Ports) -> Ports | Refused | Unknown:
    """Ports for a dry run of an account, made from the real ones; what the store said, where it could not be read.

    They are good for one run, and for this account. An LMS that would refuse is not asked, so what it would refuse is
    not known.
    """
    desk = _desk(account, ports.store)
    if not isinstance(desk, Done):
        return desk
    backlog = ports.store.backlog(account, False)
    if not isinstance(backlog, Done):
        return backlog
    at = desk.value.now
    store = MemoryStore(clock=lambda: at)
    store.take_over(desk.value, backlog.value.last_night)
    keys = {row.ref: row.key for row in desk.value.rows if row.ref is not None}
    return Ports(store=store, lms=DryLms(ports.lms, keys), mailer=DryMailer(ports.mailer.capabilities))


def _desk(account: str, store: Store) -> Done[Desk] | Refused | Unknown:
    """The whole account as one transaction sees it."""
    register = store.snapshot(account)
    if not isinstance(register, Done):
        return register
    people = {person.id for person in register.value.personnel} | {row.person for row in register.value.enrolments}
    return store.transact(account, sorted(people), lambda desk: (Writes(), desk))


@final
@frozen
class DryLms:
    """An LMS that looks, and otherwise says yes and does nothing. `keys` has the keys of bookings, by reference."""

    lms: Lms
    keys: Mapping[str, str]

    @property
    def capabilities(self) -> LmsCapabilities:
        """Those of the LMS."""
        return self.lms.capabilities

    def check(self, courses: Sequence[str]) -> Done[tuple[Trouble, ...]] | Refused | Unknown:
        """What the LMS says; it has no effect."""
        return self.lms.check(courses)

    def enrol(self, order: Order) -> Done[Receipt] | Refused | Unknown:
        """Yes, and nothing is done."""
        _LOG.info("dry run: would enrol %s", order.key)
        return Done(Receipt(ref=f"{DRY_RUN}:{order.key}"[:255]))

    def find(self, key: str) -> Done[Booking | None] | Refused | Unknown:
        """What the LMS has; it has no effect."""
        return self.lms.find(key)

    def cancel_if_not_started(self, ref: str) -> Done[Cancelled] | Refused | Unknown:
        """What it would come to, as far as the LMS can be asked; nothing is done."""
        key = self.keys.get(ref)
        found = self.lms.find(key) if key is not None and self.capabilities.finds else Done(None)
        if not isinstance(found, Done):
            return found
        _LOG.info("dry run: would cancel %s", key)
        return Done(_COMES_TO[found.value.progress] if found.value else Cancelled.CANCELLED)

    def launch_url(self, ref: str, return_to: str) -> Done[LaunchUrl] | Refused | Unknown:
        """No."""
        return Refused(DRY_RUN)


_COMES_TO = {
    Progress.NOT_STARTED: Cancelled.CANCELLED,
    Progress.IN_PROGRESS: Cancelled.IN_PROGRESS,
    Progress.COMPLETED: Cancelled.COMPLETED,
    Progress.CANCELLED: Cancelled.ALREADY,
}


@final
@frozen
class DryMailer:
    """A mailer that says yes, and sends nothing."""

    capabilities: MailerCapabilities

    def send(self, message: Message) -> Done[None] | Refused | Unknown:
        """Yes, and nothing is sent."""
        _LOG.info("dry run: would send a letter")
        return Done(None)
