"""Snapshots as an estate, and an estate's accounts as snapshots again: rows of the model, and columns."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from itertools import pairwise
from typing import Any

import numpy as np

from enrolpolicy.bulk.assembly import EPOCH, Draft, assembled
from enrolpolicy.bulk.columns import ABSENT, DTYPES, SHAPES, UNKNOWN, Column, Estate, Ints, Kind, Table, Texts, Values
from enrolpolicy.errors import InvalidValue
from enrolpolicy.model import Snapshot

_EPOCH_INSTANT = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

_Row = tuple[int, str, Any]
"""A row of the model, after the place of its account and the id of what it stands inside (empty: nothing)."""


def estate_of(snapshots: Iterable[Snapshot]) -> Estate:
    """The estate of some accounts; raises `InvalidValue` where two of them share an id."""
    ordered = sorted(snapshots, key=lambda snapshot: snapshot.account.id)
    for before, after in pairwise(ordered):
        if before.account.id == after.account.id:
            raise InvalidValue("snapshots", f"must be of different accounts; `{after.account.id}` is there twice")
    places: dict[str, dict[tuple[int, str], int]] = {}
    drafts: dict[str, Draft] = {}
    for name, shape in SHAPES.items():
        rows = [(at, *row) for at, snapshot in enumerate(ordered) for row in _ROWS[name](snapshot)]
        columns: dict[str, Values] = {}
        meant: dict[str, Texts] = {}
        for column in shape.columns:
            if column.name == "account" and name != "accounts":
                columns["account"] = np.array([at for at, _, _ in rows], dtype=np.int32)
            elif column.kind is Kind.REFERENCE:
                meant[column.name] = ids = _of(column, rows)
                columns[column.name] = _referred(rows, ids, places[column.table or ""])
            else:
                columns[column.name] = encoded(column, _of(column, rows))
        drafts[name] = Draft(Table(len(rows), columns), meant)
        if "id" in columns:
            places[name] = {(at, row.id): place for place, (at, _, row) in enumerate(rows)}
    return assembled(drafts)


_ROWS: Mapping[str, Callable[[Snapshot], Iterable[tuple[str, Any]]]] = {
    "accounts": lambda it: [("", it.account)],
    "courses": lambda it: [("", row) for row in it.courses],
    "roles": lambda it: [("", row) for row in it.roles],
    "requirements": lambda it: [(role.id, row) for role in it.roles for row in role.requirements],
    "personnel": lambda it: [("", row) for row in it.personnel],
    "held_roles": lambda it: [(person.id, row) for person in it.personnel for row in person.roles],
    "assignments": lambda it: [("", row) for row in it.assignments],
    "records": lambda it: [("", row) for row in it.records],
    "enrolments": lambda it: [("", row) for row in it.enrolments],
    "opt_outs": lambda it: [("", row) for row in it.opt_outs],
}
"""The rows of each table of a snapshot, each after the id of what it stands inside."""


def _of(column: Column, rows: Sequence[_Row]) -> list[Any]:
    """What a column says of each row: what the row says, or what it stands inside."""
    name = column.name
    if name == "account":
        return [row.id for _, _, row in rows]
    if not rows or hasattr(rows[0][2], name):
        return [getattr(row, name) for _, _, row in rows]
    if column.kind is Kind.REFERENCE:
        return [outer for _, outer, _ in rows]
    if name.startswith("validity_"):
        part = name.removeprefix("validity_")
        return [None if row.validity is None else getattr(row.validity, part) for _, _, row in rows]
    return [getattr(row.guards, name) for _, _, row in rows]


def _referred(rows: Sequence[_Row], ids: Sequence[str], places: Mapping[tuple[int, str], int]) -> Ints:
    found = [places.get((at, id), UNKNOWN) for (at, _, _), id in zip(rows, ids, strict=True)]
    return np.array(found, dtype=np.int32)


# One column's values, to and fro


def encoded(column: Column, values: Sequence[Any]) -> Values:
    """Values of the model as a column; no reference among them."""
    if column.kind in (Kind.ID, Kind.TEXT):
        return list(values)
    absent, encode = ABSENT.get(column.kind), _encoder(column)
    numbers = [absent if value is None else encode(value) for value in values]
    return np.array(numbers, dtype=DTYPES[column.kind])


def _encoder(column: Column) -> Callable[[Any], float]:
    if column.kind is Kind.DATE:
        return lambda day: day.toordinal() - EPOCH
    if column.kind is Kind.INSTANT:
        return lambda at: (at - _EPOCH_INSTANT) // _MICROSECOND
    if column.choices is not None:
        digits = {member: digit for digit, member in enumerate(column.choices)}
        if column.kind is Kind.CHOICES:
            return lambda chosen: sum(1 << digits[member] for member in chosen)
        return digits.__getitem__
    return lambda number: number


def decoded(column: Column, value: Any) -> Any:
    """One value of a column as the model has it; no reference."""
    if column.kind in (Kind.ID, Kind.TEXT):
        return value
    if column.kind is Kind.FRACTION:
        return None if np.isnan(value) else float(value)
    if column.kind is Kind.FLAG:
        return bool(value)
    number = int(value)
    if number == ABSENT.get(column.kind):
        return None
    return _DECODERS[column.kind](column, number)


def day_of(number: int) -> date:
    """The date of a day."""
    return date.fromordinal(number + EPOCH)


def _member(column: Column, digit: int) -> Enum:
    assert column.choices is not None
    return list(column.choices)[digit]


def _members(column: Column, bits: int) -> frozenset[Enum]:
    assert column.choices is not None
    return frozenset(member for digit, member in enumerate(column.choices) if bits >> digit & 1)


_DECODERS: Mapping[Kind, Callable[[Column, int], object]] = {
    Kind.NUMBER: lambda _, number: number,
    Kind.DATE: lambda _, number: day_of(number),
    Kind.INSTANT: lambda _, number: _EPOCH_INSTANT + number * _MICROSECOND,
    Kind.CHOICE: _member,
    Kind.CHOICES: _members,
}
