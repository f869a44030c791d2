"""The laws of a whole night's plan.

Where credits are short, some popular laws hold for demand only: a longer lead may put somebody in front who takes the
last credit. A test that speaks of demand says so, and looks at `decide`; the others speak of the plan.
"""

import gc
import json
import os
import random
import subprocess
import sys
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from attrs import evolve
from hypothesis import assume, given
from hypothesis import strategies as st

from documents import near_ready, near_ready_rows
from enrolpolicy import (
    GATES,
    Account,
    Assignment,
    Audience,
    Cancel,
    Candidate,
    Course,
    Delivery,
    Employment,
    Enrol,
    EnrolmentStatus,
    HeldRole,
    InvalidValue,
    Invite,
    Level,
    OptOut,
    Origin,
    Person,
    Role,
    RoleCourse,
    Scope,
    Snapshot,
    Status,
    TrainingRecord,
    UnknownId,
    candidate,
    decide,
    dump,
    explain_all,
    load,
    plan,
    project,
)
from enrolpolicy.night import night
from enrolpolicy.sweep import LEADING

Drawn = tuple[str, date]
Pair = tuple[str, str]


def pairs(snapshot: Snapshot, on: date) -> list[Pair]:
    return [(row.person, row.course) for row in explain_all(snapshot, on=on)]


def demand(snapshot: Snapshot, on: date) -> set[Pair]:
    """Who is to be enrolled before anybody else is looked at."""
    return {
        (person.id, course.id)
        for person in snapshot.personnel
        for course in snapshot.courses
        if decide(candidate(snapshot, person=person.id, course=course.id, on=on)).enrols
    }


def enrolled(snapshot: Snapshot, on: date) -> set[Pair]:
    return {(row.person, row.course) for row in plan(snapshot, on=on).enrolments}


def with_account(snapshot: Snapshot, **changes: Any) -> Snapshot:
    return evolve(snapshot, account=evolve(snapshot.account, **changes))


def with_courses(snapshot: Snapshot, **changes: Any) -> Snapshot:
    return evolve(snapshot, courses=tuple(evolve(row, **changes) for row in snapshot.courses))


def with_people(snapshot: Snapshot, **changes: Any) -> Snapshot:
    return evolve(snapshot, personnel=tuple(evolve(row, **changes) for row in snapshot.personnel))


class TestTheOrderOfRowsMeansNothing:
    """Rows may come in any order, and rows without an id any number of times: the bytes are the same."""

    @given(near_ready_rows(), st.randoms(use_true_random=False))
    def test_shuffled(self, drawn: tuple[dict[str, Any], date], shuffler: random.Random) -> None:
        document, on = drawn
        before = dump(plan(load(json.dumps(document)), on=on))
        for rows in document.values():
            if isinstance(rows, list):
                shuffler.shuffle(rows)
        for row in (*document["personnel"], *document["roles"]):
            shuffler.shuffle(row.get("roles") or row.get("requirements") or [])
        assert dump(plan(load(json.dumps(document)), on=on)) == before

    @given(near_ready_rows())
    def test_repeated(self, drawn: tuple[dict[str, Any], date]) -> None:
        document, on = drawn
        before = load(json.dumps(document))
        for table in ("assignments", "records", "opt_outs"):
            document[table] += document[table]
        for row in (*document["personnel"], *document["roles"]):
            for inner in ("roles", "requirements"):
                row[inner] = row.get(inner, []) * 2 if inner in row else row.get(inner, [])
        for row in document["personnel"]:
            del row["requirements"]
        for row in document["roles"]:
            del row["roles"]
        after = load(json.dumps(document))
        assert plan(after, on=on) == plan(before, on=on)
        assert dump(after) == dump(before)

    def test_whatever_the_hash_seed(self) -> None:
        code = (
            "import sys\nfrom datetime import date\nfrom importlib.resources import files\n"
            "from enrolpolicy import dump, explain_all, load, plan, snapshot_schema\n"
            "it = load(files('enrolpolicy').joinpath('demo.json').read_text(encoding='utf-8'))\n"
            "on = date(2026, 11, 23)\n"
            "sys.stdout.reconfigure(encoding='utf-8')\n"
            "print(dump(it), dump(plan(it, on=on)), *map(dump, explain_all(it, on=on)), snapshot_schema())\n"
        )
        outputs = {
            subprocess.run(
                [sys.executable, "-c", code],
                env={**os.environ, "PYTHONHASHSEED": seed},
                capture_output=True,
                check=True,
            ).stdout
            for seed in ("0", "1", "31337")
        }
        assert len(outputs) == 1


