"""An estate made of tables as somebody read them: put in order, strays set aside, and what only texts say worked out.

A `Draft` is one table with its columns as `SHAPES` describes them, in any order of rows within an account, and beside
it, for every reference but `account`, the texts that were meant. `assembled` makes an `Estate` of ten of them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from itertools import pairwise
from typing import cast, final

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from enrolpolicy.bookings import REQUESTED
from enrolpolicy.bulk.columns import NONE, SHAPES, Estate, Flags, Ints, Kind, Shape, Table, Texts, Values
from enrolpolicy.candidate import usable
from enrolpolicy.renewal import FIRST_CYCLE

EPOCH = date(1970, 1, 1).toordinal()
FIRST = NONE + 1
"""The `cycle_on` of a first booking; `NONE` is that of a cycle no renewal has."""

Rows = NDArray[np.intp]


@final
@frozen(eq=False)
class Draft:
    """A table as it was read. `meant` has the texts of its references by column.

    What is worked out from texts (`DERIVED`) may be among its columns already, where a reader has a quicker way.
    `by_id`: its rows are known to stand by account, then id.
    """

    table: Table
    meant: Mapping[str, Texts] = field(factory=dict)
    by_id: bool = False


def assembled(drafts: Mapping[str, Draft]) -> Estate:
    """The estate of ten drafts, by table; in each, rows stand by account, and refer to rows of the drafts."""
    tables: dict[str, Table] = {}
    strays: dict[str, Table] = {}
    moved: dict[str, Ints] = {}
    for shape in SHAPES.values():
        table, strays[shape.name] = _parted(shape, drafts[shape.name], moved)
        order = _order(shape, table, by_id=drafts[shape.name].by_id)
        if order is not None:
            table = taken(table, order)
            moved[shape.name] = _inverse(order)
        tables[shape.name] = table
    for name, column, source, work_out in DERIVED:
        table = tables[name]
        if column not in table.columns:
            tables[name] = Table(table.rows, {**table.columns, column: work_out(table.texts(source))})
    return Estate(**tables, strays=strays)


# What only texts say


def reachable(emails: Iterable[str | None]) -> Flags:
    """For each address, whether an invitation can be sent there."""
    return np.array([usable(email) for email in emails], dtype=np.bool_)


def cycle_days(cycles: Iterable[str | None]) -> Ints:
    """For each cycle of an enrolment, the day of the completion it renews; `FIRST`; or `NONE` for all else."""
    known: dict[str | None, int] = {None: NONE, FIRST_CYCLE: FIRST}
    days = []
    for cycle in cycles:
        day = known.get(cycle)
        if day is None:
            day = known[cycle] = _cycle_day(cycle or "")
        days.append(day)
    return np.array(days, dtype=np.int32)


def _cycle_day(cycle: str) -> int:
    try:
        day = date.fromisoformat(cycle)
    except ValueError:
        return NONE
    # There are other ways to write a date in ISO form, which are not the cycle of any renewal.
    return day.toordinal() - EPOCH if day.isoformat() == cycle else NONE


def requested(reasons: Iterable[str | None]) -> Flags:
    """For each `ended_because`, whether it says that a person cancelled."""
    return np.array([reason == REQUESTED for reason in reasons], dtype=np.bool_)


DERIVED: tuple[tuple[str, str, str, Callable[[Texts], Values]], ...] = (
    ("personnel", "reachable", "email", reachable),
    ("enrolments", "cycle_on", "cycle", cycle_days),
    ("enrolments", "requested", "ended_because", requested),
)
"""What is worked out: a table, the column, the texts it comes from, and how."""


# Rows found and moved


def between(ascending: Ints, low: int, high: int) -> slice:
    """The rows whose values are at least `low` and below `high`."""
    # In numbers of the column's own kind: for others, numpy copies the column first.
    first, last = np.searchsorted(ascending, np.array((low, high), dtype=ascending.dtype)).tolist()
    return slice(first, last)


def one_after_another(first: Ints | Rows, count: Ints | Rows) -> Rows:
    """All rows of some stretches of rows, each of which begins somewhere and has so many."""
    before = np.cumsum(count, dtype=np.intp) - count
    rows = np.repeat(first - before, count)
    rows += np.arange(len(rows))
    return rows


@final
@frozen(eq=False)
class _Picked:
    """Some texts of others, in another order, looked up when they are asked for."""

    texts: Texts
    rows: Rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int, /) -> str | None:
        return self.texts[int(self.rows[index])]

    def __iter__(self) -> Iterator[str | None]:
        # Where nearly all are asked for, those that lie elsewhere are fetched together.
        texts = list(self.texts) if 2 * len(self.rows) > len(self.texts) else self.texts
        return map(texts.__getitem__, self.rows.tolist())


def taken(table: Table, rows: Rows) -> Table:
    """The rows of a table at these places, in this order."""
    columns = {name: picked(values, rows) for name, values in table.columns.items()}
    return Table(len(rows), columns)


def picked(values: Values, rows: Rows) -> Values:
    """The values of a column at these places."""
    if isinstance(values, np.ndarray):
        return cast("Ints", values[rows])
    return _Picked(values, rows)


def _parted(shape: Shape, draft: Draft, moved: Mapping[str, Ints]) -> tuple[Table, Table]:
    """The rows whose references are all known, and the strays."""
    references = [column for column in shape.columns if column.kind is Kind.REFERENCE and column.name != "account"]
    columns = dict(draft.table.columns)
    known = np.ones(draft.table.rows, dtype=np.bool_)
    for column in references:
        rows = draft.table.ints(column.name)
        known &= rows >= 0
        where = moved.get(column.table or "")
        if where is not None and len(where):
            columns[column.name] = np.where(rows >= 0, where[rows], rows)
    table = Table(draft.table.rows, columns)
    if known.all():
        return table, taken(table, np.empty(0, dtype=np.intp))
    meant = Table(table.rows, {**columns, **draft.meant})
    return taken(table, np.flatnonzero(known)), taken(meant, np.flatnonzero(~known))


def _order(shape: Shape, table: Table, *, by_id: bool) -> Rows | None:
    """The order in which rows are to stand; None where they do."""
    if shape.name == "accounts":
        return None
    names = {column.name for column in shape.columns}
    owner = next((name for name in ("person", "role") if name in names), "account")
    owners = table.ints(owner)
    if by_id or "id" not in names:
        return None if bool((owners[1:] >= owners[:-1]).all()) else np.argsort(owners, kind="stable")
    keys = list(zip(owners.tolist(), table.ids(), strict=True))
    if all(before < after for before, after in pairwise(keys)):
        return None
    return np.array(sorted(range(len(keys)), key=keys.__getitem__), dtype=np.intp)


def _inverse(order: Rows) -> Ints:
    """Where each row went."""
    places = np.empty(len(order), dtype=np.int32)
    places[order] = np.arange(len(order), dtype=np.int32)
    return places
