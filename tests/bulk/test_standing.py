"""Night after night over columns: only what is due and what changed is looked at, and the plan is that of the whole."""

from datetime import date, timedelta
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from enrolpolicy import (
    EnrolmentStatus,
    EnrolPolicyError,
    InvalidValue,
    Person,
    Plan,
    RoleCourse,
    Snapshot,
    plan,
    project,
)
from enrolpolicy.bulk import estate_of, keeping, plans_of, standing
from enrolpolicy.dates import first_instant
from enrolpolicy.planner import booking
from registers import ON, register
from test_equal import Drawn, estates, nights

THOROUGH = settings.get_current_profile_name() == "thorough"
OWN = ("assignments", "records", "enrolments", "opt_outs")
NEWCOMERS = ("a", "p0-late", "z")


def only(snapshot: Snapshot, people: set[str]) -> Snapshot:
    """The same account with some of its people, and all rows that are theirs."""
    own: dict[str, Any] = {name: tuple(row for row in getattr(snapshot, name) if row.person in people) for name in OWN}
    return evolve(snapshot, personnel=tuple(row for row in snapshot.personnel if row.id in people), **own)


def replaced(snapshot: Snapshot, people: set[str], other: Snapshot) -> Snapshot:
    """A snapshot in which all that is said of some people is what another says, which may be nothing."""
    ours = only(snapshot, {row.id for row in snapshot.personnel} - people)
    strays = {
        name: tuple(row for row in getattr(snapshot, name) if row.person not in people | _ids(snapshot)) for name in OWN
    }
    theirs = only(other, people & _ids(other))
    own = {name: strays[name] + getattr(ours, name) + getattr(theirs, name) for name in OWN}
    return with_rows(snapshot, ours.personnel + theirs.personnel, own)


def with_rows(snapshot: Snapshot, personnel: tuple[Person, ...], own: dict[str, tuple[Any, ...]]) -> Snapshot:
    """The same account with other people and rows of theirs, each enrolment under an id of its own."""
    seen: set[str] = set()
    enrolments = []
    for row in own["enrolments"]:
        id = row.id
        while id in seen:
            id += "'"
        seen.add(id)
        enrolments.append(evolve(row, id=id))
    rows: dict[str, Any] = {**own, "enrolments": tuple(enrolments)}
    return evolve(snapshot, personnel=personnel, **rows)


def _ids(snapshot: Snapshot) -> set[str]:
    return {row.id for row in snapshot.personnel}


def renamed(snapshot: Snapshot, new: str) -> Snapshot:
    """The first person of an account under another id, beside all there are."""
    first = snapshot.personnel[0].id
    own = {
        name: getattr(snapshot, name)
        + tuple(evolve(row, person=new) for row in getattr(snapshot, name) if row.person == first)
        for name in OWN
    }
    return with_rows(snapshot, (*snapshot.personnel, evolve(snapshot.personnel[0], id=new)), own)


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def expected(current: list[Snapshot], on: dict[str, date], *, findings: bool = False) -> list[Plan]:
    plans = [plan(snapshot, on=on[snapshot.account.id]) for snapshot in current]
    return plans if findings else [evolve(found, findings=()) for found in plans]


def sources(current: list[Snapshot]) -> dict[str, Snapshot]:
    return {snapshot.account.id: snapshot for snapshot in current}


