"""What was not understood, as a table to go through in a spreadsheet."""

import csv
import io
from collections.abc import Iterable

from enrolpolicy.matrix.cells import Unread

HEADS = ("sheet", "row", "column", "code", "value", "what to do")


def listing(unread: Iterable[Unread]) -> str:
    """What was not understood, as CSV. Nothing in it is a formula to a spreadsheet, whatever stood in the matrix."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(HEADS)
    for row in unread:
        cells = (row.sheet, row.row or "", row.column or "", row.code, row.value, row.message)
        writer.writerow([inert(str(cell)) for cell in cells])
    return out.getvalue()


_STARTS = tuple("=+-@\t\r\n\0＝＋－＠")


def inert(text: str) -> str:
    """Text that no spreadsheet takes for a formula: with an apostrophe before whatever could begin one.

    >>> inert("=1+1"), inert("  @SUM"), inert("31/02/2025")
    ("'=1+1", "'  @SUM", '31/02/2025')
    """
    return f"'{text}" if text.lstrip(" ").startswith(_STARTS) or text.startswith(_STARTS) else text
