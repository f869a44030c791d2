"""The stable outside: JSON in and out without loss, in one canonical form, as the schemas describe it."""

import copy
import json
from datetime import date
from typing import Any

import jsonschema
import pytest
from attrs import fields
from hypothesis import given
from hypothesis import strategies as st

from documents import near_ready, near_ready_rows
from enrolpolicy import (
    Account,
    Guards,
    InvalidSnapshot,
    Snapshot,
    digest,
    dump,
    explain,
    explain_all,
    load,
    load_plan,
    plan,
    plan_schema,
    snapshot_schema,
)
from enrolpolicy.structuring import INSTANT
from test_bad_input import ON, SOUND, damaged

FORMAT = jsonschema.Draft202012Validator.FORMAT_CHECKER
SNAPSHOTS = jsonschema.Draft202012Validator(snapshot_schema(), format_checker=FORMAT)
PLANS = jsonschema.Draft202012Validator(plan_schema(), format_checker=FORMAT)
Drawn = tuple[str, date]


class TestThereAndBack:
    """What is written is read again as the same value, and written again as the same bytes."""

    @given(near_ready())
    def test_a_snapshot(self, drawn: Drawn) -> None:
        snapshot = load(drawn[0])
        text = dump(snapshot)
        assert dump(load(text)) == text
        assert plan(load(text), on=drawn[1]) == plan(snapshot, on=drawn[1])
        assert digest(load(text)) == digest(snapshot)

    @given(near_ready())
    def test_a_plan(self, drawn: Drawn) -> None:
        tonight = plan(load(drawn[0]), on=drawn[1])
        again = load_plan(dump(tonight))
        assert again == tonight
        assert dump(again) == dump(tonight)
        assert again.snapshot == tonight.snapshot

    def test_one_newline_at_the_end(self) -> None:
        snapshot = load(json.dumps(SOUND))
        for text in (dump(snapshot), dump(plan(snapshot, on=ON))):
            assert text.endswith("}\n")
            assert not text.endswith("\n\n")

    def test_a_byte_order_mark_is_taken_off(self) -> None:
        assert load(b"\xef\xbb\xbf" + json.dumps(SOUND).encode()) == load(json.dumps(SOUND))

    def test_defaults_may_be_left_out(self) -> None:
        assert load('{"format_version": "1.0", "account": {"id": "acme"}}').account == Account(id="acme")


GOLDEN = """{"format_version": "1.0",
 "account": "acme",
 "on": "2026-11-23",
 "snapshot": "sha256:…",
 "policy_version": "1",
 "applyable": true,
 "guards": [],
 "actions": [
  {"type": "enrol", "person": "ana", "course": "fire", "cycle": "2025-12-01", "attempt": 0, "because": "expiring", \
"expires_on": "2026-12-01", "credits": 1, "key": "ep1-…"},
  {"type": "cancel", "enrolment": "e1", "person": "bo", "course": "fire", "because": "person-archived"}],
 "deferred": [],
 "findings": [
  {"level": "error", "code": "unknown-course", "path": "$.records[1].course", "message": "a training record of `ana` \
is ignored: there is no `gone` in `courses`; add it, or correct the id"}],
 "counts": {"enrol": 1, "cancel": 1, "invite": 0, "deferred": 0, "not-enrolled": {"person-active": 1}}}
"""


class TestTheForm:
    """Keys, their order, and the words in them are what other programs rely on."""

    def test_a_whole_plan(self) -> None:
        document = copy.deepcopy(SOUND)
        document["personnel"][1]["archived"] = True
        document["account"]["withdraw_when"].append("person-archived")
        document["records"].append({"person": "ana", "course": "gone", "completed_on": "2026-01-01"})
        tonight = plan(load(json.dumps(document)), on=ON)
        text = dump(tonight).replace(tonight.snapshot, "sha256:…").replace(tonight.enrolments[0].key, "ep1-…")
        assert text == GOLDEN

    def test_an_explanation_takes_one_line(self) -> None:
        found = explain(load(json.dumps(SOUND)), person="ana", course="fire", on=ON)
        text = dump(found)
        assert text.index("\n") == len(text) - 1
        document = json.loads(text)
        rows = document.pop("rows")
        assert document == {
            "person": "ana", "course": "fire", "on": "2026-11-23", "outcome": "enrol", "trigger": "expiring",
            "shut": [], "deferred": None, "status": "expiring", "level": "required", "lead_days": 30,
            "lead_from": "default", "lead_clamped": False, "expires_on": "2026-12-01", "opens_on": "2026-11-01",
            "cycle": "2025-12-01", "attempt": 0, "next_check_on": "2026-12-02",
        }  # fmt: skip
        assert [set(row) for row in rows] == [{"id", "holds", "sentence"}] * 19

    def test_what_waits_says_for_what(self) -> None:
        document = copy.deepcopy(SOUND)
        document["account"]["credits"] = 0
        found = explain(load(json.dumps(document)), person="ana", course="fire", on=ON)
        assert json.loads(dump(found))["deferred"] == "credits"

    def test_the_digest_is_of_everything(self) -> None:
        before = digest(load(json.dumps(SOUND)))
        for path, value in (("name", "Ana"), ("division", "north"), ("email", None)):
            document = copy.deepcopy(SOUND)
            document["personnel"][0][path] = value
            assert digest(load(json.dumps(document))) != before

    @pytest.mark.parametrize(("one", "other"), [(0, 0.0), (1, 1.0), (0, -0.0)])
    def test_equal_snapshots_look_alike(self, one: float, other: float) -> None:
        whole, fraction = (
            Snapshot(account=Account(id="acme", guards=Guards(max_cancelled_fraction=share))) for share in (one, other)
        )
        assert whole == fraction
        assert digest(whole) == digest(fraction)
        assert dump(whole) == dump(fraction)


