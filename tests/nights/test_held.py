"""Enrolments that only a person can settle: told of every night, and settled by what the person found at the LMS."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from attrs import evolve

from drivers import ASYNC, AT, SYNC, TERMS, Driver, Host, host
from enrolpolicy import Outcome, asettle, settle
from enrolpolicy.adapters.memory import STRONG
from enrolpolicy.errors import InvalidValue
from enrolpolicy.guarantees import Weakness
from enrolpolicy.ports import Cancelled, Done, Refused, Unknown
from enrolpolicy.reports import Fate
from enrolpolicy.rows import Row, RowStatus
from enrolpolicy.testing import Chaos, Fault
from enrolpolicy.testing.builders import person, register

NOTHING = evolve(STRONG, keys_kept=None, finds=False)
WEAK = evolve(TERMS, accept={Weakness.AT_MOST_ONCE})
ACCOUNT = "acme"
Settle = Callable[..., object]


def awaited(account: str, key: str, *, store: Any, **rest: Any) -> object:
    class Store:
        def __getattr__(self, name: str) -> Any:
            async def method(*arguments: Any) -> Any:
                return getattr(store, name)(*arguments)

            return method

    waiting: Any = Store()
    return asyncio.run(asettle(account, key, store=waiting, **rest))


BOTH = pytest.mark.parametrize(("driver", "settled"), [(SYNC, settle), (ASYNC, awaited)], ids=["sync", "async"])


def held(driver: Driver, fault: Fault = Fault.LOST_ANSWER) -> tuple[Host, Row]:
    """Somebody whose enrolment is held: the LMS did not answer, and can neither be asked again nor be looked up."""
    here = host(register(person("ana"), credits=3), NOTHING)
    chaos = Chaos([None, fault])
    ports = evolve(here.ports, lms=chaos.lms(here.lms))
    assert [row.fate for row in driver.run_night(ACCOUNT, ports=ports, terms=WEAK).outcomes] == [Fate.IN_DOUBT]
    here.clock.advance(timedelta(hours=1))
    assert fates(driver, here) == [("enrol", Fate.HELD)]
    [row] = here.store.rows(ACCOUNT)
    assert row.status is RowStatus.HELD
    return here, row


def fates(driver: Driver, here: Host, at: datetime = AT) -> list[tuple[str, Fate]]:
    return [(row.act, row.fate) for row in driver.run_night(ACCOUNT, ports=here.ports, terms=WEAK, at=at).outcomes]


@BOTH
class TestHeld:
    """What is held is told of by every run, which is not clean for it; its credit stays reserved, and nothing is asked
    of the LMS, until a person has said what is there."""

    def test_told_every_night(self, driver: Driver, settled: Settle) -> None:
        here, row = held(driver)
        for days in range(3):
            report = driver.run_night(ACCOUNT, ports=here.ports, terms=WEAK, at=AT + timedelta(days))
            assert [(one.key, one.fate, one.detail) for one in report.outcomes] == [(row.key, Fate.HELD, "in-doubt")]
            assert not report.clean
        assert len(here.lms.bookings()) == 1

    def test_found(self, driver: Driver, settled: Settle) -> None:
        """It was there: it is booked under the LMS's name, once, and the next night invites to it."""
        here, row = held(driver)
        told = settled(ACCOUNT, row.key, found="booking-1", store=here.store, at=AT, actor="kim")
        assert isinstance(told, Outcome)
        assert (told.act, told.person, told.fate, told.detail) == ("settle", "ana", Fate.DONE, "booked")
        [entry] = here.store.journal(ACCOUNT)[-1:]
        assert (entry.was, entry.now, entry.actor) == (RowStatus.HELD, RowStatus.BOOKED, "kim")
        assert entry.because == "found-by-hand"
        assert fates(driver, here) == [("mail", Fate.DONE)]
        assert fates(driver, here) == []
        [row] = here.store.rows(ACCOUNT)
        assert here.lms.cancel_if_not_started(row.ref or "") == Done(Cancelled.CANCELLED)

    def test_found_and_not_wanted_any_more(self, driver: Driver, settled: Settle) -> None:
        here, row = held(driver)
        settled(ACCOUNT, row.key, found="booking-1", store=here.store, at=AT)
        whole = here.store.snapshot(ACCOUNT)
        assert isinstance(whole, Done)
        here.store.put(evolve(whole.value, personnel=(person("ana", archived=True),)))
        assert fates(driver, here) == [("cancel", Fate.DONE)]
        assert here.mailer.inbox == []

    def test_not_there(self, driver: Driver, settled: Settle) -> None:
        """It was not: the credit is free, and after the policy's pause it is planned again, as the next attempt."""
        here, row = held(driver, Fault.LOST_REQUEST)
        told = settled(ACCOUNT, row.key, found=None, store=here.store, at=AT)
        assert isinstance(told, Outcome)
        assert told.detail == "refused"
        assert here.store._books[ACCOUNT].reserved == 0
        assert fates(driver, here) == []
        here.clock.advance(timedelta(days=1))
        assert fates(driver, here, AT + timedelta(days=1)) == [("enrol", Fate.DONE), ("mail", Fate.DONE)]
        assert [order.attempt for order, _ in here.lms.bookings()] == [1]

    def test_settled_once(self, driver: Driver, settled: Settle) -> None:
        here, row = held(driver)
        settled(ACCOUNT, row.key, found="booking-1", store=here.store, at=AT)
        again = settled(ACCOUNT, row.key, found=None, store=here.store, at=AT)
        assert isinstance(again, Outcome)
        assert (again.fate, again.detail) == (Fate.DROPPED, "booked")
        [after] = here.store.rows(ACCOUNT)
        assert after.status is RowStatus.BOOKED

    def test_nothing_of_the_kind(self, driver: Driver, settled: Settle) -> None:
        here, row = held(driver)
        gone = settled(ACCOUNT, "no-such", found=None, store=here.store, at=AT)
        assert isinstance(gone, Outcome)
        assert (gone.fate, gone.detail) == (Fate.DROPPED, "known")
        refused = settled("other", row.key, found=None, store=here.store, at=AT)
        assert isinstance(refused, Refused)
        assert refused.reason == "unknown-account"

    @pytest.mark.parametrize("found", ["", "two\nlines"])
    def test_a_name_that_is_none(self, driver: Driver, settled: Settle, found: str) -> None:
        here, row = held(driver)
        with pytest.raises(InvalidValue):
            settled(ACCOUNT, row.key, found=found, store=here.store, at=AT)
        with pytest.raises(InvalidValue, match="naive"):
            settled(ACCOUNT, row.key, found="booking-1", store=here.store, at=AT.replace(tzinfo=None))

    @pytest.mark.parametrize("calls", [[Fault.LOST_REQUEST], [None, Fault.LOST_ANSWER], [None, Fault.RAISES_BEFORE]])
    def test_a_store_that_does_not_answer(self, driver: Driver, settled: Settle, calls: list[Fault | None]) -> None:
        here, row = held(driver)
        said = settled(ACCOUNT, row.key, found="booking-1", store=Chaos(calls).store(here.store), at=AT)
        assert isinstance(said, Unknown)

    @pytest.mark.parametrize("method", ["snapshot", "transact"])
    def test_a_store_that_answers_nonsense(self, driver: Driver, settled: Settle, method: str) -> None:
        here, row = held(driver)

        class Nonsense:
            def __getattr__(self, name: str) -> Any:
                return (lambda *_: Done(7)) if name == method else getattr(here.store, name)

        said = settled(ACCOUNT, row.key, found="booking-1", store=Nonsense(), at=AT)
        assert said == Unknown(f"the store answered `{method}` with something that is no answer")
