"""Mailers that are broken in one way each, by the smallest change to the one in memory; and the laws that notice."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from attrs import evolve
from broken import DAY, HOUR, Gap, Mutant, Unsteady, on, raises

from enrolpolicy.ports import (
    Done,
    Mailer,
    MailerCapabilities,
    Message,
    Refused,
    Unknown,
)
from enrolpolicy.testing import MailerHarness
from enrolpolicy.testing.worlds import mailer_harness


class BentMailer:
    """A mailer whose sending is another one; it gets the real one, and the message."""

    def __init__(
        self, mailer: Mailer, send: Callable[[Any, Message], Any], declared: MailerCapabilities | None
    ) -> None:
        self._mailer, self._send, self._declared = mailer, send, declared

    @property
    def capabilities(self) -> MailerCapabilities:
        return self._declared or self._mailer.capabilities

    def send(self, message: Message) -> Done[None] | Refused | Unknown:
        return self._send(self._mailer.send, message)  # type: ignore[no-any-return]


class UnsteadyMailer(BentMailer):
    """One whose declarations change from call to call."""

    times = Unsteady()

    @property
    def capabilities(self) -> MailerCapabilities:
        return MailerCapabilities(deduplicates_for=self.times.next())


def mailer_mutant(
    wrong: str,
    broken: str,
    send: Callable[[], Callable[[Any, Message], Any]],
    window: timedelta | None = DAY,
    declared: timedelta | None = None,
    longest_call: timedelta = HOUR,
) -> Mutant:
    """A mailer with a window, bent, that declares another one."""

    def made() -> MailerHarness:
        said = MailerCapabilities(deduplicates_for=declared) if declared else None
        harness = mailer_harness(window, lambda mailer: BentMailer(mailer, send(), said))
        return evolve(harness, longest_call=longest_call)

    return Mutant(wrong, frozenset(broken.split()), made)


def _as(kind: type, change: Callable[[Any], Any], **where: Any) -> Callable[[], Callable[[Any, Message], Any]]:
    return lambda: on(kind, change, **where)


def _through(change: Callable[[Message], Message]) -> Callable[[], Callable[[Any, Message], Any]]:
    return lambda: lambda real, message: real(change(message))


def _sent(real: Any, message: Message) -> Any:
    return real(message)


def _one_at_a_time() -> Callable[[Any, Message], Any]:
    desk: dict[str, Message] = {}
    gap = Gap()

    def send(real: Any, message: Message) -> Any:
        desk["message"] = message
        gap.wait()
        return real(desk["message"])

    return send


def _addressed(real: Any, message: Message) -> Any:
    return on(Refused, lambda it: evolve(it, reason=f"550 {message.recipient} unknown"), reason="refused")(
        real, message
    )


def _slowly(real: Any, message: Message) -> Any:
    said = real(message)
    if said == Unknown("timed-out"):
        time.sleep(0.27)
    return said


def _injected(real: Any, message: Message) -> Any:
    return real(evolve(message, recipient=message.recipient.partition("\r\n")[0]))


def _new_id_after_silence() -> Callable[[Any, Message], Any]:
    lost: set[str] = set()

    def send(real: Any, message: Message) -> Any:
        said = real(evolve(message, message_id="f" * 32) if message.message_id in lost else message)
        if isinstance(said, Unknown):
            lost.add(message.message_id)
        return said

    return send


def _silence_is_sent() -> Callable[[Any, Message], Any]:
    lost: set[str] = set()

    def send(real: Any, message: Message) -> Any:
        if message.message_id in lost:
            return Done(None)
        said = real(message)
        if isinstance(said, Unknown):
            lost.add(message.message_id)
        return said

    return send


def _copies(real: Any, message: Message) -> Any:
    said = real(message)
    if b"Cc: " in message.content:
        real(evolve(message, message_id="c" * 32, recipient="bo@acme.example"))
    return said


def _splits(real: Any, message: Message) -> Any:
    parts = message.recipient.split(",") if message.recipient.count("@") > 1 else [message.recipient]
    return [real(evolve(message, recipient=part.strip())) for part in parts][-1]


def _rendered_anew() -> Callable[[Any, Message], Any]:
    seen: set[str] = set()

    def send(real: Any, message: Message) -> Any:
        again = message.message_id in seen
        seen.add(message.message_id)
        return real(evolve(message, content=b"X-Try: 2\r\n" + message.content) if again else message)

    return send


MAILER_MUTANTS = (
    mailer_mutant("time-outs are exceptions", "M0 M1f", _as(Unknown, raises(TimeoutError()), detail="timed-out")),
    mailer_mutant("the reason has the address", "M0b", lambda: _addressed),
    mailer_mutant("one message at a time", "M0c", _one_at_a_time),
    mailer_mutant("answers with its own id", "M1", _as(Done, lambda _: Done("queued as 4711"))),
    mailer_mutant(
        "what is refused is tried again", "M1b", _as(Refused, lambda it: evolve(it, final=False), reason="refused")
    ),
    mailer_mutant(
        "a full mailbox is full for ever",
        "M1c",
        _as(Refused, lambda it: evolve(it, final=True), reason="refused-for-now"),
    ),
    mailer_mutant(
        "a lost line is a refusal",
        "M1d",
        _as(Unknown, lambda _: Refused("lost", final=False), detail="lost-after"),
        None,
    ),
    mailer_mutant(
        "a lost line is a refusal for good", "M1e", _as(Unknown, lambda _: Refused("lost"), detail="lost-before")
    ),
    mailer_mutant("waits for ever", "M1f", lambda: _slowly, longest_call=timedelta(milliseconds=10)),
    mailer_mutant("what follows a line break is not looked at", "M1g", lambda: _injected),
    Mutant(
        "declares something else each time",
        frozenset({"M2"}),
        lambda: mailer_harness(DAY, lambda it: UnsteadyMailer(it, _sent, None)),
    ),
    mailer_mutant("recognises ids for half the time", "M2b", lambda: _sent, DAY / 2, DAY),
    mailer_mutant("recognises nothing", "M2b M2c", lambda: _sent, None, DAY),
    mailer_mutant("a new id after silence", "M2c", _new_id_after_silence),
    mailer_mutant("what was lost counts as sent", "M2d", _silence_is_sent),
    mailer_mutant("sends to whom the headers name", "M3", lambda: _copies),
    mailer_mutant("sends to both", "M3b", lambda: _splits),
    mailer_mutant(
        "empty lines are cut off", "M4", _through(lambda it: evolve(it, content=it.content.rstrip() + b"\r\n"))
    ),
    mailer_mutant("is rendered anew each time", "M4b", _rendered_anew),
)
