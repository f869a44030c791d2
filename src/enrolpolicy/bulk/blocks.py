"""Some people of an estate and their rows, laid out so that each pair of them and a course has one cell.

A block is a rectangle: a line for each person, in it a cell for each course of the person's account. Lines are as long
as the longest catalogue needs; a cell beyond somebody's catalogue is never touched, and an untouched cell is nobody's.
Blocks of a whole estate are small enough for a processor's cache, and take up accounts of like size together.
"""

from collections.abc import Iterator, Mapping
from typing import final

import numpy as np
from attrs import frozen

from enrolpolicy.bulk.assembly import Rows, between, one_after_another
from enrolpolicy.bulk.columns import Choices, Estate, Flags, Instants, Ints, Table
from enrolpolicy.bulk.picking import at
from enrolpolicy.bulk.terms import Terms

CELLS = 1 << 18
"""About so many cells have a block's arrays stay in a processor's cache, and make what it costs to begin one small."""
_UNLIKE = 2
"""Accounts share a block unless the catalogue of one is so many times as long as that of another."""


Spans = tuple[Ints, Ints]
"""By person, the first of their rows in a table, and how many there are."""


@final
@frozen(eq=False)
class Part:
    """The rows of a table that are the block's people's. `line` says whose."""

    table: Table
    rows: slice | Rows
    line: Rows

    def ints(self, name: str) -> Ints:
        """A column of theirs."""
        return self.table.ints(name)[self.rows]

    def flags(self, name: str) -> Flags:
        """A column of theirs."""
        return self.table.flags(name)[self.rows]

    def choices(self, name: str) -> Choices:
        """A column of theirs."""
        return self.table.choices(name)[self.rows]

    def instants(self, name: str) -> Instants:
        """A column of theirs."""
        return self.table.instants(name)[self.rows]

    def place(self, index: Rows) -> Rows:
        """Where in the table rows of this part stand."""
        return index + self.rows.start if isinstance(self.rows, slice) else self.rows[index]


@final
@frozen(eq=False, kw_only=True)
class Block:
    """Some people, by row; `account` is theirs, `width` the cells of a line."""

    estate: Estate
    people: slice | Rows
    lines: int
    width: int
    account: Ints
    shift: Rows
    """What makes a cell of a course's row, by line."""
    spans: Mapping[str, Spans] | None = None
    """By table, where the rows of each person stand, where they do not stand by person."""

    @property
    def cells(self) -> int:
        """How many cells there are."""
        return self.lines * self.width

    def part(self, name: str) -> Part:
        """The rows of a table that are these people's."""
        table: Table = getattr(self.estate, name)
        if isinstance(self.people, slice):
            person = table.ints("person")
            rows = between(person, self.people.start, self.people.stop)
            return Part(table, rows, (person[rows] - self.people.start).astype(np.intp))
        assert self.spans is not None
        start, count = (part[self.people] for part in self.spans[name])
        return Part(table, one_after_another(start, count), np.repeat(np.arange(self.lines), count))

    def cell(self, part: Part) -> Rows:
        """The cell of each row."""
        return at(self.shift, part.line) + part.ints("course")

    def person(self, cells: Rows) -> Rows:
        """The row of the person of each cell."""
        line = cells // self.width
        return line + self.people.start if isinstance(self.people, slice) else self.people[line]

    def course(self, cells: Rows) -> Rows:
        """The row of the course of each cell."""
        return cells - self.shift[cells // self.width]


def block(
    estate: Estate, terms: Terms, people: slice | Rows, width: int, spans: Mapping[str, Spans] | None = None
) -> Block:
    """The block of some people, by account; those that are not a slice need `spans`."""
    account = estate.personnel.ints("account")[people]
    shift = np.arange(len(account)) * width - terms.starts["courses"][account]
    return Block(
        estate=estate, people=people, lines=len(account), width=width, account=account, shift=shift, spans=spans
    )


def blocks(estate: Estate, terms: Terms) -> Iterator[Block]:
    """All people of an estate, in their order."""
    heads, courses = np.diff(terms.starts["personnel"]).tolist(), np.diff(terms.starts["courses"]).tolist()
    first = last = width = 0
    for people, width_here in zip(heads, (max(1, width) for width in courses), strict=True):
        wider, narrower = max(width, width_here), min(width, width_here)
        if last > first and ((last - first + people) * wider > CELLS or wider > narrower * _UNLIKE):
            yield block(estate, terms, slice(first, last), width)
            first, width = last, 0
        width = max(width, width_here)
        last += people
        while (last - first) * width > CELLS:
            most = max(1, CELLS // width)
            yield block(estate, terms, slice(first, first + most), width)
            first += most
            if first >= last:
                break
    if last > first:
        yield block(estate, terms, slice(first, last), width)
