"""Changes as they are written on a command line: read, and written.

`--set course.fire.lead_days=60` is checked by the annotation of the field it changes, as strictly as a snapshot is.
"""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, get_args

from attrs import evolve, fields

from enrolpolicy.ahead.amending import KINDS, annotations, change_json, meant
from enrolpolicy.ahead.whatif import Supposition
from enrolpolicy.changes import Change, ChangeAccount
from enrolpolicy.errors import InvalidValue
from enrolpolicy.model import Guards, Snapshot, Withdrawal
from enrolpolicy.parsing import Json
from enrolpolicy.structuring import structured


def change_words(change: Supposition) -> str:
    """A change as it is written on a command line."""
    row = change_json(change)
    kind = row.pop("change")
    if kind == "top-up":
        return f"--top-up {row['credits']}"
    if kind == "cancel":
        return f"--cancel {row['enrolment']}"
    if kind == "opt-out":
        return f"--opt-{'out' if row['opted_out'] else 'in'} {row['person']}:{row['course']}"
    about = "" if kind == "account" else f"{row.pop(kind)}."
    guards = row.pop("guards", {})
    settings = {**row, **{f"guards.{name}": value for name, value in guards.items()}}
    return " ".join(f"--set {kind}.{about}{name}={_word(value)}" for name, value in settings.items())


def _word(value: object) -> str:
    if isinstance(value, list):
        return ",".join(map(str, value))
    if value is None or isinstance(value, bool):
        return {None: "none", True: "true", False: "false"}[value]
    return str(value)


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
    if name == "guards":
        raise InvalidValue(words[:80], "is several settings; write each as account.guards.NAME=VALUE")
    if name == "credits":
        raise InvalidValue(words[:80], "is not a setting but a balance; ask with --top-up how more credits would help")
    wanted = annotations(ChangeAccount)
    return ChangeAccount(**{name: _worded(words, name, text, wanted)})


def _worded(words: str, name: str, text: str, wanted: Mapping[str, Any]) -> Any:
    """The value that a word stands for, checked by its field."""
    if name not in wanted:
        raise InvalidValue(words[:80], f"names no setting; {meant(name, wanted)}")
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
