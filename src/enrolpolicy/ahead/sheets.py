"""A forecast as CSV, for spreadsheets."""

from collections.abc import Callable, Iterator
from typing import Any

from enrolpolicy.ahead.forecasting import Forecast
from enrolpolicy.tabular import table


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
