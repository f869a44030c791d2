"""Whatever comes in: one clear problem with its path, or a finding; never a traceback, never a row lost in silence."""

import copy
import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pendulum
import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrolpolicy import (
    Account,
    Course,
    Delivery,
    Employment,
    EnrolPolicyError,
    HeldRole,
    InvalidSnapshot,
    InvalidValue,
    Person,
    Problem,
    TrainingRecord,
    Validity,
    candidate,
    dump,
    explain,
    explain_all,
    findings,
    load,
    load_plan,
    nights_due,
    plan,
)
from enrolpolicy.matrix.mapping import MappedRole

Document = dict[str, Any]
ON = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, tzinfo=UTC)

SOUND: Document = {
    "format_version": "1.0",
    "account": {"id": "acme", "credits": 3, "guards": {"max_enrolments": 9}, "withdraw_when": ["superseded"]},
    "courses": [
        {"id": "fire", "delivery": "ihasco", "auto_enrol": True, "validity": {"months": 12}},
        {"id": "water", "delivery": "scorm"},
    ],
    "roles": [{"id": "warden", "requirements": [{"course": "fire", "level": "required"}]}],
    "personnel": [
        {
            "id": "ana",
            "email": "ana@acme.example",
            "employment": "employee",
            "roles": [{"role": "warden", "assigned_on": "2025-01-02"}],
        },
        {"id": "bo", "employment": "subcontractor"},
    ],
    "assignments": [{"person": "bo", "course": "fire", "level": "optional"}],
    "records": [{"person": "ana", "course": "fire", "completed_on": "2025-12-01", "expires_on": "2026-12-01"}],
    "enrolments": [
        {
            "id": "e1",
            "person": "bo",
            "course": "fire",
            "origin": "auto",
            "status": "booked",
            "enrolled_at": "2026-11-20T00:00:00+00:00",
        }
    ],
    "opt_outs": [{"person": "bo", "course": "water"}],
}


def refused(document: object) -> tuple[Problem, ...]:
    """The problems of a document, as text or as what JSON would make of it."""
    text = document if isinstance(document, str | bytes) else json.dumps(document)
    with pytest.raises(InvalidSnapshot) as caught:
        load(text)
    return caught.value.problems


def changed(path: str, value: object) -> Document:
    """The sound document with one value at a path, like `courses.0.id`, replaced."""
    document = copy.deepcopy(SOUND)
    *way, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    place: Any = document
    for step in way:
        place = place[step]
    place[last] = value
    return document


def without(path: str) -> Document:
    document = copy.deepcopy(SOUND)
    *way, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    place: Any = document
    for step in way:
        place = place[step]
    del place[last]
    return document


HELD = "$.personnel[0].roles[0]"
CREDITS = '{"format_version": "1.0", "account": {"id": "a", "credits": '

