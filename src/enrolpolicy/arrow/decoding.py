"""One column as it was read, to the column of an estate: checked as the model checks a field, a whole column at a time.

The quick test of a column tells whether all of it is sound. Where it is not, the first value that is not goes through
the model's own check, which words the problem.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, cast, final

import numpy as np
import pyarrow as pa
from attrs import frozen
from pyarrow import types

from enrolpolicy.arrow.kernels import as_kind, filled, nulls, repeated, valid
from enrolpolicy.arrow.layout import WRITTEN
from enrolpolicy.arrow.problems import Problems
from enrolpolicy.arrow.texts import as_text, codes, distinct, each, lengths_of, not_utf8, printable
from enrolpolicy.bulk.assembly import EPOCH
from enrolpolicy.bulk.columns import ABSENT, DTYPES, NO_CHOICE, Column, Kind
from enrolpolicy.constraints import IdText, check_for, shown

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from enrolpolicy.arrow.kernels import Array, Numbers

DAYS = date.min.toordinal() - EPOCH, date.max.toordinal() - EPOCH
"""The first and the last day that there is."""
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_SECONDS = DAYS[0] * 86_400, (DAYS[1] + 1) * 86_400 - 1


@final
@frozen
class Place:
    """A column of a table, where some rows of it begin, and where its problems are noted."""

    problems: Problems
    table: str
    column: Column
    first: int

    def refuse(self, bad: NDArray[np.bool_], code: str, message: Callable[[int], str]) -> None:
        """Note a problem where any row is bad; the message is asked for with the first of them."""
        rows = np.flatnonzero(bad)
        if len(rows):
            row = int(rows[0])
            self.problems.add(
                self.table,
                code,
                message(row),
                column=self.column.name,
                row=self.first + row,
                rows=len(rows),
            )


def decoded(values: Array, place: Place) -> Array | Numbers:
    """The values of a column, but references and texts as texts in Arrow; what is wrong with them is noted."""
    column = place.column
    if types.is_null(values.type):
        values = nulls(len(values), WRITTEN[column.kind])
    text = WRITTEN[column.kind] == pa.string()
    if text:
        values = as_text(values)
    if values.null_count and not column.nullable:
        place.refuse(~valid(values), "null", lambda _: f"must not be null; {_instead(column)}")
    if text and (bad := not_utf8(distinct(values))) is not None:
        _refuse_bytes(values, bad, place)
        return (
            repeated("", pa.string(), len(values)) if column.choices is None else np.zeros(len(values), dtype=np.uint8)
        )
    return _DECODERS[column.kind](values, place)


def _instead(column: Column) -> str:
    return "give it a value" if column.required else "give it a value, or leave the whole column out for the default"


def _refuse_bytes(values: Array, bad: int, place: Place) -> None:
    places = codes(values)[0] if types.is_dictionary(values.type) else np.arange(len(values))
    message = "must be text in UTF-8, and holds other bytes; write the file anew from text"
    place.refuse(places == bad, "not-utf-8", lambda _: message)
    if not (places == bad).any():  # an entry of the dictionary that no row uses
        place.problems.add(place.table, "not-utf-8", message, column=place.column.name)


def _with_absent(values: Array, place: Place, numbers: Numbers) -> Numbers:
    """Numbers in the column's own width, with what stands for None where there is none."""
    narrow = numbers.astype(DTYPES[place.column.kind], copy=False)
    if values.null_count:
        narrow = np.where(valid(values), narrow, DTYPES[place.column.kind](ABSENT[place.column.kind]))
    return narrow


def _outside(numbers: Numbers, low: float, high: float) -> NDArray[np.bool_] | None:
    """Which of some numbers lie outside of the limits; None: none of them."""
    if len(numbers) == 0 or (numbers.min() >= low and numbers.max() <= high):
        return None
    return (numbers < low) | (numbers > high)


def _refuse_value(place: Place, bad: NDArray[np.bool_] | None, value: Callable[[int], object]) -> None:
    """Refuse bad rows in the words of the model's check."""
    if bad is not None:
        place.refuse(bad, "invalid", lambda row: place.column.check(value(row)) or f"must not be {shown(value(row))}")


# Flags, numbers, days, instants


def _flags(values: Array, place: Place) -> Numbers:
    return filled(values, False)


def _numbers(values: Array, place: Place) -> Numbers:
    low, high = place.column.low, place.column.high
    numbers = filled(values, _within(low))
    assert low is not None
    assert high is not None
    bad = _outside(numbers, low, high)
    if bad is not None:
        _refuse_value(place, bad, lambda row: int(numbers[row]))
        numbers = np.where(bad, low, numbers)
    return _with_absent(values, place, numbers)


def _within(low: int | None) -> int:
    """A number that is within the limits of whatever type: nothing is wrong where there is none."""
    return max(0, low or 0)


