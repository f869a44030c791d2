"""The year ahead as charts: what is taken and left, and what lapses, month by month."""

from calendar import monthrange
from collections.abc import Iterator, Sequence
from datetime import date

from enrolpolicy.ahead.forecasting import Forecast, ForecastMonth
from enrolpolicy.htmlreport.charts import Bar, Mark, Point, chart
from enrolpolicy.htmlreport.content import short_date
from enrolpolicy.htmlreport.values import Report


def credits_chart(report: Report) -> str:
    """The credits taken in each month; where they are metered, what is left of them, and when they run short."""
    ahead = report.forecast
    mark = None
    if ahead.short_on is not None and report.metered:
        mark = Mark(at=_at(ahead, ahead.short_on), words=f"short on {short_date(ahead.short_on)}")
    return chart(
        id="credits-chart",
        title="Credits over the next twelve months",
        description=_told(report),
        bars=[
            Bar(
                label=_label(row, first),
                value=row.credits,
                note=f"{row.month:%B %Y}: {row.credits:,} credits for {row.enrolments:,} enrolments",
            )
            for row, first in _months(ahead.months)
        ],
        line=tuple(_left(ahead)) if report.metered else (),
        mark=mark,
    )


def lapses_chart(report: Report) -> str:
    """The required trainings that lapse in each month."""
    months = report.forecast.months
    total = sum(row.lapses for row in months)
    return chart(
        id="lapses-chart",
        title="Lapses by month",
        description=f"{total:,} required trainings lapse within twelve months if people do as assumed. "
        "The table below has the figures.",
        bars=[
            Bar(label=_label(row, first), value=row.lapses, note=f"{row.month:%B %Y}: {row.lapses:,} lapses")
            for row, first in _months(months)
        ],
    )


def _told(report: Report) -> str:
    ahead = report.forecast
    taken = f"{sum(night.credits for night in ahead.nights):,} credits are taken within twelve months"
    if not report.metered:
        return f"{taken}; the account's are not metered. The table below has the figures."
    short = "they are enough" if ahead.short_on is None else f"they run short on {short_date(ahead.short_on)}"
    return f"{taken}; {short}. The table below has the figures."


def _months(months: Sequence[ForecastMonth]) -> Iterator[tuple[ForecastMonth, bool]]:
    return ((row, index == 0) for index, row in enumerate(months))


def _label(row: ForecastMonth, first: bool) -> str:
    """`Feb`; with the year in the first, and in every January."""
    return f"{row.month:%b %y}" if first or row.month.month == 1 else f"{row.month:%b}"


def _left(ahead: Forecast) -> Iterator[Point]:
    for night in ahead.nights:
        yield Point(at=_at(ahead, night.on), value=night.left or 0)
    yield Point(at=_at(ahead, ahead.until), value=ahead.nights[-1].left or 0)


def _at(ahead: Forecast, day: date) -> float:
    """Where a day is, all months being equally wide: the share of the way from the first's start to the last's end."""
    first, last = ahead.start, ahead.until
    months = (last.year - first.year) * 12 + last.month - first.month + 1
    passed = (day.year - first.year) * 12 + day.month - first.month
    return (passed + (day.day - 1) / monthrange(day.year, day.month)[1]) / months
