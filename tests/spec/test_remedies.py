"""What one change would help: each tried on the register, none guessed from a reason."""

from datetime import date, timedelta
from importlib.resources import files

from attrs import evolve
from hypothesis import event, given, settings
from hypothesis import strategies as st

from documents import near_ready
from enrolpolicy import (
    Audience,
    ChangeAccount,
    ChangeCourse,
    ChangeOptOut,
    ChangePerson,
    Coverage,
    Covered,
    Remedy,
    Snapshot,
    Standing,
    Supposition,
    TopUp,
    coverage,
    explain,
    load,
    plan,
    supposed,
    what_helps,
)

Drawn = tuple[str, date]
ON = date(2026, 11, 23)


def trouble(found: Coverage) -> list[Covered]:
    return [row for row in found.rows if row.standing in (Standing.STUCK, Standing.WAITING) or row.lapses_on]


def every_switch(snapshot: Snapshot, found: Coverage) -> list[Supposition]:
    """All that can be switched, whether it is likely to help or not."""
    ago = max([(found.on - row.expires_on).days for row in trouble(found) if row.expires_on], default=0)
    lookback = max(ago, snapshot.account.expired_lookback_days)
    return [
        ChangeAccount(auto_enrol=True),
        ChangeAccount(auto_enrol_missing=True),
        ChangeAccount(missing_since=None),
        ChangeAccount(spread_days=0),
        ChangeAccount(expired_lookback_days=lookback),
        *(ChangeCourse(course=row.id, auto_enrol=True) for row in snapshot.courses),
        *(ChangeCourse(course=row.id, audience=Audience.EVERYONE) for row in snapshot.courses),
        *(ChangePerson(person=row.id, auto_enrol=True) for row in snapshot.personnel),
        *(ChangeOptOut(person=row.person, course=row.course, opted_out=False) for row in snapshot.opt_outs),
    ]


def asked_for(snapshot: Snapshot, row: Covered, on: date) -> bool:
    """Whether it is to be enrolled on a date, credits aside."""
    told = explain(snapshot, person=row.person, course=row.course, on=on)
    return told.outcome == "enrol" or (told.deferred is not None and told.deferred.because == "credits")


class TestWhatHelps:
    """Of every single switch, those that bring something on its way, each with exactly what it brings: enrolled tonight
    if it is made tonight, or on the last day on which the training is valid."""

    @given(near_ready(), st.sampled_from([None, 0, 1]))
    @settings(max_examples=40)
    def test_by_trying_every_switch(self, drawn: Drawn, credits: int | None) -> None:
        snapshot, on = load(drawn[0]), drawn[1]
        if credits is not None:  # short of them, where the document was not drawn so
            snapshot = evolve(snapshot, account=evolve(snapshot.account, credits=credits))
        found = coverage(snapshot, on=on)
        helping: dict[Supposition, Remedy] = {
            row.change: row for row in what_helps(snapshot, found) if not isinstance(row.change, TopUp)
        }
        for change in every_switch(snapshot, found):
            changed = supposed(snapshot, [change], on=on)
            now, later = [], []
            for row in trouble(found):
                due = row.standing in (Standing.STUCK, Standing.WAITING) and row.because != "credits"
                if due and asked_for(changed, row, on):
                    now.append((row.person, row.course))
                if row.lapses_on and asked_for(changed, row, row.lapses_on - timedelta(1)):
                    later.append((row.person, row.course))
            remedy = helping.get(change)
            assert (now, later) == (([], []) if remedy is None else ([*remedy.now], [*remedy.later]))
            if remedy is not None:
                costs = {row.id: row.credit_cost for row in snapshot.courses}
                assert remedy.credits == sum(costs[course] for _, course in now)
        event(f"helping: {min(3, len(helping))}")

    @given(near_ready())
    @settings(max_examples=30)
    def test_as_many_credits_as_are_needed(self, drawn: Drawn) -> None:
        """With them nobody waits for credits, with one less somebody does; they help all who waited."""
        snapshot, on = load(drawn[0]), drawn[1]
        found = coverage(snapshot, on=on)
        waiting = [(row.person, row.course) for row in found.rows if row.because == "credits"]
        top_ups = [row for row in what_helps(snapshot, found) if isinstance(row.change, TopUp)]
        assert bool(top_ups) == bool(waiting)
        for row in top_ups:
            assert isinstance(row.change, TopUp)
            assert sorted(row.now) == waiting
            for credits, enough in ((row.change.credits, True), (row.change.credits - 1, False)):
                tonight = plan(supposed(snapshot, [TopUp(credits=credits)], on=on), on=on)
                assert all(one.because != "credits" for one in tonight.deferred) is enough

    def test_the_one_that_helps_most_comes_first(self) -> None:
        demo = load(files("enrolpolicy").joinpath("demo.json").read_bytes())
        told: list[tuple[int, int]] = []
        found = what_helps(demo, coverage(demo, on=ON), progress=lambda index, total: told.append((index, total)))
        assert [row.helps for row in found] == sorted((row.helps for row in found), reverse=True)
        assert found[0].change == ChangeAccount(missing_since=None)
        assert told[0] == (0, len(told))

    def test_where_all_is_well_nothing_is_tried(self) -> None:
        demo = load(files("enrolpolicy").joinpath("demo.json").read_bytes())
        assert what_helps(demo, Coverage(account=demo.account.id, on=ON, rows=(), cells=())) == ()

    def test_more_credits_than_there_can_be(self) -> None:
        """What nobody could buy is not proposed."""
        demo = load(files("enrolpolicy").joinpath("demo.json").read_bytes())
        broke = evolve(
            demo,
            account=evolve(demo.account, credits=10**9 - 10),
            courses=tuple(evolve(row, credit_cost=10**6) for row in demo.courses),
            enrolments=(),
        )
        crowd = tuple(evolve(row, id=f"{row.id}-{n}") for row in demo.personnel for n in range(40))
        missing = evolve(broke.account, auto_enrol_missing=True, missing_since=None)
        crowded = evolve(broke, personnel=crowd, account=missing, records=())
        found = coverage(crowded, on=ON)
        assert dict(found.counts)[Standing.WAITING] > 0
        assert [row for row in what_helps(crowded, found) if isinstance(row.change, TopUp)] == []