class TestANightAfterANight:
    """Whatever happens between nights (people change, join and leave, settings and catalogues change, the plan is
    carried out, days pass), each plan is the one that planning everything makes."""

    @given(estates(most=2), st.data())
    @settings(max_examples=5_000 if THOROUGH else 100)
    def test_every_plan_is_that_of_the_whole(self, drawn: Drawn, data: st.DataObject) -> None:
        current, on = [snapshot for snapshot, _ in drawn], nights(drawn)
        kept = standing(estate_of(current), on=on)
        assert list(plans_of(kept.night(on=on), sources(current))) == expected(current, on)
        for _ in range(data.draw(st.integers(1, 4))):
            changed: list[Snapshot] = []
            left: list[tuple[str, str]] = []
            for place, snapshot in enumerate(current):
                other, people = self._change(snapshot, on[snapshot.account.id], data)
                settled, everybody = self._settle(snapshot, data)
                current[place] = after = replaced(settled, people, other)
                left += [(after.account.id, id) for id in sorted(people & _ids(snapshot) - _ids(after))]
                if people or settled is not snapshot:
                    changed.append(only(after, _ids(after) if everybody else people))
            days = st.sampled_from([0, 1, 1, 2, 7, 30, 100])
            on = {id: day + timedelta(data.draw(days)) for id, day in on.items()}
            asked = data.draw(st.booleans())
            found = kept.night(on=on, changed=estate_of(changed) if changed else None, left=left, findings=asked)
            assert list(plans_of(found, sources(current))) == expected(current, on, findings=asked)

    @given(estates(most=2), st.data())
    @settings(max_examples=500 if THOROUGH else 40)
    def test_leavers_whose_rows_stay(self, drawn: Drawn, data: st.DataObject) -> None:
        """What is said of people nobody knows is a finding, and where nobody is left, a guard; until they are back."""
        before, on = [snapshot for snapshot, _ in drawn], nights(drawn)
        gone = [data.draw(st.sets(st.sampled_from(sorted(_ids(one) or {""})))) & _ids(one) for one in before]
        kept = standing(estate_of(before), on=on)
        after, about = [], []
        for one, people in zip(before, gone, strict=True):
            stay = tuple(row for row in one.personnel if row.id not in people)
            after.append(evolve(one, personnel=stay))
            about.append(evolve(only(one, people), personnel=()))
        left = [(one.account.id, id) for one, people in zip(before, gone, strict=True) for id in sorted(people)]
        found = kept.night(on=on, changed=estate_of(about), left=left, findings=True)
        assert list(plans_of(found, sources(after))) == expected(after, on, findings=True)
        back = [only(one, people) for one, people in zip(before, gone, strict=True)]
        found = kept.night(on=on, changed=estate_of(back), findings=True)
        assert list(plans_of(found, sources(before))) == expected(before, on, findings=True)

    def test_long_after_the_catalogue_of_one_account_changed(self) -> None:
        """What its people had before is not looked at again when its date comes."""
        whole = register(8)
        current = [evolve(whole, account=evolve(whole.account, id=f"a{number}", credits=None)) for number in range(9)]
        kept = standing(estate_of(current), on=ON)
        current[4] = evolve(current[4], courses=current[4].courses[:-1])
        found = kept.night(on=ON, changed=estate_of([current[4]]))
        for days in (0, 1, 20, 40, 80, 160, 320, 500):
            on = {one.account.id: ON + timedelta(days) for one in current}
            found = kept.night(on=on)
            assert list(plans_of(found, sources(current))) == expected(current, on)

    def test_the_last_night_there_is(self) -> None:
        """However far ahead: no more is worked out than for an estate that is begun on that night."""
        snapshot = register(30)
        kept = standing(estate_of([snapshot]), on=ON)
        for on in (date(2150, 1, 1), date.max):
            found = plans_of(kept.night(on=on), sources([snapshot]))
            assert list(found) == expected([snapshot], {"estate": on})

    def _change(self, snapshot: Snapshot, on: date, data: st.DataObject) -> tuple[Snapshot, set[str]]:
        """An account as it is to be said from now on, and the people of whom that is to be taken over."""
        match data.draw(st.sampled_from(["nothing", "carried out", "others", "joined", "left"])):
            case "carried out":
                other = project(snapshot, plan(snapshot, on=on))
                return other, {action.person for action in plan(snapshot, on=on).actions} & _ids(snapshot)
            case "others":
                [(other, _)] = data.draw(estates(most=1))
                return other, set(data.draw(st.lists(st.sampled_from(["p0", "p1", "p2"]), min_size=1)))
            case "joined":
                new = data.draw(st.sampled_from(NEWCOMERS))
                if snapshot.personnel and new not in _ids(snapshot):
                    return renamed(snapshot, new), {new}
            case "left":
                ids = sorted(_ids(snapshot))
                gone = set(data.draw(st.lists(st.sampled_from(ids), unique=True))) if ids else set()
                return only(snapshot, _ids(snapshot) - gone), gone
        return snapshot, set()

    def _settle(self, snapshot: Snapshot, data: st.DataObject) -> tuple[Snapshot, bool]:
        """An account with settings of its own or others, and whether courses or roles came or went."""
        match data.draw(st.sampled_from(["nothing", "nothing", "account", "courses", "roles", "all", "fewer"])):
            case "account":
                [(other, _)] = data.draw(estates(most=1))
                return evolve(snapshot, account=evolve(other.account, id=snapshot.account.id)), False
            case "courses":
                [(other, _)] = data.draw(estates(most=1))
                theirs = {row.id: row for row in other.courses}
                return evolve(snapshot, courses=tuple(theirs.get(row.id, row) for row in snapshot.courses)), False
            case "roles":
                asked = data.draw(st.permutations([role.requirements for role in snapshot.roles]))
                rows = zip(snapshot.roles, asked, strict=True)
                return evolve(snapshot, roles=tuple(evolve(row, requirements=found) for row, found in rows)), False
            case "all":
                [(other, _)] = data.draw(estates(most=1))
                return evolve(snapshot, courses=other.courses, roles=other.roles), True
            case "fewer":
                first = data.draw(st.integers(0, 2))
                return evolve(snapshot, courses=snapshot.courses[first:]), True
        return snapshot, False

    def test_time_alone(self) -> None:
        """Sixty nights on which nothing changes but the date: completions that lie ahead, and pauses after refusals."""
        whole = register(40)
        days = [ON + timedelta(place % 50) for place in range(len(whole.records))]
        records = tuple(
            evolve(row, completed_on=day, expires_on=day + timedelta(20)) if place % 9 == 0 else row
            for place, (row, day) in enumerate(zip(whole.records, days, strict=True))
        )
        at = first_instant("UTC", ON)
        enrolments = tuple(
            evolve(booking(row, at), status=EnrolmentStatus.REFUSED, ended_on=ON + timedelta(place % 9))
            for place, row in enumerate(plan(evolve(whole, enrolments=()), on=ON).enrolments)
        )
        account = evolve(whole.account, expired_lookback_days=5, credits=None)
        snapshot = evolve(whole, account=account, records=records, enrolments=enrolments)
        kept = standing(estate_of([snapshot]), on=ON)
        for night in range(60):
            on = ON + timedelta(night)
            assert list(plans_of(kept.night(on=on), {"estate": snapshot})) == expected([snapshot], {"estate": on})

    @pytest.mark.parametrize("people", [2_000] if THOROUGH else [120])
    def test_a_year_of_a_seeded_register(self, people: int) -> None:
        snapshot, other = register(people), register(people, seed=2)
        kept = standing(estate_of([snapshot]), on=ON)
        for night in range(0, 365, 5 if THOROUGH else 30):
            on = ON + timedelta(night)
            some = {f"person-{number:06}" for number in range(night % 7, people, 20)}
            snapshot = replaced(snapshot, some, other)
            found = kept.night(on=on, changed=estate_of([only(snapshot, some)]))
            assert list(plans_of(found, {"estate": snapshot})) == expected([snapshot], {"estate": on})

    def test_catalogues_of_all_sizes(self) -> None:
        """Accounts whose people have one course or sixty are read on one night, and their pairs told apart."""
        current = []
        for number, (people, size) in enumerate([(9, 2), (1, 1), (3, 60), (30, 2), (12, 17), (5, 60)]):
            whole = register(people, seed=number)
            account = evolve(whole.account, id=f"account-{number}", credits=None if number % 2 else 5)
            current.append(evolve(whole, account=account, courses=whole.courses[:size]))
        kept = standing(estate_of(current), on=ON)
        for night, places in enumerate([(0, 3), (1,), (2, 4), (0, 1, 3, 5), (), (0, 5)]):
            for place in places:
                current[place] = evolve(current[place], records=current[place].records[night % 2 :: 2])
            on = dict.fromkeys(sources(current), ON + timedelta(6 * night))
            found = kept.night(on=on, changed=estate_of([current[place] for place in places]))
            assert list(plans_of(found, sources(current))) == expected(current, on)

    def test_an_account_that_lags_behind(self) -> None:
        """What is due in one account on the night of another waits for its own."""
        whole = register(25)
        current = [evolve(whole, account=evolve(whole.account, id=id)) for id in ("ahead", "behind")]
        kept = standing(estate_of(current), on=ON)
        for night in range(12):
            on = {"ahead": ON + timedelta(night + min(night, 4)), "behind": ON + timedelta(night)}
            assert list(plans_of(kept.night(on=on), sources(current))) == expected(current, on)

    def test_a_catalogue_that_changed_and_then_time_alone(self) -> None:
        """Pairs that are nobody's any more are let go of, and what the others wait for still comes on its day."""
        whole = register(25)
        first, second = (evolve(whole, account=evolve(whole.account, id=id)) for id in ("first", "second"))
        kept = standing(estate_of([first, second]), on=ON)
        for night in range(12):
            changed = None
            if night == 2:
                first = evolve(first, courses=first.courses[::2])
                changed = estate_of([first])
            on = dict.fromkeys(("first", "second"), ON + timedelta(night))
            found = kept.night(on=on, changed=changed)
            assert list(plans_of(found, sources([first, second]))) == expected([first, second], on)

    @pytest.mark.parametrize("credits", [None, 9, 20])
    def test_renewals_that_are_spread(self, credits: int | None) -> None:
        """Somebody is held until a day, and not on it; of credits there are enough but for one, or far too few."""
        whole = register(60)
        account = evolve(whole.account, spread_days=10, credits=credits, auto_enrol_missing=False)
        snapshot = evolve(whole, account=account, enrolments=())
        kept = standing(estate_of([snapshot]), on=ON)
        for night in range(20):
            on = ON + timedelta(night)
            assert list(plans_of(kept.night(on=on), {"estate": snapshot})) == expected([snapshot], {"estate": on})

    def test_nothing_at_all(self) -> None:
        """No account changed, or there is none."""
        snapshot = register(5)
        kept = standing(estate_of([snapshot]), on=ON)
        found = kept.night(on=ON, changed=estate_of([]), findings=True)
        assert plans_of(found, {"estate": snapshot}) == (plan(snapshot, on=ON),)
        assert plans_of(standing(estate_of([]), on=ON).night(on=ON, findings=True), {}) == ()

    def test_rows_that_are_nobodys_do_not_pile_up(self) -> None:
        """Everybody is given anew night after night; a quarter of a table may be left over, beside one night's rows."""
        snapshot = register(30)
        kept = standing(estate_of([snapshot]), on=ON)
        for night in range(12):
            on = ON + timedelta(night)
            found = kept.night(on=on, changed=estate_of([snapshot]))
            for name, rows in (("records", snapshot.records), ("enrolments", snapshot.enrolments)):
                assert len(getattr(found.estate, name)) <= len(rows) * 7 // 3 + 1
            assert list(plans_of(found, {"estate": snapshot})) == expected([snapshot], {"estate": on})

    def test_findings_that_come_and_go(self) -> None:
        """A completion that lay ahead, an address mistyped, a course that nobody knows; looked for now and then."""
        whole = register(10)
        ahead = evolve(whole.records[0], completed_on=ON + timedelta(3), expires_on=None)
        plain = evolve(whole, records=(*whole.records[1:], ahead))
        role, person = whole.roles[0], evolve(whole.personnel[1], email="nobody at all")
        told = evolve(plain, personnel=(whole.personnel[0], person, *whole.personnel[2:]))
        unknown = RoleCourse(course="nobody-knows", level=role.requirements[0].level)
        asking = evolve(told, roles=(evolve(role, requirements=(*role.requirements, unknown)), *whole.roles[1:]))
        kept = standing(estate_of([plain]), on=ON)
        seen, before = [], plain
        for night, now in enumerate([plain, told, asking, asking, told, plain]):
            on, asked = ON + timedelta(night), night != 1
            changed, before = None if now is before else estate_of([only(now, {person.id})]), now
            found = kept.night(on=on, changed=changed, findings=asked)
            assert list(plans_of(found, sources([now]))) == expected([now], {"estate": on}, findings=asked)
            seen.append({row.code for row in found.findings[0]} & {"completed-in-future", "unknown-course"})
        assert seen == [
            {"completed-in-future"}, set(), {"completed-in-future", "unknown-course"}, {"unknown-course"}, set(), set()
        ]  # fmt: skip

    def test_findings_of_one_night(self) -> None:
        """Looked for twice on a night: by then somebody changed, somebody left, a setting changed, or nothing did."""
        whole = register(10)
        person, leaver = evolve(whole.personnel[1], email="nobody at all"), whole.personnel[2].id
        told = evolve(whole, personnel=(whole.personnel[0], person, *whole.personnel[2:]))
        fewer = only(told, _ids(told) - {leaver})
        settled = evolve(fewer, account=evolve(whole.account, custom_expiry=False, lead_days=7))
        kept = standing(estate_of([whole]), on=ON)
        seen = set()
        for now, people, left in (
            (whole, None, []),
            (told, {person.id}, []),
            (fewer, None, [leaver]),
            (settled, set(), []),
        ):
            changed = None if people is None else estate_of([only(now, people)])
            found = kept.night(on=ON, changed=changed, left=[("estate", id) for id in left], findings=True)
            assert list(plans_of(found, sources([now]))) == expected([now], {"estate": ON}, findings=True)
            seen.add(found.findings[0])
        assert len(seen) == 4


