"""JSON in and out: strict in, canonical out.

A document is refused with every problem at once, each with its path. Nothing is coerced, and nothing is dropped.
A sound document is read by a quick converter; one that trips it is read again by a thorough one, which collects the
problems. Both are made here, from the same annotations.
"""

import json
import re
from collections.abc import Callable, Iterator
from datetime import date, datetime
from difflib import get_close_matches
from enum import Enum
from functools import lru_cache
from typing import Any, TypeVar, cast, get_args

from attrs import fields, frozen, has
from cattrs import ClassValidationError, Converter, IterableValidationError
from cattrs.errors import ForbiddenExtraKeysError
from cattrs.gen import make_dict_structure_fn, override

from enrolpolicy.canonical import TABLES, canonical
from enrolpolicy.constraints import check_for, shown
from enrolpolicy.errors import InvalidSnapshot, InvalidValue, Problem
from enrolpolicy.explanation import Explanation
from enrolpolicy.model import Snapshot, repeated_ids
from enrolpolicy.plans import FORMAT_VERSION, Action, Cancel, Counts, Deferred, Enrol, Finding, Invite, Plan

MOST_PROBLEMS = 1000

Json = dict[str, Any]
_T = TypeVar("_T")


def load(text: str | bytes) -> Snapshot:
    """Read a snapshot from JSON; raises `InvalidSnapshot` with every problem and its path."""
    return _decoded(text, Snapshot, TABLES)


def load_plan(text: str | bytes) -> Plan:
    """Read a plan from JSON, as `dump` wrote it; raises `InvalidSnapshot` with every problem and its path."""
    document = _decoded(text, PlanDocument, ())
    return Plan(
        account=document.account,
        on=document.on,
        actions=document.actions,
        deferred=document.deferred,
        findings=document.findings,
        guards=document.guards,
        counts=document.counts,
        policy_version=document.policy_version,
        format_version=document.format_version,
        source=document.snapshot,
    )


def dump(value: Snapshot | Plan | Explanation) -> str:
    """Write a snapshot, a plan or an explanation as JSON: the same bytes for equal values, one newline at the end.

    An explanation takes one line; the others one line for each row.
    """
    if isinstance(value, Explanation):
        return _line(_explanation(value)) + "\n"
    if isinstance(value, Plan):
        return _page(_plan(value))
    plain = _quick(True).unstructure(canonical(value))
    return _page({"format_version": FORMAT_VERSION, **plain})


# Out


