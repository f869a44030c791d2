"""Files to sheets: CSV strictly, workbooks with their stored values; what a file is, its content says, not its name.

A file that may not hold what it says is refused: half of a table is worse than none.
"""

import csv
import io
import warnings
import zipfile
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from pathlib import PurePath
from typing import TYPE_CHECKING, TypeVar

from enrolpolicy.constraints import shown
from enrolpolicy.errors import InvalidSnapshot, Problem
from enrolpolicy.matrix.cells import FORMULA_FAILED, Cell, Faulty, Sheet, blank
from enrolpolicy.matrix.merges import covered

if TYPE_CHECKING:
    from openpyxl import Workbook

_Row = TypeVar("_Row", bound=tuple[object, ...])

MOST_CELLS = 5_000_000
MOST_BYTES = 500_000_000
"""What a workbook may take up unpacked, before it is taken for a trap."""


class MissingExtra(Exception):
    """Something optional is not installed; the message names it."""


def sheet_of(content: bytes, name: str, *, sheet: str | None = None, encoding: str = "utf-8-sig") -> Sheet:
    """The table in a file: of a CSV file, or one worksheet of a workbook.

    `sheet` names the worksheet, and may be left out where only one of the visible ones holds anything. Raises
    `InvalidSnapshot` for a file that is neither, and `MissingExtra` where workbooks cannot be read here.
    """
    if content.startswith(b"PK\x03\x04"):
        return _workbook_sheet(content, name, sheet)
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise refused(name, "old-workbook", "is an old .xls, or locked with a password; save it as .xlsx without one")
    return _csv_sheet(content, name, encoding)


def refused(path: str, code: str, message: str) -> InvalidSnapshot:
    """The refusal of a whole file."""
    return InvalidSnapshot((Problem(path=path, code=code, message=message),))


# CSV


def _csv_sheet(content: bytes, name: str, encoding: str) -> Sheet:
    text = _decoded(content, name, encoding)
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise refused(name, "not-text", f"line {line} holds a NUL, which no text has; save it as CSV (UTF-8) anew")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    rows: list[tuple[Cell, ...]] = []
    try:
        rows.extend(_counted((tuple(row) for row in reader), name))
    except csv.Error as error:
        raise refused(name, "not-csv", f"line {reader.line_num}: {_CSV_ERRORS.get(str(error)[:14], error)}") from None
    return Sheet(name=PurePath(name).stem or name, rows=tuple(rows), ragged=True)


_CSV_ERRORS = {
    "unexpected end": "a quotation mark is opened and never closed; close it, or remove it",
    "field larger t": "a cell has more than 131,072 characters; a quotation mark before it may never be closed",
}


def _decoded(content: bytes, name: str, encoding: str) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = (
            f"line {line} is not {encoding.removesuffix('-sig')}; save it as CSV UTF-8, or say `--encoding cp1252`"
        )
        raise refused(name, "not-utf-8", message) from None


def _delimiter(text: str) -> str:
    """What separates cells: whichever of the usual ones there is most of in the first lines."""
    start = text[:20_000]
    return max(",;\t", key=start.count)


def _counted(rows: Iterable[_Row], name: str) -> Iterator[_Row]:
    """The rows, as long as they do not hold more cells than a matrix can have."""
    count = 0
    for row in rows:
        count += max(1, len(row))
        if count > MOST_CELLS:
            raise refused(
                name, "too-large", f"has more than {MOST_CELLS:,} cells; keep the matrix in a file of its own"
            )
        yield row


# Workbooks


def _workbook_sheet(content: bytes, name: str, sheet: str | None) -> Sheet:
    try:
        from openpyxl import load_workbook  # noqa: PLC0415 - an extra, and slow to import
    except ImportError:
        raise MissingExtra("reading workbooks needs the extra `xlsx`: pip install 'enrolpolicy[xlsx]'") from None
    _check_size(content, name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about styles and rules, which say nothing about the cells
        try:
            values = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
            formulas = load_workbook(io.BytesIO(content), read_only=True, data_only=False)
            chosen = _chosen(values, name, sheet)
            rows = tuple(_rows(values, formulas, chosen, name))
            merged = frozenset(covered(content, chosen, rows))
        except InvalidSnapshot:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a broken workbook makes the library raise
            message = f"is no workbook that can be read ({type(error).__name__}); open it and save it as .xlsx anew"
            raise refused(name, "not-a-workbook", message) from None
    return Sheet(name=chosen, rows=rows, merged=merged)


def _check_size(content: bytes, name: str) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except zipfile.BadZipFile:
        raise refused(name, "not-a-workbook", "is cut off or damaged; open it and save it as .xlsx anew") from None
    if unpacked > MOST_BYTES:
        raise refused(name, "too-large", f"takes up {unpacked:,} bytes unpacked; keep the matrix in a file of its own")


def _chosen(book: "Workbook", name: str, sheet: str | None) -> str:
    names = [one.title for one in book.worksheets]
    if sheet is not None:
        if sheet in names:
            return sheet
        raise refused(name, "unknown-sheet", f"has no sheet {shown(sheet)}; it has {', '.join(map(shown, names))}")
    for one in book.worksheets:
        one.reset_dimensions()  # what a file claims about its size need not be so
    filled = [
        one.title
        for one in book.worksheets
        if one.sheet_state == "visible" and _holds_anything(one.iter_rows(values_only=True))
    ]
    if len(filled) != 1:
        said = (
            f"has {len(filled)} sheets with something in them: {', '.join(map(shown, filled[:20]))}"
            if filled
            else "is empty"
        )
        raise refused(name, "which-sheet", f"{said}; say `--sheet`, or `sheet` in a mapping")
    return filled[0]


def _holds_anything(rows: Iterable[tuple[object, ...]]) -> bool:
    return any(cell is not None and str(cell).strip() for row in rows for cell in row)


def _rows(values: "Workbook", formulas: "Workbook", sheet: str, name: str) -> Iterator[tuple[Cell, ...]]:
    both = (values[sheet], formulas[sheet])
    for one in both:
        one.reset_dimensions()
    for stored, written in zip(_counted(both[0].iter_rows(), name), both[1].iter_rows(), strict=True):
        row = [_cell(*pair) for pair in zip(stored, written, strict=True)]
        while row and blank(row[-1]):
            row.pop()
        yield tuple(row)


def _cell(stored: object, written: object) -> Cell:
    value, kind = getattr(stored, "value", None), getattr(stored, "data_type", "n")
    if kind == "e":
        return Faulty(str(value), FORMULA_FAILED)
    if value is None and getattr(written, "data_type", "n") == "f":
        return Faulty("formula", "is a formula nobody worked out yet; open the file in a spreadsheet and save it")
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, str | int | float | bool | date | None):
        return value
    return Faulty(str(value), "is a time without a date; write the date")
