"""What if: two plans of one night by the same evaluation, and what lies between them."""

from datetime import date, timedelta
from importlib.resources import files
from typing import Any

import pytest
from attrs import evolve, fields
from hypothesis import event, given, settings
from hypothesis import strategies as st

from documents import near_ready
from enrolpolicy import (
    UNCHANGED,
    Audience,
    CancelEnrolment,
    ChangeAccount,
    ChangeCourse,
    ChangeOptOut,
    ChangePerson,
    Decision,
    Figures,
    InvalidValue,
    Scope,
    Snapshot,
    Supposition,
    TopUp,
    UnknownId,
    Withdrawal,
    difference,
    dump,
    explain_all,
    load,
    load_plan,
    plan,
    supposed,
    what_if,
)

Drawn = tuple[str, date]
ON = date(2026, 11, 23)
TABLES = ("account", "courses", "roles", "personnel", "assignments", "records", "enrolments", "opt_outs")


def switches(snapshot: Snapshot) -> st.SearchStrategy[Supposition]:
    """A change to something in the register, of every kind there is."""
    days = st.one_of(st.none(), st.sampled_from([0, 19, 20, 21, 30, 200]))
    courses = st.sampled_from([row.id for row in snapshot.courses])
    people = st.sampled_from([row.id for row in snapshot.personnel])
    kinds: list[st.SearchStrategy[Supposition]] = [
        st.builds(ChangeAccount, auto_enrol=st.booleans(), auto_enrol_missing=st.booleans()),
        st.builds(ChangeAccount, custom_expiry=st.booleans(), lead_days=days, spread_days=st.sampled_from([0, 1, 10])),
        st.builds(ChangeAccount, expired_lookback_days=st.sampled_from([0, 1, 89, 90, 91])),
        st.builds(ChangeAccount, withdraw_when=st.frozensets(st.sampled_from(Withdrawal))),
        st.builds(ChangeCourse, course=courses, auto_enrol=st.booleans(), lead_days=days),
        st.builds(ChangeCourse, course=courses, audience=st.sampled_from(Audience), scope=st.sampled_from(Scope)),
        st.builds(ChangePerson, person=people, auto_enrol=st.booleans()),
        st.builds(ChangeOptOut, person=people, course=courses, opted_out=st.booleans()),
    ]
    if snapshot.enrolments:
        ids = st.sampled_from([row.id for row in snapshot.enrolments])
        kinds.append(st.builds(CancelEnrolment, enrolment=ids))
    if snapshot.account.credits is not None:
        kinds.append(st.builds(TopUp, credits=st.integers(0, 4)))
    return st.one_of(kinds)


def outcomes(snapshot: Snapshot, on: date) -> dict[tuple[str, str], Decision]:
    return {(row.person, row.course): Decision(row.outcome, row.reason) for row in explain_all(snapshot, on=on)}


class TestTheDifference:
    """It names every pair whose outcome or reason differs, every action of only one plan, and figures that add up."""

    @given(near_ready(), st.data())
    @settings(max_examples=60)
    def test_by_two_plans_and_every_explanation(self, drawn: Drawn, data: st.DataObject) -> None:
        snapshot, on = load(drawn[0]), drawn[1]
        changes = data.draw(st.lists(switches(snapshot), max_size=3))
        found = what_if(snapshot, changes, on=on)
        changed = supposed(snapshot, changes, on=on)
        before, after = plan(snapshot, on=on), plan(changed, on=on)
        assert (found.before, found.after) == (before, after)
        was, now = outcomes(snapshot, on), outcomes(changed, on)
        assert [(row.person, row.course, row.was, row.now) for row in found.moved] == [
            (*pair, was[pair], now[pair]) for pair in sorted(was) if was[pair] != now[pair]
        ]
        assert {*found.added, *found.cancelled, *found.invited} == {*after.actions} - {*before.actions}
        assert {*found.removed, *found.spared, *found.uninvited} == {*before.actions} - {*after.actions}
        for parts in (found.courses, found.divisions):
            for name in [field.name for field in fields(Figures)]:
                total = sum(getattr(row.after, name) - getattr(row.before, name) for row in parts)
                assert total == getattr(found.figures[1], name) - getattr(found.figures[0], name)
        assert found.figures[1].enrolments == after.counts.enrol
        assert found.figures[1].held + found.figures[1].waiting == after.counts.deferred
        event(f"moved: {min(3, len(found.moved))}")

    @pytest.mark.parametrize("of", ["account", "person"])
    @given(drawn=near_ready(), table=st.sampled_from(["records", "enrolments"]))
    @settings(max_examples=30)
    def test_of_what_nobody_asks_for(self, of: str, drawn: Drawn, table: str) -> None:
        """Recorded, or enrolled on and never recorded: everybody is left out for another reason, and it is said."""
        snapshot, on = load(drawn[0]), drawn[1]
        others: dict[str, Any] = {name: () for name in ("records", "enrolments") if name != table}
        people = tuple(evolve(row, roles=()) for row in snapshot.personnel)
        unasked = evolve(snapshot, personnel=people, assignments=(), **others)
        person = snapshot.personnel[0]
        off: Supposition = ChangeAccount(auto_enrol=not snapshot.account.auto_enrol)
        if of == "person":
            off = ChangePerson(person=person.id, auto_enrol=not person.auto_enrol)
        found = what_if(unasked, [off], on=on)
        was, now = outcomes(unasked, on), outcomes(supposed(unasked, [off], on=on), on)
        assert [(row.person, row.course) for row in found.moved] == sorted(
            pair for pair in was if was[pair] != now[pair]
        )

    @given(near_ready())
    def test_of_a_plan_and_itself_there_is_none(self, drawn: Drawn) -> None:
        snapshot, on = load(drawn[0]), drawn[1]
        found = difference(plan(snapshot, on=on), plan(snapshot, on=on))
        assert found.empty
        assert (found.courses, found.divisions) == ((), ())
        assert what_if(snapshot, [], on=on).empty

    @given(near_ready(), st.data())
    @settings(max_examples=60)
    def test_of_an_edit_and_its_undoing_there_is_none(self, drawn: Drawn, data: st.DataObject) -> None:
        snapshot, on = load(drawn[0]), drawn[1]
        change = data.draw(switches(snapshot).filter(lambda it: not isinstance(it, CancelEnrolment | TopUp)))
        assert what_if(snapshot, [change, undone(snapshot, change)], on=on).empty

    @given(near_ready(), st.data())
    @settings(max_examples=60)
    def test_of_plans_from_documents(self, drawn: Drawn, data: st.DataObject) -> None:
        """Of plans read from documents the actions and deferrals are compared, and who is left out is not known."""
        snapshot, on = load(drawn[0]), drawn[1]
        changed = supposed(snapshot, [data.draw(switches(snapshot))], on=on)
        known = difference(plan(snapshot, on=on), plan(changed, on=on))
        read = difference(load_plan(dump(plan(snapshot, on=on))), load_plan(dump(plan(changed, on=on))))
        assert (read.added, read.removed, read.cancelled, read.spared) == (
            known.added, known.removed, known.cancelled, known.spared,
        )  # fmt: skip
        assert {*read.moved} <= {*known.moved}
        assert read.left == (None, None)

    def test_of_two_nights_or_accounts_is_refused(self) -> None:
        one = plan(DEMO, on=ON)
        for other in (plan(DEMO, on=ON + timedelta(1)), evolve(one, account="other")):
            with pytest.raises(InvalidValue, match="plan both for one night"):
                difference(one, other)