# What is wrong, where it is found to be, and words that say what would be right.
ONE_PROBLEM: list[tuple[object, str, str, str]] = [
    (changed("account.auto_enrol", "no"), "$.account.auto_enrol", "invalid", "must be true or false, not `no`"),
    (changed("account.auto_enrol", 1), "$.account.auto_enrol", "invalid", "must be true or false, not `1`"),
    (changed("account.auto_enrol", None), "$.account.auto_enrol", "invalid", "not `null`"),
    (changed("account.credits", 2.0), "$.account.credits", "invalid", "whole number"),
    (changed("account.credits", "2"), "$.account.credits", "invalid", "whole number"),
    (changed("account.credits", True), "$.account.credits", "invalid", "not `true`"),
    (changed("account.timezone", "Europe/Nowhere"), "$.account.timezone", "invalid", "IANA"),
    (changed("account.timezone", "../../etc/passwd"), "$.account.timezone", "invalid", "IANA"),
    (changed("account.lead_days", -1), "$.account.lead_days", "invalid", "from 0 to 3650, not `-1`"),
    (changed("account.lead_days", 10**9), "$.account.lead_days", "invalid", "from 0 to 3650"),
    (changed("account.guards", []), "$.account.guards", "invalid", "must be an object, not a list"),
    (changed("account.guards.max_enrolments", -1), "$.account.guards.max_enrolments", "invalid", "from 0"),
    (changed("account.withdraw_when", ["late"]), "$.account.withdraw_when[0]", "invalid", "one of `superseded`"),
    (changed("account.withdraw_when", "superseded"), "$.account.withdraw_when", "invalid", "must be a list"),
    (changed("account.lead_day", 3), "$.account.lead_day", "unknown-key", "did you mean `lead_days`?"),
    (changed("account.zzz", 3), "$.account.zzz", "unknown-key", "the keys are `id`"),
    (changed("account.a b", 3), '$.account["a b"]', "unknown-key", "the keys are"),
    (without("account"), "$.account", "missing", "is missing, and has no default; add it"),
    (without("account.id"), "$.account.id", "missing", "add it"),
    (without("format_version"), "$.format_version", "missing", 'write "1.0"'),
    (changed("format_version", 1.0), "$.format_version", "invalid", 'like "1.0"'),
    (changed("format_version", "1"), "$.format_version", "invalid", 'like "1.0"'),
    (changed("format_version", "2.0"), "$.format_version", "unknown-version", 'write "1.0"'),
    (changed("courses.0.id", ""), "$.courses[0].id", "invalid", "1 to 255 characters, not 0"),
    (changed("courses.1.id", "x" * 256), "$.courses[1].id", "invalid", "not 256"),
    (changed("courses.0.id", "fi\nre"), "$.courses[0].id", "invalid", "control characters"),
    (changed("courses.0.id", "fi\x00re"), "$.courses[0].id", "invalid", "control characters"),
    (changed("courses.0.id", "fi\x85re"), "$.courses[0].id", "invalid", "control characters"),
    (changed("courses.0.id", "fi\ud800re"), "$.courses[0].id", "invalid", "UTF-8"),
    (changed("courses.0.id", 7), "$.courses[0].id", "invalid", "must be text, not `7`"),
    (changed("courses.0.name", "\ud800"), "$.courses[0].name", "invalid", "UTF-8"),
    (changed("courses.0.delivery", "IHASCO"), "$.courses[0].delivery", "invalid", "one of `ihasco`"),
    (changed("courses.0.validity", {}), "$.courses[0].validity", "invalid", "either `months` or `days`"),
    (changed("courses.0.validity", {"months": 1, "days": 1}), "$.courses[0].validity", "invalid", "not both"),
    (changed("courses.0.validity.months", 0), "$.courses[0].validity.months", "invalid", "from 1 to 1200"),
    (changed("courses.0.validity.months", 10**6), "$.courses[0].validity.months", "invalid", "from 1 to 1200"),
    (changed("courses.1.id", "fire"), "$.courses[1].id", "duplicate-id", "also the one of row 0"),
    (changed("personnel.1.id", "ana"), "$.personnel[1].id", "duplicate-id", "give each row its own"),
    (changed("personnel.0.roles.0", "warden"), HELD, "invalid", "must be an object"),
    (changed("personnel.0.roles.0.assigned_on", "2026-02-30"), f"{HELD}.assigned_on", "invalid", "exists"),
    (changed("personnel", None), "$.personnel", "invalid", "must be a list, not `null`"),
    (changed("personnel", {}), "$.personnel", "invalid", "must be a list, not an object"),
    (changed("records.0.completed_on", "20251201"), "$.records[0].completed_on", "invalid", "YYYY-MM-DD"),
    (changed("records.0.completed_on", "2025-W49-1"), "$.records[0].completed_on", "invalid", "YYYY-MM-DD"),
    (changed("records.0.completed_on", "2025-12-01T00:00:00"), "$.records[0].completed_on", "invalid", "YYYY-MM-DD"),
    (changed("records.0.completed_on", "0000-01-01"), "$.records[0].completed_on", "invalid", "exists"),
    (changed("records.0.completed_on", "1/2/2025"), "$.records[0].completed_on", "invalid", "YYYY-MM-DD"),
    (changed("records.0.completed_on", "now"), "$.records[0].completed_on", "invalid", "YYYY-MM-DD"),
    (changed("records.0.completed_on", "２０２５-12-01"), "$.records[0].completed_on", "invalid", "YYYY-MM-DD"),
    (changed("enrolments.0.enrolled_at", "2026-11-20"), "$.enrolments[0].enrolled_at", "invalid", "with an offset"),
    (changed("enrolments.0.enrolled_at", "2026-11-20T00:00:00"), "$.enrolments[0].enrolled_at", "invalid", "offset"),
    (changed("enrolments.0.enrolled_at", "2026-11-20T24:00:00Z"), "$.enrolments[0].enrolled_at", "invalid", "offset"),
    ("", "$", "not-json", "line 1, column 1"),
    ("{", "$", "not-json", "check the document's end"),
    ('{"format', "$", "not-json", "unterminated string starting at line 1, column 2;"),
    ("NaN", "$", "not-a-number", "`NaN`"),
    ('{"format_version": "1.9", "news": [[Infinity]]}', "$.news[0][0]", "not-a-number", "`Infinity`"),
    ("[]", "$", "not-an-object", "not a list"),
    ("null", "$", "not-an-object", "`format_version` and `account`"),
    (b"\xff\xfe{}", "$", "not-utf-8", "byte 0 is not UTF-8"),
    (CREDITS + "NaN}}", "$.account.credits", "not-a-number", "`NaN`"),
    (CREDITS + "-Infinity}}", "$.account.credits", "not-a-number", "`-Infinity`"),
    ('{"format_version": "1.0", "account": {"id": "a", "credits": 1e999}}', "$.account.credits", "invalid", "whole"),
    (CREDITS + "9" * 5000 + "}}", "$.account.credits", "not-a-number", "5000 digits"),
    (CREDITS + "9" * 4000 + "}}", "$.account.credits", "invalid", "sixty digits"),
    ("[" * 5_000_000 + "]" * 5_000_000, "$", "too-deep", "nested too deeply"),
    ('{"a":' * 1_000_000 + "1" + "}" * 1_000_000, "$", "too-deep", "nested too deeply"),
    ('{"format_version": "1.0", "account": {"id": "a", "id": "b"}}', "$.account.id", "repeated-key", "more than once"),
    (changed("account.timezone", "localtime"), "$.account.timezone", "invalid", "IANA"),
    (changed("account.timezone", "right/Europe/London"), "$.account.timezone", "invalid", "IANA"),
    (changed("k" * 81, 1), '$["' + "k" * 80 + '"]', "unknown-key", "the keys are"),
]  # fmt: skip


