"""The engine over columns against the engine over objects: the same estates, the same answers."""

import json
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import product
from typing import Any
from unittest.mock import patch

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from documents import near_ready_rows
from enrolpolicy import (
    Anchor,
    HeldRole,
    Level,
    RoleCourse,
    Snapshot,
    TrainingRecord,
    Validity,
    decide,
    dump,
    load,
    plan,
)
from enrolpolicy.bulk import blocks, estate_of, plan_estate, plans_of, snapshot_of, verdicts
from enrolpolicy.bulk.assembly import EPOCH, FIRST, cycle_days
from enrolpolicy.bulk.columns import NONE
from enrolpolicy.canonical import digest
from enrolpolicy.night import night
from registers import ON, register

THOROUGH = settings.get_current_profile_name() == "thorough"
Drawn = Sequence[tuple[Snapshot, date]]


def _odd(data: st.DataObject, document: dict[str, Any], on: date) -> None:
    """What no other property has a use for: many records of a pair, at odds with each other and with the calendar."""
    pairs = [(person["id"], course["id"]) for person in document["personnel"] for course in document["courses"]]
    days = st.sampled_from([-40_500, -800, -731, -730, -400, -366, -365, -345, -336, -335, -31, -30, -1, 0, 1, 400])
    if data.draw(st.booleans()):
        document["records"] = []  # else what lasts longer hides the others
    if data.draw(st.booleans()):
        months = data.draw(st.sampled_from([1, 12, 12, 1200]))
        anchor = data.draw(st.sampled_from(["completion", "previous-expiry", "previous-expiry"]))
        data.draw(st.sampled_from(document["courses"]))["validity"] = {"months": months, "anchor": anchor}
    for _ in range(data.draw(st.integers(0, 5))):
        person, course = data.draw(st.sampled_from(pairs))
        expires = data.draw(st.sampled_from([None, None, None, -91, -90, -1, 0, 20, 30, 31, 364]))
        document["records"].append(
            {
                "person": person,
                "course": course,
                "completed_on": (on + timedelta(data.draw(days))).isoformat(),
                "expires_on": None if expires is None else (on + timedelta(expires)).isoformat(),
                "never_expires": data.draw(st.sampled_from([False, False, False, True])),
                "voided": data.draw(st.sampled_from([False, False, False, True])),
            }
        )
    if data.draw(st.booleans()) and document["records"]:
        document["records"].append(dict(data.draw(st.sampled_from(document["records"]))))
    if data.draw(st.sampled_from([False, False, True])) and document["records"]:
        data.draw(st.sampled_from(document["records"])).update(completed_on="9999-06-01", expires_on=None)
    if data.draw(st.booleans()):
        _asked_anew(data, document, on)
    _stray(data, document)
    if data.draw(st.sampled_from([False, False, False, True])):
        document["personnel"] = []


def _asked_anew(data: st.DataObject, document: dict[str, Any], on: date) -> None:
    """First bookings that were cancelled around the day on which the training was asked for, late enough or not."""
    near = st.sampled_from([(on + timedelta(offset)).isoformat() for offset in (-6, -5, -4)])
    document["account"] |= {"auto_enrol_missing": True, "missing_since": data.draw(st.none() | near)}
    document["records"] = []
    for person in document["personnel"]:
        pair = {"person": person["id"], "course": "c0"}
        if data.draw(st.booleans()):
            person["roles"] = [{"role": "crew", "assigned_on": data.draw(st.none() | near)}]
        else:
            row = {"level": data.draw(st.sampled_from(["required", "optional"])), "assigned_on": data.draw(near)}
            document["assignments"].append(pair | row)
        if data.draw(st.booleans()):
            document["enrolments"].append(
                {
                    **pair, "id": f"again-{person['id']}", "cycle": "first", "origin": "auto", "status": "cancelled",
                    "enrolled_at": f"{on - timedelta(30)}T12:00:00+00:00", "ended_because": "requested",
                    "ended_on": data.draw(near),
                }
            )  # fmt: skip


def _stray(data: st.DataObject, document: dict[str, Any]) -> None:
    """Rows about somebody or something unknown that stands before, between or after the known, some of them twice."""
    people = st.sampled_from(["p0", "p0-", "p1", "0", "zz"])
    courses = st.sampled_from(["c0", "c0-", "c1", "0", "zz"])
    for _ in range(data.draw(st.integers(0, 4))):
        pair = {"person": data.draw(people), "course": data.draw(courses)}
        row = data.draw(st.sampled_from([{}, {"level": "optional"}, {"completed_on": "2026-01-01"}]))
        name = {"level": "assignments", "completed_on": "records"}.get("".join(row), "opt_outs")
        document[name] += [pair | row] * data.draw(st.sampled_from([1, 1, 2]))
    if data.draw(st.booleans()):
        requirement = {"course": data.draw(courses), "level": "required"}
        document["roles"].append({"id": data.draw(st.sampled_from(["a", "z"])), "requirements": [requirement]})
        document["roles"][0]["requirements"].append({"course": data.draw(courses), "level": "optional"})
    if data.draw(st.booleans()):
        for person in document["personnel"][:2]:
            person["email"] = "Shared@acme.example" if person["id"] == "p0" else "shared@acme.example"
            person["roles"] = [{"role": "gone"}, *person["roles"], {"role": "0"}]


