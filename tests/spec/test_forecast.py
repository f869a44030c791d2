"""The year ahead: the same as if every night were planned, carried out, and lived through."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from attrs import evolve
from hypothesis import event, given, settings
from hypothesis import strategies as st

from documents import near_ready, ready
from enrolpolicy import (
    Account,
    Anchor,
    Assumptions,
    Completion,
    Course,
    Delivery,
    Forecast,
    ForecastNight,
    InvalidValue,
    Snapshot,
    TrainingRecord,
    Validity,
    forecast,
    load,
    plan,
)
from enrolpolicy.ahead.assumptions import completed_on, days_lost, record_of
from living import Lived, assumptions, lived, lively

Drawn = tuple[Snapshot, date]


NOTHING = Snapshot(account=Account(id="nobody"))


def as_lived(night: ForecastNight) -> Lived:
    lapses = {(row.person, row.course) for row in night.lapses}
    assert len(lapses) == len(night.lapses)
    return Lived(
        night.actions, night.guards, lapses, night.held, night.waiting, night.shortfall, night.left, night.completed,
        NOTHING,
    )  # fmt: skip


def nightly(found: Forecast) -> Iterator[tuple[date, Lived]]:
    """Every night of a forecast, those on which nothing happens filled in."""
    told = {night.on: as_lived(night) for night in found.nights}
    on, before = found.start, None
    while on <= found.until:
        if on in told:
            before = told[on]
        assert before is not None
        yield on, told.get(on) or before._replace(actions=(), guards=(), lapses=set(), completed=0)
        on += timedelta(1)


def booked(person: str, cycle: str) -> dict[str, Any]:
    return {
        "id": f"e-{person}", "person": person, "course": "c0", "cycle": cycle, "origin": "auto", "status": "booked",
        "enrolled_at": "2026-11-22T12:00:00+00:00",
    }  # fmt: skip


class TestAForecast:
    """Every night of it is what planning that night would give, had all gone as assumed: actions, guards, lapses, who
    waits for what, the credits left, and what is completed."""

    @given(lively(), assumptions, st.sampled_from([0, 12, 40, 75]))
    @settings(max_examples=40)
    def test_is_every_night_planned_and_lived_through(self, drawn: Drawn, how: Assumptions, days: int) -> None:
        snapshot, start = drawn
        until = start + timedelta(days)
        found = forecast(snapshot, start=start, until=until, assume=how)
        for (on, ours), (same, theirs) in zip(nightly(found), lived(snapshot, start, until, how), strict=True):
            assert on == same
            # What an idle night's guards say is not told for the nights between.
            guards = theirs.guards if theirs.actions else ours.guards
            assert (on, ours) == (on, theirs._replace(guards=guards, after=NOTHING))
        event(f"nights with actions: {min(4, sum(bool(night.actions) for night in found.nights))}")

    def test_of_bookings_that_are_taken_back_on_several_nights(self) -> None:
        """One that is superseded tonight, one when another was completed; what is booked is fewer by then."""
        start = date(2026, 11, 23)
        document = ready(3, 1, start)
        document["account"]["guards"] = {"max_cancelled_fraction": 0.4}
        document["records"][2] |= {"completed_on": "2026-11-08", "expires_on": "2027-11-08"}
        cycles = [row["completed_on"] for row in document["records"][:2]]
        document["enrolments"] = [
            booked("p0", cycles[0]),
            booked("p1", cycles[1]),
            booked("p1", cycles[1]) | {"id": "by-hand", "origin": "manual", "enrolled_at": "2026-11-11T12:00:00+00:00"},
            booked("p2", "2025-11-08"),
        ]
        snapshot, until = load(json.dumps(document)), start + timedelta(20)
        found = forecast(snapshot, start=start, until=until)
        assert [(night.on.day, night.guards) for night in found.nights if night.cancellations] == [
            (23, ()), (26, ("max-cancelled-fraction",)),
        ]  # fmt: skip
        for (on, ours), (_, theirs) in zip(nightly(found), lived(snapshot, start, until, Assumptions()), strict=True):
            guards = theirs.guards if theirs.actions else ours.guards
            assert (on, ours) == (on, theirs._replace(guards=guards, after=NOTHING))


class TestLeavers:
    """Whoever has left completes nothing any more, and their training is not missed when it lapses."""

    @given(lively(), assumptions)
    def test_complete_and_lapse_nothing(self, drawn: Drawn, how: Assumptions) -> None:
        snapshot, start = drawn
        gone = evolve(snapshot, personnel=tuple(evolve(row, archived=True) for row in snapshot.personnel))
        found = forecast(gone, start=start, until=start + timedelta(75), assume=how)
        assert [night for night in found.nights if night.lapses or night.completed] == []


class TestTheFirstNight:
    """It is tonight's plan."""

    @given(near_ready(), assumptions)
    def test_is_tonight_s_plan(self, drawn: tuple[str, date], how: Assumptions) -> None:
        snapshot, start = load(drawn[0]), drawn[1]
        tonight = plan(snapshot, on=start)
        first = forecast(snapshot, start=start, until=start, assume=how).nights[0]
        assert (first.on, first.actions, first.guards) == (start, tonight.actions, tonight.guards)
        assert first.held + first.waiting == len(tonight.deferred)