class TestOneProblem:
    """Each thing that can be wrong is named once: where it is, what it is, and what would be right."""

    def test_the_sound_document_is(self) -> None:
        snapshot = load(json.dumps(SOUND))
        assert findings(snapshot, ON) == ()
        assert len(plan(snapshot, on=ON).actions) == 1

    @pytest.mark.parametrize(
        ("document", "path", "code", "words"), ONE_PROBLEM, ids=[f"{n}-{row[1]}" for n, row in enumerate(ONE_PROBLEM)]
    )
    def test_is_named(self, document: object, path: str, code: str, words: str) -> None:
        [problem] = refused(document)
        assert (problem.path, problem.code) == (path, code)
        assert words in problem.message
        assert len(problem.message) < 400
        assert problem.message.isprintable()
        assert problem.message[0].islower() or problem.message[0] == "`"
        assert not problem.message.endswith(".")


class TestLimits:
    """A number may be as large, and as small, as the limits that are named; not one more, not one less."""

    @pytest.mark.parametrize(
        ("key", "low", "high"), [("lead_days", 0, 3650), ("spread_days", 0, 3650), ("credits", -(10**9), 10**9)]
    )
    def test_both_included(self, key: str, low: int, high: int) -> None:
        for fits in (low, high):
            assert getattr(load(json.dumps(changed(f"account.{key}", fits))).account, key) == fits
        for beyond in (low - 1, high + 1):
            [problem] = refused(changed(f"account.{key}", beyond))
            assert f"from {low} to {high}" in problem.message


