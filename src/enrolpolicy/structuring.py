"""JSON values to the model and back, through cattrs: strictly, from the annotations that check the values.

There are two converters of each kind. The quick one stops at the first thing that does not fit; the thorough one, which
a document that tripped the quick one is read with again, collects them all, with their paths.
"""

import re
from collections.abc import Callable
from datetime import date, datetime
from difflib import get_close_matches
from enum import Enum
from functools import lru_cache
from types import GenericAlias
from typing import Any, get_args

from attrs import fields, has
from cattrs import ClassValidationError, Converter, IterableValidationError
from cattrs.errors import ForbiddenExtraKeysError
from cattrs.gen import make_dict_structure_fn, override

from enrolpolicy.canonical import plain
from enrolpolicy.constraints import check_for, shown
from enrolpolicy.errors import InvalidSnapshot, InvalidValue, Problem
from enrolpolicy.parsing import Json, step
from enrolpolicy.plans import Action, Cancel, Counts, Enrol, Invite

ACTIONS: dict[str, type] = {"enrol": Enrol, "cancel": Cancel, "invite": Invite}
"""The actions of a plan by the `type` that tells them apart in JSON."""


@lru_cache(maxsize=4)
def quick(strict: bool) -> Converter:
    """The converter for sound documents; `strict` refuses keys it does not know."""
    return _converter(strict, thorough=False)


@lru_cache(maxsize=4)
def thorough(strict: bool) -> Converter:
    """The converter for documents with something wrong in them."""
    return _converter(strict, thorough=True)


def _converter(strict: bool, *, thorough: bool) -> Converter:
    converter = Converter(detailed_validation=thorough, forbid_extra_keys=strict)
    for kind in (str, int, float, bool):
        converter.register_structure_hook(kind, _as_it_is)
    converter.register_structure_hook(date, _date)
    converter.register_structure_hook(datetime, _instant)
    converter.register_structure_hook(Counts, _counts_of)
    converter.register_structure_hook_func(lambda kind: kind == Action, _action(converter))
    converter.register_structure_hook_factory(_is_enum, _enum_hook)
    converter.register_structure_hook_factory(_is_collection, lambda kind: _collection_hook(converter, kind))
    converter.register_structure_hook_factory(has, lambda kind: _object_hook(converter, kind, strict, thorough))
    converter.register_unstructure_hook(date, date.isoformat)
    converter.register_unstructure_hook(datetime, datetime.isoformat)
    converter.register_unstructure_hook(float, plain)
    converter.register_unstructure_hook_func(_is_set, lambda value: sorted(item.value for item in value))
    return converter


def _is_enum(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Enum)


def _is_collection(kind: Any) -> bool:
    return getattr(kind, "__origin__", None) in (tuple, frozenset)


def _is_set(kind: Any) -> bool:
    return kind is frozenset or getattr(kind, "__origin__", None) is frozenset


def _collection_hook(converter: Converter, kind: Any) -> Callable[[Any, object], Any]:
    collect = kind.__origin__
    items: Any = GenericAlias(list, get_args(kind)[:1])
    inner: Callable[[Any, Any], Any] = converter.get_structure_hook(items)

    def structure(value: Any, _: object) -> Any:
        if type(value) is not list:
            raise _Unfit(f"must be a list, not {shown(value)}")
        return collect(inner(value, items))

    return structure


def _object_hook(converter: Converter, kind: type, strict: bool, thorough: bool) -> Callable[[Any, object], Any]:
    hooks: Json = {}
    if thorough:
        hooks = {field.name: override(struct_hook=_field_hook(converter, field.type)) for field in fields(kind)}
    inner: Callable[[Any, Any], Any] = make_dict_structure_fn(
        kind,
        converter,
        _cattrs_forbid_extra_keys=strict,
        _cattrs_detailed_validation=thorough,
        **hooks,
    )

    def structure(value: Any, _: object) -> Any:
        if type(value) is not dict:
            raise _Unfit(f"must be an object, not {shown(value)}")
        return inner(value, kind)

    return structure


def _field_hook(converter: Converter, annotation: Any) -> Callable[[Any, object], Any]:
    """Structure one field, and check it there, so that each field of an object can have its own problem."""
    check = None if annotation in _CHECKED_INSIDE else check_for(annotation)

    def structure(value: Any, _: object) -> Any:
        found = converter.structure(value, annotation)
        problem = check(found) if check else None
        if problem is not None:
            raise _Unfit(problem)
        return found

    return structure


def structured(value: Any, annotation: Any, path: str) -> tuple[Any, list[Problem]]:
    """One JSON value as what its annotation asks for, or what is wrong with it at its path."""
    try:
        return _field_hook(thorough(True), annotation)(value, None), []
    except Exception as error:  # noqa: BLE001 - cattrs groups whatever its hooks raise
        return None, problems_in(error, path)