class TestTheTopUp:
    """With it nobody ever waits for credits; with one less somebody does. Where nobody waits anyway it is none."""

    @given(lively(), assumptions, st.integers(-2, 4))
    @settings(max_examples=40)
    def test_is_the_smallest(self, drawn: Drawn, how: Assumptions, credits: int) -> None:
        snapshot, start = drawn
        snapshot = with_credits(snapshot, credits)
        until = start + timedelta(60)

        def short_on(more: int) -> date | None:
            return forecast(with_credits(snapshot, credits + more), start=start, until=until, assume=how).short_on

        found = forecast(snapshot, start=start, until=until, assume=how)
        assert found.top_up is not None
        assert (found.short_on is None) == (found.top_up == 0)
        assert found.short_on == next((night.on for night in found.nights if night.waiting), None)
        assert short_on(found.top_up) is None
        event(f"top-up: {min(3, found.top_up)}")
        if found.top_up:
            assert short_on(found.top_up - 1) is not None

    def test_is_not_for_what_was_overdrawn_while_nobody_asked(self) -> None:
        """Three leavers' bookings are taken back tonight; tomorrow two ask for the one credit there is then."""
        start = date(2026, 11, 23)
        document = ready(5, 1, start)
        document["account"]["credits"] = 1
        for number in range(3):
            document["personnel"][number]["archived"] = True
            document["enrolments"].append(booked(f"p{number}", document["records"][number]["completed_on"]))
        for row in document["records"][3:]:
            row["expires_on"] = "2026-12-24"
        found = forecast(load(json.dumps(document)), start=start, until=start + timedelta(20))
        assert [(night.on.day, night.left, night.waiting) for night in found.nights[:2]] == [(23, 1, 0), (24, 0, 1)]
        assert found.top_up == 1

    @given(lively())
    @settings(max_examples=20)
    def test_is_not_told_where_credits_are_not_metered(self, drawn: Drawn) -> None:
        snapshot, start = with_credits(drawn[0], None), drawn[1]
        found = forecast(snapshot, start=start, until=start + timedelta(30))
        assert (found.short_on, found.top_up, {night.left for night in found.nights}) == (None, None, {None})


def with_credits(snapshot: Snapshot, credits: int | None) -> Snapshot:
    return evolve(snapshot, account=evolve(snapshot.account, credits=credits))


