"""Hypothesis strategies for hosts' tests: registers worth planning, what is planned for them, rows and their letters.

Registers drawn at random enrol hardly anybody, and then an error of one day is never noticed. These begin with
everybody about to be enrolled, and flip a few facts, with dates a day before, on, and a day after each boundary.
"""

from datetime import UTC, date, datetime
from typing import Any

from hypothesis import strategies as st

from enrolpolicy.codec import load
from enrolpolicy.model import Origin, Snapshot
from enrolpolicy.planner import plan
from enrolpolicy.plans import Plan
from enrolpolicy.rows import Row, RowStatus
from enrolpolicy.testing._documents import near_ready

_INSTANTS = st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - they get one
_IDS = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=255)


def snapshots(*, most_flips: int = 4, people: int = 3, courses: int = 2) -> st.SearchStrategy[tuple[Snapshot, date]]:
    """A register, and the night to plan: so many people and courses at most, with so many facts flipped at most."""
    return near_ready(most_flips, people, courses).map(_loaded)


def _loaded(drawn: Any) -> tuple[Snapshot, date]:
    text, on = drawn
    return load(text), on


def plans(*, most_flips: int = 4, people: int = 3, courses: int = 2) -> st.SearchStrategy[tuple[Snapshot, Plan]]:
    """A register, and what is planned for it."""
    drawn = snapshots(most_flips=most_flips, people=people, courses=courses)
    return drawn.map(lambda it: (it[0], plan(it[0], on=it[1])))


def rows(*, account: str = "acme") -> st.SearchStrategy[Row]:
    """A row of a store, of any status, with whatever ids a register may hold, and every field given or not."""
    instants = st.none() | _INSTANTS
    return st.builds(
        Row,
        key=_IDS,
        account=st.just(account),
        person=_IDS,
        course=_IDS,
        cycle=st.none() | st.just("first") | st.dates(date(2024, 1, 1), date(2027, 1, 1)).map(date.isoformat),
        attempt=st.integers(0, 9),
        origin=st.sampled_from(Origin),
        status=st.sampled_from(RowStatus),
        because=st.none() | st.sampled_from(["expiring", "expired", "missing"]),
        credits=st.integers(0, 3),
        fence=st.integers(0, 9),
        lease_until=instants,
        sent_at=instants,
        asked_at=instants,
        ref=st.none() | _IDS,
        enrolled_at=_INSTANTS,
        invited_at=instants,
        ended_on=st.none() | st.dates(date(2024, 1, 1), date(2027, 1, 1)),
        ended_at=instants,
        ended_because=st.none() | st.sampled_from(["requested", "superseded", "no-seat"]),
    )