def _fractions(values: Array, place: Place) -> Numbers:
    numbers = filled(as_kind(values, pa.float64()), 0.0)
    low, high = place.column.low or 0, place.column.high or 0
    bad = np.logical_not((numbers >= low) & (numbers <= high))  # what is not a number is neither
    _refuse_value(place, bad, lambda row: float(numbers[row]))
    return _with_absent(values, place, numbers)


def _days(values: Array, place: Place) -> Numbers:
    days = filled(values.view(pa.int32()), 0)
    bad = _outside(days, *DAYS)
    if bad is not None:
        place.refuse(
            bad,
            "date-out-of-range",
            lambda row: (
                f"must be a date from {date.min.isoformat()} to {date.max.isoformat()}, not day "
                f"{shown(int(days[row]))} from 1970-01-01; null says that there is none"
            ),
        )
        days = np.where(bad, 0, days)
    return _with_absent(values, place, days)


def _instants(values: Array, place: Place) -> Numbers:
    per_second = _PER_SECOND[cast("pa.TimestampType[Any, Any]", values.type).unit]
    ticks = filled(values.view(pa.int64()), 0)
    bad = None if per_second == 10**9 else _outside(ticks, _SECONDS[0] * per_second, (_SECONDS[1] + 1) * per_second - 1)
    if bad is not None:
        place.refuse(
            bad,
            "date-out-of-range",
            lambda row: (
                f"must be an instant of the years 1 to 9999, not {shown(int(ticks[row]))} "
                f"{values.type.unit} from 1970-01-01; null says that there is none"
            ),
        )
        ticks = np.where(bad, 0, ticks)
    micros = ticks // 10**3 if per_second == 10**9 else ticks * (10**6 // per_second)
    return _with_absent(values, place, micros)


# Choices


def _choice(values: Array, place: Place) -> Numbers:
    digits = _digits(place.column)
    found = each(values, lambda texts: np.array([_digit(digits, text) for text in texts], dtype=np.int16))
    _refuse_choice(place, found == _UNFIT, lambda row: values[row].as_py())
    return np.where(found == _UNFIT, 0, found).astype(np.uint8)


_UNFIT = -1


def _digits(column: Column) -> Mapping[str, int]:
    assert column.choices is not None
    return {member.value: digit for digit, member in enumerate(column.choices)}


def _digit(digits: Mapping[str, int], text: str | None) -> int:
    return NO_CHOICE if text is None else digits.get(text, _UNFIT)


def _refuse_choice(place: Place, bad: NDArray[np.bool_], value: Callable[[int], object]) -> None:
    names = ", ".join(f"`{name}`" for name in _digits(place.column))
    place.refuse(bad, "invalid", lambda row: f"must be one of {names}, not {shown(value(row))}")


def _choices(values: Array, place: Place) -> Numbers:
    """Sets of choices; there are few rows of those."""
    digits = _digits(place.column)
    rows = cast("Sequence[list[str | None] | None]", values.to_pylist())
    unfit = [next((text for text in row or () if text not in digits), "") for row in rows]
    bad = np.array([any(text not in digits for text in row or ()) for row in rows], dtype=np.bool_)
    _refuse_choice(place, bad, lambda row: unfit[row])
    bits = [sum(1 << digit for text, digit in digits.items() if text in (row or ())) for row in rows]
    return np.array(bits, dtype=DTYPES[place.column.kind])


# Texts and ids


def _ids(values: Array, place: Place) -> Array:
    texts, longest = distinct(values), IdText().longest
    lengths = lengths_of(texts)
    sound = len(texts) == 0 or (lengths.min() > 0 and lengths.max() <= longest and printable(texts))
    if not sound:
        refuse_failing(values, True, place)
    return values


def _texts(values: Array, place: Place) -> Array:
    if place.column.check is not _ANY_TEXT:
        refuse_failing(values, True, place)
    return values


_ANY_TEXT = check_for(str)


def refuse_failing(values: Array, among: NDArray[np.bool_] | bool, place: Place) -> None:
    """Refuse the rows, among some, whose text the model's check refuses."""
    check = place.column.check
    bad = each(values, lambda texts: np.array([text is not None and check(text) is not None for text in texts]))
    _refuse_value(place, bad & among, lambda row: values[row].as_py())


def _as_they_are(values: Array, _: Place) -> Array:
    return values


_DECODERS: Mapping[Kind, Callable[[Array, Place], Array | Numbers]] = {
    Kind.ID: _ids,
    Kind.TEXT: _texts,
    Kind.FLAG: _flags,
    Kind.NUMBER: _numbers,
    Kind.FRACTION: _fractions,
    Kind.DATE: _days,
    Kind.INSTANT: _instants,
    Kind.CHOICE: _choice,
    Kind.CHOICES: _choices,
    Kind.REFERENCE: _as_they_are,
}
