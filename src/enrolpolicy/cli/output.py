"""What goes to the two streams: lines to look at, documents as they are, and progress while something lasts."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from io import TextIOWrapper
from typing import TextIO, TypeVar

from enrolpolicy.text import Style, safe, wrapped

_T = TypeVar("_T")


def write(lines: Iterable[str]) -> None:
    """Lines to look at; what the terminal's encoding cannot show is escaped, our own marks are written otherwise."""
    _reconfigure(errors="backslashreplace")
    plainer = {} if style(sys.stdout).marks else _PLAINER
    for line in lines:
        sys.stdout.write(line.translate(plainer) + "\n")


_PLAINER = str.maketrans("·…", "-~")


def write_json(documents: Iterable[str]) -> None:
    """Documents as they are, in UTF-8 wherever they go."""
    _reconfigure(encoding="utf-8")
    for document in documents:
        sys.stdout.write(document)


def _reconfigure(encoding: str | None = None, errors: str | None = None) -> None:
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(encoding=encoding, errors=errors)


def closed(stream: object) -> bool:
    """Whether a standard stream was closed by whoever started the program: Python has None in its place then."""
    return stream is None


def say(sentence: str) -> None:
    """A sentence on standard error."""
    if closed(sys.stderr):
        return
    sys.stderr.write("\n".join(wrapped(sentence)) + "\n" if sys.stderr.isatty() else safe(sentence) + "\n")


def style(stream: TextIO) -> Style:
    """How lines are dressed on a stream."""
    try:
        "✓✗·…".encode(stream.encoding or "ascii")
        marks = True
    except (LookupError, UnicodeEncodeError):
        marks = False
    return Style(colour=stream.isatty() and not os.environ.get("NO_COLOR"), marks=marks)


# Progress, on a terminal


class Progress:
    """What is being done, on standard error while it lasts, if that is a terminal."""

    def __init__(self, doing: str) -> None:
        self._doing = doing

    def __enter__(self) -> None:
        show(f"{self._doing} …")

    def __exit__(self, *_: object) -> None:
        show("")


def show(status: str) -> None:
    """What is being done, instead of what was; nothing where standard error is no terminal."""
    if not closed(sys.stderr) and sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{status}")
        sys.stderr.flush()


def counted(rows: Iterable[_T], *, of: Callable[[_T], str], total: int, doing: str, what: str) -> Iterator[_T]:
    """The rows, in groups that follow each other, while it shows how many groups have been begun."""
    done, last = 0, None
    for row in rows:
        if of(row) != last:
            last, done = of(row), done + 1
            if done % 50 == 1:
                show(f"{doing} {done:,} of {total:,} {what} …")
        yield row
    show("")
