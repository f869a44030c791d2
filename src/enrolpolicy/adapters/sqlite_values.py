"""Values of the model as SQLite keeps them: a column for each field, and the value again.

Text, numbers and bytes are kept as they are, dates and instants as ISO text with their offsets, words of a list as
themselves, and what holds other values as JSON. The columns follow from the fields' annotations; what is read is
checked like anything else that is built.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
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
    """How the values of one class are kept: `names` are its fields, `columns` and `marks` stand in statements.

    `_writes` and `_reads` convert those fields that are not kept as they are.
    """

    names: tuple[str, ...]
    columns: str
    marks: str
    _kind: type[T]
    _fields: Callable[[T], tuple[Any, ...]]
    _writes: dict[str, Convert]
    _reads: dict[str, Convert]

    def write(self, value: T) -> tuple[Column, ...]:
        """A value as its columns."""
        return tuple(_converted(dict(zip(self.names, self._fields(value), strict=True)), self._writes).values())

    def changed(self, before: T, after: T) -> dict[str, Column]:
        """The columns in which a value differs from the one it was made of."""
        found = zip(self.names, self._fields(before), self._fields(after), strict=True)
        news = {name: new for name, old, new in found if new is not old}
        return _converted(news, {name: self._writes[name] for name in news if name in self._writes})

    def read(self, rows: Iterable[Sequence[Any]]) -> list[T]:
        """The values of rows of columns; raises `ValueError`, `LookupError` or `TypeError` for what cannot be one."""
        names, kind = self.names, self._kind
        columns = dict(zip(names, zip(*rows, strict=True), strict=False))  # none at all where there are no rows
        for name in columns.keys() & self._reads.keys():
            read = self._reads[name]
            columns[name] = tuple([one if one is None else read(one) for one in columns[name]])
        return [kind(**dict(zip(names, row, strict=True))) for row in zip(*columns.values(), strict=True)]


def shape(kind: type[T]) -> Shape[T]:
    """The shape of an attrs class."""
    plain: Any = kind
    converts = {field.name: _converts(field.type) for field in fields(plain)}
    columns, marks = ", ".join(f'"{name}"' for name in converts), ", ".join("?" * len(converts))
    writes = {name: write for name, (write, _) in converts.items() if write is not None}
    reads = {name: read for name, (_, read) in converts.items() if read is not None}
    return Shape(tuple(converts), columns, marks, kind, attrgetter(*converts), writes, reads)


def _converted(values: dict[str, Any], converts: Mapping[str, Convert]) -> dict[str, Any]:
    for name, convert in converts.items():
        if values[name] is not None:
            values[name] = convert(values[name])
    return values


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
        return attrgetter("_value_"), {member.value: member for member in annotation}.__getitem__
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