def _line(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _page(document: Json) -> str:
    """One line for each key of the document, and for each row of its lists."""
    entries = (f"{_line(key)}: {_rows(value) if isinstance(value, list | tuple) else _line(value)}" for key, value in document.items())
    return "{" + ",\n ".join(entries) + "}\n"


def _rows(rows: list[Any] | tuple[Any, ...]) -> str:
    if not rows or not isinstance(rows[0], dict):
        return _line(rows)
    return "[\n  " + ",\n  ".join(map(_line, rows)) + "]"


_ACTIONS: dict[str, type] = {"enrol": Enrol, "cancel": Cancel, "invite": Invite}
_ACTION_NAMES = {kind: name for name, kind in _ACTIONS.items()}


def _plan(plan: Plan) -> Json:
    plain = _quick(True).unstructure
    return {
        "format_version": plan.format_version,
        "account": plan.account,
        "on": plan.on.isoformat(),
        "snapshot": plan.snapshot,
        "policy_version": plan.policy_version,
        "applyable": plan.applyable,
        "guards": list(plan.guards),
        "actions": [{"type": _ACTION_NAMES[type(action)], **plain(action)} for action in plan.actions],
        "deferred": [plain(row) for row in plan.deferred],
        "findings": [plain(row) for row in plan.findings],
        "counts": _counts(plan.counts),
    }


def _counts(counts: Counts) -> Json:
    return {
        "enrol": counts.enrol,
        "cancel": counts.cancel,
        "invite": counts.invite,
        "deferred": counts.deferred,
        "not-enrolled": dict(counts.not_enrolled),
    }


def _explanation(explanation: Explanation) -> Json:
    plain: Json = _quick(True).unstructure(explanation)
    waits = explanation.deferred
    return {**plain, "deferred": waits.because if waits else None}


# In: the document


@frozen(kw_only=True)
class PlanDocument:
    """A plan as it stands in JSON; `enrolpolicy.schemas` describes it, `load_plan` reads it."""

    format_version: str
    account: str
    on: date
    snapshot: str
    policy_version: str
    applyable: bool
    guards: tuple[str, ...]
    actions: tuple[Action, ...]
    deferred: tuple[Deferred, ...]
    findings: tuple[Finding, ...]
    counts: Counts


def _decoded(text: str | bytes, kind: type[_T], tables: tuple[str, ...]) -> _T:
    document, problems = _parsed(text)
    strict = _version_known(document, problems)
    content = document if kind is PlanDocument else {k: v for k, v in document.items() if k != "format_version"}
    if not problems:
        try:
            return cast(_T, _quick(strict).structure(content, kind))
        except Exception:  # noqa: BLE001 - whatever tripped it, the thorough converter names it
            pass
    try:
        value = cast(_T, _thorough(strict).structure(content, kind))
    except Exception as error:  # noqa: BLE001 - cattrs groups whatever its hooks raise
        problems += _problems(error, "$")
    else:
        if not problems:
            return value
    problems += [problem for table in tables for problem in repeated_ids(table, _raw_ids(document.get(table)))]
    unique = sorted(set(problems), key=_place)
    raise InvalidSnapshot(tuple(unique[:MOST_PROBLEMS]), max(0, len(unique) - MOST_PROBLEMS))


def _parsed(text: str | bytes) -> tuple[Json, list[Problem]]:
    """The document, and the keys it repeats; raises where it is no JSON object at all."""
    repeated: list[Json] = []

    def pairs(items: list[tuple[str, Any]]) -> Json:
        found = dict(items)
        if len(found) != len(items):
            repeated.append(found)
            seen: set[str] = set()
            found[_REPEATED] = sorted({key for key, _ in items if key in seen or seen.add(key)})  # type: ignore[func-returns-value]
        return found

    try:
        decoded = text.decode("utf-8-sig") if isinstance(text, bytes) else text
        document = json.loads(decoded, object_pairs_hook=pairs, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise _refused("not-utf-8", f"byte {error.start} is not UTF-8; save the document as UTF-8") from None
    except json.JSONDecodeError as error:
        message = f"not JSON: {error.msg[0].lower()}{error.msg[1:]} at line {error.lineno}, column {error.colno}"
        raise _refused("not-json", f"{message}; check the document's end and its commas") from None
    except RecursionError:
        raise _refused("too-deep", "nested too deeply to be a snapshot or a plan; check what wrote it") from None
    except _Unfit as error:
        raise _refused("not-a-number", str(error)) from None
    except ValueError:
        raise _refused("not-a-number", "a number has thousands of digits; check what wrote the document") from None
    if not isinstance(document, dict):
        raise _refused("not-an-object", f"must be an object with `format_version` and `account`, not {shown(document)}")
    problems = list(_repeated_keys(document, "$")) if repeated else []
    return document, problems


# A key that no document can hold: a lone surrogate would have to be escaped, and is refused as a key.
_REPEATED = "\udfff repeated"


def _no_constant(word: str) -> float:
    raise _Unfit(f"`{word}` is not a number JSON has; write null, or the number that is meant")


def _refused(code: str, message: str) -> InvalidSnapshot:
    return InvalidSnapshot((Problem(path="$", code=code, message=message),))


def _repeated_keys(value: Any, path: str) -> Iterator[Problem]:
    if isinstance(value, dict):
        for key in value.pop(_REPEATED, ()):
            message = "the key stands here more than once; keep the one that is meant"
            yield Problem(path=_step(path, key), code="repeated-key", message=message)
        for key, inner in value.items():
            yield from _repeated_keys(inner, _step(path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _repeated_keys(inner, f"{path}[{index}]")


def _version_known(document: Json, problems: list[Problem]) -> bool:
    """Check `format_version`; whether the document must hold no key but ours (a newer minor version may)."""
    version = document.get("format_version")
    if "format_version" not in document:
        problems.append(Problem(path="$.format_version", code="missing", message=f'is missing; write "{FORMAT_VERSION}"'))
        return True
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        message = f'must be text like "{FORMAT_VERSION}", not {shown(version)}'
        problems.append(Problem(path="$.format_version", code="invalid", message=message))
        return True
    major, minor = version.split(".")
    ours, known = FORMAT_VERSION.split(".")
    if major != ours:
        message = f"version `{shown(version).strip('`')}` is not one this release reads; write \"{FORMAT_VERSION}\", or use a release that does"
        problems.append(Problem(path="$.format_version", code="unknown-version", message=message))
    return len(minor) <= len(known) and int(minor) <= int(known)


_VERSION = re.compile(r"(?:0|[1-9][0-9]{0,8})\.(?:0|[1-9][0-9]{0,8})")


def _raw_ids(rows: Any) -> Iterator[object]:
    for index, row in enumerate(rows if isinstance(rows, list) else ()):
        id = row.get("id") if isinstance(row, dict) else None
        yield id if isinstance(id, str) else ("no id", index)


# In: values


class _Unfit(Exception):
    """A JSON value that cannot be what its place asks for."""


_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
)


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
        kind = _ACTIONS.get(tag) if type(tag) is str else None
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


# In: converters


@lru_cache(maxsize=4)
def _quick(strict: bool) -> Converter:
    return _converter(strict, thorough=False)


@lru_cache(maxsize=4)
def _thorough(strict: bool) -> Converter:
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
    items = list[get_args(kind)[0]]  # type: ignore[misc]
    inner = converter.get_structure_hook(items)

    def structure(value: Any, _: object) -> Any:
        if type(value) is not list:
            raise _Unfit(f"must be a list, not {shown(value)}")
        return collect(inner(value, items))

    return structure


def _object_hook(converter: Converter, kind: type, strict: bool, thorough: bool) -> Callable[[Any, object], Any]:
    hooks = {field.name: override(struct_hook=_field_hook(converter, field.type)) for field in fields(kind)}
    inner = make_dict_structure_fn(
        kind,
        converter,
        _cattrs_forbid_extra_keys=strict,
        _cattrs_detailed_validation=thorough,
        **(hooks if thorough else {}),
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


_CHECKED_INSIDE = (tuple[Action, ...],)


# Problems


def _problems(error: BaseException, path: str) -> list[Problem]:
    """The problems in an exception cattrs raised, with where they stand."""
    if isinstance(error, ClassValidationError):
        noted, rest = error.group_exceptions()
        found = [problem for inner, note in noted for problem in _problems(_missing(inner), f"{path}.{note.name}")]
        return found + [problem for inner in rest for problem in _problems(inner, path)]
    if isinstance(error, IterableValidationError):
        noted_items, _ = error.group_exceptions()
        return [problem for inner, note in noted_items for problem in _problems(inner, f"{path}[{note.index}]")]
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
    return Problem(path=_step(path, key), code="unknown-key", message=f"is not a key here; {advice}")


def _step(path: str, key: str) -> str:
    return f"{path}.{key}" if key.isidentifier() else f"{path}[{json.dumps(key[:80])}]"


def _place(problem: Problem) -> tuple[list[tuple[bool, int, str]], str]:
    """Where a problem stands, so that row 10 comes after row 9."""
    parts = re.findall(r"[0-9]+|[^0-9]+", problem.path)
    return [(part.isdigit(), int(part[:18]) if part.isdigit() else 0, part) for part in parts], problem.message
