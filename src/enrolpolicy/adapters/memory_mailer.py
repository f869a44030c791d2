"""A mailer in memory, with or without a window in which it recognises what it has sent."""

from datetime import datetime, timedelta
from threading import RLock
from typing import final

from enrolpolicy.adapters.clock import Clock, now
from enrolpolicy.candidate import usable
from enrolpolicy.ports import Done, MailerCapabilities, Message, Refused, Unknown


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
