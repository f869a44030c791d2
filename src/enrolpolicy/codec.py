"""JSON in and out: strict in, canonical out.

A document is refused with every problem at once, each with its path. Nothing is coerced, and nothing is dropped.
A sound document is read by a quick converter; one that trips it is read again by a thorough one, which collects the
problems. Both are made here, from the same annotations.
"""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import frozen

from enrolpolicy.canonical import TABLES, canonical
from enrolpolicy.errors import InvalidSnapshot, Problem
from enrolpolicy.explanation import Explanation
from enrolpolicy.model import Snapshot, repeated_ids
from enrolpolicy.parsing import MOST_PROBLEMS, Json, parsed, version_known
from enrolpolicy.plans import FORMAT_VERSION, Action, Counts, Deferred, Finding, Plan
from enrolpolicy.structuring import ACTIONS, problems_in, quick, thorough

if TYPE_CHECKING:
    from enrolpolicy.ahead.documents import Ahead

_T = TypeVar("_T")


def load(text: str | bytes) -> Snapshot:
    """Read a snapshot from JSON; raises `InvalidSnapshot` with every problem and its path."""
    return _decoded(text, Snapshot, TABLES)


def load_plan(text: str | bytes) -> Plan:
    """Read a plan from JSON, as `dump` wrote it; raises `InvalidSnapshot` with every problem and its path."""
    document = _decoded(text, PlanDocument, ())
    if document.applyable is bool(document.guards):
        message = "must be true exactly where `guards` is empty; plan anew"
        raise InvalidSnapshot((Problem(path="$.applyable", code="invalid", message=message),))
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


def dump(value: "Snapshot | Plan | Explanation | Ahead") -> str:
    """Write a value as JSON: the same bytes for equal values, one newline at the end.

    An explanation, a row of the course register and a remedy take one line; the others one line for each row.
    """
    if isinstance(value, Explanation):
        return _line(_explanation(value)) + "\n"
    if isinstance(value, Plan):
        return page(_plan(value))
    if not isinstance(value, Snapshot):
        return _ahead(value)
    plain = quick(True).unstructure(canonical(value))
    return page({"format_version": FORMAT_VERSION, **plain})


# Out


def _line(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _ahead(value: "Ahead") -> str:
    from enrolpolicy.ahead.documents import document, is_row  # noqa: PLC0415 - only some callers look ahead

    return _line(document(value)) + "\n" if is_row(value) else page(document(value))


def page(document: Json) -> str:
    """One line for each key of the document, and for each row of its lists."""
    entries = (
        f"{_line(key)}: {_rows(value) if isinstance(value, list | tuple) else _line(value)}"
        for key, value in document.items()
    )
    return "{" + ",\n ".join(entries) + "}\n"


def _rows(rows: list[Any] | tuple[Any, ...]) -> str:
    if not rows or not isinstance(rows[0], dict):
        return _line(rows)
    return "[\n  " + ",\n  ".join(map(_line, rows)) + "]"


_ACTION_NAMES = {kind: name for name, kind in ACTIONS.items()}


def _plan(plan: Plan) -> Json:
    plain = quick(True).unstructure
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
    plain: Json = quick(True).unstructure(explanation)
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
    document, problems = parsed(text)
    strict = version_known(document, problems)
    content = document if kind is PlanDocument else {k: v for k, v in document.items() if k != "format_version"}
    if not problems:
        with suppress(Exception):  # whatever trips the quick converter, the thorough one names it
            return quick(strict).structure(content, kind)
    try:
        value = thorough(strict).structure(content, kind)
    except Exception as error:  # noqa: BLE001 - cattrs groups whatever its hooks raise
        problems += problems_in(error, "$")
    else:
        if not problems:
            return value
    problems += [problem for table in tables for problem in repeated_ids(table, _raw_ids(document.get(table)))]
    unique = sorted(set(problems), key=_place)
    raise InvalidSnapshot(tuple(unique[:MOST_PROBLEMS]), max(0, len(unique) - MOST_PROBLEMS))


def _raw_ids(rows: Any) -> Iterator[object]:
    for index, row in enumerate(rows if isinstance(rows, list) else ()):
        id = row.get("id") if isinstance(row, dict) else None
        yield id if isinstance(id, str) else ("no id", index)


def _place(problem: Problem) -> tuple[list[tuple[bool, int, str]], str]:
    """Where a problem stands, so that row 10 comes after row 9."""
    parts = re.findall(r"[0-9]+|[^0-9]+", problem.path)
    return [(part.isdigit(), int(part[:18]) if part.isdigit() else 0, part) for part in parts], problem.message
