"""What a command is, how it ends, and the arguments that several commands take."""

import argparse
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from typing import final

from attrs import frozen

from enrolpolicy.text import safe

DONE, FOUND, USAGE, REFUSED, INTERRUPTED = 0, 1, 2, 65, 130


class Usage(Exception):
    """What was asked for cannot be done as it was asked."""


@final
@frozen(kw_only=True)
class Command:
    """One command: its name, a line about it, what adds its arguments, and what runs it and gives the exit code."""

    name: str
    help: str
    arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


def snapshot_argument(parser: argparse.ArgumentParser) -> None:
    """SNAPSHOT, which `enrolpolicy.cli.documents.read` reads."""
    parser.add_argument("snapshot", metavar="SNAPSHOT", help="a JSON file, or - for standard input")


def on_argument(parser: argparse.ArgumentParser, *, required: bool) -> None:
    """--on DATE, a date."""
    parser.add_argument("--on", type=day, required=required, metavar="DATE", help="the account's date, YYYY-MM-DD")


def day(text: str) -> date:
    """A date as an argument has it."""
    with suppress(ValueError):
        if len(text) == len("YYYY-MM-DD"):
            found = date.fromisoformat(text)
            if found.isoformat() == text:
                return found
    raise argparse.ArgumentTypeError(f"`{safe(text[:40])}` is not a date that exists, written YYYY-MM-DD")


def format_argument(parser: argparse.ArgumentParser, *more: str) -> None:
    """`--format`, with the forms it has beside text and JSON."""
    parser.add_argument("--format", choices=("text", "json", *more), default="text")
