"""Rule 7: what cannot be meant so is said, and stops nobody; what goes too far is planned, and not applyable."""

import copy
import json
import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

import enrolpolicy
from enrolpolicy import EnrolmentStatus, Guards, Snapshot, TrainingRecord, Validity, findings, load, plan
from test_bad_input import ON, SOUND, changed
from test_gates import DONE, SNAPSHOT, account, enrolled, enrolment, person

Change = dict[str, Any]


def merged(table: str, index: int, **values: Any) -> dict[str, Any]:
    document = copy.deepcopy(SOUND)
    document[table][index] |= values
    return document


def settings(**values: Any) -> dict[str, Any]:
    document = copy.deepcopy(SOUND)
    document["account"] |= values
    return document


# Every finding once: the code, its level, its path, and a document that has it and no other.
CASES: list[tuple[str, str, str, dict[str, Any] | None]] = [
    ("custom-days-ignored", "warning", "$.account.lead_days", settings(lead_days=9)),
    ("custom-days-ignored", "warning", "$.courses[1].lead_days", merged("courses", 1, lead_days=9)),
    ("missing-since-ignored", "warning", "$.account.missing_since", settings(missing_since="2026-01-01")),
    ("negative-credits", "warning", "$.account.credits", settings(credits=-1)),
    ("not-elearning", "warning", "$.courses[0].auto_enrol", merged("courses", 0, delivery="classroom")),
    (
        "lead-not-shorter-than-validity",
        "error",
        "$.courses[0].validity",
        merged("courses", 0, validity={"days": 30}),
    ),
    (
        "lead-not-shorter-than-validity",
        "error",
        "$.courses[0].validity",
        merged("courses", 0, validity={"months": 1}),
    ),
    ("nothing-expires", "warning", "$.courses[1].auto_enrol", None),
    ("scope-never-matches", "warning", "$.courses[0].scope", None),
    ("never-asked-for", "warning", "$.courses[1].auto_enrol", None),
    ("unknown-course", "error", "$.records[0].course", changed("records.0.course", "gone")),
    ("unknown-person", "error", "$.records[0].person", changed("records.0.person", "gone")),
    ("unknown-role", "error", "$.personnel[0].roles[0].role", changed("personnel.0.roles.0.role", "gone")),
    ("invalid-email", "warning", "$.personnel[0].email", merged("personnel", 0, email="ana")),
    ("duplicate-email", "warning", "$.personnel[0].email", merged("personnel", 1, email="ANA@acme.example")),
    ("expiry-before-completion", "error", "$.records[0].expires_on", merged("records", 0, expires_on="2025-11-30")),
    ("expiry-and-never", "warning", "$.records[0].never_expires", merged("records", 0, never_expires=True)),
    (
        "expiry-beyond-calendar",
        "warning",
        "$.records[0].completed_on",
        merged("records", 0, completed_on="9999-06-01", expires_on=None),
    ),
    ("completed-in-future", "warning", "$.records[0].completed_on", merged("records", 0, completed_on="2026-11-24")),
]


def _special(code: str) -> dict[str, Any]:
    document = copy.deepcopy(SOUND)
    if code == "nothing-expires":
        document["courses"][1] |= {"auto_enrol": True}
        document["assignments"].append({"person": "bo", "course": "water", "level": "required"})
    elif code == "scope-never-matches":
        document["roles"][0]["requirements"][0]["level"] = "optional"
    else:
        document["courses"][1] |= {"auto_enrol": True, "validity": {"months": 12}}
        document["records"].append({"person": "bo", "course": "water", "completed_on": "2026-01-01"})
    return document


class TestEachFinding:
    """Each says where and what to do, and is not there when nothing is wrong."""

    @pytest.mark.parametrize(("code", "level", "path", "document"), CASES)
    def test_is_found(self, code: str, level: str, path: str, document: dict[str, Any] | None) -> None:
        found = findings(load(json.dumps(document or _special(code))), ON)
        assert (code, level, path) in [(row.code, row.level, row.path) for row in found]
        [row] = [row for row in found if (row.code, row.path) == (code, path)]
        assert row.message[0].islower() or row.message[0] == "`"
        assert not row.message.endswith(".")

    def test_every_code_is_among_them(self) -> None:
        here = Path(enrolpolicy.__file__)
        source = "".join(here.with_name(f"{name}.py").read_text(encoding="utf-8") for name in ("findings", "settings"))
        known = set(re.findall(r'\b(?:error|warning)\(\s*"([a-z-]+)"', source)) - {"unknown-"}
        assert known <= {code for code, *_ in CASES}
        assert len(known) >= 12

    def test_a_sound_register_has_none(self) -> None:
        assert findings(load(json.dumps(SOUND)), ON) == ()

    def test_without_a_date_nothing_is_in_the_future(self) -> None:
        later = load(json.dumps(merged("records", 0, completed_on="2026-11-24")))
        assert findings(later, None) == ()

    @pytest.mark.parametrize(("validity", "lead", "found"), [(31, 30, False), (30, 30, True), (30, 29, False)])
    def test_a_lead_as_long_as_the_validity(self, validity: int, lead: int, found: bool) -> None:
        document = merged("courses", 0, validity={"days": validity}, lead_days=lead)
        document["account"]["custom_expiry"] = True
        codes = [row.code for row in findings(load(json.dumps(document)), ON)]
        assert ("lead-not-shorter-than-validity" in codes) == found

    def test_an_archived_person_s_address_is_nobody_s(self) -> None:
        document = merged("personnel", 1, email="ana@acme.example", archived=True)
        assert findings(load(json.dumps(document)), ON) == ()


