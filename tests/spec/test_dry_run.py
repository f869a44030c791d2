"""A run that does nothing says what a real one would do."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from documents import near_ready
from enrolpolicy import load
from enrolpolicy.adapters.dry_run import DryLms, dry_run
from enrolpolicy.adapters.memory import STRONG, MemoryLms, MemoryMailer, MemoryStore
from enrolpolicy.letters import Sender, composer
from enrolpolicy.ports import Cancelled, Done, Order, Refused
from enrolpolicy.runner.driving import Ports, Terms, run_night

SENDER = Sender(
    address="training@acme.example",
    contact="Priya Shah, priya@acme.example",
    take_url="https://training.acme.example/take/{key}",
)
TERMS = Terms(compose=composer(SENDER))


def world(text: str, at: datetime) -> tuple[str, Ports, MemoryStore, MemoryLms, MemoryMailer]:
    register = load(text)
    store, lms = MemoryStore(register, clock=lambda: at), MemoryLms(clock=lambda: at)
    mailer = MemoryMailer(clock=lambda: at)
    return register.account.id, Ports(store=store, lms=lms, mailer=mailer), store, lms, mailer


def dry(account: str, ports: Ports) -> Ports:
    made = dry_run(account, ports)
    assert isinstance(made, Ports)
    return made


def midday(on: date) -> datetime:
    return datetime(on.year, on.month, on.day, 12, tzinfo=UTC)


class TestItSaysWhatWouldBeDone:
    """The report of a dry run is that of the real run after it, tonight and the next night; and nothing was done before
    the real one."""

    @given(near_ready(), st.booleans())
    def test_and_does_nothing(self, night: tuple[str, date], twice: bool) -> None:
        at = midday(night[1])
        account, ports, store, lms, mailer = world(night[0], at)
        if twice:
            run_night(account, ports=ports, terms=TERMS, at=at)
        before = (store.snapshot(account), store.rows(account), store.letters(account), store.journal(account))
        sent, booked = list(mailer.inbox), lms.bookings()
        said = run_night(account, ports=dry(account, ports), terms=TERMS, at=at + timedelta(days=twice))
        after = (store.snapshot(account), store.rows(account), store.letters(account), store.journal(account))
        assert before == after
        assert (mailer.inbox, lms.bookings()) == (sent, booked)
        assert said == run_night(account, ports=ports, terms=TERMS, at=at + timedelta(days=twice))


class TestItLooks:
    """What can be asked without an effect is asked of the real LMS; what cannot is answered with yes."""

    ORDER = Order(key="k", account="acme", person="ana", course="fire", cycle="first", attempt=0)

    def test_a_booking_that_was_started(self) -> None:
        lms = MemoryLms(clock=lambda: midday(date(2026, 11, 23)))
        made = lms.enrol(self.ORDER)
        assert isinstance(made, Done)
        known = {made.value.ref: "k"}
        asked = DryLms(lms, known)
        assert asked.capabilities == STRONG
        assert asked.cancel_if_not_started(made.value.ref) == Done(Cancelled.CANCELLED)
        lms.start("k")
        assert asked.cancel_if_not_started(made.value.ref) == Done(Cancelled.IN_PROGRESS)
        lms.complete("k")
        assert asked.cancel_if_not_started(made.value.ref) == Done(Cancelled.COMPLETED)
        assert asked.cancel_if_not_started("unknown") == Done(Cancelled.CANCELLED)
        assert asked.find("k") == lms.find("k")
        assert asked.check(["fire"]) == Done(())
        assert asked.launch_url(made.value.ref, "https://x.example/") == Refused("dry-run")

    def test_a_store_that_does_not_answer(self) -> None:
        at = midday(date(2026, 11, 23))
        _, ports, *_ = world('{"format_version": "1.0", "account": {"id": "acme"}}', at)
        assert dry_run("nobody", ports) == Refused("unknown-account", final=False, everything=True)
