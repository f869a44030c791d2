"""Tables as CSV, for spreadsheets.

A spreadsheet takes a cell that begins with certain characters for a formula, and quotes do not keep it from that. So
such cells, and only those, get an apostrophe in front. Whoever wants every character as it is takes the JSON.
"""

import csv
import re
from collections.abc import Iterable

# With blanks in front too; the wide forms are what some spreadsheets read as the narrow ones.
_FORMULA = re.compile(r"[\s\x00]*[=+\-@\t\r\n\x00＝＋－＠]")


def cell(value: object) -> object:
    """A value as a cell that no spreadsheet takes for a formula; numbers stay numbers.

    >>> cell("=1+1"), cell("ana"), cell(-3)
    ("'=1+1", 'ana', -3)
    """
    if value is None or isinstance(value, int):
        return value
    text = str(value)
    return f"'{text}" if _FORMULA.match(text) else text


class _Lines:
    """What `csv` writes to: it wants a file, and this gives the lines back."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def write(self, line: str) -> int:
        self.lines.append(line)
        return len(line)


def table(heads: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Rows under their heads, with the line ends that RFC 4180 asks for."""
    lines = _Lines()
    writer = csv.writer(lines, lineterminator="\r\n")
    writer.writerow(list(heads))
    writer.writerows([cell(value) for value in row] for row in rows)
    return "".join(lines.lines)
