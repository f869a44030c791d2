"""A forecast as CSV, for spreadsheets.

A spreadsheet takes a cell that begins with certain characters for a formula, and quotes do not keep it from that. So
such cells, and only those, get an apostrophe in front. Whoever wants every character as it is takes the JSON.
"""

import csv
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from enrolpolicy.forecasting import Forecast

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


def _months(found: Forecast) -> Iterator[tuple[object, ...]]:
    for row in found.months:
        yield (
            row.month, row.enrolments, row.credits, row.cancellations, row.completed, row.lapses, row.waiting, row.left,
        )  # fmt: skip


def _nights(found: Forecast) -> Iterator[tuple[object, ...]]:
    for night in found.nights:
        yield (
            night.on, len(night.enrolments), night.credits, len(night.cancellations), night.completed,
            len(night.lapses), night.waiting, night.held, night.left,
        )  # fmt: skip


def _enrolments(found: Forecast) -> Iterator[tuple[object, ...]]:
    for night in found.nights:
        for row in night.enrolments:
            yield night.on, row.person, row.course, row.because, row.expires_on, row.credits


def _lapses(found: Forecast) -> Iterator[tuple[object, ...]]:
    for night in found.nights:
        for row in night.lapses:
            yield night.on, row.person, row.course, row.expires_on


TABLES: dict[str, tuple[tuple[str, ...], Callable[[Forecast], Iterator[tuple[Any, ...]]]]] = {
    "months": (
        ("month", "enrolments", "credits", "cancellations", "completed", "lapses", "waiting", "left"),
        _months,
    ),
    "nights": (
        ("on", "enrolments", "credits", "cancellations", "completed", "lapses", "waiting", "held", "left"),
        _nights,
    ),
    "enrolments": (("on", "person", "course", "because", "expires_on", "credits"), _enrolments),
    "lapses": (("on", "person", "course", "expires_on"), _lapses),
}
"""The tables of a forecast: their heads, and what gives their rows."""


def forecast_csv(found: Forecast, rows: str = "nights") -> str:
    """A forecast as CSV: its `nights`, `months`, `enrolments` or `lapses`."""
    heads, of = TABLES[rows]
    return table(heads, of(found))
