"""Real processes on one file: killed at random, two at once, and what the files hold in the end (see `killing`)."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from enrolpolicy.adapters.eml import EmlFolder
from enrolpolicy.adapters.sqlite import SqliteStore
from enrolpolicy.adapters.standin import StandinLms
from enrolpolicy.ports import Done, Writes
from enrolpolicy.runner.driving import Ports, Terms, run_night
from killing import COMPOSE, document

KILLING = Path(__file__).with_name("killing.py")
AT = "2026-11-23T01:00:00+00:00"


def killing(folder: Path, *arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, str(KILLING), str(folder), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.stderr == ""
    found: dict[str, Any] = json.loads(done.stdout)
    return found


class TestKilled:
    """Whenever processes are killed, and however many work at once: one enrolment, one credit, one letter."""

    def test_at_random(self, quick_folder: Path) -> None:
        found = killing(quick_folder, "--people", "80", "--kills", "20")
        assert found["violations"] == []
        assert found["killed"] >= 16
        assert found["left unfinished"] > 0

    @pytest.mark.parametrize(
        ("sabotage", "broken"), [("random-keys", "I1"), ("before-the-claim", "I1"), ("random-ids", "I6")]
    )
    def test_the_check_sees_doubles(self, sabotage: str, broken: str, quick_folder: Path) -> None:
        """A kill has to hit the moment; it seldom takes more than one try of twenty."""
        sizes = "--people", "60", "--kills", "20", "--sabotage", sabotage
        tries = (killing(quick_folder / str(seed), *sizes, "--seed", str(seed)) for seed in range(1, 8))
        assert any(violation.startswith(broken) for found in tries for violation in found["violations"])


class TestTheCommand:
    """`enrolpolicy run` itself, twice at once, killed, and run again."""

    def start(self, folder: Path) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "enrolpolicy", "run", "nights.db", "--at", AT, "--format", "json"]
        return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def take_over(self, folder: Path, people: int) -> None:
        (folder / "snapshot.json").write_text(document(people))
        command = [sys.executable, "-m", "enrolpolicy", "init", "nights.db", "--from", "snapshot.json"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        with StandinLms(folder / "nights.lms") as lms:
            lms.grant("acme", people)

    def settled(self, folder: Path) -> None:
        """A run an hour later, when no lease is left, and what the files hold after it."""
        store = SqliteStore(folder / "nights.db", clock=lambda: datetime.now(UTC) + timedelta(hours=1))
        with StandinLms(folder / "nights.lms") as lms:
            ports = Ports(store=store, lms=lms, mailer=EmlFolder(folder / "nights.mail"))
            report = run_night("acme", ports=ports, terms=Terms(compose=COMPOSE), at=datetime.fromisoformat(AT))
            assert report.clean, report
            bookings = lms.bookings()
        rows, desk = store.rows("acme"), store.transact("acme", (), lambda desk: (Writes(), desk))
        store.close()
        assert isinstance(rows, Done)
        assert isinstance(desk, Done)
        people = {row.person for row in rows.value}
        assert len(people) == len(rows.value) == desk.value.reserved
        assert {(one.key, one.person, one.charged) for one in bookings} == {
            (row.key, row.person, 1) for row in rows.value
        }
        assert [one for one in bookings if one.adopted_by] == []
        assert len(bookings) == len(people) == len(list((folder / "nights.mail").glob("*.eml")))

    def test_two_at_once(self, quick_folder: Path) -> None:
        self.take_over(quick_folder, 60)
        both = [self.start(quick_folder) for _ in range(2)]
        said = [process.communicate(timeout=120) for process in both]
        assert [errors for _, errors in said] == [b"", b""]
        fates: Counter[str] = Counter()
        for out, _ in said:
            [report] = json.loads(out)["runs"]
            fates.update(row["fate"] for row in report["outcomes"] if row["act"] == "enrol")
        assert fates["done"] == 60
        assert set(fates) <= {"done", "already-done", "dropped"}
        self.settled(quick_folder)

    def test_killed(self, quick_folder: Path) -> None:
        people = 150
        self.take_over(quick_folder, people)
        mail, dice = quick_folder / "nights.mail", random.Random(5)
        for letters in (1, 60):
            process = self.start(quick_folder)
            while process.poll() is None and (not mail.exists() or len(os.listdir(mail)) < letters):
                time.sleep(0.002)
            time.sleep(dice.uniform(0, 0.05))
            process.send_signal(signal.SIGKILL)
            process.communicate()
        self.settled(quick_folder)
