"""Changes, and enrolments of an older system, from JSON, and changes to JSON.

A change is an object with its kind and what it is about, `{"change": "course", "course": "fire", "lead_days": 60}`. It
is checked by the annotation of the field that is changed, as strictly as a snapshot is.
"""

import re
from collections.abc import Mapping
from datetime import date
from difflib import get_close_matches
from typing import Any, TypeVar

from attrs import NOTHING, fields, fields_dict

from enrolpolicy.ahead.restoring import PastEnrolment
from enrolpolicy.ahead.whatif import Supposition, TopUp
from enrolpolicy.changes import (
    UNCHANGED,
    CancelEnrolment,
    ChangeAccount,
    ChangeCourse,
    ChangeOptOut,
    ChangePerson,
)
from enrolpolicy.constraints import Id, shown
from enrolpolicy.errors import InvalidSnapshot, Problem
from enrolpolicy.model import Account, Course, Guards, Person
from enrolpolicy.parsing import MOST_PROBLEMS, Json, parsed_rows, step
from enrolpolicy.structuring import structured

KINDS: dict[str, type] = {
    "account": ChangeAccount,
    "course": ChangeCourse,
    "person": ChangePerson,
    "opt-out": ChangeOptOut,
    "cancel": CancelEnrolment,
    "top-up": TopUp,
}
"""Every kind of change by what it is called in JSON."""

_MODELS: dict[type, type] = {ChangeAccount: Account, ChangeCourse: Course, ChangePerson: Person}
_T = TypeVar("_T")


def load_changes(text: str | bytes) -> tuple[Supposition, ...]:
    """Read a list of changes from JSON; raises `InvalidSnapshot` with every problem and its path."""
    return _loaded(text, _change)


def load_past_enrolments(text: str | bytes) -> tuple[PastEnrolment, ...]:
    """Read what an older system enrolled from JSON, a list of objects with `person`, `course` and `on`.

    Raises `InvalidSnapshot` with every problem and its path.
    """
    return _loaded(text, _past_enrolment)


def _loaded(text: str | bytes, read: Any) -> tuple[Any, ...]:
    rows, problems = parsed_rows(text)
    found = []
    for index, row in enumerate(rows):
        value, wrong = read(row, f"$[{index}]") if row or not problems else (None, [])
        found.append(value)
        problems += wrong
    if problems:
        problems.sort(key=_row_of)
        raise InvalidSnapshot(tuple(problems[:MOST_PROBLEMS]), max(0, len(problems) - MOST_PROBLEMS))
    return tuple(found)


def _row_of(problem: Problem) -> int:
    """The row a problem is in; what is wrong with the whole list comes first."""
    found = re.match(r"\$\[([0-9]{1,18})\]", problem.path)
    return -1 if found is None else int(found[1])


def _past_enrolment(row: Json, path: str) -> tuple[PastEnrolment | None, list[Problem]]:
    return _object(row, PastEnrolment, {"person": Id, "course": Id, "on": date}, path)


def _change(row: Json, path: str) -> tuple[Any, list[Problem]]:
    kind = row.get("change")
    if not isinstance(kind, str) or kind not in KINDS:
        names = ", ".join(f"`{name}`" for name in KINDS)
        problem = f"must be one of {names}, not {shown(kind)}"
        return None, [Problem(path=f"{path}.change", code="invalid", message=problem)]
    wanted = KINDS[kind]
    return _object({key: value for key, value in row.items() if key != "change"}, wanted, annotations(wanted), path)


def annotations(kind: type) -> dict[str, Any]:
    """What each field of a change holds: what the field it changes does."""
    model = _MODELS.get(kind)
    of_model = {} if model is None else {name: field.type for name, field in fields_dict(model).items()}
    own = {field.name: field.type for field in fields(kind)}
    return {name: of_model.get(name, Id if annotation is str else annotation) for name, annotation in own.items()}


def _object(row: Json, kind: type, wanted: Mapping[str, Any], path: str) -> tuple[Any, list[Problem]]:
    problems = [_unknown(key, wanted, path) for key in row if key not in wanted]
    required = [field.name for field in fields(kind) if field.default is NOTHING]
    problems += [
        Problem(path=f"{path}.{name}", code="missing", message="is missing, and has no default; add it")
        for name in required
        if name not in row
    ]
    values = {}
    for name in row.keys() & wanted.keys():
        values[name], wrong = structured(row[name], wanted[name], f"{path}.{name}")
        problems += wrong
    return (None, problems) if problems else (kind(**values), [])


def _unknown(key: str, wanted: Mapping[str, Any], path: str) -> Problem:
    return Problem(path=step(path, key), code="unknown-key", message=f"is not a key here; {meant(key, wanted)}")


def meant(name: str, names: Mapping[str, Any]) -> str:
    """The name that was meant, or all there are."""
    nearest = get_close_matches(name[:80], names, n=1)
    return f"did you mean `{nearest[0]}`?" if nearest else f"there is {', '.join(f'`{one}`' for one in names)}"


def change_json(change: Supposition) -> Json:
    """A change as JSON has it, without what it leaves as it is."""
    name = next(name for name, kind in KINDS.items() if isinstance(change, kind))
    values = {field.name: getattr(change, field.name) for field in fields(type(change))}
    return {"change": name, **{key: _plain(value) for key, value in values.items() if value is not UNCHANGED}}


def _plain(value: Any) -> Any:
    if isinstance(value, frozenset):
        return sorted(one.value for one in value)
    if isinstance(value, Guards):
        return {field.name: getattr(value, field.name) for field in fields(Guards)}
    if isinstance(value, date):
        return value.isoformat()
    return getattr(value, "value", value)
