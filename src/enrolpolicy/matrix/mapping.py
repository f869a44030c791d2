"""What a firm says about its matrix: which column is which, what the courses are, whom they are for.

Everything has a default, and the defaults claim nothing: a course of which nothing was said is never enrolled. Heads
are named as they stand in the sheet; neither case nor punctuation matters.
"""

import tomllib
from datetime import date
from enum import Enum
from typing import Annotated, Any, final

from attrs import Factory, frozen

from enrolpolicy.constraints import Between, Days, Id, checked
from enrolpolicy.errors import InvalidSnapshot, InvalidValue, Problem
from enrolpolicy.matrix.day import Order
from enrolpolicy.matrix.words import Kind
from enrolpolicy.model import Account, Audience, Delivery, Scope, Validity
from enrolpolicy.structuring import problems_in, thorough


@final
class Asked(Enum):
    """Of whom training is asked.

    `roles`: as the mapping's roles say, and of nobody else. `recorded`: also of everybody who has a date. `unless-na`:
    also of everybody whose cell does not say `N/A`.
    """

    ROLES = "roles"
    RECORDED = "recorded"
    UNLESS_NA = "unless-na"


@final
@frozen(kw_only=True, field_transformer=checked)
class Columns:
    """The heads of the columns that say who a row is about; None: found by their usual names."""

    name: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    roles: str | None = None
    employment: str | None = None
    division: str | None = None
    id: str | None = None


@final
@frozen(kw_only=True, field_transformer=checked)
class MappedCourse:
    """What a course is. `header` is its head, or the part of it beside words such as `expiry`.

    `completed` and `expires` name columns of other heads; `cells` says what the dates under `header` are. The rest is
    what `enrolpolicy.Course` says; a `delivery` that is left out is taken for `other`, which is never enrolled.
    """

    header: str
    completed: str | None = None
    expires: str | None = None
    cells: Kind | None = None
    id: Id | None = None
    name: str | None = None
    delivery: Delivery | None = None
    auto_enrol: bool = False
    audience: Audience = Audience.EMPLOYEES
    scope: Scope = Scope.REQUIRED
    lead_days: Days | None = None
    validity: Validity | None = None
    credit_cost: Annotated[int, Between(0, 10**6)] = 1


@final
@frozen(kw_only=True, field_transformer=checked)
class MappedRole:
    """What a role asks for: courses, by head or id. `name` is what stands in the roles column."""

    name: str
    id: Id | None = None
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()


@final
@frozen(kw_only=True, field_transformer=checked)
class Words:
    """Words of this matrix that mean something, beside those that mean the same to everybody."""

    nothing: tuple[str, ...] = ()
    not_asked: tuple[str, ...] = ()
    never_expires: tuple[str, ...] = ()
    employee: tuple[str, ...] = ()
    subcontractor: tuple[str, ...] = ()


@final
@frozen(kw_only=True, field_transformer=checked)
class Mapping:
    """All that is said about a matrix.

    `sheet` is a worksheet's name; `header_row` the row of the heads, counted from 1; `dates` how dates are written
    (None: as the sheet's own dates settle it); `short_years` what is added to years of two digits, 1900 or 2000;
    `cells` what dates are where their column does not say it; `ignore` heads of columns that are none of courses.
    """

    sheet: str | None = None
    header_row: Annotated[int, Between(1, 1000)] | None = None
    dates: Order | None = None
    short_years: int | None = None
    cells: Kind | None = None
    asked: Asked = Asked.ROLES
    role_separator: str = ";"
    ignore: tuple[str, ...] = ()
    columns: Columns = Factory(Columns)
    words: Words = Factory(Words)
    account: Account | None = None
    courses: tuple[MappedCourse, ...] = ()
    roles: tuple[MappedRole, ...] = ()

    def __attrs_post_init__(self) -> None:
        if self.short_years not in (None, 1900, 2000):
            raise InvalidValue("short_years", f"must be 1900 or 2000, not `{self.short_years}`")
        if not self.role_separator:
            raise InvalidValue("role_separator", "must be the text between two roles of a cell, such as `;`")


def load_mapping(text: str | bytes) -> Mapping:
    """Read a mapping from TOML; raises `InvalidSnapshot` with every problem and its path."""
    try:
        decoded = text.decode("utf-8-sig") if isinstance(text, bytes) else text
        document = tomllib.loads(decoded)
    except UnicodeDecodeError as error:
        raise _refused("not-utf-8", f"byte {error.start} is not UTF-8; save the mapping as UTF-8") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise _refused("not-toml", f"the mapping is not TOML: {str(error)[:200] or 'nested too deeply'}") from None
    try:
        return thorough(True).structure(_plain(document), Mapping)
    except Exception as error:  # noqa: BLE001 - cattrs groups whatever its hooks raise
        raise InvalidSnapshot(tuple(problems_in(error, "$")[:1000])) from None


def _plain(value: Any) -> Any:
    """TOML's own dates as JSON writes them, which is what values are structured from."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value.isoformat() if isinstance(value, date) else value


def _refused(code: str, message: str) -> InvalidSnapshot:
    return InvalidSnapshot((Problem(path="$", code=code, message=message),))