class TestFindingsStopNobody:
    """The rest is planned as if the row that makes no sense were not there."""

    @pytest.mark.parametrize("table", ["assignments", "records", "enrolments", "opt_outs"])
    @pytest.mark.parametrize("named", ["person", "course"])
    def test_a_row_that_names_nobody(self, table: str, named: str) -> None:
        document = copy.deepcopy(SOUND)
        before = plan(load(json.dumps(document)), on=ON)
        document[table].append({**document[table][0], "id": "e9", named: "gone"})
        if table != "enrolments":
            del document[table][-1]["id"]
        after = plan(load(json.dumps(document)), on=ON)
        assert (after.actions, after.deferred, after.counts) == (before.actions, before.deferred, before.counts)
        assert [row.code for row in after.findings] == [f"unknown-{named}"]

    def test_a_plan_holds_what_is_found_on_its_night(self) -> None:
        later = load(json.dumps(merged("records", 0, completed_on="2026-11-24")))
        assert [row.code for row in plan(later, on=ON).findings] == ["completed-in-future"]
        assert plan(later, on=date(2026, 11, 24)).findings == ()

    def test_paths_in_a_plan_do_not_depend_on_the_order_of_rows(self) -> None:
        document = merged("records", 0, expires_on="2025-11-30")
        document["records"].append({"person": "bo", "course": "gone", "completed_on": "2026-01-01"})
        forwards = plan(load(json.dumps(document)), on=ON).findings
        document["records"].reverse()
        document["personnel"].reverse()
        assert plan(load(json.dumps(document)), on=ON).findings == forwards


def guarded(**limits: Any) -> Snapshot:
    """Two to enrol at one credit each, and two bookings, one of them to be withdrawn."""
    people = (person().personnel[0], *(evolve(person().personnel[0], id=id) for id in ("bo", "cy")))
    leaver = evolve(people[0], id="di", archived=True)
    bookings = (
        enrolment(EnrolmentStatus.BOOKED, id="e1", person="di"),
        enrolment(EnrolmentStatus.BOOKED, id="e2", person="cy"),
    )
    return evolve(
        account(guards=Guards(**limits)),
        personnel=(*people, leaver),
        records=tuple(evolve(DONE, person=one.id) for one in (*people, leaver)),
        enrolments=bookings,
    )


class TestGuards:
    """Over a limit a plan is whole and readable, and not applyable; at the limit it is."""

    @pytest.mark.parametrize(
        ("limit", "reached", "guard"),
        [
            ("max_enrolments", 2, "max-enrolments"),
            ("max_credits", 2, "max-credits"),
            ("max_cancellations", 1, "max-cancellations"),
            ("max_cancelled_fraction", 0.5, "max-cancelled-fraction"),
        ],
    )
    def test_at_the_limit_and_over_it(self, limit: str, reached: float, guard: str) -> None:
        free = plan(guarded(), on=ON)
        at, over = (
            plan(guarded(**{limit: reached}), on=ON),
            plan(guarded(**{limit: reached / 2 if reached < 1 else int(reached) - 1}), on=ON),
        )
        assert (at.applyable, at.guards) == (True, ())
        assert (over.applyable, over.guards) == (False, (guard,))
        assert over.actions == at.actions == free.actions

    def test_all_that_are_over(self) -> None:
        over = plan(guarded(max_enrolments=0, max_credits=0, max_cancellations=0, max_cancelled_fraction=0), on=ON)
        assert over.guards == ("max-enrolments", "max-credits", "max-cancellations", "max-cancelled-fraction")

    def test_of_no_bookings_none_is_a_share(self) -> None:
        assert plan(evolve(guarded(max_cancelled_fraction=0), enrolments=()), on=ON).applyable

    @pytest.mark.parametrize("status", EnrolmentStatus)
    def test_nobody_left_and_bookings_open(self, status: EnrolmentStatus) -> None:
        """An empty list of people is more likely a failed import than a firm that everybody left."""
        tonight = plan(evolve(enrolled(enrolment(status)), personnel=()), on=ON)
        is_open = status.value in ("pending", "booked", "in-progress")
        assert tonight.guards == (("empty-personnel",) if is_open else ())

    def test_nobody_and_nothing(self) -> None:
        assert plan(evolve(SNAPSHOT, personnel=()), on=date(2026, 1, 1) + timedelta(1)).applyable


class TestWhereNothingExpires:
    """Nobody is ever enrolled on a course of which no record expires; a single one that does is enough."""

    @pytest.mark.parametrize(
        ("validity", "record", "barren"),
        [
            (Validity(months=12), evolve(DONE, expires_on=None), False),
            (Validity(months=12), evolve(DONE, expires_on=None, never_expires=True), True),
            (Validity(months=12), evolve(DONE, voided=True), True),
            (None, DONE, False),
            (None, evolve(DONE, expires_on=None), True),
            (None, evolve(DONE, voided=True), True),
        ],
    )
    @pytest.mark.parametrize("missing", [False, True])
    def test_is_said(self, validity: Validity | None, record: TrainingRecord, barren: bool, missing: bool) -> None:
        [fire] = SNAPSHOT.courses
        snapshot = evolve(
            account(auto_enrol_missing=missing), courses=(evolve(fire, validity=validity),), records=(record,)
        )
        codes = [row.code for row in findings(snapshot, ON)]
        assert codes == (["nothing-expires"] if barren and not missing else [])