_CHECKED_INSIDE = (tuple[Action, ...],)


# Values


class _Unfit(Exception):
    """A JSON value that cannot be what its place asks for."""


_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
INSTANT = (
    "[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\\.[0-9]+)?"
    "(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
)
"""How an instant is written (RFC 3339), as a regular expression that JSON Schema has, too."""
_INSTANT = re.compile(INSTANT)


@lru_cache(maxsize=65536)
def _date_of(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        return None


def _date(value: Any, _: object) -> date:
    found = _date_of(value) if type(value) is str else None
    if found is None:
        raise _Unfit(f"must be a date that exists, written YYYY-MM-DD, not {shown(value)}")
    return found


def _instant(value: Any, _: object) -> datetime:
    if type(value) is str and _INSTANT.fullmatch(value):
        try:
            return datetime.fromisoformat(value.upper())
        except ValueError:
            pass
    raise _Unfit(f"must be an instant with an offset, like `2026-11-23T00:00:00+00:00`, not {shown(value)}")


def _as_it_is(value: Any, _: object) -> Any:
    return value


def _enum_hook(kind: type[Enum]) -> Callable[[Any, object], Enum]:
    members = {member.value: member for member in kind}
    choices = ", ".join(f"`{name}`" for name in members)

    def structure(value: Any, _: object) -> Enum:
        member = members.get(value) if type(value) is str else None
        if member is None:
            raise _Unfit(f"must be one of {choices}, not {shown(value)}")
        return member

    return structure


def _action(converter: Converter) -> Callable[[Any, object], Any]:
    def structure(value: Any, _: object) -> Any:
        if type(value) is not dict:
            raise _Unfit(f"must be an object, not {shown(value)}")
        tag = value.get("type")
        kind = ACTIONS.get(tag) if type(tag) is str else None
        if kind is None:
            raise _Unfit(f"must have a `type` that is one of `enrol`, `cancel`, `invite`, not {shown(tag)}")
        return converter.structure({key: inner for key, inner in value.items() if key != "type"}, kind)

    return structure


def _counts_of(value: Any, _: object) -> Counts:
    names = ("enrol", "cancel", "invite", "deferred")
    whole = check_for(int)
    if type(value) is not dict or set(value) != {*names, "not-enrolled"} or type(value["not-enrolled"]) is not dict:
        raise _Unfit("must be an object with `enrol`, `cancel`, `invite`, `deferred` and `not-enrolled`")
    for count in (*(value[name] for name in names), *value["not-enrolled"].values()):
        if problem := whole(count):
            raise _Unfit(f"every count {problem}")
    return Counts(**{name: value[name] for name in names}, not_enrolled=tuple(value["not-enrolled"].items()))


# Problems


def problems_in(error: BaseException, path: str) -> list[Problem]:
    """The problems in an exception cattrs raised, with where they stand."""
    if isinstance(error, ClassValidationError):
        noted, rest = error.group_exceptions()
        found = [problem for inner, note in noted for problem in problems_in(_missing(inner), f"{path}.{note.name}")]
        return found + [problem for inner in rest for problem in problems_in(inner, path)]
    if isinstance(error, IterableValidationError):
        noted_items, _ = error.group_exceptions()
        return [problem for inner, note in noted_items for problem in problems_in(inner, f"{path}[{note.index}]")]
    if isinstance(error, ForbiddenExtraKeysError):
        return [_unknown_key(key, error.cl, path) for key in sorted(error.extra_fields)]
    if isinstance(error, InvalidSnapshot):
        return list(error.problems)
    if isinstance(error, InvalidValue):
        return [Problem(path=path, code="invalid", message=error.problem)]
    if isinstance(error, _Missing):
        return [Problem(path=path, code="missing", message="is missing, and has no default; add it")]
    if isinstance(error, RecursionError):
        return [Problem(path=path, code="too-deep", message="nested too deeply; check what wrote the document")]
    return [Problem(path=path, code="invalid", message=str(error))]


class _Missing(Exception):
    """A field without a default was left out."""


def _missing(error: BaseException) -> BaseException:
    return _Missing() if isinstance(error, KeyError) else error


def _unknown_key(key: str, kind: type, path: str) -> Problem:
    names = [field.name for field in fields(kind)]
    nearest = get_close_matches(key[:80], names, n=1)
    advice = f"did you mean `{nearest[0]}`?" if nearest else f"the keys are {', '.join(f'`{name}`' for name in names)}"
    return Problem(path=step(path, key), code="unknown-key", message=f"is not a key here; {advice}")
