"""The register's tables as columns: what each is called, what it holds, and a whole estate of accounts made of them.

`SHAPES` is the one description of every table, worked out from the classes of `enrolpolicy.model`: names, kinds,
limits, whether there may be none, and what stands in when a column is missing. What reads and writes files goes by it,
and so does `estate_of`; there is no code for a single column anywhere.

In memory a column is one array (`DTYPES`), or a sequence of texts. Days are counted from 1970-01-01, instants in
microseconds from its midnight in UTC; `NONE` and `NO_INSTANT` stand for None. A choice is its place among the members
of its Enum (`NO_CHOICE`: None), a set of choices has a bit for each. A reference is the row of what is referred to.
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Protocol, Union, cast, final, get_args, get_origin

import numpy as np
from attrs import NOTHING, Attribute, field, fields, frozen
from numpy.typing import NDArray

from enrolpolicy.constraints import Between, Check, Id, IdText, check_for
from enrolpolicy.model import (
    Account,
    Assignment,
    Course,
    Enrolment,
    Guards,
    HeldRole,
    OptOut,
    Person,
    Role,
    RoleCourse,
    TrainingRecord,
    Validity,
)

Ints = NDArray[np.int32]
Flags = NDArray[np.bool_]
Choices = NDArray[np.uint8]
Instants = NDArray[np.int64]
Fractions = NDArray[np.float64]


class Texts(Protocol):
    """Texts by their place: a list, a tuple, or what reads them from elsewhere when they are asked for."""

    def __len__(self) -> int: ...
    def __getitem__(self, index: int, /) -> str | None: ...
    def __iter__(self) -> Iterator[str | None]: ...


class Ids(Protocol):
    """The same, none of which is None."""

    def __len__(self) -> int: ...
    def __getitem__(self, index: int, /) -> str: ...
    def __iter__(self) -> Iterator[str]: ...


Values = Ints | Flags | Choices | Instants | Fractions | NDArray[np.uint32] | Texts

NONE = int(np.iinfo(np.int32).min)
"""No number, or no day."""
NO_INSTANT = int(np.iinfo(np.int64).min)
NO_CHOICE = 255
UNKNOWN = -1
"""A reference to what is not there."""


@final
class Kind(Enum):
    """What a column holds."""

    ID = "id"
    TEXT = "text"
    FLAG = "flag"
    NUMBER = "number"
    FRACTION = "fraction"
    DATE = "date"
    INSTANT = "instant"
    CHOICE = "choice"
    CHOICES = "choices"
    REFERENCE = "reference"


DTYPES: Mapping[Kind, type[np.generic]] = {
    Kind.FLAG: np.bool_,
    Kind.NUMBER: np.int32,
    Kind.FRACTION: np.float64,
    Kind.DATE: np.int32,
    Kind.INSTANT: np.int64,
    Kind.CHOICE: np.uint8,
    Kind.CHOICES: np.int32,
    Kind.REFERENCE: np.int32,
}
"""What a column is made of; ids and texts are sequences of text."""

ABSENT: Mapping[Kind, float] = {
    Kind.NUMBER: NONE,
    Kind.FRACTION: float("nan"),
    Kind.DATE: NONE,
    Kind.INSTANT: NO_INSTANT,
    Kind.CHOICE: NO_CHOICE,
    Kind.REFERENCE: UNKNOWN,
}
"""What stands for None."""


@final
@frozen(kw_only=True)
class Column:
    """One column. `choices` are those of a choice, `table` is what a reference refers to, `low` and `high` are limits.

    `check` is the model's own, of a single value that is not None. `default` is the value, as the model has it, of a
    column that is left out, which one that is `required` may not be.
    """

    name: str
    kind: Kind
    nullable: bool = False
    required: bool = True
    default: object = None
    choices: type[Enum] | None = None
    table: str | None = None
    low: int | None = None
    high: int | None = None
    check: Check = field(eq=False, repr=False)


@final
@frozen
class Shape:
    """One table: its name, and its columns in their order."""

    name: str
    columns: tuple[Column, ...]

    def column(self, name: str) -> Column:
        """The column of a name."""
        return next(column for column in self.columns if column.name == name)


# Worked out from the model

_REFERENCES = {"person": "personnel", "course": "courses", "role": "roles"}
_KINDS: dict[object, Kind] = {
    bool: Kind.FLAG,
    str: Kind.TEXT,
    int: Kind.NUMBER,
    float: Kind.FRACTION,
    date: Kind.DATE,
    datetime: Kind.INSTANT,
}


def _column(name: str, attribute: "Attribute[Any]", *, optional: bool) -> Column:
    annotation, nullable = _without_none(attribute.type)
    limits: dict[str, int] = {}
    kind, choices, table = Kind.TEXT, None, None
    if get_origin(annotation) is Annotated:
        base, limit = get_args(annotation)
        kind = _KINDS[base]
        if isinstance(limit, Between):
            limits = {"low": limit.low, "high": limit.high}
        elif isinstance(limit, IdText):
            table = _REFERENCES.get(attribute.name)
            kind = Kind.ID if table is None else Kind.REFERENCE
    elif get_origin(annotation) is frozenset:
        kind, choices = Kind.CHOICES, get_args(annotation)[0]
    elif annotation in _KINDS:
        kind = _KINDS[annotation]
    else:
        kind, choices = Kind.CHOICE, annotation
    return Column(
        name=name,
        kind=kind,
        nullable=nullable or optional,
        required=attribute.default is NOTHING and not optional,
        default=None if optional or attribute.default is NOTHING else attribute.default,
        choices=choices,
        table=table,
        check=check_for(annotation),
        **limits,
    )


def _without_none(annotation: Any) -> tuple[Any, bool]:
    if get_origin(annotation) in (Union, UnionType) and NoneType in get_args(annotation):
        [inner] = (arg for arg in get_args(annotation) if arg is not NoneType)
        return inner, True
    return annotation, False


# A field that is a value itself stands as that value's fields: their class, prefix, and whether there may be none.
_FLATTENED: dict[str, tuple[type, str, bool]] = {
    "guards": (Guards, "", False),
    "validity": (Validity, "validity_", True),
}
_TABLES_OF_THEIR_OWN = {"requirements", "roles"}


def _columns(kind: type) -> Iterator[Column]:
    for attribute in fields(kind):
        if attribute.name in _FLATTENED:
            inner, prefix, optional = _FLATTENED[attribute.name]
            for part in fields(inner):
                yield _column(prefix + part.name, part, optional=optional)
        elif attribute.name not in _TABLES_OF_THEIR_OWN:
            yield _column(attribute.name, attribute, optional=False)


def _shape(name: str, kind: type, *outer: str) -> Shape:
    """A table of rows of a class, which name the account they are of, and what else they stand inside."""
    outside = [_outer(one) for one in outer]
    return Shape(name, (*outside, *_columns(kind)))


def _outer(name: str) -> Column:
    return Column(name=name, kind=Kind.REFERENCE, table=_REFERENCES.get(name, "accounts"), check=check_for(Id))


def _accounts() -> Shape:
    id, *rest = _columns(Account)
    return Shape("accounts", (Column(name="account", kind=id.kind, check=id.check), *rest))


SHAPES: Mapping[str, Shape] = {
    shape.name: shape
    for shape in (
        _accounts(),
        _shape("courses", Course, "account"),
        _shape("roles", Role, "account"),
        _shape("requirements", RoleCourse, "account", "role"),
        _shape("personnel", Person, "account"),
        _shape("held_roles", HeldRole, "account", "person"),
        _shape("assignments", Assignment, "account"),
        _shape("records", TrainingRecord, "account"),
        _shape("enrolments", Enrolment, "account"),
        _shape("opt_outs", OptOut, "account"),
    )
}
"""Every table, those that are referred to before those that refer to them."""


@final
@frozen(eq=False)
class Table:
    """Some rows, by columns of one length."""

    rows: int
    columns: Mapping[str, Values] = field(repr=False)

    def __len__(self) -> int:
        return self.rows

    def ints(self, name: str) -> Ints:
        """A column of numbers, days, references or sets of choices."""
        return cast("Ints", self.columns[name])

    def flags(self, name: str) -> Flags:
        """A column of truths."""
        return cast("Flags", self.columns[name])

    def choices(self, name: str) -> Choices:
        """A column of choices."""
        return cast("Choices", self.columns[name])

    def instants(self, name: str) -> Instants:
        """A column of instants."""
        return cast("Instants", self.columns[name])

    def fractions(self, name: str) -> Fractions:
        """A column of fractions."""
        return cast("Fractions", self.columns[name])

    def texts(self, name: str) -> Texts:
        """A column of ids or texts, and in a table of strays what a reference was meant to refer to."""
        return cast("Texts", self.columns[name])

    def ids(self, name: str = "id") -> Ids:
        """A column of ids."""
        return cast("Ids", self.columns[name])


@final
@frozen(eq=False, kw_only=True)
class Estate:
    """Accounts by ascending id, and their rows.

    Rows stand by account, those of a person (`OF_PERSON`) by person, requirements by role; those with an id then by id,
    so comparing rows is comparing ids. What refers to somebody or something unknown is in `strays`, by table, where
    references are texts, all but `account`; such a row is noticed, and otherwise ignored (rule 7). Beside what `SHAPES`
    lists, `personnel` has `reachable`; `enrolments` have `cycle_on` and `requested`, see `enrolpolicy.bulk.assembly`.
    """

    accounts: Table
    courses: Table
    roles: Table
    requirements: Table
    personnel: Table
    held_roles: Table
    assignments: Table
    records: Table
    enrolments: Table
    opt_outs: Table
    strays: Mapping[str, Table]


OF_PERSON = ("held_roles", "assignments", "records", "enrolments", "opt_outs")
"""The tables whose rows are a person's."""
