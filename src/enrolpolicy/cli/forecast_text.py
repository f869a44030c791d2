"""A forecast, for people to read."""

from collections.abc import Iterator

from enrolpolicy.ahead.assumptions import Assumptions, Completion
from enrolpolicy.ahead.forecasting import Forecast, ForecastMonth
from enrolpolicy.cli.pieces import first_rows, headline, many
from enrolpolicy.model import Snapshot
from enrolpolicy.text import Style, long_date, names, table, wrapped


def forecast_lines(snapshot: Snapshot, found: Forecast, style: Style) -> Iterator[str]:
    """What is expected, month by month."""
    yield headline(f"{found.account} · {long_date(found.start)} to {long_date(found.until)}", style)
    yield from wrapped(f"assumed: {_assumed(found.assume)}")
    yield ""
    yield from _credits(found, style)
    yield from wrapped(_drift(found))
    yield ""
    heads = ("month", *(f"{name:>10}" for name in _COLUMNS), "enrolments")
    most = max((row.enrolments for row in found.months), default=0)
    cells = [_month(row, most, style) for row in found.months]
    yield from table(heads, (8, *[10] * len(_COLUMNS), 14), cells, style)
    guarded = [night for night in found.nights if night.guards]
    if guarded:
        yield ""
        words = f"{many(len(guarded), 'night')} would be stopped by a guard, the first on {guarded[0].on}: "
        yield from wrapped(words + ", ".join(guarded[0].guards))
    yield ""
    yield style.paint("By course", "bold")
    called = names(snapshot)
    cells = [(called.course(id), f"{count:>10,}", f"{credits:>10,}") for id, count, credits in found.by_course]
    yield from first_rows(cells, ("course", f"{'enrolments':>10}", f"{'credits':>10}"), (40, 10, 10), style)


_COLUMNS = ("enrolled", "credits", "left", "waiting", "completed", "lapses")


def _assumed(assume: Assumptions) -> str:
    days = many(assume.after_days, "day")
    when = {
        Completion.AFTER_DAYS: f"whoever is booked completes it {days} after",
        Completion.LAST_DAY: f"whoever is booked completes it on its last valid day, where that is over {days} after",
        Completion.NEVER: "nobody completes what they are booked on",
    }[assume.completed]
    share = f"; {assume.share:.0%} of them do" if assume.share < 1 and assume.completed is not Completion.NEVER else ""
    return f"{when}{share}; settings, people and roles stay as they are"


def _credits(found: Forecast, style: Style) -> Iterator[str]:
    if found.top_up is None:
        yield "credits are not metered"
    elif found.short_on is None:
        yield from (style.paint(line, "green") for line in wrapped("the credits last: nobody has to wait for any"))
    else:
        more = many(found.top_up, "more credit")
        short = f"the credits run out on {found.short_on}; {more} before then, and nobody would have to wait"
        if found.short_on == found.start:
            short = f"the credits do not suffice tonight; with {more} nobody would have to wait until the end"
        yield from (style.paint(line, "red") for line in wrapped(short))


def _drift(found: Forecast) -> str:
    if not found.drift.renewals:
        return "nothing is renewed"
    return (
        f"{many(found.drift.renewals, 'training')} will be renewed; as some are before their expiry, "
        f"{many(found.drift.days, 'day')} of validity will be lost, {found.drift.days_each:.1f} each"
    )


def _month(row: ForecastMonth, most: int, style: Style) -> tuple[str, ...]:
    left = "" if row.left is None else f"{row.left:,}"
    figures = (
        f"{row.enrolments:,}",
        f"{row.credits:,}",
        left,
        f"{row.waiting:,}",
        f"{row.completed:,}",
        f"{row.lapses:,}",
    )
    return f"{row.month:%Y-%m}", *(f"{figure:>10}" for figure in figures), bar(row.enrolments, most, 14, style)


def bar(value: int, most: int, width: int, style: Style) -> str:
    """A bar as long as a value is large beside the largest; something is shown of whatever is above 0."""
    if not value:
        return ""
    eighths = max(1, round(value / most * width * 8))
    if not style.marks:
        return "#" * max(1, eighths // 8)
    whole, rest = divmod(eighths, 8)
    return "█" * whole + " ▏▎▍▌▋▊▉"[rest].strip()
