"""Rule 8: what can happen to an enrolment, and nothing else can."""

import itertools
from datetime import UTC, date, datetime

import pytest
from attrs import evolve

from enrolpolicy import Enrolment, EnrolmentStatus, Event, Forbidden, Origin, advance, move
from enrolpolicy.lifecycle import TRANSITIONS, diagram

ON = date(2026, 11, 23)
MOVES = {
    ("pending", "confirm"): "booked",
    ("pending", "refuse"): "refused",
    ("booked", "start"): "in-progress",
    ("booked", "complete"): "completed",
    ("booked", "cancel"): "cancelled",
    ("in-progress", "complete"): "completed",
}
NAMED = {(at.upper().replace("-", "_"), event): to.upper().replace("-", "_") for (at, event), to in MOVES.items()}
ROW = Enrolment(
    id="e1", person="ana", course="fire", origin=Origin.AUTO, status=EnrolmentStatus.BOOKED,
    enrolled_at=datetime(2026, 11, 1, tzinfo=UTC),
)  # fmt: skip


class TestEveryMove:
    """Six moves there are; every other event is refused, and says what could happen instead."""

    @pytest.mark.parametrize(("status", "event"), list(itertools.product(EnrolmentStatus, Event)))
    def test_as_the_table_says(self, status: EnrolmentStatus, event: Event) -> None:
        found = move(status, event)
        expected = MOVES.get((status.value, event.value))
        if expected is not None:
            assert found is EnrolmentStatus(expected)
            return
        assert found == Forbidden(status, event)
        possible = [to for at, to in MOVES if at == status.value]
        assert isinstance(found, Forbidden)
        assert all(f"`{name}`" in found.sentence for name in possible)
        assert possible or "nothing more can happen" in found.sentence

    def test_nothing_leads_out_of_an_end(self) -> None:
        ends = {to for to in TRANSITIONS.values() if not any(at is to for at, _ in TRANSITIONS)}
        assert {status.value for status in ends} == {"completed", "cancelled", "refused"}


class TestAnEnrolmentAfterAnEvent:
    """Its status is the one the event leads to; what ends gets its date and its reason, what goes on does not."""

    @pytest.mark.parametrize(("status", "event"), list(itertools.product(EnrolmentStatus, Event)))
    def test_its_status(self, status: EnrolmentStatus, event: Event) -> None:
        after = advance(evolve(ROW, status=status), event, on=ON)
        assert (after.status if isinstance(after, Enrolment) else after) == move(status, event)

    @pytest.mark.parametrize("event", [Event.COMPLETE, Event.CANCEL])
    def test_ended(self, event: Event) -> None:
        after = advance(ROW, event, on=ON, because="requested")
        assert isinstance(after, Enrolment)
        assert (after.ended_on, after.ended_because) == (ON, "requested")
        assert evolve(after, status=ROW.status, ended_on=None, ended_because=None) == ROW

    def test_going_on(self) -> None:
        after = advance(ROW, Event.START, on=ON)
        assert after == evolve(ROW, status=EnrolmentStatus.IN_PROGRESS)

    def test_refused_as_a_value(self) -> None:
        started = evolve(ROW, status=EnrolmentStatus.IN_PROGRESS)
        assert advance(started, Event.CANCEL, on=ON) == Forbidden(EnrolmentStatus.IN_PROGRESS, Event.CANCEL)


class TestTheDiagram:
    """It is drawn from the table: every move once, from the one beginning to the three ends."""

    def test_as_mermaid(self) -> None:
        head, *edges = diagram().splitlines()
        assert head == "stateDiagram-v2"
        moves = [f"    {at} --> {to}: {event}" for (at, event), to in NAMED.items()]
        ends = [f"    {end} --> [*]" for end in ("COMPLETED", "CANCELLED", "REFUSED")]
        assert sorted(edges) == sorted(["    [*] --> PENDING", *moves, *ends])
        assert diagram().endswith("\n")
