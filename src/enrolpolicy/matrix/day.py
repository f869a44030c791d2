"""Dates as people type them: read where they can mean one day only, refused where they could mean two.

`03/04/2025` is the third of April to some and the fourth of March to others. It is read only where somebody said which
comes first, or where other dates of the same sheet (`25/12/2024`) leave one order. Years of two digits are read only
where somebody said to which century they belong.
"""

import re
from collections.abc import Iterable
from datetime import date
from enum import Enum
from typing import final

from attrs import frozen

from enrolpolicy.matrix.words import key

EARLIEST, LATEST = date(1950, 1, 1), date(2100, 12, 31)
"""Training outside these is taken for a slip of the fingers."""


@final
class Order(Enum):
    """Which comes first in a date whose year comes last; `iso`: there are none, every date begins with its year."""

    DAY_FIRST = "dmy"
    MONTH_FIRST = "mdy"
    ISO = "iso"


@final
@frozen
class NoDay:
    """A text that is no date, or not one only: the kind of it, and what to do."""

    code: str
    message: str


@final
@frozen(kw_only=True)
class Reading:
    """How dates are read: the order, where it is settled, and the century of two-digit years, where it was told.

    `unsettled` says, for a message, why there is no order.
    """

    order: Order | None = None
    short_years: int | None = None
    unsettled: str = ""


_NUMERIC = re.compile(r"([0-9]{1,4})([./-])([0-9]{1,2})\2([0-9]{1,4})")
_SPACED = re.compile(r"([0-9]{1,4})( )([0-9]{1,2}) ([0-9]{1,4})")
_DAY_MONTH = re.compile(r"([0-9]{1,2})(?:st|nd|rd|th)?[ ./-]{0,2}([a-z]{3,9})[ .,/-]{0,2}([0-9]{4}|[0-9]{2})")
_MONTH_DAY = re.compile(r"([a-z]{3,9})[ .]{0,2}([0-9]{1,2})(?:st|nd|rd|th)?,? ([0-9]{4})")
_TIME = re.compile(r"(?<=[0-9])[t ][0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?$")
_LONGEST = 40

_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
           "december")  # fmt: skip
_MONTH_OF = {name[:length]: number for number, name in enumerate(_MONTHS, 1) for length in (3, len(name))}
_MONTH_OF["sept"] = 9


def day_of(text: str, reading: Reading) -> date | NoDay:
    """The day a text means, or why it is not read."""
    found = _day_of(text, reading)
    if isinstance(found, date) and not EARLIEST <= found <= LATEST:
        return NoDay("far-off-date", f"lies in the year {found.year}; correct the year")
    return found


def _day_of(text: str, reading: Reading) -> date | NoDay:
    plain = _plain(text)
    if len(plain) > _LONGEST:
        return NOT_A_DATE
    if numeric := _numeric(plain):
        return _from_numbers(*numeric, reading)
    if named := _DAY_MONTH.fullmatch(plain):
        return _from_name(named[2], named[1], named[3], reading)
    if named := _MONTH_DAY.fullmatch(plain):
        return _from_name(named[1], named[2], named[3], reading)
    return BARE_NUMBER if re.fullmatch(r"[0-9]+(\.[0-9]+)?", plain) else NOT_A_DATE


NOT_A_DATE = NoDay("not-a-date", "is no date; write the date, leave the cell empty, or name the word in a mapping")
BARE_NUMBER = NoDay("bare-number", "is a number and not a date; format the cell as a date, or write the date out")


def _plain(text: str) -> str:
    """Without a time of day, and without blanks around the separators."""
    return re.sub(r" ?([./-]) ?", r"\1", _TIME.sub("", key(text[:200])))


def _numeric(plain: str) -> tuple[str, str, str] | None:
    found = _NUMERIC.fullmatch(plain) or _SPACED.fullmatch(plain)
    return None if found is None else (found[1], found[3], found[4])


