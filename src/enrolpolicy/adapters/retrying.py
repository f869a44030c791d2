"""Trying again at once, around any LMS or mailer: for trouble that is over in seconds.

The next run settles whatever is left over anyway, so this is about waiting less, and it must not weaken what is
promised. What may have happened is asked for again only where the port recognises the same key. And once a try was in
doubt, a later refusal does not settle it: the first may still arrive.
"""

import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from hashlib import sha256
from typing import TypeVar, final

from attrs import evolve, field, frozen

from enrolpolicy.errors import InvalidValue
from enrolpolicy.ports import (
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
    Trouble,
    Unknown,
)

T = TypeVar("T")
Sleep = Callable[[float], None]
Ends = Callable[[Refused], bool]
"""Whether a refusal settles what became of earlier tries that were in doubt."""


@final
@frozen(kw_only=True)
class Patience:
    """How often, and how long in between: at most `first`, twice as much before each further try, never over `longest`.

    The pause lies between half of that and all of it, by a hash of what is tried: two runs that fail at the same moment
    do not come back at the same moment, and a test finds the same pauses each time.
    """

    tries: int = 3
    first: timedelta = timedelta(seconds=0.5)
    longest: timedelta = timedelta(seconds=30)

    def __attrs_post_init__(self) -> None:
        if not 1 <= self.tries <= 100:
            raise InvalidValue("Patience.tries", f"must be from 1 to 100, not `{self.tries}`")
        if not timedelta(0) <= self.first <= self.longest:
            raise InvalidValue("Patience.first", "must not be negative, nor more than `longest`")

    def pause(self, what: str, tried: int) -> timedelta:
        """How long to wait after a thing was tried so many times, the first being 1."""
        octets = sha256(f"{tried}:{what}".encode(errors="replace")).digest()[:4]
        return self._most(tried) * (0.5 + int.from_bytes(octets) / 2**33)

    @property
    def in_all(self) -> timedelta:
        """The longest that all pauses together can be."""
        return sum(map(self._most, range(1, self.tries)), timedelta(0))

    def _most(self, tried: int) -> timedelta:
        return timedelta(seconds=min(self.longest.total_seconds(), self.first.total_seconds() * 2.0 ** (tried - 1)))


@final
@frozen
class RetryingLms:
    """An LMS that is asked again.

    A refusal that is not final, and not of everything, is tried again. So is what is in doubt: looking up always;
    enrolling where the LMS recognises the key for longer than all tries take; cancelling where it looks and cancels in
    one step, and remembers what it cancelled.
    """

    lms: Lms
    patience: Patience = Patience()
    sleep: Sleep = field(default=time.sleep, repr=False)

    @property
    def capabilities(self) -> LmsCapabilities:
        """Those of the LMS, but that a call lasts as long as all tries and pauses."""
        can = self.lms.capabilities
        return evolve(can, longest_call=self.patience.tries * can.longest_call + self.patience.in_all)

    def check(self, courses: Sequence[str]) -> Done[tuple[Trouble, ...]] | Refused | Unknown:
        """As `Lms.check`."""
        return self._tried("check", lambda: self.lms.check(courses), again=True, ends=_any)

    def enrol(self, order: Order) -> Done[Receipt] | Refused | Unknown:
        """As `Lms.enrol`."""
        can = self.capabilities
        recognised = can.keys_kept is not None and can.keys_kept > can.longest_call
        ends = _final if can.refusals_final else _none
        return self._tried(order.key, lambda: self.lms.enrol(order), again=recognised, ends=ends)

    def find(self, key: str) -> Done[Booking | None] | Refused | Unknown:
        """As `Lms.find`."""
        return self._tried(key, lambda: self.lms.find(key), again=True, ends=_any)

    def cancel_if_not_started(self, ref: str) -> Done[Cancelled] | Refused | Unknown:
        """As `Lms.cancel_if_not_started`."""
        can = self.lms.capabilities
        again = can.cancels_unstarted and not can.cancel_frees_key
        return self._tried(ref, lambda: self.lms.cancel_if_not_started(ref), again=again, ends=_none)

    def launch_url(self, ref: str, return_to: str) -> Done[LaunchUrl] | Refused | Unknown:
        """As `Lms.launch_url`."""
        return self._tried(ref, lambda: self.lms.launch_url(ref, return_to), again=True, ends=_any)

    def _tried(
        self, what: str, call: Callable[[], Done[T] | Refused | Unknown], *, again: bool, ends: Ends
    ) -> Done[T] | Refused | Unknown:
        return _tried(self.patience, self.sleep, what, call, again=again, ends=ends)


@final
@frozen
class RetryingMailer:
    """A mailer that is asked again: after a refusal for now, and in doubt only where it recognises a repeated id."""

    mailer: Mailer
    patience: Patience = Patience()
    sleep: Sleep = field(default=time.sleep, repr=False)

    @property
    def capabilities(self) -> MailerCapabilities:
        """Those of the mailer."""
        return self.mailer.capabilities

    def send(self, message: Message) -> Done[None] | Refused | Unknown:
        """As `Mailer.send`."""
        kept = self.mailer.capabilities.deduplicates_for
        again = kept is not None and kept > self.patience.in_all
        id, patience, sleep = message.message_id, self.patience, self.sleep
        return _tried(patience, sleep, id, lambda: self.mailer.send(message), again=again, ends=_none)


def _tried(
    patience: Patience,
    sleep: Sleep,
    what: str,
    call: Callable[[], Done[T] | Refused | Unknown],
    *,
    again: bool,
    ends: Ends,
) -> Done[T] | Refused | Unknown:
    """Call until there is an answer, or no patience left.

    `again`: what is in doubt may be asked for once more. `ends`: whether a refusal settles an earlier try in doubt.
    """
    answer = _answered(call)
    doubt = answer if isinstance(answer, Unknown) else None
    for tried in range(1, patience.tries):
        hopeless = isinstance(answer, Refused) and (answer.final or answer.everything)
        if isinstance(answer, Done) or hopeless or (doubt is not None and not again):
            break
        sleep(patience.pause(what, tried).total_seconds())
        answer = _answered(call)
        doubt = answer if isinstance(answer, Unknown) else doubt
    settled = isinstance(answer, Done) or (isinstance(answer, Refused) and ends(answer))
    return answer if doubt is None or settled else doubt


def _any(_: Refused) -> bool:
    """For calls without an effect: there is nothing that could have happened."""
    return True


def _final(refused: Refused) -> bool:
    """For keys whose final refusal holds for copies still under way."""
    return refused.final


def _none(_: Refused) -> bool:
    return False


def _answered(call: Callable[[], Done[T] | Refused | Unknown]) -> Done[T] | Refused | Unknown:
    try:
        return call()
    except Exception as error:  # noqa: BLE001 - whatever a port raises, nobody knows what it did before
        return Unknown(f"raised {type(error).__name__}")
