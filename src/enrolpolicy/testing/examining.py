"""What laws say again and again."""

import logging
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TypeVar

from enrolpolicy.ports import Done, Refused, Unknown

T = TypeVar("T")

CODE = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")
"""What a reason looks like."""

HOSTILE = (
    "zoë-łukasz-王-🎓", "a/b", "100%", "who?", "a#b", "a&b=c", "a+b", " blanks around ", "two  blanks",
    "'; drop table--", '<b>"quoted"</b>', "..", "0", "x" * 255, "é" * 255, "e\u0301",
)  # fmt: skip
"""Ids that a register may hold, and that break what is careless about addresses, queries or widths."""


def done(said: Done[T] | Refused | Unknown) -> T:
    """The value of an answer that must be Done."""
    assert isinstance(said, Done), f"expected Done, not {said!r}"
    return said.value


def refused(said: object, reason: str | None = None) -> Refused:
    """An answer that must be Refused, for a reason where one is given."""
    assert isinstance(said, Refused), f"expected Refused, not {said!r}"
    assert reason is None or said.reason == reason, f"expected it to be refused as `{reason}`, not `{said.reason}`"
    return said


def unknown(said: object) -> Unknown:
    """An answer that must be Unknown."""
    assert isinstance(said, Unknown), f"nobody can tell what became of it, so expected Unknown, not {said!r}"
    return said


def answered(call: Callable[[], T]) -> T:
    """What a call answers; it must be one of the three answers, and not an exception."""
    try:
        said = call()
    except Exception as error:
        raise AssertionError(f"`{type(error).__name__}` left the port; only Done, Refused and Unknown may") from error
    assert isinstance(said, Done | Refused | Unknown), f"the answer was `{type(said).__name__}`"
    return said


def timed(call: Callable[[], T], longest: timedelta) -> T:
    """A call that must be over within its longest time, and a moment for slow machines."""
    began = time.monotonic()
    said = answered(call)
    took = time.monotonic() - began
    assert took < longest.total_seconds() + 0.25, f"the call took {took:.2f} s; the longest is said to be {longest}"
    return said


AT_ONCE = "enrolpolicy-exam"
"""The name of the threads that make calls at the same moment."""


def at_once(calls: Sequence[Callable[[], T]]) -> list[T]:
    """What calls answer that are made at the same moment, each on a thread of its own."""
    start = threading.Barrier(len(calls))
    found: list[T | Exception] = [AssertionError("a call never ended")] * len(calls)

    def run(number: int) -> None:
        start.wait()
        try:
            found[number] = calls[number]()
        except Exception as error:  # noqa: BLE001 - told to the thread that asked
            found[number] = error

    threads = [threading.Thread(target=run, args=(number,), name=AT_ONCE, daemon=True) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    said: list[T] = []
    for one in found:
        if isinstance(one, Exception):
            raise AssertionError(f"`{type(one).__name__}` left the port with two threads at once") from one
        said.append(one)
    return said


class _Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.getMessage()} {record.exc_info or ''} {record.exc_text or ''}")


@contextmanager
def overheard() -> Iterator[list[str]]:
    """Everything that is logged meanwhile."""
    kept, root = _Kept(), logging.getLogger()
    level = root.level
    root.addHandler(kept)
    root.setLevel(logging.DEBUG)
    try:
        yield kept.lines
    finally:
        root.removeHandler(kept)
        root.setLevel(level)


def silent_about(shown: Sequence[object], private: Sequence[str]) -> None:
    """That nothing private is in what is shown."""
    for one in shown:
        for text in (str(one), repr(one)):
            for word in private:
                assert word not in text, f"`{word[:3]}…` is shown in {type(one).__name__}"