class TestEverybodyIsAnswered:
    """Every candidate has one outcome, and whoever is not enrolled has a reason; the counts add up."""

    @given(near_ready(), st.sampled_from([None, 0, 1]))
    def test_the_counts_add_up(self, drawn: Drawn, credits: int | None) -> None:
        snapshot, on = with_account(load(drawn[0]), credits=credits), drawn[1]
        tonight = plan(snapshot, on=on)
        counts, listed = tonight.counts, (tonight.enrolments, tonight.cancellations, tonight.invitations)
        assert (counts.enrol, counts.cancel, counts.invite) == tuple(map(len, listed))
        assert counts.deferred == len(tonight.deferred)
        assert counts.enrol + counts.deferred + sum(n for _, n in counts.not_enrolled) == len(pairs(snapshot, on))

    @given(near_ready(), st.sampled_from([None, 0, 1]))
    def test_explanations_tell_what_the_plan_does(self, drawn: Drawn, credits: int | None) -> None:
        snapshot, on = with_account(load(drawn[0]), credits=credits), drawn[1]
        tonight = plan(snapshot, on=on)
        told: dict[str, set[Pair]] = {"enrol": set(), "deferred": set(), "not-enrolled": set()}
        for row in explain_all(snapshot, on=on):
            told[row.outcome].add((row.person, row.course))
            assert row.reason in {row.trigger, "spread", "credits", *row.shut, "no-trigger"}
            assert (row.outcome == "not-enrolled") == bool(row.shut or row.trigger is None)
        assert told["enrol"] == {(row.person, row.course) for row in tonight.enrolments}
        assert told["deferred"] == {(row.person, row.course) for row in tonight.deferred}


class TestInHasteOrAtLeisure:
    """The plan looks at dates in haste, the explanation works out the whole renewal: they find the same facts."""

    @given(near_ready(), st.integers(-1, 1))
    def test_where_a_training_stands(self, drawn: Drawn, later: int) -> None:
        snapshot, on = load(drawn[0]), drawn[1] + timedelta(later)
        tonight = night(snapshot, on)
        for of_person in tonight.register.records.values():
            for course, rows in of_person.items():
                here = tonight.courses[course]
                assert here.standing(rows) == here.code_of(here.renewal(rows))

    @pytest.mark.parametrize("by_hand", [True, False])
    @pytest.mark.parametrize("days", [-1, 0, 1])
    def test_since_when_a_training_is_asked(self, by_hand: bool, days: int) -> None:
        """The plan looks at all that is asked of somebody lately, the explanation at the latest day of one training."""
        on, since = date(2026, 11, 23), date(2026, 11, 1)
        asked_on = since + timedelta(days)
        requirement = RoleCourse(course="fire", level=Level.REQUIRED)
        held, own = (
            HeldRole(role="warden", assigned_on=asked_on),
            Assignment(person="ana", course="fire", level=Level.REQUIRED, assigned_on=asked_on),
        )
        snapshot = Snapshot(
            account=Account(id="acme", auto_enrol_missing=True, missing_since=since),
            courses=(Course(id="fire", name="Fire", delivery=Delivery.IHASCO, auto_enrol=True),),
            roles=(Role(id="warden", name="Warden", requirements=(requirement,)),),
            personnel=(
                Person(
                    id="ana", name="Ana", email="ana@acme.example", employment=Employment.EMPLOYEE,
                    roles=() if by_hand else (held,),
                ),
            ),
            assignments=(own,) if by_hand else (),
        )  # fmt: skip
        assert enrolled(snapshot, on) == demand(snapshot, on) == ({("ana", "fire")} if days >= 0 else set())

    def test_what_nobody_asks_for_is_left_out_without_a_look_at_dates(self) -> None:
        """A gate before `assigned` reads what is known by then; else name its facts in `_KNOWN` of `sweep.py`."""
        assert "assigned" in {gate.id for gate in LEADING}

    @pytest.mark.parametrize("on", [date.min, date.max])
    def test_at_the_ends_of_the_calendar(self, on: date) -> None:
        fire = Course(id="fire", name="Fire", delivery=Delivery.IHASCO, auto_enrol=True, lead_days=30)
        row = TrainingRecord(person="ana", course="fire", completed_on=date.min, expires_on=on)
        here = night(Snapshot(account=Account(id="acme", custom_expiry=True), courses=(fire,)), on).courses["fire"]
        assert here.standing((row,)) == here.code_of(here.renewal((row,)))


