"""Trying again at once: only where that cannot do a thing twice, and never calling refused what may have happened."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrolpolicy.adapters.memory import STRONG, MemoryLms, MemoryMailer
from enrolpolicy.adapters.retrying import Patience, RetryingLms, RetryingMailer
from enrolpolicy.errors import InvalidValue
from enrolpolicy.ports import (
    FOR_EVER,
    Cancelled,
    Done,
    LmsCapabilities,
    Message,
    Order,
    Progress,
    Receipt,
    Refused,
    Unknown,
)

ORDER = Order(key="k", account="acme", person="ana", course="fire", cycle="first", attempt=0)
MESSAGE = Message(message_id="m", recipient="ana@acme.example", content=b"x")
NOT_NOW, NO, ALL = Refused("busy", final=False), Refused("no"), Refused("login", final=False, everything=True)

# What happens at a call: refused before anything; done and the answer lost; lost before it was done, or doing it later.
EVENTS = ("fine", "not-now", "no", "all", "answer-lost", "request-lost", "raises", "late")
WEAKER = st.fixed_dictionaries(
    {
        "keys_kept": st.sampled_from([None, timedelta(seconds=1), timedelta(days=1), FOR_EVER]),
        "refusals_final": st.booleans(),
        "finds": st.booleans(),
        "one_open": st.booleans(),
        "cancels_unstarted": st.booleans(),
        "cancel_frees_key": st.booleans(),
    }
)


class Faulty:
    """An LMS or a mailer in front of another, where each call goes as the events say, and then all is well."""

    def __init__(self, port: Any, events: list[str]) -> None:
        self.port = port
        self.events = list(events)
        self.calls = 0
        self.late: list[Callable[[], Any]] = []

    @property
    def capabilities(self) -> Any:
        return self.port.capabilities

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            self.calls += 1
            event = self.events.pop(0) if self.events else "fine"
            if event == "no" and name == "enrol":
                # A final refusal is the key's answer for good, unless it was answered before.
                self.port.refusals.update({("ana", "fire"): "no"})
                return self.port.enrol(*arguments)
            simple = {"not-now": NOT_NOW, "no": NO, "all": ALL, "request-lost": Unknown("lost")}
            if event in simple:
                return simple[event]
            if event == "late":
                self.late.append(lambda: getattr(self.port, name)(*arguments))
                return Unknown("late")
            answer = getattr(self.port, name)(*arguments)
            if event == "raises":
                raise TimeoutError("ana@acme.example")
            return Unknown("answer lost") if event == "answer-lost" else answer

        return call


def lms(events: list[str], tries: int = 4, **weaker: Any) -> tuple[RetryingLms, MemoryLms, Faulty]:
    memory = MemoryLms(attrs.evolve(STRONG, **weaker))
    faulty = Faulty(memory, events)
    return RetryingLms(faulty, Patience(tries=tries), lambda _: None), memory, faulty


class TestNothingTwice:
    """However calls fail, trying again enrols once where the LMS recognises keys, and sends once where ids are.

    Where they are not recognised, nothing in doubt is asked for again.
    """

    @given(st.lists(st.sampled_from(EVENTS), max_size=6), WEAKER)
    def test_enrolments(self, events: list[str], weaker: dict[str, Any]) -> None:
        retrying, memory, faulty = lms(events, **weaker)
        retrying.enrol(ORDER)
        for request in faulty.late:
            request()
        assert len(memory.bookings()) <= 1

    @given(st.lists(st.sampled_from(EVENTS), max_size=6), st.sampled_from([None, timedelta(days=1), FOR_EVER]))
    def test_mail(self, events: list[str], kept: timedelta | None) -> None:
        memory = MemoryMailer(deduplicates_for=kept)
        faulty = Faulty(memory, events)
        RetryingMailer(faulty, Patience(tries=4), lambda _: None).send(MESSAGE)
        for request in faulty.late:
            request()
        assert len(memory.inbox) <= 1

    @pytest.mark.parametrize("kept", [None, timedelta(seconds=5)])
    def test_keys_forgotten_too_early(self, kept: timedelta | None) -> None:
        """All tries and pauses may take longer than the key is kept."""
        retrying, _, faulty = lms(["answer-lost"], keys_kept=kept, longest_call=timedelta(seconds=2))
        assert retrying.enrol(ORDER) == Unknown("answer lost")
        assert faulty.calls == 1


class TestAnswersStayTrue:
    """Done is done, refused did not happen and will not, and whatever else may be is in doubt."""

    @given(st.lists(st.sampled_from(EVENTS), max_size=6), WEAKER)
    def test_enrolments(self, events: list[str], weaker: dict[str, Any]) -> None:
        retrying, memory, faulty = lms(events, **weaker)
        answer = retrying.enrol(ORDER)
        for request in faulty.late:
            request()
        if isinstance(answer, Done):
            assert [order for order, _ in memory.bookings()] == [ORDER]
        if isinstance(answer, Refused):
            assert memory.bookings() == ()

    @given(st.lists(st.sampled_from(EVENTS), max_size=6), st.sampled_from([None, FOR_EVER]))
    def test_mail(self, events: list[str], kept: timedelta | None) -> None:
        memory = MemoryMailer(deduplicates_for=kept)
        faulty = Faulty(memory, events)
        answer = RetryingMailer(faulty, Patience(tries=4), lambda _: None).send(MESSAGE)
        for request in faulty.late:
            request()
        if isinstance(answer, Done):
            assert memory.inbox == [MESSAGE]
        if isinstance(answer, Refused):
            assert memory.inbox == []

    @given(st.lists(st.sampled_from(EVENTS), max_size=6), st.booleans(), WEAKER)
    def test_cancellations(self, events: list[str], started: bool, weaker: dict[str, Any]) -> None:
        retrying, memory, faulty = lms(events, **weaker)
        receipt = memory.enrol(ORDER)
        assert isinstance(receipt, Done)
        if started:
            memory.start(ORDER.key)
        answer = retrying.cancel_if_not_started(receipt.value.ref)
        for request in faulty.late:
            request()
        progress = memory.bookings()[0][1]
        cancelled = progress is Progress.CANCELLED
        if isinstance(answer, Done):
            assert (answer.value in (Cancelled.CANCELLED, Cancelled.ALREADY)) == cancelled
            assert answer.value is not Cancelled.NOT_FOUND
        if isinstance(answer, Refused):
            assert not cancelled

    def test_a_refusal_after_doubt(self) -> None:
        assert lms(["late", "not-now", "not-now", "not-now"])[0].enrol(ORDER) == Unknown("late")
        assert lms(["request-lost", "no"])[0].enrol(ORDER) == Refused("no")
        assert lms(["request-lost", "no"], refusals_final=False)[0].enrol(ORDER) == Unknown("lost")

    def test_without_an_effect_the_last_answer_counts(self) -> None:
        assert lms(["request-lost", "no"])[0].find("k") == NO
        assert lms(["request-lost", "no"])[0].check(()) == NO
        assert lms(["request-lost", "no"])[0].launch_url("r", "https://x.example") == NO

    def test_an_exception_is_told_by_its_kind_alone(self) -> None:
        assert lms(["raises"] * 4)[0].find("k") == Unknown("raised TimeoutError")


class TestHowOften:
    """Refused for now: again, after growing pauses; refused for good, or everything refused: not again."""

    @pytest.mark.parametrize(
        ("events", "calls", "answer"),
        [
            (["fine"], 1, Done(Receipt(ref="booking-1"))),
            (["not-now", "not-now", "fine"], 3, Done(Receipt(ref="booking-1"))),
            (["not-now"] * 9, 4, NOT_NOW),
            (["answer-lost", "raises", "fine"], 3, Done(Receipt(ref="booking-1"))),
            (["no", "fine"], 1, NO),
            (["all", "fine"], 1, ALL),
            (["request-lost"] * 9, 4, Unknown("lost")),
        ],
    )
    def test_calls(self, events: list[str], calls: int, answer: object) -> None:
        retrying, _, faulty = lms(events)
        assert retrying.enrol(ORDER) == answer
        assert faulty.calls == calls

    def test_one_try_is_no_retrying(self) -> None:
        retrying, _, faulty = lms(["not-now"] * 2, tries=1)
        assert retrying.enrol(ORDER) == NOT_NOW
        assert faulty.calls == 1

    @given(
        st.integers(1, 60),
        st.timedeltas(timedelta(0), timedelta(seconds=9)),
        st.timedeltas(timedelta(seconds=9), timedelta(hours=9)),
        st.text(max_size=9),
    )
    def test_pauses(self, tries: int, first: timedelta, longest: timedelta, what: str) -> None:
        patience = Patience(tries=tries, first=first, longest=longest)
        pauses = [patience.pause(what, tried) for tried in range(1, tries)]
        for tried, pause in enumerate(pauses, 1):
            most = min(longest.total_seconds(), first.total_seconds() * 2.0 ** (tried - 1))
            assert most / 2 - 1e-5 <= pause.total_seconds() <= most + 1e-5
        assert pauses == [patience.pause(what, tried) for tried in range(1, tries)]
        assert sum(pauses, timedelta(0)) <= patience.in_all

    def test_they_differ_from_key_to_key(self) -> None:
        assert len({Patience().pause(str(n), 1) for n in range(50)}) > 40

    def test_it_sleeps_in_between(self) -> None:
        slept: list[float] = []
        RetryingLms(Faulty(MemoryLms(), ["not-now"] * 2), Patience(), slept.append).enrol(ORDER)
        assert slept == [Patience().pause("k", tried).total_seconds() for tried in (1, 2)]

    def test_a_call_may_take_as_long_as_all_of_it(self) -> None:
        can = LmsCapabilities(**attrs.asdict(STRONG, recurse=False) | {"longest_call": timedelta(seconds=7)})
        patience = Patience(tries=3, first=timedelta(seconds=1))
        assert RetryingLms(MemoryLms(can), patience).capabilities == attrs.evolve(
            can, longest_call=timedelta(seconds=24)
        )
        assert RetryingMailer(MemoryMailer(), patience).capabilities == MemoryMailer().capabilities

    @pytest.mark.parametrize(
        "wrong", [{"tries": 0}, {"tries": 101}, {"first": timedelta(-1)}, {"longest": timedelta(seconds=0.1)}]
    )
    def test_no_patience_at_all(self, wrong: dict[str, Any]) -> None:
        with pytest.raises(InvalidValue):
            Patience(**wrong)


def test_the_world_of_these_tests_can_enrol_twice() -> None:
    """The tests above can fail: without keys, asking again does enrol twice."""
    memory = MemoryLms(attrs.evolve(STRONG, keys_kept=None), clock=lambda: datetime(2026, 1, 1, tzinfo=UTC))
    memory.enrol(ORDER)
    memory.enrol(ORDER)
    assert len(memory.bookings()) == 2