class TestAllProblemsAtOnce:
    """A document is read to its end, so that one round of corrections will do; beyond a thousand, they are counted."""

    def test_in_the_order_of_the_document_s_rows(self) -> None:
        document = changed("account.credits", "2")
        document["courses"] = [{"id": f"c{n}", "delivery": "no" if n in (2, 10) else "scorm"} for n in range(12)]
        document["records"].append({"person": "ana"})
        assert [problem.path for problem in refused(document)] == [
            "$.account.credits",
            "$.courses[2].delivery",
            "$.courses[10].delivery",
            "$.records[1].completed_on",
            "$.records[1].course",
        ]

    def test_numbers_that_are_none(self) -> None:
        text = '{"a": [NaN, {"b": Infinity, "b": 1}], "c": -Infinity, "d": ' + "9" * 5000 + "}"
        assert [problem.path for problem in refused(text)] == ["$.a[0]", "$.a[1].b", "$.c", "$.d"]
        with pytest.raises(InvalidSnapshot) as error:
            load("[" + "NaN, " * 1999 + "NaN]")
        assert (len(error.value.problems), error.value.more) == (1000, 1000)

    def test_a_thousand_and_how_many_more(self) -> None:
        document = changed("courses", [{"id": "fire", "delivery": "no"}] * 1001)
        with pytest.raises(InvalidSnapshot) as caught:
            load(json.dumps(document))
        assert len(caught.value.problems) == 1000
        assert caught.value.more == 1001 + 1000 - 1000
        assert str(caught.value).endswith("… and 1001 more")

    def test_repeated_keys_wherever_they_stand(self) -> None:
        """In every object, at any depth, and whatever else the document calls its keys."""
        for text, paths in (
            ('{"x": 1, "x": 2, "\\udfff repeated": 3}', {"$.x"}),
            ('{"x": {"y": 1, "y": 2}, "z": [{"y": 1, "y": 2, "y": 3}]}', {"$.x.y", "$.z[0].y"}),
            ('{"x": {"y": 1, "y": 2}, "x": {"y": 3}}', {"$.x"}),
        ):
            assert {problem.path for problem in refused(text) if problem.code == "repeated-key"} == paths

    @pytest.mark.parametrize(("open_", "shut"), [("[", "]"), ('{"a":', "}")])
    def test_repeated_keys_as_deep_as_can_be_read(self, open_: str, shut: str) -> None:
        for depth in (*range(100, 900, 100), *range(900, 1100, 3)):
            assert refused('{"a": 1, "a": ' + open_ * depth + "1" + shut * depth + "}")

    def test_repeated_keys_beside_other_problems(self) -> None:
        text = json.dumps(changed("account.credits", "2")).replace('"id": "acme"', '"id": "acme", "id": "acme"')
        assert {problem.code for problem in refused(text)} == {"repeated-key", "invalid"}


class TestAnotherMinorVersion:
    """A newer minor version may have keys nobody here knows; an unknown major one is not read."""

    def test_extra_keys_are_ignored(self) -> None:
        newer = changed("account.colour", "red")
        newer["format_version"] = "1.7"
        assert load(json.dumps(newer)) == load(json.dumps(SOUND))
        newer["account"]["credits"] = "3"
        assert [problem.path for problem in refused(newer)] == ["$.account.credits"]


