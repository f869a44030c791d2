"""Settings that change: which accounts have others than before, and an estate with theirs put in."""

from typing import Any, final

import numpy as np
from attrs import evolve, field, frozen

from enrolpolicy.bulk.assembly import Rows, one_after_another, picked
from enrolpolicy.bulk.columns import SHAPES, Estate, Flags, Ints, Kind, Table, Texts, Values

SETTINGS = ("accounts", "courses", "roles", "requirements")
"""The tables of what all people of an account share."""


_NOWHERE: Rows = np.empty(0, dtype=np.intp)


@final
@frozen(eq=False)
class Altered:
    """What another estate says of the settings of accounts that are there.

    By its accounts: `account`, their rows here; whether anything in their `settings` differs; whether they have another
    `catalogue`, so that courses or roles came or went.
    """

    account: Ints
    settings: Flags = field(repr=False)
    catalogue: Flags = field(repr=False)


def accounts_of(table: Table) -> Ints:
    """The account of each row of a table of settings."""
    return table.ints("account") if "id" in table.columns or "role" in table.columns else everyone(len(table))


def everyone(accounts: int) -> Ints:
    """The rows of so many accounts."""
    return np.arange(accounts, dtype=np.int32)


def starts_of(table: Table, accounts: int) -> Ints:
    """The first row of each account in a table of settings, and after the last, how many rows there are."""
    return np.searchsorted(accounts_of(table), everyone(accounts + 1)).astype(np.int32)


def moved(theirs: Table, ours: Table, account: Ints) -> Ints:
    """Where the rows of a table of settings stand among ours, if those of an account stand in the same order there.

    `account` has the row in ours of each account of theirs.
    """
    of = accounts_of(theirs)
    shift = np.searchsorted(accounts_of(ours), account) - np.searchsorted(of, everyone(len(account)))
    return (np.arange(len(theirs)) + shift[of]).astype(np.int32)


# Compared


def altered(theirs: Estate, ours: Estate, account: Ints) -> Altered:
    """Compare the settings of each account of theirs with those in a row of ours."""
    size = len(account)
    found = Altered(account, np.zeros(size, dtype=np.bool_), np.zeros(size, dtype=np.bool_))
    for name in SETTINGS:
        one, other = getattr(theirs, name), getattr(ours, name)
        first, there = starts_of(one, size), starts_of(other, len(ours.accounts))
        count = np.diff(first)
        alike = count == np.diff(there)[account]
        _note(found, ~alike, catalogue="id" in one.columns)
        of = np.repeat(np.flatnonzero(alike), count[alike])
        rows, places = (_stretch(begin[alike], count[alike]) for begin in (first[:-1], there[account]))
        for column in SHAPES[name].columns:
            if column.name == "account":
                continue
            mine, yours = one.columns[column.name], other.columns[column.name]
            if isinstance(mine, np.ndarray) and column.table:
                mine = _moved(theirs, ours, column.table, account)[mine]
            differing = _differing(mine, yours, rows, places)
            if len(differing):
                _note(found, of[differing], catalogue=column.kind is Kind.ID)
    return found


def _moved(theirs: Estate, ours: Estate, name: str, account: Ints) -> Ints:
    return moved(getattr(theirs, name), getattr(ours, name), account)


def _note(found: Altered, accounts: Flags | Rows, *, catalogue: bool) -> None:
    found.settings[accounts] = True
    if catalogue:
        found.catalogue[accounts] = True


def _stretch(first: Ints, count: Ints) -> slice | Rows:
    """All rows of some stretches, as a slice where they follow one another."""
    ends = first + count
    if len(first) and (ends[:-1] == first[1:]).all():
        return slice(int(first[0]), int(ends[-1]))
    return one_after_another(first, count)


def _differing(one: Values, other: Values, rows: slice | Rows, places: slice | Rows) -> Rows:
    """Where rows of one column say something else than places of another."""
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        mine, yours = one[rows], other[places]
        differing = mine != yours
        if mine.dtype.kind == "f":
            differing &= ~(np.isnan(mine) & np.isnan(yours))  # nothing is the same as nothing
        return np.flatnonzero(differing)
    said, told = _at(one, rows), _at(other, places)
    return _NOWHERE if said == told else np.flatnonzero([a != b for a, b in zip(said, told, strict=True)])


def _at(texts: Any, rows: slice | Rows) -> list[str | None]:
    listed: list[str | None] = texts if isinstance(texts, list) else list(texts)
    return listed[rows] if isinstance(rows, slice) else [listed[row] for row in rows.tolist()]


# Put in


def resettled(ours: Estate, theirs: Estate, found: Altered) -> Estate:
    """Ours with the settings of accounts that have others; the rows of people in it refer to what stood before."""
    stays = np.ones(len(ours.accounts), dtype=np.bool_)
    stays[found.account[found.settings]] = False
    now = ours
    for name in SETTINGS:
        parts = [
            _part(estate, name, chosen, account, now)
            for estate, chosen, account in (
                (ours, stays, everyone(len(stays))),
                (theirs, found.settings, found.account),
            )
        ]
        tables: dict[str, Any] = {name: _in_order(parts)}
        now = evolve(now, **tables)
    return now


_Part = tuple[Ints, dict[str, Values]]
"""Some rows: the account of each, and their columns."""


def selected(estate: Estate, chosen: Flags) -> Estate:
    """The settings of some accounts alone, as those of an estate of which they are all."""
    account = (np.cumsum(chosen) - 1).astype(np.int32)
    now = estate
    for name in SETTINGS:
        tables: dict[str, Any] = {name: _in_order([_part(estate, name, chosen, account, now)])}
        now = evolve(now, **tables)
    return now


def _part(estate: Estate, name: str, chosen: Flags, account: Ints, now: Estate) -> _Part:
    """The rows of the chosen accounts, as they refer to accounts and rows of now."""
    table: Table = getattr(estate, name)
    rows = np.flatnonzero(chosen[accounts_of(table)])
    columns = {}
    for column in SHAPES[name].columns:
        columns[column.name] = picked(table.columns[column.name], rows)
        if column.table:
            into = account if column.name == "account" else _moved(estate, now, column.table, account)
            columns[column.name] = into[table.ints(column.name)[rows]]
    return account[accounts_of(table)[rows]], columns


def _in_order(parts: list[_Part]) -> Table:
    """The rows of all parts, by account."""
    order = np.argsort(np.concatenate([of for of, _ in parts]), kind="stable")
    columns: dict[str, Values] = {}
    for name in parts[0][1]:
        values: Any = [part[name] for _, part in parts]
        columns[name] = np.concatenate(values)[order] if isinstance(values[0], np.ndarray) else _told(values, order)
    return Table(len(order), columns)


def _told(parts: list[Texts], order: Rows) -> Texts:
    said = [text for part in parts for text in part]
    return [said[row] for row in order.tolist()]


def settled(estate: Estate) -> Estate:
    """The same with the texts of its settings at hand, which are compared again and again."""
    tables: dict[str, Any] = {
        name: Table(
            len(table),
            {at: values if isinstance(values, np.ndarray) else list(values) for at, values in table.columns.items()},
        )
        for name, table in ((name, getattr(estate, name)) for name in SETTINGS)
    }
    return evolve(estate, **tables)