@st.composite
def estates(draw: Any, *, most: int = 3) -> Drawn:
    """Some accounts with settings and nights of their own, near to enrolling, and oddly recorded now and then."""
    data = draw(st.data())
    found = []
    for number in range(draw(st.integers(1, most))):
        document, on = draw(near_ready_rows(most_flips=6))
        if draw(st.booleans()):
            _odd(data, document, on)
        document["account"]["id"] = f"acme-{number}"
        found.append((load(json.dumps(document)), on))
    return found


def nights(drawn: Drawn) -> dict[str, date]:
    return {snapshot.account.id: on for snapshot, on in drawn}


ENDS = (
    "0001-01-01T03:00:00+14:00", "0001-01-01T00:00:00+23:59", "0001-01-01T00:00:00Z", "0001-01-01T23:00:00-12:00",
    "9999-12-30T23:00:00-12:00", "9999-12-31T22:00:00-12:00", "9999-12-31T23:59:59.999999-23:59",
    "9999-12-31T09:59:59Z", "9999-12-31T10:00:00Z",
)  # fmt: skip


def enrolled_at(snapshot: Snapshot) -> dict[str, datetime]:
    return {row.id: row.enrolled_at for row in snapshot.enrolments}


class TestThePlansAreTheSame:
    """Whatever the estate: the plan of each account is the one the object engine makes of it, to the byte."""

    @given(estates())
    @settings(max_examples=20_000 if THOROUGH else 200)
    def test_every_plan_is_the_same(self, drawn: Drawn) -> None:
        snapshots = [snapshot for snapshot, _ in drawn]
        found = plans_of(plan_estate(estate_of(snapshots), on=nights(drawn)), {it.account.id: it for it in snapshots})
        assert list(found) == [plan(snapshot, on=on) for snapshot, on in drawn]
        assert [dump(it) for it in found] == [dump(plan(snapshot, on=on)) for snapshot, on in drawn]

    @given(estates(most=2), st.sampled_from([blocks.CELLS, 1, 6, 12]))
    def test_one_night_for_all(self, drawn: Drawn, cells: int) -> None:
        """Also in blocks of a few people each, as an estate of many is taken."""
        on = drawn[0][1]
        with patch.object(blocks, "CELLS", cells):
            found = plans_of(plan_estate(estate_of([snapshot for snapshot, _ in drawn]), on=on, findings=False))
        assert list(found) == [evolve(plan(snapshot, on=on), findings=()) for snapshot, _ in drawn]

    @pytest.mark.parametrize("anchor", Anchor)
    def test_expiries_that_follow_from_one_another(self, anchor: Anchor) -> None:
        """Two or three completions, so many days apart: what is valid until when, if each keeps the anniversary."""
        whole = register(1)
        course = evolve(whole.courses[0], id="fire", auto_enrol=True, validity=Validity(months=12, anchor=anchor))
        asked = evolve(whole.roles[0], requirements=(RoleCourse(course="fire", level=Level.REQUIRED),))
        apart = (300, 336, 364, 365, 366, 367, 400)
        taken = {
            f"{last}-{first}-{before}": (last, last + first, last + first + before)
            for last, first, before in product((1, 30, 182, 183, 330, 334, 335, 336, 365, 366, 420), apart, (0, *apart))
        }
        one = evolve(
            whole,
            account=evolve(whole.account, credits=None),
            courses=(course,),
            roles=(asked,),
            personnel=tuple(evolve(whole.personnel[0], id=id, roles=(HeldRole(role=asked.id),)) for id in taken),
            records=tuple(
                TrainingRecord(person=id, course="fire", completed_on=ON - timedelta(days))
                for id, ago in taken.items()
                for days in sorted(set(ago))
            ),
            enrolments=(),
        )
        found, theirs = plan_estate(estate_of([one]), on=ON), plan(one, on=ON)
        [ours] = plans_of(found, {one.account.id: one})
        assert ours == theirs
        assert 0 < len(theirs.actions) < len(taken)

    @given(near_ready_rows(most_flips=6), st.data())
    @settings(max_examples=2_000 if THOROUGH else 60)
    def test_instants_at_the_ends_of_the_calendar(
        self, drawn: tuple[dict[str, Any], date], data: st.DataObject
    ) -> None:
        """Also those that have no date in UTC, which the document can hold."""
        document, on = drawn
        document["account"]["timezone"] = data.draw(st.sampled_from(["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"]))
        for row in document["enrolments"]:
            row["enrolled_at"] = data.draw(st.sampled_from(ENDS))
        snapshot, night = load(json.dumps(document)), data.draw(st.sampled_from([on, date.max]))
        found = plans_of(plan_estate(estate_of([snapshot]), on=night))
        assert [evolve(one, source=snapshot) for one in found] == [plan(snapshot, on=night)]
        assert isinstance(found[0].source, Snapshot)
        assert enrolled_at(found[0].source) == enrolled_at(snapshot)

    def test_completions_a_century_ago(self) -> None:
        """Older than the tables of expiries reach, and looked back at all the same."""
        whole = register(3)
        course = evolve(
            next(it for it in whole.courses if it.auto_enrol), validity=Validity(months=1200), lead_days=None
        )
        account = evolve(whole.account, expired_lookback_days=36_525)
        records = tuple(
            TrainingRecord(person=person.id, course=course.id, completed_on=ON - timedelta(days))
            for person, days in zip(whole.personnel, (36_525, 40_500, 41_300), strict=True)
        )
        snapshot = evolve(whole, account=account, courses=(course,), records=records, enrolments=())
        found = list(verdicts(estate_of([snapshot]), on=ON))
        assert plans_of(plan_estate(estate_of([snapshot]), on=ON)) == (plan(snapshot, on=ON),)
        assert [verdict.trigger for *_, verdict, _ in found] == ["expiring", "expired", "expired"]

    def test_of_no_course_at_all(self) -> None:
        snapshot = evolve(register(3), courses=())
        assert plans_of(plan_estate(estate_of([snapshot]), on=ON), {"estate": snapshot}) == (plan(snapshot, on=ON),)

    def test_of_nobody_at_all(self) -> None:
        assert plans_of(plan_estate(estate_of([]), on=ON)) == ()