def undone(snapshot: Snapshot, change: Any) -> Any:
    """The change back to what is."""
    match change:
        case ChangeAccount():
            row: Any = snapshot.account
        case ChangeCourse():
            [row] = (row for row in snapshot.courses if row.id == change.course)
        case ChangePerson():
            [row] = (row for row in snapshot.personnel if row.id == change.person)
        case _:
            out = any((row.person, row.course) == (change.person, change.course) for row in snapshot.opt_outs)
            return evolve(change, opted_out=out)
    names = [field.name for field in fields(type(change)) if field.name not in ("course", "person")]
    return evolve(change, **{name: getattr(row, name) for name in names if getattr(change, name) is not UNCHANGED})


DEMO = load(files("enrolpolicy").joinpath("demo.json").read_bytes())


class TestTheBaseline:
    """The snapshot asked about stays as it is, and the other shares with it whatever was not changed."""

    @pytest.mark.parametrize(
        ("change", "table"),
        [
            (ChangeAccount(auto_enrol=False), "account"),
            (TopUp(credits=1), "account"),
            (ChangeCourse(course="fire-safety", lead_days=60), "courses"),
            (ChangePerson(person="priya-nair", auto_enrol=False), "personnel"),
            (ChangeOptOut(person="priya-nair", course="fire-safety", opted_out=True), "opt_outs"),
            (CancelEnrolment(enrolment="booking-103"), "enrolments"),
        ],
    )
    def test_is_shared(self, change: Supposition, table: str) -> None:
        text = dump(DEMO)
        then = supposed(DEMO, [change], on=ON)
        assert {name for name in TABLES if getattr(then, name) is not getattr(DEMO, name)} == {table}
        assert dump(DEMO) == text

    def test_what_is_unknown_is_said(self) -> None:
        with pytest.raises(UnknownId, match="no course `fire`"):
            what_if(DEMO, [ChangeCourse(course="fire", auto_enrol=True)], on=ON)
        with pytest.raises(InvalidValue, match="0 to 3650"):
            what_if(DEMO, [ChangeAccount(lead_days=-1)], on=ON)
        with pytest.raises(InvalidValue, match="nothing to top up"):
            supposed(evolve(DEMO, account=evolve(DEMO.account, credits=None)), [TopUp(credits=1)], on=ON)


class TestOnTheDemoAccount:
    """Enrolling all missing training shows what it costs before anybody is enrolled."""

    def test_missing_training_whenever_it_was_asked_for(self) -> None:
        found = what_if(DEMO, [ChangeAccount(missing_since=None), TopUp(credits=100)], on=ON)
        before, after = found.figures
        assert (before.waiting, after.waiting) == (2, 0)
        assert (after.credits - before.credits, after.emails - before.emails) == (23, 24)
        assert {row.was.reason for row in found.moved} == {"missing-enabled", "credits"}
        waited = {(row.person, row.course) for row in found.before.deferred}
        assert {row.because for row in found.added if (row.person, row.course) not in waited} == {"missing"}
        assert found.left == (0, 77)

    def test_a_box_unticked_cancels(self) -> None:
        found = what_if(DEMO, [ChangeCourse(course="height", auto_enrol=False)], on=ON)
        assert [(row.person, row.because) for row in found.cancelled] == [("neil-carver", "course-disabled")]
        assert [row.id for row in found.courses if row.after.cancellations] == ["height"]