class TestUnknownReferences:
    """A row that names somebody or something unknown is ignored, said to be, and stops nobody."""

    @pytest.mark.parametrize(
        ("path", "code", "at"),
        [
            ("records.0.person", "unknown-person", "$.records[0].person"),
            ("records.0.course", "unknown-course", "$.records[0].course"),
            ("enrolments.0.person", "unknown-person", "$.enrolments[0].person"),
            ("enrolments.0.course", "unknown-course", "$.enrolments[0].course"),
            ("assignments.0.person", "unknown-person", "$.assignments[0].person"),
            ("opt_outs.0.course", "unknown-course", "$.opt_outs[0].course"),
            ("roles.0.requirements.0.course", "unknown-course", "$.roles[0].requirements[0].course"),
            ("personnel.0.roles.0.role", "unknown-role", "$.personnel[0].roles[0].role"),
        ],
    )
    def test_is_a_finding(self, path: str, code: str, at: str) -> None:
        snapshot = load(json.dumps(changed(path, "gone")))
        errors = [row for row in findings(snapshot, ON) if row.level == "error"]
        assert [(row.code, row.path) for row in errors] == [(code, at)]
        assert "`gone`" in errors[0].message
        assert plan(snapshot, on=ON).applyable


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["fire", "2026-01-01"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every container and key in a document."""
    keys = list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
    return [(value, key) for key in keys] + [place for key in keys for place in places(value[key])]


def _replace(draw: st.DrawFn, container: Any, key: Any) -> None:
    container[key] = draw(json_values)


def _remove(draw: st.DrawFn, container: Any, key: Any) -> None:
    del container[key]


def _add(draw: st.DrawFn, container: Any, key: Any) -> None:
    if isinstance(container, dict):
        container[draw(st.text(max_size=3))] = draw(json_values)
    else:
        container.append(draw(st.just(container[key]) | json_values))


@st.composite
def damaged(draw: st.DrawFn) -> Document:
    document = copy.deepcopy(SOUND)
    for _ in range(draw(st.integers(1, 3))):
        damage = draw(st.sampled_from([_replace, _remove, _add]))
        damage(draw, *draw(st.sampled_from(places(document))))
    return document


class TestWhateverComesIn:
    """Any damage to a document either leaves it sound, and it can be planned, or is refused with a path."""

    @given(damaged(), st.booleans())
    def test_damaged(self, document: Document, ascii: bool) -> None:
        text = json.dumps(document, ensure_ascii=ascii).encode(errors="surrogatepass")
        try:
            snapshot = load(text)
        except InvalidSnapshot as error:
            assert error.problems
            assert all(problem.path.startswith("$") and problem.message for problem in error.problems)
            assert len(str(error)) < 20_000
            return
        assert load(dump(snapshot)) is not None
        tonight = plan(snapshot, on=ON)
        assert load_plan(dump(tonight)) == tonight
        for row in explain_all(snapshot, on=ON):
            assert "{" not in re.sub("`.*?`", "", row.sentence)

    @given(st.one_of(st.binary(max_size=40), st.text(max_size=40), json_values.map(json.dumps)))
    def test_anything(self, text: str | bytes) -> None:
        for read in (load, load_plan):
            with pytest.raises(EnrolPolicyError):
                read(text)

    def test_a_plan_at_odds_with_itself(self) -> None:
        """What says that it may be carried out, and names a guard, or the other way round, is neither."""
        document = json.loads(dump(plan(load(json.dumps(SOUND)), on=ON)))
        for applyable, guards in ((True, ["max-enrolments"]), (False, [])):
            with pytest.raises(InvalidSnapshot, match=re.escape("$.applyable: must be true exactly where `guards`")):
                load_plan(json.dumps(document | {"applyable": applyable, "guards": guards}))
        assert not load_plan(json.dumps(document | {"applyable": False, "guards": ["max-enrolments"]})).applyable

    @given(st.data())
    def test_a_damaged_plan(self, data: st.DataObject) -> None:
        document = json.loads(dump(plan(load(json.dumps(SOUND)), on=ON)))
        container, key = data.draw(st.sampled_from(places(document)))
        container[key] = data.draw(json_values)
        try:
            load_plan(json.dumps(document))
        except InvalidSnapshot as error:
            assert all(problem.path.startswith("$") for problem in error.problems)


class TestValuesBuiltInPython:
    """A value of the model can only be built valid; the error names the field and what it takes."""

    @pytest.mark.parametrize(
        ("it", "values", "words"),
        [
            (Account, {"id": ""}, "`Account.id` must have 1 to 255 characters"),
            (Account, {"id": "a", "timezone": "Mars/Base"}, "`Account.timezone` must be an IANA"),
            (Account, {"id": "a", "lead_days": 3651}, "from 0 to 3650, not `3651`"),
            (Account, {"id": "a", "auto_enrol": 1}, "`Account.auto_enrol` must be true or false"),
            (Course, {"id": "c", "delivery": "scorm"}, "`Course.delivery` must be one of `Delivery.IHASCO`, "),
            (Course, {"id": "c", "delivery": Delivery.SCORM, "validity": 12}, "`Course.validity` must be a Validity"),
            (Validity, {}, "either `months` or `days`"),
            (
                TrainingRecord,
                {"person": "a", "course": "c", "completed_on": datetime(2026, 1, 1)},
                "must be a date, year-month-day",
            ),
            (
                TrainingRecord,
                {"person": "a", "course": "c", "completed_on": pendulum.Date(2026, 1, 1)},
                "must be a date, year-month-day, not `2026-01-01`, which is a `pendulum.date.Date`",
            ),
            (Person, {"id": "a", "employment": None}, "`Person.employment` must be one of"),
            (Person, {"id": "a", "employment": Employment.EMPLOYEE, "roles": []}, "`Person.roles`"),
        ],
    )
    def test_is_refused(self, it: Callable[..., object], values: dict[str, Any], words: str) -> None:
        with pytest.raises(InvalidValue, match=re.escape(words)):
            it(**values)

    @given(st.integers(0, 40), st.integers(0, 40), st.sampled_from([None, "guide", {"role": "guide"}, Account(id="a")]))
    def test_one_stranger_anywhere_among_many(self, before: int, after: int, stranger: Any) -> None:
        """However many rows are sound: a table is not taken for what most of it is."""
        held = [HeldRole(role="guide") for _ in range(before + after)]
        with pytest.raises(InvalidValue, match=r"`Person\.roles` must be a HeldRole"):
            Person(id="a", employment=Employment.EMPLOYEE, roles=(*held[:before], stranger, *held[before:]))

    @given(st.lists(st.text(min_size=1, max_size=3)), st.integers(0, 9))
    def test_one_text_that_cannot_be_written_anywhere_among_many(self, texts: list[str], place: int) -> None:
        required = (*texts[:place], "\ud800", *texts[place:])
        with pytest.raises(InvalidValue, match=r"`MappedRole\.required` must be text that UTF-8 can write"):
            MappedRole(name="guide", required=required)

    @pytest.mark.parametrize("on", [datetime(2026, 11, 23), pendulum.Date(2026, 11, 23), "2026-11-23", None])
    def test_a_night_is_a_plain_date(self, on: Any) -> None:
        """Whatever is asked about a night, a moment or a text is refused before anything is looked up."""
        snapshot = load(json.dumps(SOUND))
        asked: list[Callable[[], object]] = [
            lambda: plan(snapshot, on=on),
            lambda: explain(snapshot, person="ana", course="fire", on=on),
            lambda: list(explain_all(snapshot, on=on)),
            lambda: candidate(snapshot, person="ana", course="fire", on=on),
            *([lambda: findings(snapshot, on), lambda: nights_due("UTC", on, NOW)] if on is not None else []),
        ]
        for question in asked:
            with pytest.raises(InvalidValue, match=r"must be a plain `datetime\.date`, not a `"):
                question()

    def test_people_are_more_than_one_text(self) -> None:
        with pytest.raises(InvalidValue, match="`people` must be a collection of ids"):
            plan(load(json.dumps(SOUND)), on=ON, people="ana")

    def test_errors_can_be_caught_as_what_they_are(self) -> None:
        with pytest.raises(ValueError, match="lead_days"):
            Account(id="a", lead_days=-1)
