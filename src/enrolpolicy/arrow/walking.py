"""The tables of an estate read in step, account by account: never more of them in memory than a few accounts.

Each table comes in batches, its rows by ascending account. A table that has not ended may yet have more rows of the
last account that was read of it, so what can be handed on are the accounts before the least of those. Then the tables
that hold it back are read on. What is held is at most two batches of each table, or its largest account and one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, cast, final

import numpy as np
import pyarrow as pa
from attrs import define, field, frozen

from enrolpolicy.arrow.decoding import Place, decoded
from enrolpolicy.arrow.kernels import taken
from enrolpolicy.arrow.problems import Problems
from enrolpolicy.arrow.texts import codes
from enrolpolicy.bulk import SHAPES, Shape

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from enrolpolicy.arrow.kernels import Array

    Ends = NDArray[np.int64]

ROWS = 1 << 18
"""So many rows of a table are read at once, unless told otherwise; an account may have more."""


@final
@frozen(eq=False)
class Rows:
    """Some rows of a table as they were read, by account; `first` is the number of the first of them."""

    batch: pa.RecordBatch = field(repr=False)
    first: int
    accounts: tuple[str, ...]
    ends: Ends
    """Where the rows of each account end."""

    def __len__(self) -> int:
        return self.batch.num_rows

    def parted(self, at: int) -> tuple[Rows, Rows]:
        """The rows of the first so many accounts, and the others."""
        rows = int(self.ends[at - 1]) if at else 0
        return (
            Rows(self.batch.slice(0, rows), self.first, self.accounts[:at], self.ends[:at]),
            Rows(self.batch.slice(rows), self.first + rows, self.accounts[at:], self.ends[at:] - rows),
        )


Block = Mapping[str, tuple[Rows, ...]]
"""All rows of some accounts, by table."""


@final
@define(eq=False)
class _Cursor:
    """A table, as far as it was read and not handed on yet."""

    shape: Shape
    batches: Iterator[pa.RecordBatch]
    problems: Problems
    rows: int
    held: deque[Rows] = field(factory=deque)
    count: int = 0
    read: int = 0
    last: str = ""
    ended: bool = False

    def fill(self) -> None:
        """Read on until there is enough, and more than one account; or to the table's end."""
        while not self.ended and (self.count < self.rows or self.held[0].accounts[0] == self.last):
            batch = next(self.batches, None)
            if batch is None:
                self.ended = True
            elif batch.num_rows:
                self._take_in(batch)

    def _take_in(self, batch: pa.RecordBatch) -> None:
        known = len(self.problems)
        rows = _rows(self.shape, batch, self.read, self.problems)
        for before, after, end in zip((self.last, *rows.accounts), rows.accounts, (0, *rows.ends), strict=False):
            if after < before:
                message = f"is of account `{after}`, after rows of `{before}`; sort the table by account"
                self.problems.add(self.shape.name, "unsorted", message, column="account", row=self.read + int(end))
        if len(self.problems) > known:  # rows out of order cannot be read in step
            self.problems.refuse()
        self.read += batch.num_rows
        self.count += batch.num_rows
        self.last = rows.accounts[-1]
        self.held.append(rows)

    def hand_on(self, before: str | None) -> tuple[Rows, ...]:
        """The rows of the accounts before one, or all that are held; they are held no longer."""
        found = []
        while self.held and (before is None or self.held[0].accounts[0] < before):
            rows = self.held.popleft()
            if before is not None and rows.accounts[-1] >= before:
                rows, rest = rows.parted(sum(account < before for account in rows.accounts))
                self.held.appendleft(rest)
            self.count -= len(rows)
            found.append(rows)
        return tuple(found)


def _rows(shape: Shape, batch: pa.RecordBatch, first: int, problems: Problems) -> Rows:
    column = shape.columns[0]
    known = len(problems)
    values = decoded(batch.column(0), Place(problems, shape.name, column, first))
    if len(problems) > known:  # without its account nothing can be said of a row
        problems.refuse()
    places, texts = codes(cast("Array", values))
    ends = np.append(np.flatnonzero(places[1:] != places[:-1]) + 1, len(places))
    accounts = cast("list[str]", taken(texts, places[ends - 1]).to_pylist())
    return Rows(batch, first, tuple(accounts), ends)


def blocks(
    tables: Mapping[str, Iterable[pa.RecordBatch]], problems: Problems, *, rows: Mapping[str, int]
) -> Iterator[Block]:
    """All rows of some accounts at a time, all accounts in ascending order; about so many `rows` of each table.

    Raises `InvalidSnapshot` where the rows of a table are not in that order.
    """
    cursors = [_Cursor(shape, iter(tables[name]), problems, rows[name]) for name, shape in SHAPES.items()]
    for cursor in cursors:
        cursor.fill()
    while any(cursor.held for cursor in cursors):
        before = min((cursor.last for cursor in cursors if not cursor.ended), default=None)
        yield {cursor.shape.name: cursor.hand_on(before) for cursor in cursors}
        for cursor in cursors:
            cursor.fill()