class TestAGateCanOnlyRefuse:
    """Of demand: with any one gate shut, nobody is enrolled who was not before."""

    SHUTTING: tuple[tuple[str, Any], ...] = (
        ("plan-active", lambda it: with_account(it, elearning_plan_active=False)),
        ("account-enabled", lambda it: with_account(it, auto_enrol=False)),
        ("course-active", lambda it: with_courses(it, archived=True)),
        ("course-elearning", lambda it: with_courses(it, delivery=Delivery.CLASSROOM)),
        ("course-enabled", lambda it: with_courses(it, auto_enrol=False)),
        ("person-active", lambda it: with_people(it, archived=True)),
        ("person-enabled", lambda it: with_people(it, auto_enrol=False)),
        ("assigned", lambda it: evolve(with_people(it, roles=()), assignments=())),
        ("reachable", lambda it: with_people(it, email=None)),
    )

    @pytest.mark.parametrize(("gate", "shut"), SHUTTING)
    @given(drawn=near_ready())
    def test_shut_for_all(self, gate: str, shut: Any, drawn: Drawn) -> None:
        snapshot, on = load(drawn[0]), drawn[1]
        after = shut(snapshot)
        answers = list(explain_all(after, on=on))
        assert demand(after, on) == set()
        assert all(gate in row.shut for row in answers)
        assert dict(plan(after, on=on).counts.not_enrolled) == Counter(row.reason for row in answers)

    @given(near_ready(), st.data())
    def test_an_opt_out_takes_out_one_pair(self, drawn: Drawn, data: st.DataObject) -> None:
        snapshot, on = load(drawn[0]), drawn[1]
        before = demand(snapshot, on)
        assume(before)
        person, course = data.draw(st.sampled_from(sorted(before)))
        after = evolve(snapshot, opt_outs=(*snapshot.opt_outs, OptOut(person=person, course=course)))
        assert demand(after, on) == before - {(person, course)}
        # In the plan it frees what that one would have cost, and takes nobody else out.
        assert enrolled(after, on) >= enrolled(snapshot, on) - {(person, course)}


class TestWideningASettingRemovesNobody:
    """Of demand: an account or a course that enrols more widely still enrols everybody it did."""

    WIDER: tuple[Any, ...] = (
        lambda it: with_courses(it, audience=Audience.EVERYONE),
        lambda it: with_courses(it, scope=Scope.REQUIRED_AND_OPTIONAL),
        lambda it: with_courses(it, auto_enrol=True),
        lambda it: with_account(it, auto_enrol=True, elearning_plan_active=True),
        lambda it: with_account(it, auto_enrol_missing=True, missing_since=None),
        lambda it: with_account(it, expired_lookback_days=it.account.expired_lookback_days + 1),
        lambda it: with_people(it, employment=Employment.EMPLOYEE),
        lambda it: with_people(it, auto_enrol=True),
        lambda it: evolve(it, opt_outs=()),
    )

    @pytest.mark.parametrize("widen", WIDER)
    @given(drawn=near_ready())
    def test_wider(self, widen: Any, drawn: Drawn) -> None:
        snapshot, on = load(drawn[0]), drawn[1]
        assert demand(widen(snapshot), on) >= demand(snapshot, on)

    @given(near_ready(), st.integers(0, 60), st.integers(1, 60))
    def test_a_longer_lead(self, drawn: Drawn, lead: int, more: int) -> None:
        snapshot, on = with_courses(load(drawn[0]), lead_days=None), drawn[1]
        short = with_account(snapshot, custom_expiry=True, lead_days=lead)
        long = with_account(snapshot, custom_expiry=True, lead_days=lead + more)
        assert demand(long, on) >= demand(short, on)

    @given(near_ready())
    def test_missing_training_displaces_no_renewal(self, drawn: Drawn) -> None:
        """Of the plan, credits and all: what was never recorded is served last."""
        snapshot, on = with_account(load(drawn[0]), auto_enrol_missing=False), drawn[1]
        after = with_account(snapshot, auto_enrol_missing=True)
        assert enrolled(after, on) >= enrolled(snapshot, on)