class TestWhatItCannotFollow:
    """Half of an account whose catalogue changed, a night before the last, and people who are not there are refused; it
    says what to do, and nothing is changed."""

    @pytest.fixture
    def snapshot(self) -> Snapshot:
        return register(20)

    def test_somebody_who_left_before(self, snapshot: Snapshot) -> None:
        first, *others = sorted(_ids(snapshot))
        kept, now = standing(estate_of([snapshot]), on=ON), only(snapshot, set(others))
        found = kept.night(on=ON, left=[("estate", first)] * 9)  # as often as one likes, on one night
        assert list(plans_of(found, sources([now]))) == expected([now], {"estate": ON})
        with pytest.raises(InvalidValue, match=f"`left` must be people who are there; `estate` has no `{first}`"):
            kept.night(on=ON, left=[("estate", first)])
        assert list(plans_of(kept.night(on=ON), sources([now]))) == expected([now], {"estate": ON})

    def test_rows_of_somebody_who_is_not_given(self, snapshot: Snapshot) -> None:
        first = snapshot.personnel[0].id
        half = evolve(only(snapshot, {first}), personnel=())
        kept = standing(estate_of([snapshot]), on=ON)
        with pytest.raises(InvalidValue, match=f"people with all their rows; `{first}` of `estate` is not in it"):
            kept.night(on=ON, changed=estate_of([half]))
        assert list(plans_of(kept.night(on=ON), sources([snapshot]))) == expected([snapshot], {"estate": ON})

    @pytest.mark.parametrize("step", ["read", "demanded", "block"])
    def test_a_night_that_broke_off(self, snapshot: Snapshot, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """What it had changed until then nobody knows; no later plan is made of it."""
        kept = standing(estate_of([snapshot]), on=ON)
        with monkeypatch.context() as patch:
            patch.setattr(keeping, step, interrupted)
            with pytest.raises(KeyboardInterrupt):
                kept.night(on=ON, changed=estate_of([snapshot]))
        with pytest.raises(EnrolPolicyError, match="broke off in the middle; begin a new `Standing`"):
            kept.night(on=ON)

    def test_the_snapshots_it_was_made_of(self, snapshot: Snapshot) -> None:
        found = standing(estate_of([snapshot]), on=ON).night(on=ON)
        with pytest.raises(InvalidValue, match="`sources` must be given for a plan of a `Standing`"):
            plans_of(found)

    def test_courses_that_came_or_went_without_everybody(self, snapshot: Snapshot) -> None:
        """Rows of people who are not given may be about a course that is no more, or that nobody knew of."""
        kept = standing(estate_of([snapshot]), on=ON)
        new = evolve(snapshot.courses[0], id="new")
        first = snapshot.personnel[0].id
        for other in (
            evolve(snapshot, courses=snapshot.courses[1:]),
            evolve(snapshot, courses=(*snapshot.courses, new)),
            evolve(snapshot, roles=snapshot.roles[1:]),
        ):
            some = only(other, _ids(snapshot) - {first})
            with pytest.raises(InvalidValue, match=f"courses or roles came or went; there is no `{first}`"):
                kept.night(on=ON, changed=estate_of([some]), left=[("estate", snapshot.personnel[1].id)])
        assert list(plans_of(kept.night(on=ON), sources([snapshot]))) == expected([snapshot], {"estate": ON})
        after = only(evolve(snapshot, courses=snapshot.courses[1:]), _ids(snapshot) - {first})
        found = kept.night(on=ON, changed=estate_of([after]), left=[("estate", first)])
        assert list(plans_of(found, sources([after]))) == expected([after], {"estate": ON})

    def test_another_account(self, snapshot: Snapshot) -> None:
        other = evolve(snapshot, account=evolve(snapshot.account, id="other"))
        with pytest.raises(InvalidValue, match="there is no `other`"):
            standing(estate_of([snapshot]), on=ON).night(on=ON, changed=estate_of([other]))

    def test_a_night_before_the_last(self, snapshot: Snapshot) -> None:
        kept = standing(estate_of([snapshot]), on=ON)
        with pytest.raises(InvalidValue, match="not be before the last night"):
            kept.night(on=ON - timedelta(1))

    def test_nobody_of_that_id(self, snapshot: Snapshot) -> None:
        with pytest.raises(InvalidValue, match="`estate` has no `nobody`"):
            standing(estate_of([snapshot]), on=ON).night(on=ON, left=[("estate", "nobody")])