class TestTheCandidatesAreTheSame:
    """Every person and course that have something to do with each other: facts, trigger and shut gates."""

    @given(estates())
    @settings(max_examples=10_000 if THOROUGH else 100)
    def test_every_candidate_is_the_same(self, drawn: Drawn) -> None:
        found = list(verdicts(estate_of([snapshot for snapshot, _ in drawn]), on=nights(drawn)))
        asked = []
        for snapshot, on in drawn:
            tonight = night(snapshot, on)
            for person in sorted(tonight.register.people):
                for course in sorted(tonight.register.courses_of(person)):
                    it = tonight.candidate(tonight.read(person, course))
                    asked.append((person, course, decide(it), it.facts))
        assert found == asked


class TestAnEstateSaysWhatItsSnapshotsSaid:
    """Columns lose nothing: each account can be read back from them, whatever is odd about it."""

    @given(estates())
    def test_there_and_back(self, drawn: Drawn) -> None:
        estate = estate_of([snapshot for snapshot, _ in drawn])
        for row, (snapshot, _) in enumerate(drawn):
            back = snapshot_of(estate, row)
            if all(it.enrolled_at.utcoffset() == timedelta() for it in snapshot.enrolments):
                assert digest(back) == digest(snapshot)
            assert sorted(map(repr, back.records)) == sorted(map(repr, snapshot.records))
            assert sorted(back.enrolments, key=lambda it: it.id) == sorted(snapshot.enrolments, key=lambda it: it.id)


def test_only_a_date_as_it_is_written_is_a_cycle() -> None:
    """`20251213` is a date to Python, and never the cycle of a renewal."""
    found = cycle_days(["2025-12-13", "20251213", "2025-W50-6", "first", "soon", None])
    assert found.tolist() == [date(2025, 12, 13).toordinal() - EPOCH, NONE, NONE, FIRST, NONE, NONE]


@pytest.mark.parametrize("people", [3_000, 20_000] if THOROUGH else [150])
@pytest.mark.parametrize("days", [0, 1, 200])
def test_a_seeded_register(people: int, days: int) -> None:
    snapshot, on = register(people), ON + timedelta(days)
    estate = estate_of([snapshot])
    assert plans_of(plan_estate(estate, on=on), {"estate": snapshot}) == (plan(snapshot, on=on),)


@pytest.mark.parametrize("accounts", [200 if THOROUGH else 12])
def test_seeded_accounts_of_all_sizes(accounts: int) -> None:
    """Accounts share blocks, and one catalogue is many times as long as another."""
    snapshots = []
    for number in range(accounts):
        whole = register(1 + 7 * (number % 5), seed=number)
        courses = whole.courses[: (1, 2, 5, 20, 60)[number % 5]]
        account = evolve(whole.account, id=f"account-{number:03}", credits=None if number % 3 else 5)
        snapshots.append(evolve(whole, account=account, courses=courses))
    found = plans_of(plan_estate(estate_of(snapshots), on=ON))
    assert list(found) == [plan(snapshot, on=ON) for snapshot in snapshots]
