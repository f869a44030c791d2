"""What the runner asks of a host: a store, an LMS, a mailer. Nobody subclasses anything; the methods are the contract.

Every call with an effect answers `Done`, `Refused` or `Unknown`. `Unknown` means that it may have happened: a time-out,
a lost connection, a commit nobody confirmed. An exception that leaves a port counts as `Unknown` as well. Each port
keeps its own time-outs.

The numbered clauses are what `enrolpolicy.testing` examines.
"""

from enrolpolicy.ports.answers import Done, Refused, Unknown
from enrolpolicy.ports.awaited import AsyncLms, AsyncMailer, AsyncStore
from enrolpolicy.ports.lms import (
    FOR_EVER,
    Booking,
    Cancelled,
    Charge,
    LaunchUrl,
    Lms,
    LmsCapabilities,
    Order,
    Progress,
    Receipt,
    Trouble,
)
from enrolpolicy.ports.mailer import Composer, Invitation, Mailer, MailerCapabilities, Message
from enrolpolicy.ports.store import Backlog, Desk, LetterWrite, RowWrite, Store, Work, Writes

__all__ = [
    "FOR_EVER",
    "AsyncLms",
    "AsyncMailer",
    "AsyncStore",
    "Backlog",
    "Booking",
    "Cancelled",
    "Charge",
    "Composer",
    "Desk",
    "Done",
    "Invitation",
    "LaunchUrl",
    "LetterWrite",
    "Lms",
    "LmsCapabilities",
    "Mailer",
    "MailerCapabilities",
    "Message",
    "Order",
    "Progress",
    "Receipt",
    "Refused",
    "RowWrite",
    "Store",
    "Trouble",
    "Unknown",
    "Work",
    "Writes",
]