def _from_numbers(first: str, second: str, third: str, reading: Reading) -> date | NoDay:
    if len(first) == 4:
        return _date(first, second, third) if len(third) <= 2 else NOT_A_DATE
    if len(first) == 3 or len(third) not in (2, 4):
        return NOT_A_DATE
    year = _year(third, reading)
    if year is None:
        return SHORT_YEAR
    if reading.order is Order.ISO:
        return NoDay("wrong-order", "does not begin with its year, as was said of all dates; write YYYY-MM-DD")
    if reading.order is None and first != second:
        return _unsettled(year, first, second, reading)
    swapped = reading.order is Order.MONTH_FIRST
    day, month = (second, first) if swapped else (first, second)
    if int(month) > 12 >= int(day):
        order = "the month first" if swapped else "the day first"
        return NoDay("wrong-order", f"has no month {month}; the other dates have {order}, so write YYYY-MM-DD")
    return _date(year, month, day)


def _unsettled(year: str, first: str, second: str, reading: Reading) -> NoDay:
    days = [day for day in (_date(year, second, first), _date(year, first, second)) if isinstance(day, date)]
    if not days:
        return NO_SUCH_DATE
    return NoDay("ambiguous-date", f"{'can mean two days' if len(days) == 2 else 'is not read'}; {reading.unsettled}")


def _from_name(month: str, day: str, year: str, reading: Reading) -> date | NoDay:
    if month not in _MONTH_OF:
        return NOT_A_DATE
    full = _year(year, reading)
    return SHORT_YEAR if full is None else _date(full, str(_MONTH_OF[month]), day)


SHORT_YEAR = NoDay("short-year", "has a year of two digits; write all four, or say `short_years = 2000` in a mapping")


def _year(text: str, reading: Reading) -> str | None:
    if len(text) == 4:
        return text
    return None if reading.short_years is None else str(reading.short_years + int(text))


def _date(year: str, month: str, day: str) -> date | NoDay:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return NO_SUCH_DATE


NO_SUCH_DATE = NoDay("no-such-date", "is a day the calendar does not have; correct it")


# Which order a sheet has


@final
@frozen(kw_only=True)
class Evidence:
    """What the dates of a sheet say about their order.

    For each order the number of dates that can be read in no other, and the place and text of the first of them.
    """

    counts: tuple[tuple[Order, int], ...] = ()
    first: tuple[tuple[Order, str], ...] = ()

    @property
    def order(self) -> Order | None:
        """The only order the dates leave; None where nothing settles it, or they contradict each other."""
        return self.counts[0][0] if len(self.counts) == 1 else None

    @property
    def words(self) -> str:
        """Why there is no order, and what settles it."""
        if not self.counts:
            return f"nothing in the sheet settles whether the day comes first; {_SETTLE}"
        said = " and ".join(
            f"{_SAYS[order]} in {count} dates ({dict(self.first)[order]})" for order, count in self.counts
        )
        return f"the sheet has {said}; {_SETTLE}"


_SETTLE = "write YYYY-MM-DD, or say `--dates dmy` or `--dates mdy`"
_SAYS = {Order.DAY_FIRST: "the day first", Order.MONTH_FIRST: "the month first"}


def evidence(texts: Iterable[tuple[str, str]]) -> Evidence:
    """What dates say about their order; each text comes with its place."""
    counts: dict[Order, int] = {}
    first: dict[Order, str] = {}
    for place, text in texts:
        order = _order_of(text)
        if order is not None:
            counts[order] = counts.get(order, 0) + 1
            first.setdefault(order, f"{place} `{text.strip()}`")
    return Evidence(
        counts=tuple((order, counts[order]) for order in Order if order in counts),
        first=tuple((order, first[order]) for order in Order if order in first),
    )


def _order_of(text: str) -> Order | None:
    """The order a date has where it can be read in no other."""
    numbers = _numeric(_plain(text)) if len(text) <= _LONGEST else None
    if numbers is None:
        return None
    for order in (Order.DAY_FIRST, Order.MONTH_FIRST):
        other = Order.MONTH_FIRST if order is Order.DAY_FIRST else Order.DAY_FIRST
        readings = [_from_numbers(*numbers, Reading(order=one)) for one in (order, other)]
        if isinstance(readings[0], date) and not isinstance(readings[1], date):
            return order
    return None
