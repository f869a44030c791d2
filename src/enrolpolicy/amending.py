"""Changes, and enrolments of an older system, from JSON, and changes from the words of a command line.

A change is an object with its kind and what it is about, `{"change": "course", "course": "fire", "lead_days": 60}`; on
a command line it is `course.fire.lead_days=60`. Both are checked by the annotation of the field that is changed, as
strictly as a snapshot is.
"""

import re
from collections.abc import Mapping
from datetime import date
from difflib import get_close_matches
from typing import Any, TypeVar, get_args

from attrs import NOTHING, evolve, fields, fields_dict

from enrolpolicy.backtesting import PastEnrolment
from enrolpolicy.changes import (
    UNCHANGED,
    CancelEnrolment,
    Change,
    ChangeAccount,
    ChangeCourse,
    ChangeOptOut,
    ChangePerson,
)
from enrolpolicy.constraints import Id, shown
from enrolpolicy.errors import InvalidSnapshot, InvalidValue, Problem
from enrolpolicy.model import Account, Course, Guards, Person, Snapshot, Withdrawal
from enrolpolicy.parsing import MOST_PROBLEMS, Json, parsed_rows, step
from enrolpolicy.structuring import structured
from enrolpolicy.whatif import Supposition, TopUp

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
        raise InvalidSnapshot(tuple(problems[:MOST_PROBLEMS]), max(0, len(problems) - MOST_PROBLEMS))
    return tuple(found)


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
    return Problem(path=step(path, key), code="unknown-key", message=f"is not a key here; {_meant(key, wanted)}")


def _meant(name: str, names: Mapping[str, Any]) -> str:
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


# Words


_SETTING = re.compile(r"(account|course|person)\.(?:(.+)\.)?(\w+)=(.*)", re.DOTALL)
_FORM = "write it as account.NAME=VALUE, course.ID.NAME=VALUE or person.ID.auto_enrol=VALUE"


def setting(snapshot: Snapshot, words: str) -> Change:
    """A change from words such as `course.fire.lead_days=60`; raises `InvalidValue` where they are none.

    Values are `true`, `false`, a whole number, a date, a word, `none`, or several words with commas between. A guard is
    `account.guards.max_credits=50`; the other guards stay as they are.
    """
    found = _SETTING.fullmatch(words)
    if found is None:
        raise InvalidValue(words[:80], f"is not a setting; {_FORM}")
    table, id, name, text = found.groups()
    if table == "account":
        return _account_setting(snapshot, words, id, name, text)
    if id is None:
        raise InvalidValue(words[:80], f"does not say which {table}; {_FORM}")
    kind = KINDS[table]
    value = _worded(words, name, text, {key: one for key, one in annotations(kind).items() if key != table})
    change: Change = kind(**{table: id, name: value})
    return change


def _account_setting(snapshot: Snapshot, words: str, part: str | None, name: str, text: str) -> ChangeAccount:
    if part == "guards":
        guards = {field.name: field.type for field in fields(Guards)}
        values: Json = {name: _worded(words, name, text, guards)}
        return ChangeAccount(guards=evolve(snapshot.account.guards, **values))
    if part is not None:
        raise InvalidValue(words[:80], f"is not a setting; {_FORM}")
    if name == "credits":
        raise InvalidValue(words[:80], "is not a setting but a balance; ask with --top-up how more credits would help")
    wanted = annotations(ChangeAccount)
    return ChangeAccount(**{name: _worded(words, name, text, wanted)})


def _worded(words: str, name: str, text: str, wanted: Mapping[str, Any]) -> Any:
    """The value that a word stands for, checked by its field."""
    if name not in wanted:
        raise InvalidValue(words[:80], f"names no setting; {_meant(name, wanted)}")
    annotation = wanted[name]
    value, problems = structured(_json_value(text, annotation), annotation, name)
    if problems:
        raise InvalidValue(words[:80], problems[0].message)
    return value


_WORDS = {"true": True, "false": False, "none": None, "null": None}


def _json_value(text: str, annotation: Any) -> Any:
    if Withdrawal in get_args(annotation):
        return [word for word in text.split(",") if word]
    if text in _WORDS:
        return _WORDS[text]
    if re.fullmatch(r"-?[0-9]{1,18}", text):
        return int(text)
    if re.fullmatch(r"[0-9]{1,9}\.[0-9]{1,9}", text):
        return float(text)
    return text


def pair(snapshot: Snapshot, words: str) -> tuple[str, str]:
    """A person and a course from `PERSON:COURSE`; raises `InvalidValue` where they are not two that exist."""
    people = {row.id for row in snapshot.personnel}
    courses = {row.id for row in snapshot.courses}
    parts = words.split(":")
    splits = [(":".join(parts[:at]), ":".join(parts[at:])) for at in range(1, len(parts))]
    for person, course in splits:
        if person in people and course in courses:
            return person, course
    if len(splits) != 1:
        raise InvalidValue(words[:80], "is not a person and a course; write it as PERSON:COURSE")
    [(person, course)] = splits
    kind, id, ids = ("course", course, courses) if person in people else ("person", person, people)
    nearest = get_close_matches(id, ids, n=1)
    advice = f"did you mean `{nearest[0]}`?" if nearest else "check the id's spelling"
    raise InvalidValue(words[:80], f"names no {kind} of the snapshot; {advice}")
