"""Civil dates, and the edge where an instant becomes one.

A night is a local *date*: midnight may be missing or come twice, a date never does both. So the next run is found from
the date, never by adding twenty-four hours to the last one.

`pendulum` does the month arithmetic and is imported late: it costs more to import than the rest of the library.
Zones are the standard library's.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from enrolpolicy.errors import InvalidValue

ONE_DAY = timedelta(days=1)


def zone(name: str) -> ZoneInfo:
    """The time zone of an IANA name; raises `InvalidValue` for a name the zone database does not have."""
    try:
        if not name.startswith(_NOT_ZONES):
            return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        pass
    raise InvalidValue("timezone", "must be an IANA time zone such as `Europe/London`")


# Found beside the zones on some machines: the machine's own zone, and whole copies, one of which counts leap seconds.
_NOT_ZONES = ("localtime", "posixrules", "posix/", "right/")


def civil(field: str, day: date) -> date:
    """A day as it is, if it is a plain date; raises `InvalidValue` for all else, a `datetime` among them."""
    if type(day) is not date:
        raise InvalidValue(field, f"must be a plain `datetime.date`, not a `{type(day).__name__}`")
    return day


def local_date(timezone: str, instant: datetime) -> date:
    """The civil date an instant falls on in a time zone; the instant must know its offset.

    What lies before the first day of the calendar there, or after the last, falls on that day.
    """
    instant = _plain(instant)
    try:
        return instant.astimezone(zone(timezone)).date()
    except OverflowError:
        return date.min if instant.year == date.min.year else date.max


def _plain(instant: datetime) -> datetime:
    """The same instant as the standard library's own kind, so that what is worked out from it is of that kind, too."""
    if getattr(instant, "tzinfo", None) is None:
        raise InvalidValue("instant", "must have a UTC offset; a naive time does not say which night it is")
    return datetime.combine(date(instant.year, instant.month, instant.day), instant.timetz())


def run_date(timezone: str, now: datetime) -> date:
    """The date a run at the instant `now` plans for: the account's local date (rule 9)."""
    return local_date(timezone, now)


def first_instant(timezone: str, day: date) -> datetime:
    """The first instant of a local date, in that zone.

    Where midnight comes twice it is the first one; where it is missing, the moment the clocks jump to. A date that a
    zone skipped altogether (Pacific/Apia, 2011-12-30) answers with the first instant after the gap.
    """
    where = zone(timezone)
    if day <= date.min + ONE_DAY:  # nothing is earlier that could be looked at
        return datetime.combine(day, time(), tzinfo=where)
    midnight = datetime.combine(day, time(), tzinfo=where).astimezone(UTC)
    earlier = midnight - ONE_DAY
    return _first_reaching(where, day, earlier, midnight).astimezone(where)


def next_run(timezone: str, now: datetime) -> datetime:
    """The first instant after `now` whose local date is later than the one of `now` (rule 9), in that zone.

    Midnight may be missing, as in Cairo on the night in spring when the clocks jump from 00:00 to 01:00:

    >>> next_run("Africa/Cairo", datetime(2026, 4, 23, 12, 0, tzinfo=UTC)).isoformat()
    '2026-04-24T01:00:00+03:00'

    Raises `InvalidValue` for an instant without an offset, and in the last days of the calendar.
    """
    today = run_date(timezone, now)
    where = zone(timezone)
    try:
        start = _plain(now).astimezone(UTC)
        # Three days reach beyond any jump of any zone's clock, a skipped date included.
        return _first_reaching(where, today + ONE_DAY, start, start + 3 * ONE_DAY).astimezone(where)
    except OverflowError:
        raise InvalidValue("now", "must not lie in the first hours of year 1, or the last days of year 9999") from None


def nights_due(timezone: str, last: date | None, now: datetime) -> tuple[date, ...]:
    """The run dates after `last` up to the one of `now`, oldest first; just tonight's when there was none before.

    A clock that was set back gives no nights, and loses none: the next one still counts from `last`.
    """
    today = run_date(timezone, now)
    if last is None:
        return (today,)
    civil("last", last)
    return tuple(last + timedelta(days=n) for n in range(1, (today - last).days + 1))


def days_between(last: date | None, today: date) -> tuple[date, ...]:
    """The dates after `last` and before `today`, oldest first; none where there is no last one."""
    if last is None:
        return ()
    return tuple(last + timedelta(days=n) for n in range(1, (today - last).days))


def _first_reaching(where: ZoneInfo, day: date, low: datetime, high: datetime) -> datetime:
    """The first instant in (low, high] whose local date is `day` or later: minute by minute, then halving the last one.

    Where clocks go back across midnight the date is reached twice, the first time for as little as one minute
    (America/St_Johns until 2011), which a plain bisection would step over.
    """
    step = timedelta(minutes=1)
    at = low
    while at < high and (at + step).astimezone(where).date() < day:
        at += step
    before, after = at, min(at + step, high)
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) / 2
        if middle.astimezone(where).date() >= day:
            after = middle
        else:
            before = middle
    return after.replace(microsecond=0)


def add_months(day: date, months: int) -> date | None:
    """The same day of the month, `months` later, or that month's last day where it has no such day.

    None past the calendar's end, 9999-12-31. Always added in one step from the anchor: 31 January + 2 months is
    31 March, while adding one month twice would give 28 March.

    >>> add_months(date(2024, 2, 29), 12)
    datetime.date(2025, 2, 28)
    """
    import pendulum  # noqa: PLC0415 - late, see the head of this module

    try:
        later = pendulum.Date(day.year, day.month, day.day).add(months=months)
    except (ValueError, OverflowError):
        return None
    return date(later.year, later.month, later.day)


def add_days(day: date, days: int) -> date | None:
    """The date `days` later; None past the calendar's end, 9999-12-31."""
    try:
        return day + timedelta(days=days)
    except OverflowError:
        return None
