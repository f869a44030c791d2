"""One person and one course on one date: the facts its rules may see, and the evidence behind them."""

import hashlib
import re
from datetime import date
from typing import final

from attrs import frozen

from enrolpolicy.bookings import Bookings
from enrolpolicy.facts import Facts
from enrolpolicy.model import Account, Course, Enrolment, Person
from enrolpolicy.register import Source
from enrolpolicy.renewal import Lead, Renewal

USABLE_ADDRESS = re.compile(r"[^@\s\x00-\x1f\x7f-\x9f]+@[^@\s\x00-\x1f\x7f-\x9f.]+(\.[^@\s\x00-\x1f\x7f-\x9f.]+)+")


def usable(email: str | None) -> bool:
    """Whether an invitation can be sent there: one `@`, nothing blank or unprintable, a dot inside the domain."""
    return email is not None and USABLE_ADDRESS.fullmatch(email) is not None


def enrolment_key(account: str, person: str, course: str, cycle: str, attempt: int) -> str:
    """The identity of an enrolment, the same whenever and by whichever version it is computed.

    `ep1-` and 40 hex digits of the SHA-256 over the five parts as netstrings (`4:acme,`), so that no choice of ids can
    make two of them meet. Idempotency key for LMS and mail, and seed of the spread. Another algorithm would enrol
    everybody again; a test holds its bytes.

    >>> enrolment_key("acme", "ana", "fire", "2025-12-20", 0)
    'ep1-4c7aeae5eb828b9ce7f02e4be4d04266553acc81'
    """
    a, p, c, y, n = account.encode(), person.encode(), course.encode(), cycle.encode(), b"%d" % attempt
    netstrings = b"%d:%s,%d:%s,%d:%s,%d:%s,%d:%s," % (len(a), a, len(p), p, len(c), c, len(y), y, len(n), n)
    return f"ep1-{hashlib.sha256(netstrings).hexdigest()[:40]}"


@final
@frozen(kw_only=True)
class Candidate:
    """One person and one course on one date. `facts` is all a rule may see; the rest is the evidence behind it."""

    account: Account
    person: Person
    course: Course
    on: date
    facts: Facts
    sources: tuple[Source, ...]
    lead: Lead
    renewal: Renewal
    enrolments: tuple[Enrolment, ...]
    bookings: Bookings

    @property
    def cycle(self) -> str:
        """Which renewal this is: the completion being renewed, or `first`."""
        return self.renewal.cycle

    @property
    def attempt(self) -> int:
        """How many enrolments of this cycle have ended before."""
        return self.bookings.attempt

    @property
    def key(self) -> str:
        """The identity of this enrolment, see `enrolment_key`."""
        return enrolment_key(self.account.id, self.person.id, self.course.id, self.cycle, self.attempt)

    @property
    def lead_clamped(self) -> bool:
        """Whether the lead set was longer than half of what it renews, and was held to that."""
        return self.renewal.lead_days < self.lead.days
