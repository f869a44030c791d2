"""What commands on a file share: opening it, which of its accounts are meant, and how its refusals end a command."""

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from enrolpolicy.cli.command import FOUND, REFUSED, USAGE, Usage
from enrolpolicy.cli.output import say, show
from enrolpolicy.text import safe

if TYPE_CHECKING:
    from enrolpolicy.adapters.sqlite import SqliteStore
    from enrolpolicy.ports import Done, Refused, Unknown

T = TypeVar("T")

# What a file is refused for that is no fault of it: it may be there, or let go of, the next time.
_NOT_GIVEN = frozenset({"no-file", "cannot-open"})
_FOR_NOW = frozenset({"busy", "full", "input-output", "no-memory", "unknown-account"})


class Ended(Exception):
    """The command ends here, with a sentence."""

    def __init__(self, sentence: str, code: int) -> None:
        super().__init__(sentence)
        self.code = code


def ending(run: Callable[[Namespace], int]) -> Callable[[Namespace], int]:
    def guarded(arguments: Namespace) -> int:
        try:
            return run(arguments)
        except Ended as ended:
            say(f"enrolpolicy: {ended}")
            return ended.code

    return guarded


@contextmanager
def opened(path: str) -> "Iterator[SqliteStore]":
    from enrolpolicy.adapters.sqlite import SqliteStore  # noqa: PLC0415 - only for commands that need a file

    store = SqliteStore(path)
    try:
        yield store
    finally:
        show("")
        store.close()


def answered(store: "SqliteStore", said: "Done[T] | Refused | Unknown") -> T:
    """What the store answered; where that is a refusal, the command ends with its sentence."""
    from enrolpolicy.adapters.sqlite_refusals import SENTENCES  # noqa: PLC0415
    from enrolpolicy.ports import Done, Unknown  # noqa: PLC0415

    if isinstance(said, Done):
        return said.value
    if isinstance(said, Unknown):
        raise Ended(f"`{safe(str(store.path))}`: {said.detail}; run again, which settles it", FOUND)
    code = USAGE if said.reason in _NOT_GIVEN else FOUND if said.reason in _FOR_NOW else REFUSED
    raise Ended(f"`{safe(str(store.path))}`: {SENTENCES.get(said.reason, said.reason)}", code)


def accounts_of(store: "SqliteStore", asked: str | None) -> tuple[str, ...]:
    there = answered(store, store.accounts())
    if asked is None:
        return there
    if asked not in there:
        raise Usage(f"there is no account `{safe(asked[:80])}` in the file; it has {_listed(there)}")
    return (asked,)


def _listed(ids: tuple[str, ...]) -> str:
    return ", ".join(f"`{safe(id)}`" for id in ids[:10]) or "none"


def database_argument(parser: ArgumentParser) -> None:
    parser.add_argument("database", metavar="DB", help="the file that `init` makes")


def account_argument(parser: ArgumentParser, otherwise: str) -> None:
    parser.add_argument("--account", metavar="ID", help=f"of this account; else of {otherwise}")


def instant(text: str) -> datetime:
    """An instant as an argument has it."""
    with suppress(ValueError):
        found = datetime.fromisoformat(text)
        if found.utcoffset() is not None and len(text) > len("YYYY-MM-DD"):
            return found
    example = "2026-11-23T00:00:00+00:00"
    raise ArgumentTypeError(f"`{safe(text[:40])}` is not an instant with its offset, such as {example}")
