"""Documents that commands are given, and questions about whom they name."""

import sys
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from typing import TypeVar

from enrolpolicy.cli.command import Usage
from enrolpolicy.cli.output import Progress, closed
from enrolpolicy.codec import load
from enrolpolicy.errors import UnknownId
from enrolpolicy.model import Snapshot
from enrolpolicy.text import safe

_T = TypeVar("_T")


def read(name: str) -> Snapshot:
    """The snapshot of a file, or of standard input for `-`."""
    with Progress("reading"):
        return load(content(name, "a JSON file"))


def content(name: str, wanted: str) -> bytes:
    """What stands in a file, or comes from standard input for `-`; `wanted` says what it should have been."""
    if name == "-" and closed(sys.stdin):
        raise Usage(f"standard input is closed; give {wanted}")
    try:
        return sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        reason = (error.strerror or "it cannot be read").lower()
        raise Usage(f"`{safe(name)}`: {reason}; give {wanted}, or - for standard input") from None
    except ValueError:  # a NUL in a name
        raise Usage(f"the file's name is not one; give {wanted}, or - for standard input") from None


def asked(snapshot: Snapshot, question: Callable[[], _T]) -> _T:
    """The answer to a question that names somebody, or who may have been meant."""
    try:
        return question()
    except UnknownId as error:
        ids = {
            "person": [row.id for row in snapshot.personnel],
            "course": [row.id for row in snapshot.courses],
            "enrolment": [row.id for row in snapshot.enrolments],
            "division": [row.division for row in snapshot.personnel if row.division is not None],
        }[error.kind]
        nearest = get_close_matches(error.id, ids, n=1)
        listed = f"`enrolpolicy explain --all` lists every {error.kind}"
        otherwise = listed if error.kind in ("person", "course") else "check its id"
        advice = f"did you mean `{nearest[0]}`?" if nearest else otherwise
        raise Usage(f"there is no {error.kind} `{safe(error.id[:80])}` in the snapshot; {safe(advice)}") from None