class TestOneMoreCreditRemovesNobody:
    """Of the plan: with more credits the same people are enrolled, and perhaps more; nothing is overspent."""

    @given(near_ready(), st.integers(-1, 6), st.integers(1, 3))
    def test_more_credits(self, drawn: Drawn, credits: int, more: int) -> None:
        snapshot, on = load(drawn[0]), drawn[1]
        poorer, richer = with_account(snapshot, credits=credits), with_account(snapshot, credits=credits + more)
        assert enrolled(richer, on) >= enrolled(poorer, on)
        assert enrolled(with_account(snapshot, credits=None), on) >= enrolled(richer, on)

    @given(near_ready(), st.integers(-1, 6))
    def test_never_overspent(self, drawn: Drawn, credits: int) -> None:
        snapshot, on = with_account(load(drawn[0]), credits=credits), drawn[1]
        costs = {course.id: course.credit_cost for course in snapshot.courses}
        people = {person.id for person in snapshot.personnel}
        reserved = sum(
            costs.get(row.course, 0)
            for row in snapshot.enrolments
            if row.status in (EnrolmentStatus.PENDING, EnrolmentStatus.BOOKED) and row.person in people
        )
        spent = sum(row.credits for row in plan(snapshot, on=on).enrolments)
        assert spent == 0 or spent <= credits - reserved

    @given(near_ready(), st.integers(0, 4))
    def test_the_shortfall_would_be_enough(self, drawn: Drawn, credits: int) -> None:
        snapshot, on = with_account(load(drawn[0]), credits=credits), drawn[1]
        for row in plan(snapshot, on=on).deferred:
            if row.shortfall is not None:
                topped_up = with_account(snapshot, credits=credits + row.shortfall)
                short = with_account(snapshot, credits=credits + row.shortfall - 1)
                assert (row.person, row.course) in enrolled(topped_up, on)
                assert (row.person, row.course) not in enrolled(short, on)


class TestOnlyWhatWasNotStartedIsCancelled:
    """In progress, completed, or made by hand: no settings and no facts ever cancel it."""

    @given(near_ready(most_flips=6))
    def test_automatic_and_booked(self, drawn: Drawn) -> None:
        snapshot, on = load(drawn[0]), drawn[1]
        rows = {row.id: row for row in snapshot.enrolments}
        tonight = plan(snapshot, on=on)
        taken: list[Cancel | Invite] = [*tonight.cancellations, *tonight.invitations]
        for action in taken:
            row = rows[action.enrolment]
            assert (row.origin, row.status) == (Origin.AUTO, EnrolmentStatus.BOOKED)
            assert (row.person, row.course) == (action.person, action.course)

    @given(near_ready(most_flips=6))
    def test_a_lapsed_plan_or_the_master_switch_cancels_nothing(self, drawn: Drawn) -> None:
        snapshot, on = load(drawn[0]), drawn[1]
        off = with_account(snapshot, elearning_plan_active=False, auto_enrol=False)
        assert plan(off, on=on).cancellations == plan(snapshot, on=on).cancellations


class TestPeopleOnlyShareCredits:
    """What one person is answered depends on nobody else but through credits."""

    @given(near_ready(), st.data())
    def test_alone_or_together(self, drawn: Drawn, data: st.DataObject) -> None:
        snapshot, on = with_account(load(drawn[0]), credits=None), drawn[1]
        person = data.draw(st.sampled_from(snapshot.personnel))
        alone = evolve(snapshot, personnel=(person,))
        together = plan(snapshot, on=on)
        assert plan(alone, on=on).actions == tuple(row for row in together.actions if row.person == person.id)

    @given(near_ready(), st.data())
    def test_asked_for_some_people(self, drawn: Drawn, data: st.DataObject) -> None:
        """`people=` is the whole night's answer for those people, credits included."""
        credits = data.draw(st.sampled_from([None, 0, 1, 2, 3]))
        snapshot, on = with_account(load(drawn[0]), credits=credits), drawn[1]
        some = data.draw(st.sets(st.sampled_from([person.id for person in snapshot.personnel])))
        whole, part = plan(snapshot, on=on), plan(snapshot, on=on, people=some)
        assert part.actions == tuple(row for row in whole.actions if row.person in some)
        assert part.deferred == tuple(row for row in whole.deferred if row.person in some)

    @given(near_ready(), near_ready())
    def test_an_account_sees_only_itself(self, drawn: Drawn, other: Drawn) -> None:
        """Keys carry the account, so that two accounts with the same ids never meet."""
        ours, theirs = load(drawn[0]), with_account(load(other[0]), id="other")
        assert not {row.key for row in plan(ours, on=drawn[1]).enrolments} & {
            row.key for row in plan(theirs, on=other[1]).enrolments
        }


class TestTheSameDaysLater:
    """Dates are only ever compared with each other: move them all, and the plan moves with them."""

    @given(near_ready_rows(), st.integers(-300, 300))
    def test_shifted(self, drawn: tuple[dict[str, Any], date], days: int) -> None:
        document, on = drawn
        assume(all(course.get("validity", {"days": 1}).get("days") for course in document["courses"]))
        document["account"] |= {"timezone": "UTC", "spread_days": 0}
        before = plan(load(json.dumps(document)), on=on)
        after = plan(load(_shifted(document, days)), on=on + timedelta(days))
        assert _shape(after) == _shape(before)

    @given(near_ready_rows())
    def test_four_hundred_years(self, drawn: tuple[dict[str, Any], date]) -> None:
        """Derived expiries too, leap days and all, as the calendar repeats itself after 146,097 days."""
        document, on = drawn
        document["account"] |= {"timezone": "UTC", "spread_days": 0}
        before = plan(load(json.dumps(document)), on=on)
        after = plan(load(_shifted(document, 146_097)), on=on + timedelta(146_097))
        assert _shape(after) == _shape(before)


