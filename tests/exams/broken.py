"""What broken adapters are made of: a mutant, and small changes to answers."""

import contextlib
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

from enrolpolicy.testing.examining import AT_ONCE

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


class Mutant(NamedTuple):
    """A broken adapter: what is wrong with it, the laws that must notice, and its harness."""

    wrong: str
    broken: frozenset[str]
    made: Callable[[], Any]


def on(kind: type, change: Callable[[Any], Any], **where: Any) -> Callable[..., Any]:
    """A method whose answers of a kind, with these attributes, are changed."""

    def method(real: Callable[..., Any], *arguments: Any) -> Any:
        said = real(*arguments)
        fits = isinstance(said, kind) and all(getattr(said, name) == value for name, value in where.items())
        return change(said) if fits else said

    return method


def raises(error: Exception) -> Callable[[Any], Any]:
    def change(_: Any) -> Any:
        raise error

    return change


class Gap:
    """A gap between looking and acting, in which two who come at the same moment always meet."""

    def __init__(self) -> None:
        self._both = threading.Barrier(2, timeout=5)

    def wait(self) -> None:
        if threading.current_thread().name == AT_ONCE:
            with contextlib.suppress(threading.BrokenBarrierError):
                self._both.wait()


class Unsteady:
    """A number of microseconds that is another one each time."""

    def __init__(self) -> None:
        self.count = 0

    def next(self) -> timedelta:
        self.count += 1
        return timedelta(seconds=1, microseconds=self.count)
