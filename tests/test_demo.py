"""The account that ships with the package: believable, and with one of each of all that can be said of somebody."""

import runpy
import shlex
import subprocess
import sys
from collections import Counter
from importlib.resources import files
from pathlib import Path

import pytest
from attrs import evolve

from enrolpolicy import GATES, NO_TRIGGER, TRIGGERS, WITHDRAWALS, Delivery, Employment, Plan, Snapshot, load, plan
from enrolpolicy.cli import main
from enrolpolicy.cli.planning import DEMO_ON, TRY_NEXT

ONE_ACCOUNT_HAS_IT_OR_NOT = {"plan-active", "account-enabled"}
"""Shut for everybody or for nobody, so that one account cannot show them beside the others."""


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    return load(files("enrolpolicy").joinpath("demo.json").read_bytes())


@pytest.fixture(scope="module")
def tonight(snapshot: Snapshot) -> Plan:
    return plan(snapshot, on=DEMO_ON)


class TestTheAccount:
    """Some sixty people, fourteen courses of eLearning and one that is none, four roles, two kinds of employment."""

    def test_its_size(self, snapshot: Snapshot) -> None:
        deliveries = Counter(course.delivery for course in snapshot.courses)
        assert deliveries == {Delivery.IHASCO: 11, Delivery.SCORM: 3, Delivery.CLASSROOM: 1}
        assert len(snapshot.personnel) == 60
        assert len(snapshot.roles) == 4
        assert {person.employment for person in snapshot.personnel} == set(Employment)

    def test_it_is_what_its_maker_writes(self) -> None:
        made = runpy.run_path(str(Path(__file__).parents[1] / "tools" / "make_demo.py"))["written"]()
        assert files("enrolpolicy").joinpath("demo.json").read_text(encoding="utf-8") == made

    def test_nothing_is_in_error(self, tonight: Plan) -> None:
        assert {row.level for row in tonight.findings} == {"warning"}
        assert tonight.applyable


class TestItsStory:
    """Every reason is shown: each trigger, each gate that one account can show, each cause, both kinds of waiting."""

    def test_triggers(self, tonight: Plan) -> None:
        assert {row.because for row in tonight.enrolments} == {row.id for row in TRIGGERS}

    def test_gates(self, tonight: Plan) -> None:
        shown = {id for id, _ in tonight.counts.not_enrolled}
        assert shown == {row.id for row in GATES} - ONE_ACCOUNT_HAS_IT_OR_NOT | {NO_TRIGGER}

    def test_causes(self, tonight: Plan) -> None:
        assert {row.because for row in tonight.cancellations} == {row.id for row in WITHDRAWALS}

    def test_waiting_and_repeated_invitations(self, tonight: Plan) -> None:
        assert {row.because for row in tonight.deferred} == {"spread", "credits"}
        assert len(tonight.invitations) == 1

    def test_the_balance_is_just_too_small(self, snapshot: Snapshot, tonight: Plan) -> None:
        short = max(row.shortfall for row in tonight.deferred if row.shortfall is not None)
        assert short == 2
        richer = evolve(snapshot, account=evolve(snapshot.account, credits=(snapshot.account.credits or 0) + short))
        assert {row.because for row in plan(richer, on=DEMO_ON).deferred} == {"spread"}


class TestWhatItPrints:
    """A hundred columns, every reason by its id, and commands to try that work."""

    def test_every_reason_is_in_it(self, tonight: Plan, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["demo"]) == 0
        text = capsys.readouterr().out
        assert all(len(line) <= 100 for line in text.splitlines())
        assert all(f"  {id}\n" in text for id, _ in tonight.counts.not_enrolled)

    def test_what_to_try_next_works(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        main(["demo"])
        printed = capsys.readouterr().out
        for command in TRY_NEXT:
            assert command in printed
            module = command.replace("enrolpolicy", f"{shlex.quote(sys.executable)} -m enrolpolicy", 1)
            done = subprocess.run(module, shell=True, cwd=tmp_path, capture_output=True, check=False, timeout=60)
            assert (done.returncode, done.stderr) == (0, b"")
