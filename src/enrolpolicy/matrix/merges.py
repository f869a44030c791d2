"""Merged cells: what a spreadsheet shows as one cell and stores in the first alone.

The reader that reads a workbook cell by cell does not tell of them, so they are looked up in the worksheet's own text.
"""

import io
import re
import zipfile
from collections.abc import Iterator, Sequence

from enrolpolicy.matrix.cells import Cell, blank

_MERGED = re.compile(rb"<(?:\w+:)?mergeCell\s[^>]*?ref=[\"']([A-Z]{1,3})([0-9]{1,7}):([A-Z]{1,3})([0-9]{1,7})[\"']")


def covered(content: bytes, sheet: str, rows: Sequence[Sequence[Cell]]) -> Iterator[tuple[int, int]]:
    """The places, row and column from 0, that are merged with a first cell which holds something.

    Only those within the rows there are, and no wider than the widest.
    """
    width = max(map(len, rows), default=0)
    for match in _MERGED.finditer(_text(content, sheet)):
        left, top, right, bottom = match.groups()
        column, row = _column(left), int(top) - 1
        if row >= len(rows) or column >= len(rows[row]) or blank(rows[row][column]):
            continue
        for below in range(row, min(int(bottom), len(rows))):
            for beside in range(column, min(_column(right) + 1, width)):
                if (below, beside) != (row, column):
                    yield below, beside


def _text(content: bytes, sheet: str) -> bytes:
    """The worksheet behind its cells, where merged ones are listed."""
    from openpyxl.reader.excel import ExcelReader  # noqa: PLC0415 - an extra, and slow to import

    reader = ExcelReader(io.BytesIO(content), read_only=True)
    reader.read_manifest()
    reader.read_workbook()
    path = next(part.target for one, part in reader.parser.find_sheets() if one.name == sheet)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return archive.read(path).rpartition(b"sheetData>")[2]


def _column(letters: bytes) -> int:
    """A column's index, from 0, from its letters.

    >>> [_column(one) for one in (b"A", b"Z", b"AA", b"AAA")]
    [0, 25, 26, 702]
    """
    index = 0
    for letter in letters:
        index = index * 26 + letter - ord("A") + 1
    return index - 1
