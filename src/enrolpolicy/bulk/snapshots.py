"""Snapshots as an estate, and an estate's accounts as snapshots again: rows of the model, and columns."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from attrs import fields

from enrolpolicy.bulk.assembly import EPOCH, Draft, assembled
from enrolpolicy.bulk.columns import ABSENT, DTYPES, SHAPES, UNKNOWN, Column, Estate, Ints, Kind, Table, Texts, Values
from enrolpolicy.errors import InvalidValue
from enrolpolicy.model import (
    Account,
    Assignment,
    Course,
    Enrolment,
    Guards,
    HeldRole,
    OptOut,
    Person,
    Role,
    RoleCourse,
    Snapshot,
    TrainingRecord,
    Validity,
    Withdrawal,
)

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


# Rows as the model has them


@lru_cache(maxsize=256)
def withdrawals_of(bits: int) -> frozenset[Withdrawal]:
    """A set of causes from its bits."""
    return frozenset(cause for digit, cause in enumerate(Withdrawal) if bits >> digit & 1)


def account_of(estate: Estate, row: int) -> Account:
    """An account of an estate."""
    said = _row_of(estate, "accounts", estate.accounts, row)
    guards = Guards(**{part.name: said.pop(part.name) for part in fields(Guards)})
    return Account(id=said.pop("account"), guards=guards, **said)


def course_of(estate: Estate, row: int) -> Course:
    """A course of an estate."""
    said = _row_of(estate, "courses", estate.courses, row)
    parts = {part.name: said.pop(f"validity_{part.name}") for part in fields(Validity)}
    return Course(validity=None if parts["anchor"] is None else Validity(**parts), **said)


Chosen = Mapping[str, Iterable[int]]
"""Some rows of an estate, by table."""


def snapshot_of(estate: Estate, account: int, chosen: Chosen | None = None) -> Snapshot:
    """An account as a snapshot, with all its rows, or with some that are known to everybody."""
    rows = _whole(estate, account) if chosen is None else chosen
    strays = {} if chosen is not None else _strays_of(estate, account)

    def read(name: str) -> list[dict[str, Any]]:
        found = [_row_of(estate, name, getattr(estate, name), row) for row in rows.get(name, ())]
        return found + [_row_of(estate, name, estate.strays[name], row) for row in strays.get(name, ())]

    requirements, held = _by(read("requirements"), "role"), _by(read("held_roles"), "person")
    return Snapshot(
        account=account_of(estate, account),
        courses=tuple(course_of(estate, row) for row in rows.get("courses", ())),
        roles=tuple(
            Role(**row, requirements=tuple(RoleCourse(**inner) for inner in requirements.get(row["id"], ())))
            for row in read("roles")
        ),
        personnel=tuple(
            Person(**row, roles=tuple(HeldRole(**inner) for inner in held.get(row["id"], ())))
            for row in read("personnel")
        ),
        assignments=tuple(Assignment(**row) for row in read("assignments")),
        records=tuple(TrainingRecord(**row) for row in read("records")),
        enrolments=tuple(Enrolment(**row) for row in read("enrolments")),
        opt_outs=tuple(OptOut(**row) for row in read("opt_outs")),
    )


def _whole(estate: Estate, account: int) -> Chosen:
    return {name: rows_of(getattr(estate, name), account) for name in SHAPES if name != "accounts"}


def _strays_of(estate: Estate, account: int) -> Chosen:
    return {name: rows_of(table, account) for name, table in estate.strays.items() if name != "accounts"}


def rows_of(table: Table, account: int) -> range:
    """The rows of an account."""
    first, last = np.searchsorted(table.ints("account"), (account, account + 1)).tolist()
    return range(first, last)


def _by(rows: Iterable[dict[str, Any]], owner: str) -> dict[str, list[dict[str, Any]]]:
    """Rows by what they stand inside, which they say no more."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row.pop(owner), []).append(row)
    return found


def _row_of(estate: Estate, name: str, table: Table, row: int) -> dict[str, Any]:
    """What a row says, by the names of its columns; references as ids, and none to its account."""
    said: dict[str, Any] = {}
    for column in SHAPES[name].columns:
        value: Any = table.columns[column.name][row]
        if column.kind is not Kind.REFERENCE:
            said[column.name] = decoded(column, value)
        elif column.name != "account":
            referred: Table = getattr(estate, column.table or "")
            said[column.name] = value if isinstance(value, str) else referred.ids()[int(value)]
    return said
