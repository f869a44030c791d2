"""Values of the model as SQLite keeps them: a column for each field, and the value again.

Text, numbers and bytes are kept as they are, dates and instants as ISO text with their offsets, words of a list as
themselves, and what holds other values as JSON. The columns follow from the fields' annotations; what is read is
checked like anything else that is built.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from enum import Enum
from functools import lru_cache, partial
from operator import attrgetter
from types import NoneType, UnionType
from typing import Annotated, Any, Generic, TypeVar, Union, final, get_args, get_origin

from attrs import fields, frozen

from enrolpolicy.structuring import quick

T = TypeVar("T")
Column = str | int | float | bytes | None
Convert = Callable[[Any], Any]
"""From a field to its column, or back; never called with None."""


@final
@frozen
class Shape(Generic[T]):
    """How the values of one class are kept.

    `names` are the fields, in order; `converts` holds what each is written and read with, None where it is kept as it
    is.
    """

    kind: type[T]
    names: tuple[str, ...]
    converts: tuple[tuple[Convert | None, Convert | None], ...]

    @property
    def columns(self) -> str:
        """The columns, for a statement."""
        return ", ".join(f'"{name}"' for name in self.names)

    @property
    def excluded(self) -> str:
        """The columns of a row that was not inserted, because it is there."""
        return ", ".join(f'excluded."{name}"' for name in self.names)

    @property
    def marks(self) -> str:
        """As many question marks."""
        return ", ".join("?" * len(self.names))

    def write(self, value: T) -> tuple[Column, ...]:
        """A value as its columns."""
        found: tuple[Any, ...] = attrgetter(*self.names)(value)
        return tuple(
            [
                one if one is None or write is None else write(one)
                for one, (write, _) in zip(found, self.converts, strict=True)
            ]
        )

    def read(self, rows: Iterable[Sequence[Any]]) -> list[T]:
        """The values of rows of columns; raises `ValueError`, `LookupError` or `TypeError` for what cannot be one."""
        columns = zip(*rows, strict=True)
        converted = [
            column if read is None else [one if one is None else read(one) for one in column]
            for column, (_, read) in zip(columns, self.converts, strict=False)
        ]
        names, kind = self.names, self.kind
        return [kind(**dict(zip(names, row, strict=True))) for row in zip(*converted, strict=True)]


def shape(kind: type[T]) -> Shape[T]:
    """The shape of an attrs class."""
    plain: Any = kind
    found = fields(plain)
    return Shape(kind, tuple(field.name for field in found), tuple(_converts(field.type) for field in found))


def _converts(annotation: Any) -> tuple[Convert | None, Convert | None]:
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _converts(args[0])
    if origin in (Union, UnionType) and NoneType in args:
        [inner] = (arg for arg in args if arg is not NoneType)
        return _converts(inner)
    if annotation in _SIMPLE:
        return _SIMPLE[annotation]
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return attrgetter("value"), {member.value: member for member in annotation}.__getitem__
    return partial(_as_json, annotation), lru_cache(maxsize=4096)(partial(_from_json, annotation))


def _as_json(kind: Any, value: object) -> str:
    return json.dumps(quick(True).unstructure(value, unstructure_as=kind), ensure_ascii=False)


def _from_json(kind: Any, text: str) -> object:
    try:
        return quick(True).structure(json.loads(text), kind)
    except Exception as error:  # cattrs raises what its hooks do
        raise ValueError("not what the column should hold") from error


_SIMPLE: dict[Any, tuple[Convert | None, Convert | None]] = {
    str: (None, None),
    int: (None, None),
    float: (None, None),
    bytes: (None, None),
    bool: (None, bool),
    date: (date.isoformat, lru_cache(maxsize=65536)(date.fromisoformat)),
    datetime: (datetime.isoformat, datetime.fromisoformat),
}
