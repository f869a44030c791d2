"""The stand-in LMS: keys for ever, refusals for good, credits, one open booking, and a file that several share."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from enrolpolicy.adapters import standin_file
from enrolpolicy.adapters.standin import StandinBooking, StandinLms, StandinTrouble
from enrolpolicy.guarantees import guarantee
from enrolpolicy.ports import (
    Booking,
    Cancelled,
    Done,
    MailerCapabilities,
    Order,
    Progress,
    Receipt,
    Refused,
    Unknown,
)

AT = datetime(2026, 11, 23, 10, tzinfo=UTC)


def order(key: str = "k", person: str = "ana", course: str = "fire", **differing: Any) -> Order:
    usual: dict[str, Any] = {"account": "acme", "cycle": "first", "attempt": 0}
    return Order(**usual | {"key": key, "person": person, "course": course} | differing)


@pytest.fixture
def lms(tmp_path: Path) -> Iterator[StandinLms]:
    with StandinLms(tmp_path / "lms.db", clock=lambda: AT) as made:
        yield made


def ref(said: object) -> str:
    assert isinstance(said, Done)
    assert isinstance(said.value, Receipt)
    return said.value.ref


class TestKeys:
    """A key is one enrolment for ever, its answer always the same, and other arguments under it are refused."""

    def test_the_same_answer_whatever_became_of_it(self, lms: StandinLms, tmp_path: Path) -> None:
        said = lms.enrol(order())
        steps: list[Callable[[], None]] = [lambda: lms.start("k"), lambda: lms.complete("k", AT), lms.close]
        for happens in steps:
            assert lms.enrol(order()) == said == Done(Receipt(ref=ref(said)))
            happens()
        assert StandinLms(tmp_path / "lms.db").enrol(order()) == said
        assert len(lms.bookings()) == 1
        assert lms.charged("acme") == 1

    def test_a_cancelled_key_stays_known(self, lms: StandinLms) -> None:
        said = lms.enrol(order())
        assert lms.cancel_if_not_started(ref(said)) == Done(Cancelled.CANCELLED)
        assert lms.enrol(order()) == said
        assert [booking.progress for booking in lms.bookings()] == [Progress.CANCELLED]

    @pytest.mark.parametrize("field", ["account", "person", "course", "cycle", "attempt"])
    def test_other_arguments(self, lms: StandinLms, field: str) -> None:
        lms.enrol(order())
        differing: dict[str, Any] = {field: 1 if field == "attempt" else "other"}
        assert lms.enrol(attrs.evolve(order(), **differing)) == Refused("key-conflict")
        assert len(lms.bookings()) == 1

    @given(st.text(max_size=20), st.text(max_size=20))
    def test_hostile_ids(self, one: str, other: str) -> None:
        with StandinLms(":memory:") as lms:
            said = lms.enrol(order(key=one, person=other, course=one, account=other))
            if isinstance(said, Refused):
                assert said == Refused("unwritable")
                assert not (one + other).isprintable()
            else:
                assert lms.find(one) == Done(Booking(ref=ref(said), progress=Progress.NOT_STARTED))


class TestRefusals:
    """A refusal is for good: the key stays refused when the reason is gone, and a new key is decided anew."""

    def test_what_is_not_known(self, lms: StandinLms) -> None:
        assert lms.check(["fire", "water"]) == Done(())
        lms.offer("fire")
        lms.admit("acme", "ana")
        assert lms.enrol(order("a")) == Done(Receipt(ref="booking-1"))
        assert lms.enrol(order("b", course="water")) == Refused("unknown-course")
        assert lms.enrol(order("c", person="bo")) == Refused("unknown-person")
        assert lms.enrol(order("d", person="bo", account="other")) == Done(Receipt(ref="booking-2"))
        checked = lms.check(["fire", "water"])
        assert isinstance(checked, Done)
        assert [(trouble.code, trouble.about) for trouble in checked.value] == [("unknown-course", "water")]
        lms.offer("water")
        lms.admit("acme", "bo")
        assert lms.enrol(order("b", course="water")) == Refused("unknown-course")
        assert lms.enrol(order("e", course="water")) == Done(Receipt(ref="booking-3"))
        assert lms.find("b") == Done(None)

    def test_as_told(self, lms: StandinLms) -> None:
        lms.enrol(order("a"))
        lms.refuse_next("no-seat", "too-late")
        assert lms.enrol(order("a")) == Done(Receipt(ref="booking-1"))  # known already
        for _ in range(2):
            assert lms.enrol(order("b", person="bo")) == Refused("no-seat")
            assert lms.enrol(order("c", person="cy")) == Refused("too-late")
        assert lms.enrol(order("d", person="bo")) == Done(Receipt(ref="booking-2"))

    def test_somebody_barred(self, lms: StandinLms) -> None:
        lms.bar("acme", "ana", "fire", "no-seat")
        assert lms.enrol(order("a")) == Refused("no-seat")
        assert isinstance(lms.enrol(order("b", person="bo")), Done)
        assert isinstance(lms.enrol(order("c", course="water")), Done)
        lms.let_in("acme", "ana", "fire")
        assert lms.enrol(order("a")) == Refused("no-seat")
        assert isinstance(lms.enrol(order("d")), Done)


class TestCredits:
    """Once granted they are counted: charged on enrolling, given back on cancelling, never overdrawn."""

    def test_they_run_out(self, lms: StandinLms) -> None:
        lms.grant("acme", 3)
        lms.offer("fire", 2)
        lms.offer("free", 0)
        first = lms.enrol(order("a"))
        assert lms.enrol(order("b", person="bo")) == Refused("no-credits")
        assert isinstance(lms.enrol(order("c", course="free")), Done)
        assert lms.charged("acme") == 2
        lms.grant("acme", 1)
        assert isinstance(lms.enrol(order("d", person="bo")), Done)
        assert lms.charged("acme") == 4
        assert lms.cancel_if_not_started(ref(first)) == Done(Cancelled.CANCELLED)
        assert lms.charged("acme") == 2
        assert lms.charged("other") == 0
        assert isinstance(lms.enrol(order("e", account="other", person="zoe")), Done)
        assert lms.charged("other") == 2


class TestOneOpen:
    """A person has one open booking on a course: another key adopts it, at no charge; an ended one makes room."""

    def test_made_by_hand(self, lms: StandinLms) -> None:
        made = lms.book_by_hand("acme", "ana", "fire")
        for _ in range(2):
            assert lms.enrol(order()) == Done(Receipt(ref=made, foreign=True))
        assert lms.charged("acme") == 0
        assert lms.find("k") == Done(Booking(ref=made, progress=Progress.NOT_STARTED))
        with pytest.raises(StandinTrouble, match="enrolled-already"):
            lms.book_by_hand("acme", "ana", "fire")

    def test_ended(self, lms: StandinLms) -> None:
        first = ref(lms.enrol(order("a")))
        lms.complete("a", AT)
        second = lms.enrol(order("b", attempt=1))
        assert second == Done(Receipt(ref="booking-2"))
        assert lms.find("b") == Done(Booking(ref="booking-2", progress=Progress.NOT_STARTED))  # not the old completion
        assert lms.find("a") == Done(Booking(ref=first, progress=Progress.COMPLETED, completed_at=AT))


class TestCancelling:
    """What was started is left alone, in the same transaction that looks."""

    @pytest.mark.parametrize(
        ("happens", "answer"),
        [
            (lambda lms: None, Cancelled.CANCELLED),
            (lambda lms: lms.start("k"), Cancelled.IN_PROGRESS),
            (lambda lms: lms.complete("k", AT), Cancelled.COMPLETED),
            (lambda lms: lms.cancel_if_not_started("booking-1"), Cancelled.ALREADY),
        ],
    )
    def test_each(self, lms: StandinLms, happens: Callable[[StandinLms], object], answer: Cancelled) -> None:
        lms.enrol(order())
        happens(lms)
        before = lms.bookings()
        assert lms.cancel_if_not_started("booking-1") == Done(answer)
        assert (lms.bookings() == before) == (answer is not Cancelled.CANCELLED)

    @pytest.mark.parametrize("ref", ["booking-2", "booking-0", "booking-01", "", "1", "booking-²", "booking-1 OR 1=1"])
    def test_nothing_there(self, lms: StandinLms, ref: str) -> None:
        lms.enrol(order())
        assert lms.cancel_if_not_started(ref) == Done(Cancelled.NOT_FOUND)


class TestLaunching:
    """A launch address is made at the click, lives two minutes, works for its booking alone, and is a secret."""

    def test_click(self, tmp_path: Path) -> None:
        now = [AT]
        with StandinLms(tmp_path / "lms.db", clock=lambda: now[0]) as lms:
            lms.enrol(order())
            lms.enrol(order("other", person="bo"))
            said = lms.launch_url("booking-1", "https://training.example/back?a=b&c=é")
            assert isinstance(said, Done)
            launch = said.value
            assert launch.expires_at == AT + timedelta(minutes=2)
            assert launch.url.startswith("https://")
            assert launch.url not in repr(launch)
            assert [booking.progress for booking in lms.bookings()] == [Progress.NOT_STARTED] * 2
            for wrong in (
                launch.url.replace("booking-1", "booking-2"),
                launch.url.replace("until=1", "until=2"),
                launch.url.replace("training", "evil"),
                "https://lms.example/launch/booking-1",
            ):
                with pytest.raises(StandinTrouble, match="launch-address-over"):
                    lms.open_launch(wrong)
            assert lms.open_launch(launch.url) == "https://training.example/back?a=b&c=é"
            assert [booking.progress for booking in lms.bookings()] == [Progress.IN_PROGRESS, Progress.NOT_STARTED]
            now[0] += timedelta(minutes=2)
            with pytest.raises(StandinTrouble, match="launch-address-over"):
                lms.open_launch(launch.url)

    @pytest.mark.parametrize(
        "back", ["http://x.example", "javascript:alert(1)", "", "//x.example", "https://x.example/\r\nA: b"]
    )
    def test_back_to(self, lms: StandinLms, back: str) -> None:
        lms.enrol(order())
        assert lms.launch_url("booking-1", back) == Refused("bad-return-address")

    def test_nothing_to_start(self, lms: StandinLms) -> None:
        assert lms.launch_url("booking-1", "https://x.example/") == Refused("no-open-enrolment")
        lms.enrol(order())
        lms.cancel_if_not_started("booking-1")
        assert lms.launch_url("booking-1", "https://x.example/") == Refused("no-open-enrolment")


class TestBackDoors:
    """What people do is done or raised, never lost; all there is can be looked at."""

    def test_what_there_is(self, lms: StandinLms) -> None:
        lms.enrol(order())
        assert lms.enrol(order("l")) == Done(Receipt(ref="booking-1", foreign=True))
        lms.complete("k", AT)
        assert lms.bookings() == (
            StandinBooking(
                ref="booking-1", key="k", adopted_by=("l",), account="acme", person="ana", course="fire",
                progress=Progress.COMPLETED, completed_at=AT, charged=1,
            ),
        )  # fmt: skip

    @pytest.mark.parametrize("act", [lambda lms: lms.start("k"), lambda lms: lms.complete("k", AT)])
    def test_where_nothing_is_open(self, lms: StandinLms, act: Callable[[StandinLms], None]) -> None:
        with pytest.raises(StandinTrouble, match="no-open-enrolment"):
            act(lms)
        lms.enrol(order())
        lms.complete("k", AT)
        with pytest.raises(StandinTrouble, match="no-open-enrolment"):
            act(lms)

    def test_the_strongest_promise(self, lms: StandinLms) -> None:
        promised = guarantee(lms.capabilities, MailerCapabilities(deduplicates_for=None))
        assert promised.weaknesses == ()
        assert "any number of runs at once" in promised.enrolment
        assert "lms.db" in repr(lms)


# The file


ENROLS = """
import sys, time
from pathlib import Path
from enrolpolicy.adapters.standin import StandinLms
from enrolpolicy.ports import Order
lms, many, way = StandinLms(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
while not Path(sys.argv[1] + ".go").exists():
    time.sleep(0.001)
for n in range(many)[::way]:
    order = Order(key=f"k{n}", account="acme", person=f"p{n}", course="fire", cycle="first", attempt=0)
    print(n, lms.enrol(order), flush=True)
"""


def enrolling(file: Path, many: int, way: int = 1) -> "subprocess.Popen[str]":
    """A process that enrols many people under their own keys, and prints each answer."""
    command = [sys.executable, "-c", ENROLS, str(file), str(many), str(way)]
    paths = os.pathsep.join(path for path in sys.path if path)
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": paths})


class TestSeveralProcesses:
    """Processes that share a file make each booking once, from the moment it is made; killing one loses nothing."""

    def test_racing(self, tmp_path: Path) -> None:
        file = tmp_path / "lms.db"
        running = [enrolling(file, 30, way) for way in (1, -1)]
        Path(f"{file}.go").touch()
        said = [set(process.communicate(timeout=60)[0].splitlines()) for process in running]
        assert said[0] == said[1]
        assert len(said[0]) == 30
        assert all("Receipt" in line for line in said[0])
        with StandinLms(file) as lms:
            assert len(lms.bookings()) == lms.charged("acme") == 30

    @pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no way to kill a process like that here")
    def test_killed(self, tmp_path: Path) -> None:
        """What was answered before a process was killed is there, and nothing is half there."""
        file = tmp_path / "lms.db"
        Path(f"{file}.go").touch()
        for lines in (1, 12):
            with enrolling(file, 100_000) as running:
                assert running.stdout is not None
                printed = [running.stdout.readline() for _ in range(lines)]
                running.kill()
                printed += running.stdout.read().splitlines()
            with StandinLms(file) as lms:
                booked = {booking.key for booking in lms.bookings()}
                assert {f"k{n}" for n in range(int(printed[-1].split()[0]))} <= booked
                assert len(lms.bookings()) == len(booked) == lms.charged("acme")


def refused_by(file: Path) -> object:
    with StandinLms(file) as lms:
        answers = {repr(answer): answer for answer in (
            lms.enrol(order()), lms.find("k"), lms.check([]), lms.cancel_if_not_started("booking-1"),
            lms.launch_url("booking-1", "https://x.example/"),
        )}  # fmt: skip
    assert len(answers) == 1
    return next(iter(answers.values()))


def everything(reason: str) -> Refused:
    return Refused(reason, final=False, everything=True)


class TestAFileThatIsNotRight:
    """What is wrong with a file refuses everything, by name, and changes nothing in it."""

    def test_no_database(self, tmp_path: Path) -> None:
        file = tmp_path / "lms.db"
        file.write_bytes(b"a letter to a friend, and rather a long one" * 100)
        assert refused_by(file) == everything("not-a-database")
        assert file.read_bytes().startswith(b"a letter")

    def test_somebody_else_s(self, tmp_path: Path) -> None:
        file = tmp_path / "lms.db"
        with sqlite3.connect(file) as db:
            db.execute("CREATE TABLE mine (x)")
        db.close()
        before = file.read_bytes()
        assert refused_by(file) == everything("other-database")
        assert file.read_bytes() == before

    def test_newer(self, tmp_path: Path) -> None:
        file = tmp_path / "lms.db"
        with StandinLms(file) as lms:
            lms.enrol(order())
        with sqlite3.connect(file) as db:
            db.execute("PRAGMA user_version = 2")
        db.close()
        assert refused_by(file) == everything("newer-schema")

    def test_damaged(self, tmp_path: Path) -> None:
        file = tmp_path / "lms.db"
        with StandinLms(file) as lms:
            for n in range(200):
                lms.enrol(order(f"k{n}", person=f"p{n}"))
        content = file.read_bytes()
        file.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))
        with StandinLms(file) as lms:
            assert lms.enrol(order()) == everything("corrupted")
            with pytest.raises(StandinTrouble, match="corrupted"):
                lms.bookings()

    def test_locked(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(standin_file, "BUSY_SECONDS", 0.05)
        file = tmp_path / "lms.db"
        with StandinLms(file) as lms:
            said = lms.enrol(order())
            other = sqlite3.connect(file, isolation_level=None)
            other.execute("BEGIN IMMEDIATE")
            lms.close()  # a new connection, with the short wait
            assert refused_by(file) == everything("busy")
            other.execute("ROLLBACK")
            other.close()
            assert lms.enrol(order()) == said

    def test_full(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        file = tmp_path / "lms.db"
        StandinLms(file).offer("fire")
        opened = standin_file._opened

        def small(path: Path) -> sqlite3.Connection:
            connection = opened(path)
            connection.execute("PRAGMA max_page_count = 1")  # as many as there are
            return connection

        with monkeypatch.context() as patched, StandinLms(file) as lms:
            patched.setattr(standin_file, "_opened", small)
            said = [lms.enrol(order(f"k{n}" + "x" * 200, person=f"p{n}" + "y" * 200)) for n in range(40)]
        assert {repr(answer) for answer in said if not isinstance(answer, Done)} == {repr(everything("full"))}
        with StandinLms(file) as lms:
            assert len(lms.bookings()) == sum(isinstance(answer, Done) for answer in said)

    def test_read_only(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        file = tmp_path / "lms.db"
        StandinLms(file).offer("fire")
        connect = sqlite3.connect

        def reading(path: Path, **how: Any) -> sqlite3.Connection:
            connection: sqlite3.Connection = connect(f"{path.as_uri()}?mode=ro", uri=True, **how)
            return connection

        monkeypatch.setattr(sqlite3, "connect", reading)
        with StandinLms(file) as lms:
            assert lms.enrol(order()) == everything("read-only")
            assert lms.find("k") == Done(None)

    def test_no_folder(self, tmp_path: Path) -> None:
        assert refused_by(tmp_path / "none" / "lms.db") == everything("cannot-open")

    @pytest.mark.parametrize(
        ("code", "answer"),
        [
            (sqlite3.SQLITE_BUSY, everything("busy")),
            (sqlite3.SQLITE_FULL, everything("full")),
            (sqlite3.SQLITE_IOERR_FSYNC, Unknown("commit: input-output")),
            (None, Unknown("commit: unusable")),
        ],
    )
    def test_a_commit_nobody_confirmed(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int | None, answer: object
    ) -> None:
        error = sqlite3.OperationalError("canary")
        if code is not None:
            error.sqlite_errorcode = code

        class Failing(sqlite3.Connection):
            def execute(self, sql: str, *rest: Any) -> sqlite3.Cursor:
                if sql == "COMMIT":
                    raise error
                return super().execute(sql, *rest)

        file = tmp_path / "lms.db"
        StandinLms(file).offer("fire")
        connect = sqlite3.connect
        with monkeypatch.context() as patched, StandinLms(file) as lms:
            patched.setattr(sqlite3, "connect", lambda path, **how: connect(path, factory=Failing, **how))
            assert lms.enrol(order()) == answer
        with StandinLms(file) as lms:
            assert lms.bookings() == ()
            assert isinstance(lms.enrol(order()), Done)


# Against a model


class Model(RuleBasedStateMachine):
    """The stand-in beside a few dictionaries."""

    @initialize(credits=st.none() | st.integers(0, 4))
    def begin(self, credits: int | None) -> None:
        self.lms = StandinLms(":memory:", clock=lambda: AT)
        self.answers: dict[str, object] = {}
        self.progress: dict[str, Progress] = {}
        self.of: dict[str, tuple[str, str]] = {}
        self.credits = credits
        if credits is not None:
            self.lms.grant("acme", credits)

    def teardown(self) -> None:
        if hasattr(self, "lms"):
            self.lms.close()

    def open(self, pair: tuple[str, str]) -> str | None:
        live = (Progress.NOT_STARTED, Progress.IN_PROGRESS)
        return next((ref for ref, at in self.progress.items() if at in live and self.of[ref] == pair), None)

    def held(self) -> int:
        return sum(at is not Progress.CANCELLED for at in self.progress.values())

    @rule(person=st.sampled_from("ab"), course=st.sampled_from("fw"), attempt=st.integers(0, 3))
    def enrol(self, person: str, course: str, attempt: int) -> None:
        key = f"{person}{course}{attempt}"
        beside = self.open((person, course))
        if key not in self.answers:
            if beside is not None:
                self.answers[key] = Done(Receipt(ref=beside, foreign=True))
            elif self.credits is not None and self.held() >= self.credits:
                self.answers[key] = Refused("no-credits")
            else:
                ref = f"booking-{len(self.progress) + 1}"
                self.answers[key] = Done(Receipt(ref=ref))
                self.progress[ref], self.of[ref] = Progress.NOT_STARTED, (person, course)
        assert self.lms.enrol(order(key, person=person, course=course, attempt=attempt)) == self.answers[key]

    @precondition(lambda self: self.progress)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        ref = data.draw(st.sampled_from(sorted(self.progress)))
        at = self.progress[ref]
        answer = {Progress.NOT_STARTED: Cancelled.CANCELLED, Progress.CANCELLED: Cancelled.ALREADY}.get(at)
        assert self.lms.cancel_if_not_started(ref) == Done(answer or Cancelled(at.value))
        if at is Progress.NOT_STARTED:
            self.progress[ref] = Progress.CANCELLED

    @precondition(lambda self: self.progress)
    @rule(data=st.data(), to=st.sampled_from([Progress.IN_PROGRESS, Progress.COMPLETED]))
    def go_on(self, data: st.DataObject, to: Progress) -> None:
        key = data.draw(st.sampled_from([key for key, said in self.answers.items() if isinstance(said, Done)]))
        said = self.answers[key]
        assert isinstance(said, Done)
        ref = said.value.ref
        if self.open(self.of[ref]) == ref:
            self.act(key, to)
            self.progress[ref] = to
        else:
            with pytest.raises(StandinTrouble):
                self.act(key, to)

    def act(self, key: str, to: Progress) -> None:
        if to is Progress.IN_PROGRESS:
            self.lms.start(key)
        else:
            self.lms.complete(key, AT)

    @invariant()
    def all_there(self) -> None:
        if hasattr(self, "lms"):
            assert {booking.ref: booking.progress for booking in self.lms.bookings()} == self.progress
            assert self.lms.charged("acme") == self.held()
            assert self.credits is None or self.held() <= self.credits


class TestAgainstAModel:
    """Whatever is asked in whatever order, the stand-in says and keeps what a few dictionaries would."""

    def test_in_any_order(self) -> None:
        run_state_machine_as_test(Model, settings=settings(max_examples=40, stateful_step_count=20))
