"""What a mailer is asked, clauses M1 to M4, and what an invitation says."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Protocol, final

from attrs import frozen

from enrolpolicy.ports.answers import Done, Refused, Unknown


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
