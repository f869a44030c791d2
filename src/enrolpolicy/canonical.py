"""One order for rows that have none: what makes equal snapshots give equal bytes.

Rows with an id stand by their id; the others by person and course, each different one once. The digest is the SHA-256
over all of them in that order.
"""

import hashlib
from collections.abc import Callable, Iterable
from datetime import date, datetime
from enum import Enum
from itertools import groupby
from operator import attrgetter
from typing import Any, TypeVar

from attrs import evolve, fields, has

from enrolpolicy.model import Person, Role, Snapshot

TABLES = ("courses", "roles", "personnel", "assignments", "records", "enrolments", "opt_outs")
"""The collections of a snapshot."""

_Row = TypeVar("_Row")


def canonical(snapshot: Snapshot) -> Snapshot:
    """The same snapshot with its rows, and what is inside them, in their one order."""
    rows: dict[str, Any] = {table: ordered(getattr(snapshot, table)) for table in TABLES}
    return evolve(snapshot, **rows)


def ordered(rows: tuple[_Row, ...]) -> tuple[_Row, ...]:
    """The rows of one table, and what is inside them, in their one order; each different one once."""
    by_name = sorted(map(_inside_ordered, rows), key=_named)
    return tuple(row for _, group in groupby(by_name, key=_named) for row in _told_apart(list(group)))


def _named(row: Any) -> tuple[str, str]:
    """What a row is about: its id, else its person and course, else the role or course it names."""
    if hasattr(row, "id"):
        return row.id, ""
    if hasattr(row, "person"):
        return row.person, row.course
    return getattr(row, "role", None) or row.course, ""


def _told_apart(rows: list[_Row]) -> Iterable[_Row]:
    """Each different row once, by all it says; nearly always there is one."""
    if len(rows) == 1:
        return rows
    unique = {repr(plain(row)): row for row in rows}
    return (unique[text] for text in sorted(unique))


def _inside_ordered(row: _Row) -> _Row:
    if isinstance(row, Role):
        return evolve(row, requirements=ordered(row.requirements)) if len(row.requirements) > 1 else row
    if isinstance(row, Person):
        return evolve(row, roles=ordered(row.roles)) if len(row.roles) > 1 else row
    return row


def plain(value: Any) -> Any:
    """A value of the model as tuples, text, numbers and None; equal exactly for equal values."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is float:
        return int(value) if value.is_integer() else value  # 1 and 1.0 are equal, and are to look alike
    if kind is date or kind is datetime:
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if kind is tuple:
        return tuple([plain(item) for item in value])
    if kind is frozenset:
        return tuple(sorted(plain(item) for item in value))
    assert has(kind)
    return tuple([plain(field) for field in _values(kind)(value)])


_PLAIN = frozenset({str, int, bool, type(None)})


def _values(kind: type) -> Callable[[Any], tuple[Any, ...]]:
    names = [field.name for field in fields(kind)]
    getter = attrgetter(*names)
    return getter if len(names) > 1 else lambda value: (getter(value),)


def digest(snapshot: Snapshot) -> str:
    """`sha256:` and the digest of everything a snapshot says, whatever the order of its rows."""
    sha = hashlib.sha256(repr(plain(snapshot.account)).encode())
    for table in TABLES:
        sha.update(b"\n" + table.encode())
        for row in ordered(getattr(snapshot, table)):
            sha.update(b"\n" + repr(plain(row)).encode())
    return f"sha256:{sha.hexdigest()}"
