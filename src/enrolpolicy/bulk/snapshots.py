"""Snapshots as an estate, and an estate's accounts as snapshots again: rows of the model, and columns."""

from collections.abc import Callable, Collection, Container, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import pairwise
from typing import Any

import numpy as np
from attrs import fields

from enrolpolicy.bulk.assembly import EPOCH, FIRST, Draft, assembled, between
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
)
from enrolpolicy.renewal import FIRST_CYCLE

_EPOCH_INSTANT = datetime(1970, 1, 1, tzinfo=UTC)
_FAR_EAST = timedelta(hours=23, minutes=59)
"""No offset is greater."""
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


def decoded(column: Column, values: Values, rows: Sequence[int]) -> list[Any]:
    """Some values of a column as the model has them; no references."""
    if not isinstance(values, np.ndarray):
        return [values[row] for row in rows]
    found: list[Any] = values.take(rows).tolist()
    if column.kind is Kind.FLAG:
        return found
    decode, absent = _decoder(column), ABSENT.get(column.kind)
    if column.kind is Kind.FRACTION:
        return [None if value != value else value for value in found]  # NaN is nothing, not even itself
    return [None if value == absent else decode(value) for value in found]


def day_of(number: int) -> date:
    """The date of a day."""
    return date.fromordinal(number + EPOCH)


def cycle_of(cycle_on: int) -> str:
    """A cycle as text."""
    return FIRST_CYCLE if cycle_on == FIRST else day_of(cycle_on).isoformat()


def _instant_of(number: int) -> datetime:
    """The instant of so many microseconds after the first of 1970, in UTC unless the calendar ends there."""
    since = number * _MICROSECOND
    try:
        return _EPOCH_INSTANT + since
    except OverflowError:
        offset = _FAR_EAST if number < 0 else -_FAR_EAST
        return (_EPOCH_INSTANT.replace(tzinfo=None) + (since + offset)).replace(tzinfo=timezone(offset))


def _decoder(column: Column) -> Callable[[int], object]:
    if column.kind is Kind.DATE:
        return day_of
    if column.kind is Kind.INSTANT:
        return _instant_of
    if column.choices is not None:
        members = list(column.choices)
        if column.kind is Kind.CHOICES:
            return lambda bits: frozenset(member for digit, member in enumerate(members) if bits >> digit & 1)
        return members.__getitem__
    return lambda number: number


# Rows as the model has them


def account_of(estate: Estate, row: int) -> Account:
    """An account of an estate."""
    [said] = said_by(estate, "accounts", estate.accounts, (row,))
    guards = Guards(**{part.name: said.pop(part.name) for part in fields(Guards)})
    return Account(id=said.pop("account"), guards=guards, **said)


def courses_of(estate: Estate, rows: Sequence[int]) -> list[Course]:
    """Some courses of an estate."""
    return [Course(validity=_validity(said), **said) for said in said_by(estate, "courses", estate.courses, rows)]


def _validity(said: dict[str, Any]) -> Validity | None:
    parts = {part.name: said.pop(f"validity_{part.name}") for part in fields(Validity)}
    return None if parts["anchor"] is None else Validity(**parts)


Chosen = Mapping[str, Sequence[int]]
"""Some rows of each table; of those that are not named, none."""


def snapshot_of(
    estate: Estate, account: int, chosen: Chosen | None = None, strays: Container[str] = SHAPES
) -> Snapshot:
    """An account as a snapshot, by its row; instants are in UTC, rows in the estate's order.

    With `chosen`, only with some of the rows of each table; `strays` names the tables whose strays are to be in it.
    """

    def read(name: str) -> list[dict[str, Any]]:
        table, astray = getattr(estate, name), estate.strays[name]
        rows = rows_of(table, account) if chosen is None else chosen.get(name, ())
        return said_by(estate, name, table, rows) + (
            said_by(estate, name, astray, rows_of(astray, account)) if name in strays else []
        )

    requirements, held = _by(read("requirements"), "role"), _by(read("held_roles"), "person")
    return Snapshot(
        account=account_of(estate, account),
        courses=tuple(
            courses_of(estate, rows_of(estate.courses, account) if chosen is None else chosen.get("courses", ()))
        ),
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


def rows_of(table: Table, account: int) -> range:
    """The rows of an account."""
    rows = between(table.ints("account"), account, account + 1)
    return range(rows.start, rows.stop)


def _by(rows: Iterable[dict[str, Any]], owner: str) -> dict[str, list[dict[str, Any]]]:
    """Rows by what they stand inside, which they say no more."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row.pop(owner), []).append(row)
    return found


def said_by(
    estate: Estate, name: str, table: Table, rows: Sequence[int], only: Collection[str] | None = None
) -> list[dict[str, Any]]:
    """What some rows say, by the names of (`only` some of) their columns; references as ids, and none to an account."""
    columns = [
        column
        for column in SHAPES[name].columns
        if (column.name in only if only is not None else column.kind is not Kind.REFERENCE or column.name != "account")
    ]
    values = [_values(estate, column, table.columns[column.name], rows) for column in columns]
    names = [column.name for column in columns]
    return [dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)]


def _values(estate: Estate, column: Column, values: Values, rows: Sequence[int]) -> list[Any]:
    if column.kind is not Kind.REFERENCE or not isinstance(values, np.ndarray):  # what a stray means is text
        return decoded(column, values, rows)
    ids = getattr(estate, column.table or "").ids()
    return [ids[row] for row in values.take(rows).tolist()]
