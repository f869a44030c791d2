"""Rows of cells, and where something stands in them.

A sheet is what was read from a file, whatever kind of file that was; nothing in it has been given a meaning yet.
"""

from datetime import date
from typing import final

from attrs import frozen

LONGEST = 500
"""The most characters that anything a matrix says takes up."""

ERRORS = frozenset({"#REF!", "#N/A", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!", "#SPILL!", "#CALC!"})
MERGED = "is merged with another cell, which may hold for it too; unmerge the cells, and fill each"
FORMULA_FAILED = "is the error of a formula; correct the formula, or write the date"


@final
@frozen
class Faulty:
    """A cell that holds no value: a formula that failed, or one that was never worked out. `why` says so in words."""

    shown: str
    why: str


Cell = str | int | float | bool | date | Faulty | None
"""What a cell holds. A spreadsheet's dates are dates already; text is as it was typed."""


@final
@frozen(kw_only=True)
class Sheet:
    """A table of cells: `rows` from the first row of the file on, each as wide as it is there.

    `ragged`: nothing in the file holds a row's cells in their columns but the number of its separators, so that a row
    of another width cannot be trusted. `merged` are the places, row and column from 0, that a spreadsheet shows as part
    of a cell above or left of them that holds something.
    """

    name: str
    rows: tuple[tuple[Cell, ...], ...]
    ragged: bool = False
    merged: frozenset[tuple[int, int]] = frozenset()

    def at(self, row: int, column: int) -> Cell:
        """The cell at a place that counts from 0; None beyond the end of its row."""
        if (row, column) in self.merged:
            return Faulty("merged", MERGED)
        cells = self.rows[row]
        return cells[column] if column < len(cells) else None


@final
@frozen(kw_only=True)
class Unread:
    """Something in a matrix that was not understood, and is not in the snapshot.

    `row` and `column` say where, as the spreadsheet counts them (`14`, `D`), and are None for the whole row or column;
    `code` what kind of thing it is, `value` what stands there, shortened, and `message` what to do about it.
    """

    sheet: str
    row: int | None
    column: str | None
    code: str
    value: str
    message: str

    @property
    def place(self) -> str:
        """Where it stands, as a spreadsheet writes it: `Matrix!D14`, or `Matrix!14` for the whole row."""
        return f"{self.sheet}!{self.column or ''}{self.row or ''}"


def letters(index: int) -> str:
    """A column's letters from its index, which counts from 0.

    >>> [letters(index) for index in (0, 25, 26, 701, 702)]
    ['A', 'Z', 'AA', 'ZZ', 'AAA']
    """
    found = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        found = chr(ord("A") + rest) + found
    return found


def text_of(cell: Cell) -> str:
    """What a cell says, on one line: white space collapsed, whole numbers without their `.0`."""
    if cell is None:
        return ""
    if isinstance(cell, Faulty):
        return cell.shown
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return " ".join(str(cell).split())


def blank(cell: Cell) -> bool:
    """Whether there is nothing in a cell but white space."""
    return cell is None or (isinstance(cell, str) and not cell.strip())