ODD_INSTANTS = (
    "", "2026-11-20T00:00:00", "2026-11-20 00:00:00Z", "2026-11-20T24:00:00Z", "2026-11-20T23:59:60Z",
    "2026-11-20T00:00Z", "20261120T000000Z", "2026-11-20T00:00:00.Z", "2026-11-20T00:00:00,5Z", "2026-11-20",
    "2026-11-20T00:00:00Z\n", "2026-11-20t00:00:00z", "2026-11-20T00:00:00.123456789+23:59",
    "2026-11-20T00:00:00+24:00", "٢026-11-20T00:00:00Z",
)  # fmt: skip


def exists(text: str) -> bool:
    try:
        return bool(date.fromisoformat(text[:10]))
    except ValueError:
        return False


# What no schema can say, so that a document may be refused though its schema accepts it.
BEYOND = ("duplicate-id", "repeated-key", "must be an IANA", "exists", "UTF-8", "offset", "thousands")


class TestTheSchemas:
    """Whatever a schema accepts the loader accepts, and the other way round, as far as a schema can say."""

    def test_they_are_schemas(self) -> None:
        for schema in (snapshot_schema(), plan_schema()):
            jsonschema.Draft202012Validator.check_schema(schema)

    @given(damaged())
    def test_a_snapshot_s_agrees_with_the_loader(self, document: dict[str, Any]) -> None:
        text = json.dumps(document)
        try:
            load(text)
        except InvalidSnapshot as error:
            beyond = all(any(word in f"{p.code} {p.message}" for word in BEYOND) for p in error.problems)
            nan = any(problem.code == "not-a-number" for problem in error.problems)
            assert beyond or nan or not SNAPSHOTS.is_valid(document)
        else:
            SNAPSHOTS.validate(json.loads(text))

    @given(st.from_regex(f"{INSTANT}Z?", fullmatch=True) | st.sampled_from(ODD_INSTANTS))
    def test_of_an_instant(self, text: str) -> None:
        """Not only a checker of formats, which few programs switch on, knows how an instant is written."""
        document = copy.deepcopy(SOUND)
        document["enrolments"][0]["enrolled_at"] = text
        try:
            load(json.dumps(document))
        except InvalidSnapshot:
            written = jsonschema.Draft202012Validator(snapshot_schema()).is_valid(document)
            assert not written or not exists(text)
        else:
            SNAPSHOTS.validate(document)

    @given(near_ready_rows())
    def test_what_is_written_is_valid(self, drawn: tuple[dict[str, Any], date]) -> None:
        snapshot = load(json.dumps(drawn[0]))
        SNAPSHOTS.validate(json.loads(dump(snapshot)))
        PLANS.validate(json.loads(dump(plan(snapshot, on=drawn[1]))))

    def test_a_plan_with_something_else_in_it_is_not(self) -> None:
        document = json.loads(dump(plan(load(json.dumps(SOUND)), on=ON)))
        for key in document:
            broken = {other: value for other, value in document.items() if other != key}
            assert not PLANS.is_valid(broken)
            with pytest.raises(InvalidSnapshot):
                load_plan(json.dumps(broken))

    def test_defaults_are_the_model_s(self) -> None:
        described = snapshot_schema()["$defs"]["Account"]["properties"]
        for field in fields(Account):
            assert set(described) == {one.name for one in fields(Account)}
            if isinstance(field.default, bool | int | str):
                assert described[field.name]["default"] == field.default


class TestEveryCandidateIsWritten:
    """Each explanation of a night is one line of JSON that any reader of lines can take."""

    @given(near_ready())
    def test_lines(self, drawn: Drawn) -> None:
        for row in explain_all(load(drawn[0]), on=drawn[1]):
            [line, rest] = dump(row).split("\n")
            assert rest == ""
            assert json.loads(line)["person"] == row.person
