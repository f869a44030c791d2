"""A plan is carried out, or refused whole; whatever the ports answer, nothing is lost and nothing happens twice."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from attrs import evolve

from drivers import ASYNC, REGISTER, SYNC, TERMS, Driver, Host, Odd, carried_out, host, with_credits
from enrolpolicy import (
    Cancel,
    Enrol,
    Fate,
    Guards,
    InvalidValue,
    OptOut,
    Outcome,
    Plan,
    PlanRefused,
    Ports,
    PromiseTooWeak,
    Report,
    Weakness,
    cancel,
    digest,
    plan,
)
from enrolpolicy.adapters.memory import STRONG
from enrolpolicy.model import Origin
from enrolpolicy.ports import Done, Progress, Unknown
from enrolpolicy.rows import LetterStatus, RowStatus
from enrolpolicy.runner.accepting import refusal_of
from enrolpolicy.testing import Chaos, Crash, Fault
from enrolpolicy.testing.builders import NIGHT

PLAN = plan(REGISTER, on=NIGHT)
SECRET = "token-4711"


@pytest.fixture(params=[SYNC, ASYNC], ids=["sync", "async"])
def driver(request: pytest.FixtureRequest) -> Driver:
    found: Driver = request.param
    return found


def settled(world: Host) -> None:
    """That everybody is enrolled once, invited once, and nothing is left over."""
    orders = world.lms.bookings()
    assert sorted((order.person, order.course) for order, _ in orders) == sorted(
        (action.person, action.course) for action in PLAN.enrolments
    )
    assert {row.status for row in world.store.rows("acme")} == {RowStatus.BOOKED}
    assert {letter.status for letter in world.store.letters("acme")} == {LetterStatus.SENT}
    assert {row.key for row in world.store.rows("acme")} == {order.key for order, _ in orders}


def nights(driver: Driver, ports: Ports, world: Host, count: int = 2) -> list[Report]:
    """Runs without trouble, each after all leases are over."""
    reports = []
    for _ in range(count):
        world.clock.advance(timedelta(hours=1))
        reports.append(driver.run_night("acme", ports=ports))
    return reports


class TestAPlanIsCarriedOut:
    """Each action is done once, one letter each, one journal entry for each move; done again, it is done already."""

    def test_once(self, driver: Driver) -> None:
        world, watched = host(), list[Outcome]()
        report = carried_out(driver.apply(PLAN, ports=world.ports, watch=watched.append))
        settled(world)
        assert report.counts == {("enrol", Fate.DONE): 4, ("mail", Fate.DONE): 4}
        assert report.clean
        assert report.on == NIGHT
        assert tuple(watched) == report.outcomes
        assert len(world.mailer.inbox) == 4
        moves = [(entry.was, entry.now) for entry in world.store.journal("acme")]
        pending, booked = RowStatus.PENDING, RowStatus.BOOKED
        assert sorted(moves, key=str) == sorted(4 * [(None, pending), (pending, booked)], key=str)

    def test_twice(self, driver: Driver) -> None:
        world = host()
        driver.apply(PLAN, ports=world.ports)
        again = carried_out(driver.apply(PLAN, ports=world.ports))
        assert again.counts == {("enrol", Fate.ALREADY): 4}
        settled(world)
        assert len(world.mailer.inbox) == 4

    def test_by_a_run_that_plans_itself(self, driver: Driver) -> None:
        world = host()
        assert driver.run_night("acme", ports=world.ports).clean
        settled(world)
        assert driver.run_night("acme", ports=world.ports).outcomes == ()

    def test_only_what_still_stands(self, driver: Driver) -> None:
        world = host()
        world.store.put(evolve(REGISTER, opt_outs=(OptOut(person="ana", course="fire"),)))
        report = carried_out(driver.apply(PLAN, ports=world.ports))
        [dropped] = report.of(Fate.DROPPED)
        assert (dropped.person, dropped.course, dropped.detail) == ("ana", "fire", "person-enabled")
        assert report.counts["enrol", Fate.DONE] == 3

    def test_a_cancellation_that_was_asked_for(self, driver: Driver) -> None:
        world = host()
        driver.apply(PLAN, ports=world.ports)
        said = world.store.snapshot("acme")
        assert isinstance(said, Done)
        action = cancel(said.value, PLAN.enrolments[0].key)
        assert isinstance(action, Cancel)
        report = driver.act("acme", [action], ports=world.ports)
        assert report.counts == {("cancel", Fate.DONE): 1}
        assert [progress for _, progress in world.lms.bookings()].count(Progress.CANCELLED) == 1

    def test_both_drivers_do_the_same(self) -> None:
        first, second = host(), host()
        assert SYNC.apply(PLAN, ports=first.ports) == ASYNC.apply(PLAN, ports=second.ports)
        assert first.store.rows("acme") == second.store.rows("acme")
        assert first.mailer.inbox == second.mailer.inbox

    def test_somebody_else_s_booking_is_taken_over(self, driver: Driver) -> None:
        world = host(capabilities=evolve(STRONG, keys_kept=None, one_open=True))
        order = PLAN.enrolments[0]
        world.lms.enrol(_order(order, key="by-hand"))
        terms = evolve(TERMS, accept={Weakness.ONE_OPEN})
        report = carried_out(driver.apply(PLAN, ports=world.ports, terms=terms))
        [known] = report.of(Fate.ALREADY)
        assert (known.key, known.detail) == (order.key, "enrolled-by-hand")
        [row] = [row for row in world.store.rows("acme") if row.key == order.key]
        assert (row.origin, row.credits) == (Origin.MANUAL, 0)


def _order(action: Enrol, key: str) -> Any:
    from enrolpolicy import Order

    return Order(key=key, account="acme", person=action.person, course=action.course, cycle=action.cycle, attempt=0)


def edited(**changes: Any) -> Plan:
    """The plan, its first action changed by hand."""
    first, *rest = PLAN.actions
    return evolve(PLAN, actions=(evolve(first, **changes), *rest))


TIGHT = evolve(REGISTER, account=evolve(REGISTER.account, guards=Guards(max_enrolments=3)))
REFUSED: dict[str, tuple[str, Plan]] = {
    "yesterday's": ("other-night", plan(REGISTER, on=NIGHT - timedelta(days=1))),
    "tomorrow's": ("other-night", evolve(PLAN, on=NIGHT + timedelta(days=1))),
    "of other rules": ("other-policy", evolve(PLAN, policy_version="0")),
    "another person": ("edited", edited(person="di")),
    "another course": ("edited", edited(course="water")),
    "another cycle": ("edited", edited(cycle="2020-01-01")),
    "another attempt": ("edited", edited(attempt=7)),
    "another key": ("edited", edited(key="ep1-0")),
    "an action twice": ("edited", evolve(PLAN, actions=(*PLAN.actions, PLAN.actions[0]))),
    "over a limit": ("guards", plan(TIGHT, on=NIGHT)),
}


class TestAPlanIsRefusedWhole:
    """A plan of another night or other rules, edited or over a limit, is refused by name, and nothing is done."""

    @pytest.mark.parametrize("name", REFUSED)
    def test_by_name(self, driver: Driver, name: str) -> None:
        code, refused = REFUSED[name]
        world = host()
        said = driver.apply(refused, ports=world.ports)
        assert isinstance(said, PlanRefused)
        assert said.code == code
        assert said.sentence.startswith("the plan is not carried out: ")
        assert (world.lms.bookings(), world.store.rows("acme"), world.mailer.inbox) == ((), (), [])

    def test_over_a_limit_whose_trace_was_taken_out(self, driver: Driver) -> None:
        world = host(TIGHT)
        said = driver.apply(PLAN, ports=world.ports)
        assert isinstance(said, PlanRefused)
        assert (said.code, world.lms.bookings()) == ("guards", ())

    def test_of_another_account(self) -> None:
        theirs = evolve(REGISTER, account=evolve(REGISTER.account, id="other"))
        said = refusal_of(PLAN, theirs, on=NIGHT)
        assert said is not None
        assert said.code == "other-account"

    def test_of_an_account_the_store_does_not_have(self, driver: Driver) -> None:
        world = host()
        report = carried_out(driver.apply(evolve(PLAN, account="other"), ports=world.ports))
        assert report.stopped == "the store did not give the account's settings: unknown-account"
        assert world.lms.bookings() == ()

    def test_exactly_the_register_it_was_made_from(self, driver: Driver) -> None:
        world = host()
        assert PLAN.snapshot == digest(REGISTER)
        world.store.put(with_credits(REGISTER, 11))
        said = driver.apply(PLAN, ports=world.ports, exact=True)
        assert isinstance(said, PlanRefused)
        assert (said.code, world.lms.bookings()) == ("changed", ())
        world.store.put(REGISTER)
        assert carried_out(driver.apply(PLAN, ports=world.ports, exact=True)).clean

    def test_credits_and_words_may_be_edited_and_change_nothing(self, driver: Driver) -> None:
        world = host()
        report = carried_out(driver.apply(edited(credits=0), ports=world.ports))
        assert report.counts["enrol", Fate.DONE] + report.counts["enrol", Fate.DROPPED] == 4
        assert sum(row.credits for row in world.store.rows("acme")) == report.counts["enrol", Fate.DONE]

    def test_a_reason_may_be_edited_and_drops_its_action(self, driver: Driver) -> None:
        world = host()
        report = carried_out(driver.apply(edited(because="because"), ports=world.ports))
        [dropped] = report.of(Fate.DROPPED)
        assert (dropped.act, dropped.key, dropped.detail) == ("enrol", PLAN.enrolments[0].key, "known")
        assert report.counts["enrol", Fate.DONE] == 3


class TestMisuseIsAnException:
    """Ports below the default promise, and terms that make no sense, are refused before anything is done."""

    def test_weak_ports(self, driver: Driver) -> None:
        world = host(capabilities=evolve(STRONG, keys_kept=None, finds=False))
        with pytest.raises(PromiseTooWeak, match="`at-most-once`"):
            driver.run_night("acme", ports=world.ports)
        assert world.store.rows("acme") == ()

    @pytest.mark.parametrize("name", ["batch", "tries", "patience"])
    def test_terms(self, driver: Driver, name: str) -> None:
        changed: Any = {name: 0}
        with pytest.raises(InvalidValue, match=f"`{name}` must be 1 or more"):
            driver.run_night("acme", ports=host().ports, terms=evolve(TERMS, **changed))

    def test_a_time_without_an_offset(self, driver: Driver) -> None:
        with pytest.raises(InvalidValue, match="UTC offset"):
            driver.run_night("acme", ports=host().ports, at=datetime(2026, 11, 23))


NONSENSE: dict[str, Any] = {
    "nothing": None,
    "a string": "ok",
    "Done with nothing": Done(None),
    "Done with a string": Done("booking-1"),
}


def _raise() -> Any:
    raise ValueError(f"{SECRET}: ana@acme.example is not known")


ODD: dict[str, Callable[[], Any]] = {name: (lambda it=it: it) for name, it in NONSENSE.items()} | {
    "an exception": _raise
}
METHODS = [
    ("lms", "check"), ("lms", "enrol"), ("mailer", "send"), ("store", "snapshot"), ("store", "backlog"),
    ("store", "transact"),
]  # fmt: skip


ODD_ANSWERS = [
    (port, method, answer)
    for port, method in METHODS
    for answer in ODD
    # A letter that was sent is Done with nothing, and what a transaction is Done with may be anything.
    if not (answer.startswith("Done") and (method == "transact" or (method, answer) == ("send", "Done with nothing")))
]


class TestPortsThatAnswerNonsense:
    """What is no answer counts as unknown: the run ends with a report, and the next ones put everything right."""

    @pytest.mark.parametrize("happens", [True, False], ids=["done", "not done"])
    @pytest.mark.parametrize(("port", "method", "answer"), ODD_ANSWERS, ids=[".".join(one) for one in ODD_ANSWERS])
    def test_nothing_is_lost(self, driver: Driver, port: str, method: str, answer: str, happens: bool) -> None:
        world = host()
        odd: Any = Odd(getattr(world, port), method, ODD[answer], happens=happens)
        report = driver.run_night("acme", ports=evolve(world.ports, **{port: odd}))
        assert not report.clean
        nights(driver, world.ports, world, 3)
        settled(world)
        assert len(world.mailer.inbox) == (8 if (method, happens) == ("send", True) else 4)

    def test_a_cancellation(self, driver: Driver) -> None:
        world = host()
        driver.apply(PLAN, ports=world.ports)
        away = evolve(REGISTER, personnel=tuple(evolve(it, archived=it.id == "ana") for it in REGISTER.personnel))
        world.store.put(away)
        odd: Any = Odd(world.lms, "cancel_if_not_started", lambda: Done("cancelled"), happens=True)
        report = driver.run_night("acme", ports=evolve(world.ports, lms=odd))
        assert report.counts == {("cancel", Fate.IN_DOUBT): 2}
        nights(driver, world.ports, world, 1)
        of_ana = [row.status for row in world.store.rows("acme") if row.person == "ana"]
        assert of_ana == [RowStatus.CANCELLED, RowStatus.CANCELLED]


class TestPortsThatRaise:
    """What a port raises counts as unknown, and nothing of its text is told or logged."""

    @pytest.mark.parametrize(("port", "method"), METHODS, ids=[".".join(one) for one in METHODS])
    def test_its_text_stays_out(self, driver: Driver, port: str, method: str, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG, "enrolpolicy")
        world = host()
        odd: Any = Odd(getattr(world, port), method, _raise, happens=False)
        report = driver.run_night("acme", ports=evolve(world.ports, **{port: odd}))
        told = repr(report) + caplog.text
        assert "ValueError" in told
        assert SECRET not in told
        assert "@acme.example" not in told
        nights(driver, world.ports, world)
        settled(world)

    def test_patience(self, driver: Driver) -> None:
        world = host()
        odd: Any = Odd(world.lms, "enrol", lambda: Unknown("lost"), happens=False)
        report = driver.run_night("acme", ports=evolve(world.ports, lms=odd), terms=evolve(TERMS, patience=3))
        assert report.stopped == "the lms did not answer 3 times in a row"
        assert len(report.of(Fate.IN_DOUBT)) == 3

    def test_a_refusal_of_everything(self, driver: Driver) -> None:
        world = host()
        world.lms.locked_out = True
        report = driver.run_night("acme", ports=world.ports)
        assert report.stopped is not None
        assert "wrong-credentials" in report.stopped
        assert world.store.rows("acme") == ()

    def test_a_course_that_the_lms_does_not_have(self, driver: Driver) -> None:
        world = host()
        world.lms.missing_courses.add("ice")
        report = driver.run_night("acme", ports=world.ports)
        assert {outcome.detail for outcome in report.of(Fate.FAILED)} == {"unknown-course"}
        assert report.counts["enrol", Fate.DONE] == 2


class TestAnyCallMayFail:
    """Whatever befalls the first, second, third call of a run, and so on to its last, two runs later all is right."""

    @pytest.mark.parametrize("fault", Fault, ids=lambda fault: fault.value)
    def test_one_after_the_other(self, driver: Driver, fault: Fault) -> None:
        for number in range(100):
            world = host()
            chaos = Chaos([*[None] * number, fault])
            ports = Ports(store=chaos.store(world.store), lms=chaos.lms(world.lms), mailer=chaos.mailer(world.mailer))
            try:
                driver.run_night("acme", ports=ports)
            except Crash:
                assert fault in (Fault.CRASH_BEFORE, Fault.CRASH_AFTER)
            if not chaos.happened:
                assert number > 10
                return
            chaos.stop()
            nights(driver, ports, world)
            settled(world)
        raise AssertionError("the run never ended")
