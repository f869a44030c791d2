"""What a field may hold, said once: in its type.

`Annotated[int, Between(0, 3650)]` is an `int` to every reader and type checker. The same annotation makes the check
that runs when a value is built (`checked`, an attrs field transformer), the JSON decoder's, and the JSON Schema.
Nothing is converted: `"no"` is not a bool, `2.0` not a number of days, a `datetime` not a date.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Union, final, get_args, get_origin

from attrs import Attribute, frozen

from enrolpolicy.dates import zone
from enrolpolicy.errors import InvalidValue

# A check says what a value should have been, or None when it is fine.
Check = Callable[[object], str | None]

CONTROL = r"\x00-\x1f\x7f-\x9f"
_CONTROL = re.compile(f"[{CONTROL}]")
_SURROGATE = re.compile("[\ud800-\udfff]")


@final
@frozen
class Between:
    """A whole number, or a fraction, from `low` to `high`, both included."""

    low: int
    high: int


@final
@frozen
class IdText:
    """1 to `longest` characters, none of them a control character."""

    longest: int = 255


@final
@frozen
class ZoneName:
    """An IANA time zone."""


Id = Annotated[str, IdText()]
Zone = Annotated[str, ZoneName()]
Days = Annotated[int, Between(0, 3650)]
LongDays = Annotated[int, Between(0, 36525)]
Amount = Annotated[int, Between(0, 10**9)]
Balance = Annotated[int, Between(-(10**9), 10**9)]
Share = Annotated[float, Between(0, 1)]


def checked(_cls: type, fields: list[Attribute[Any]]) -> list[Attribute[Any]]:
    """The attrs field transformer that gives each field the check its annotation asks for."""
    return [field.evolve(validator=_validator(check_for(field.type))) for field in fields]


def _validator(check: Check) -> Callable[[object, Attribute[Any], object], None]:
    def validate(instance: object, attribute: Attribute[Any], value: object) -> None:
        problem = check(value)
        if problem is not None:
            raise InvalidValue(f"{type(instance).__name__}.{attribute.name}", problem)

    return validate


def shown(value: object) -> str:
    """A value as an error message quotes it: short, on one line, and never walking into what it holds."""
    if isinstance(value, str):
        return f"`{value if len(value) <= 60 else value[:57] + '…'}`" if value.isprintable() else f"`{value[:57]!r}`"
    if isinstance(value, int) and value.bit_length() > 200:
        return "a number with more than sixty digits"
    if isinstance(value, _SHORT):
        word = f"`{_JSON_WORDS.get(value, value) if isinstance(value, bool | None) else value}`"
        known = type(value) in _SHORT or isinstance(value, Enum)
        return word if known else f"{word}, which is a `{type(value).__module__}.{type(value).__qualname__}`"
    return _CONTAINERS.get(type(value), f"a {type(value).__name__}")


_SHORT = (bool, int, float, date, datetime, Enum, NoneType)
_JSON_WORDS = {None: "null", True: "true", False: "false"}
_CONTAINERS: dict[type, str] = {list: "a list", dict: "an object"}


def check_for(annotation: Any) -> Check:
    """The check an annotation asks for."""
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _limited(args[0], args[1])
    if origin in (Union, UnionType) and NoneType in args:
        [inner] = (arg for arg in args if arg is not NoneType)
        return _nullable(check_for(inner))
    if origin in (tuple, frozenset):
        return _collection(origin, args[0])
    return _EXACT.get(annotation) or _instance(annotation)


def _exact(kind: type, wanted: str) -> Check:
    def check(value: object) -> str | None:
        return None if type(value) is kind else f"must be {wanted}, not {shown(value)}"

    return check


def _instance(kind: type) -> Check:
    if issubclass(kind, Enum):
        choices = ", ".join(f"`{member}`" for member in kind)  # as Python has them; JSON is read elsewhere
        return _exact(kind, f"one of {choices}")
    return _exact(kind, f"a {kind.__name__}")


def _nullable(inner: Check) -> Check:
    def check(value: object) -> str | None:
        return None if value is None else inner(value)

    return check


def _collection(kind: type, item: Any) -> Check:
    inner = check_for(item)
    whole = _exact(kind, f"a {kind.__name__}")
    # Of these, any value is fine: a table of thousands of rows is then looked at without a call for each.
    fine = {item} if isinstance(item, type) and item not in _EXACT else set()

    def check(value: object) -> str | None:
        if problem := whole(value):
            return problem
        assert isinstance(value, tuple | frozenset)
        if fine.issuperset(map(type, value)):
            return None
        return next((problem for one in value if (problem := inner(one))), None)

    return check


def _text(value: object) -> str | None:
    if type(value) is not str:
        return f"must be text, not {shown(value)}"
    if not value.isascii() and _SURROGATE.search(value):
        return f"must be text that UTF-8 can write, not {shown(value)}"
    return None


def _moment(value: object) -> str | None:
    if type(value) is not datetime or value.utcoffset() is None:
        return f"must be an instant with a UTC offset, not {shown(value)}"
    return None


def _limited(base: type, limit: object) -> Check:
    match limit:
        case Between(low, high):
            return _between(base, low, high)
        case IdText(longest):
            return _id_text(longest)
        case ZoneName():
            return _zone_name
    raise TypeError(f"no check for {limit!r}")


def _between(base: type, low: int, high: int) -> Check:
    allowed = (int, float) if base is float else (int,)
    wanted = f"must be a {'number' if base is float else 'whole number'} from {low} to {high}"

    def check(value: object) -> str | None:
        fits = type(value) in allowed and isinstance(value, int | float) and low <= value <= high
        return None if fits else f"{wanted}, not {shown(value)}"

    return check


def _id_text(longest: int) -> Check:
    def check(value: object) -> str | None:
        if type(value) is not str:
            return f"must be text, not {shown(value)}"
        if not 0 < len(value) <= longest:
            return f"must have 1 to {longest} characters, not {len(value)}"
        # `isprintable` is the quick yes: no control character is printable, though some harmless ones are not either.
        if value.isprintable():
            return None
        return f"must not hold control characters: {shown(value)}" if _CONTROL.search(value) else _text(value)

    return check


def _zone_name(value: object) -> str | None:
    if problem := _text(value):
        return problem
    assert isinstance(value, str)
    try:
        zone(value)
    except InvalidValue as error:
        return f"{error.problem}, not {shown(value)}"
    return None


_EXACT: dict[Any, Check] = {
    bool: _exact(bool, "true or false"),
    str: _text,
    date: _exact(date, "a date, year-month-day"),
    datetime: _moment,
}