def _shape(tonight: Any) -> Any:
    actions = [(type(row), row.person, row.course, row.because) for row in tonight.enrolments]
    return actions, tonight.cancellations, tonight.invitations, tonight.counts, tonight.guards


def _shifted(document: dict[str, Any], days: int) -> str:
    def shift(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: shift(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [shift(inner) for inner in value]
        if isinstance(value, str) and len(value) >= 10 and value[:4].isdigit() and value[4] == "-":
            return (date.fromisoformat(value[:10]) + timedelta(days)).isoformat() + value[10:]
        return value

    return json.dumps(shift(document))


class TestNothingIsRead:
    """Planning changes nothing it is given, and asks nothing of the machine."""

    @given(near_ready())
    def test_the_snapshot_is_as_before(self, drawn: Drawn) -> None:
        snapshot, again = load(drawn[0]), load(drawn[0])
        tonight = plan(snapshot, on=drawn[1])
        project(snapshot, tonight)
        assert snapshot == again
        assert hash(snapshot) == hash(again)


class TestAPlanSaysWhoseItIs:
    """A plan names its account and its night; it is made for people, and one id is not taken for several."""

    @given(near_ready())
    def test_account_and_night(self, drawn: Drawn) -> None:
        snapshot, on = load(drawn[0]), drawn[1]
        tonight = plan(snapshot, on=on)
        assert (tonight.account, tonight.on) == (snapshot.account.id, on)

    def test_one_id_is_no_collection_of_them(self) -> None:
        with pytest.raises(InvalidValue) as raised:
            plan(Snapshot(account=Account(id="acme")), on=date(2026, 11, 23), people="ana")
        assert str(raised.value) == "`people` must be a collection of ids, like `{id}`, not one id"

    @pytest.mark.parametrize("moment", [datetime(2026, 11, 23, tzinfo=UTC), "2026-11-23", None])
    def test_a_moment_is_no_night(self, moment: Any) -> None:
        with pytest.raises(InvalidValue) as raised:
            plan(Snapshot(account=Account(id="acme")), on=moment)
        assert raised.value.field == "on"


class TestTheCollectorIsLeftAsItWas:
    """Planning keeps the garbage collector still, and leaves it as it was, whatever comes of it."""

    @pytest.mark.parametrize("was_on", [True, False])
    def test_afterwards(self, was_on: bool) -> None:
        snapshot = Snapshot(account=Account(id="acme"))
        before = gc.isenabled()
        (gc.enable if was_on else gc.disable)()
        try:
            plan(snapshot, on=date(2026, 11, 23))
            assert gc.isenabled() is was_on
            with pytest.raises(UnknownId):
                plan(snapshot, on=date(2026, 11, 23), people={"nobody"})
            assert gc.isenabled() is was_on
        finally:
            (gc.enable if before else gc.disable)()


class TestAnExplanationHoldsAllThatMatters:
    """Whatever the candidate's facts say, the verdict follows from them alone."""

    @given(near_ready())
    def test_a_verdict_follows_from_the_facts(self, drawn: Drawn) -> None:
        snapshot, on = load(drawn[0]), drawn[1]
        for pair in pairs(snapshot, on):
            found: Candidate = candidate(snapshot, person=pair[0], course=pair[1], on=on)
            verdict = decide(found)
            assert verdict.shut == tuple(gate.id for gate in GATES if not gate.holds(found.facts))
            assert verdict.enrols == (verdict.trigger is not None and not verdict.shut)
            assert (found.facts.status is Status.MISSING) == (found.cycle == "first")
            assert (found.facts.level is Level.REQUIRED) == any(s.level is Level.REQUIRED for s in found.sources)

    @given(near_ready())
    def test_an_enrolment_says_what_it_renews(self, drawn: Drawn) -> None:
        snapshot, on = load(drawn[0]), drawn[1]
        for action in plan(snapshot, on=on).actions:
            if isinstance(action, Enrol):
                found = candidate(snapshot, person=action.person, course=action.course, on=on)
                assert (action.key, action.cycle, action.attempt) == (found.key, found.cycle, found.attempt)
                assert action.expires_on == found.renewal.expires_on