class TestWhatIsAssumed:
    """It is a value: who completes when, and how many at all; the new expiry follows from the course, or the past."""

    DAY = date(2026, 3, 10)
    YEARLY = Course(id="fire", delivery=Delivery.IHASCO, validity=Validity(months=12))
    KEPT = evolve(YEARLY, validity=Validity(months=12, anchor=Anchor.PREVIOUS_EXPIRY))
    BARE = evolve(YEARLY, validity=None)

    @given(st.text(min_size=1, max_size=20), st.floats(0, 1), st.floats(0, 1))
    def test_a_larger_share_has_all_of_a_smaller_one(self, id: str, one: float, other: float) -> None:
        smaller, larger = sorted([one, other])
        dates = [
            completed_on(Assumptions(share=share), id, enrolled_on=self.DAY, valid_until=None, today=self.DAY)
            for share in (0.0, smaller, larger, 1.0)
        ]
        assert dates == sorted(dates, key=lambda day: day is not None)
        assert (dates[0], dates[3]) == (None, self.DAY + timedelta(14))

    @pytest.mark.parametrize(
        ("enrolled", "last", "completed"),
        [(0, 5, 5), (0, 0, 0), (-3, -1, 11), (-30, None, 0), (0, None, 14), (-3, 0, 0), (-3, 400, 400)],
    )
    def test_the_last_day(self, enrolled: int, last: int | None, completed: int) -> None:
        """Where it is over, or there is none, so many days after the booking, and never before today."""
        how = Assumptions(completed=Completion.LAST_DAY)
        day = completed_on(
            how,
            "e1",
            enrolled_on=self.DAY + timedelta(enrolled),
            valid_until=None if last is None else self.DAY + timedelta(last),
            today=self.DAY,
        )
        assert day == self.DAY + timedelta(completed)

    def test_the_record_that_a_completion_brings(self) -> None:
        renewed = (date(2025, 3, 20), date(2026, 3, 20))
        assert record_of("ana", self.YEARLY, self.DAY, renewed) == TrainingRecord(
            person="ana", course="fire", completed_on=self.DAY
        )
        assert record_of("ana", self.BARE, self.DAY, renewed).expires_on == date(2027, 3, 10)
        for unknown in (None, (date(2025, 3, 20), None), (date(2025, 3, 20), date(2025, 3, 20))):
            assert record_of("ana", self.BARE, self.DAY, unknown).expires_on is None

    def test_the_days_lost(self) -> None:
        renewed, now = (date(2025, 3, 20), date(2026, 3, 20)), date(2027, 3, 10)
        assert days_lost(self.YEARLY, self.DAY, renewed, now) == 10
        assert days_lost(self.BARE, self.DAY, renewed, now) == 10
        assert days_lost(self.KEPT, self.DAY, renewed, date(2027, 3, 20)) == 0
        assert days_lost(self.YEARLY, date(2026, 3, 20), renewed, date(2027, 3, 20)) == 0
        assert days_lost(self.YEARLY, date(2026, 4, 1), renewed, date(2027, 4, 1)) == 0
        assert days_lost(self.YEARLY, self.DAY, None, now) == 0

    def test_a_date_before_the_start_is_refused(self) -> None:
        with pytest.raises(InvalidValue, match="give a later date"):
            forecast(NOTHING, start=self.DAY, until=self.DAY - timedelta(1))


class TestTheMonths:
    """Every month is told, and nothing of a night is lost in them."""

    @given(lively(), st.integers(0, 100))
    @settings(max_examples=20)
    def test_add_up(self, drawn: Drawn, days: int) -> None:
        snapshot, start = drawn
        found = forecast(snapshot, start=start, until=start + timedelta(days))
        nights, months = found.nights, found.months
        assert [row.month.day for row in months] == [1] * len(months)
        assert (months[0].month, months[-1].month) == (start.replace(day=1), found.until.replace(day=1))
        assert sum(row.enrolments for row in months) == sum(len(night.enrolments) for night in nights)
        assert sum(row.credits for row in months) == sum(night.credits for night in nights)
        assert sum(row.lapses for row in months) == sum(len(night.lapses) for night in nights)
        assert sum(row.completed for row in months) == sum(night.completed for night in nights)
        assert max(row.waiting for row in months) == max(night.waiting for night in nights)
        assert months[-1].left == nights[-1].left
        assert sum(credits for _, _, credits in found.by_course) == sum(night.credits for night in nights)

    def test_to_the_calendar_s_end(self) -> None:
        found = forecast(NOTHING, start=date(9999, 11, 30), until=date.max)
        assert [row.month for row in found.months] == [date(9999, 11, 1), date(9999, 12, 1)]


class TestTheOrderOfRows:
    """It does not matter."""

    @given(lively(), assumptions, st.randoms(use_true_random=False))
    @settings(max_examples=20)
    def test_the_same_whatever_the_order(self, drawn: Drawn, how: Assumptions, dice: Any) -> None:
        snapshot, start = drawn
        shuffled: dict[str, Any] = {
            name: tuple(dice.sample(getattr(snapshot, name), len(getattr(snapshot, name))))
            for name in ("courses", "personnel", "assignments", "records", "enrolments", "opt_outs")
        }
        until = start + timedelta(40)
        other = forecast(evolve(snapshot, **shuffled), start=start, until=until, assume=how)
        assert other == forecast(snapshot, start=start, until=until, assume=how)
