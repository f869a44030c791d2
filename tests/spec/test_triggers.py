"""Rule 3, the triggers: about to expire, expired a short while ago, never recorded."""

from datetime import date, timedelta

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from enrolpolicy import Snapshot, explain, plan
from test_gates import DONE, NEVER, ON, SNAPSHOT, account


def trigger(snapshot: Snapshot, on: date) -> str | None:
    return explain(snapshot, person="ana", course="fire", on=on).trigger


def enrols(snapshot: Snapshot, on: date) -> list[str]:
    return [row.because for row in plan(snapshot, on=on).enrolments]


EXPIRES = date(2026, 12, 1)


class TestExpiring:
    """From 30 days before the last valid day until that day, both included."""

    @pytest.mark.parametrize(
        ("left", "fires"), [(31, False), (30, True), (29, True), (1, True), (0, True), (-1, False)]
    )
    def test_the_window(self, left: int, fires: bool) -> None:
        on = EXPIRES - timedelta(left)
        assert (trigger(SNAPSHOT, on) == "expiring") == fires
        assert (enrols(SNAPSHOT, on) == ["expiring"]) == fires

    @given(st.integers(0, 150))
    def test_the_window_is_as_long_as_the_lead(self, lead: int) -> None:
        snapshot = account(custom_expiry=True, lead_days=lead)
        assert trigger(snapshot, EXPIRES - timedelta(lead)) == "expiring"
        assert trigger(snapshot, EXPIRES - timedelta(lead + 1)) is None


class TestExpired:
    """From the day after the last valid day, for as long as the account looks back, the last day included."""

    @given(st.integers(0, 400), st.integers(1, 500))
    def test_as_long_as_is_looked_back(self, lookback: int, late: int) -> None:
        snapshot = account(expired_lookback_days=lookback)
        assert trigger(snapshot, EXPIRES + timedelta(late)) == ("expired" if late <= lookback else None)

    def test_90_days_unless_set_otherwise(self) -> None:
        assert enrols(SNAPSHOT, EXPIRES + timedelta(90)) == ["expired"]
        assert enrols(SNAPSHOT, EXPIRES + timedelta(91)) == []

    def test_0_leaves_the_expired_alone(self) -> None:
        assert trigger(account(expired_lookback_days=0), EXPIRES + timedelta(1)) is None


class TestMissing:
    """Training of which no completion counts: never recorded, voided, or still to come."""

    def test_never_recorded(self) -> None:
        assert enrols(NEVER, ON) == ["missing"]

    def test_voided(self) -> None:
        assert enrols(evolve(NEVER, records=(evolve(DONE, voided=True),)), ON) == ["missing"]

    def test_completed_after_tonight(self) -> None:
        tomorrow = evolve(DONE, completed_on=ON + timedelta(1), expires_on=None)
        assert enrols(evolve(NEVER, records=(tomorrow,)), ON) == ["missing"]
        assert trigger(evolve(NEVER, records=(tomorrow,)), ON + timedelta(1)) is None

    def test_somebody_else_s_record_does_not_count(self) -> None:
        assert (
            trigger(evolve(NEVER, records=(evolve(DONE, person="bo"), evolve(DONE, course="water"))), ON) == "missing"
        )
