"""What looks ahead, as JSON: every document as its schema says, and the two that are read as their loaders do."""

import copy
import json
from collections.abc import Iterator
from datetime import date, timedelta
from importlib.resources import files
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrolpolicy import (
    Assumptions,
    ChangeAccount,
    Completion,
    InvalidSnapshot,
    InvalidValue,
    PastEnrolment,
    Snapshot,
    TopUp,
    Withdrawal,
    back_test,
    coverage,
    document_schema,
    dump,
    forecast,
    load,
    load_changes,
    load_past_enrolments,
    what_helps,
    what_if,
)
from enrolpolicy.ahead.documents import coverage_document
from enrolpolicy.schemas import DOCUMENTS
from living import lively

FORMAT = jsonschema.Draft202012Validator.FORMAT_CHECKER
SCHEMAS = {name: jsonschema.Draft202012Validator(document_schema(name), format_checker=FORMAT) for name in DOCUMENTS}
ON = date(2026, 11, 23)
DEMO = load(files("enrolpolicy").joinpath("demo.json").read_bytes())
NARROWED = ChangeAccount(
    auto_enrol_missing=True, missing_since=None, spread_days=0, withdraw_when=frozenset(Withdrawal), lead_days=7
)


def documents(snapshot: Snapshot, on: date) -> Iterator[tuple[str, Any]]:
    """One of each, by name."""
    more = [] if snapshot.account.credits is None else [TopUp(credits=3)]
    found = coverage(snapshot, on=on)
    year = forecast(snapshot, start=on, until=on + timedelta(200), assume=Assumptions(completed=Completion.LAST_DAY))
    theirs = [PastEnrolment(person=row.person, course=row.course, on=on) for row in found.rows[::2]]
    theirs += [PastEnrolment(person="nobody", course="fire", on=on)]
    yield "what-if", json.loads(dump(what_if(snapshot, [NARROWED, *more], on=on)))
    yield "forecast", json.loads(dump(year))
    yield "coverage", json.loads(dump(found))
    yield "coverage", json.loads(json.dumps(coverage_document(found, what_helps(snapshot, found))))
    yield "back-test", json.loads(dump(back_test(snapshot, theirs, start=on - timedelta(40), until=on)))


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where something stands in a document; of a list, in its first item."""
    yield path
    if isinstance(value, dict):
        for key in value:
            yield from places(value[key], (*path, key))
    elif isinstance(value, list) and value:
        yield from places(value[0], (*path, 0))


def at(value: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


COUNTED = {"counts", "stuck"}
"""Objects whose keys are what was found."""


class TestWhatIsWritten:
    """Every document is as its schema says, and one that was changed is not."""

    def test_they_are_schemas(self) -> None:
        for name in DOCUMENTS:
            jsonschema.Draft202012Validator.check_schema(document_schema(name))

    def test_there_is_no_other(self) -> None:
        with pytest.raises(InvalidValue, match="must be one of `snapshot`, `plan`, `what-if`"):
            document_schema("explanation")

    @given(lively())
    def test_each_is_valid(self, drawn: tuple[Snapshot, date]) -> None:
        for name, document in documents(*drawn):
            SCHEMAS[name].validate(document)

    def test_of_the_demo_account(self) -> None:
        for name, document in documents(DEMO, ON):
            SCHEMAS[name].validate(document)
            assert sum(isinstance(value, list) and not value for value in document.values()) <= 4

    def test_every_key_is_asked_for(self) -> None:
        """Without it, with another beside it, or with something else in its place, a document is not valid."""
        for name, document in documents(DEMO, ON):
            for path in places(document):
                value = at(document, path)
                if isinstance(value, dict) and not COUNTED & set(path[-1:]):
                    assert not self.valid(name, document, path, {**value, "surplus": 1}), (name, path)
                if path and isinstance(path[-1], str) and not COUNTED & set(path[-2:-1]):
                    inside = dict(at(document, path[:-1]))
                    del inside[path[-1]]
                    left_out = self.valid(name, document, path[:-1], inside)
                    assert left_out is self.may_be_left_out(path), (name, path)
                assert not self.valid(name, document, path, object.__name__ if isinstance(value, dict) else {"a": 1})

    @staticmethod
    def may_be_left_out(path: tuple[str | int, ...]) -> bool:
        """What was not asked, and what a change leaves as it is."""
        return path == ("remedies",) or (path[:3] == ("remedies", 0, "change") and path[3:] == ("missing_since",))

    @staticmethod
    def valid(name: str, document: Any, path: tuple[str | int, ...], value: Any) -> bool:
        if not path:
            return SCHEMAS[name].is_valid(value)
        changed = copy.deepcopy(document)
        at(changed, path[:-1])[path[-1]] = value
        return SCHEMAS[name].is_valid(changed)

    def test_a_remedy_is_a_change_to_ask_about(self) -> None:
        """It can be taken as it is written, more credits too, of which it may take fewer."""
        found = coverage(DEMO, on=ON)
        remedies = what_helps(DEMO, found)
        written = [row["change"] for row in coverage_document(found, remedies)["remedies"]]
        assert load_changes(json.dumps(written)) == tuple(row.change for row in remedies)


CHANGES: list[dict[str, Any]] = [
    {"change": "account", "auto_enrol_missing": True, "missing_since": None, "withdraw_when": ["superseded"]},
    {"change": "account", "guards": {"max_credits": 5, "max_cancelled_fraction": 0.5}},
    {"change": "course", "course": "fire", "lead_days": 60, "audience": "everyone"},
    {"change": "person", "person": "ana", "auto_enrol": False},
    {"change": "opt-out", "person": "ana", "course": "fire", "opted_out": True},
    {"change": "cancel", "enrolment": "booking-1"},
    {"change": "top-up", "credits": 50},
]
PAST: list[dict[str, Any]] = [{"person": "ana", "course": "fire", "on": "2026-01-01"}]
ODD: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 0, -1, 10**10, 0.5, 1.5, "", "x", "2026-02-30", "2026-02-03", "x" * 256, "a\nb", [], ["x"], {}, "fire"]
)
BEYOND = ("exists",)
"""What no schema can say."""


@st.composite
def damaged(draw: st.DrawFn, sound: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A list with one thing in it taken away, or something odd put in its place."""
    document = copy.deepcopy(sound)
    path = draw(st.sampled_from([path for path in all_places(document) if path]))
    inside = at(document, path[:-1])
    if draw(st.booleans()):
        inside[path[-1]] = draw(ODD)
    elif isinstance(inside, dict):
        del inside[path[-1]]
        inside.update({draw(st.sampled_from(["surplus", "credits", "course", "lead_days"])): draw(ODD)})
    return document


def all_places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from all_places(inner, (*path, key))


class TestWhatIsRead:
    """Whatever a schema accepts the loader accepts, and the other way round, as far as a schema can say."""

    @pytest.mark.parametrize(("name", "sound"), [("changes", CHANGES), ("enrolments", PAST)])
    def test_what_is_sound(self, name: str, sound: list[dict[str, Any]]) -> None:
        SCHEMAS[name].validate(sound)
        loader = load_changes if name == "changes" else load_past_enrolments
        assert len(loader(json.dumps(sound))) == len(sound)

    @given(damaged(CHANGES))
    def test_changes(self, document: list[dict[str, Any]]) -> None:
        self.agree("changes", load_changes, document)

    @given(damaged(PAST))
    def test_past_enrolments(self, document: list[dict[str, Any]]) -> None:
        self.agree("enrolments", load_past_enrolments, document)

    @staticmethod
    def agree(name: str, loader: Any, document: list[dict[str, Any]]) -> None:
        try:
            loader(json.dumps(document))
        except InvalidSnapshot as error:
            beyond = all(any(word in problem.message for word in BEYOND) for problem in error.problems)
            assert beyond or not SCHEMAS[name].is_valid(document), error
        else:
            SCHEMAS[name].validate(document)
