"""Nights against a file as people run them: what is done, what is said, and how it ends."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from documents import ready
from enrolpolicy.adapters.memory import STRONG, MemoryLms, MemoryMailer
from enrolpolicy.adapters.sqlite import SqliteStore
from enrolpolicy.adapters.standin import StandinLms
from enrolpolicy.cli import main
from enrolpolicy.cli.night_text import DEEDS, NOUNS, entry_lines, report_lines
from enrolpolicy.guarantees import Weakness
from enrolpolicy.ports import Done
from enrolpolicy.reports import NEXT, Fate, Outcome, Report
from enrolpolicy.rows import Entry, RowStatus
from enrolpolicy.runner.driving import Ports, Terms, run_night
from enrolpolicy.staleness import Changed
from enrolpolicy.testing import Chaos, Fault
from enrolpolicy.text import WIDTH, Names, Style, columns

ON = date(2026, 11, 23)
AT = "2026-11-23T01:00:00+00:00"
Said = Callable[[], str]


@pytest.fixture
def folder(quick_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a snapshot: three people and two courses, all to be enrolled."""
    monkeypatch.chdir(quick_folder)
    (quick_folder / "snapshot.json").write_text(json.dumps(ready(3, 2, ON)), encoding="utf-8")
    return quick_folder


@pytest.fixture
def database(folder: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    assert main(["init", "nights.db", "--from", "snapshot.json"]) == 0
    assert capsys.readouterr().out == "acme: taken over, 3 people and 2 courses\n"
    return folder / "nights.db"


def run(*more: str, at: str = AT) -> int:
    return main(["run", "nights.db", "--at", at, *more])


def runs(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(capsys.readouterr().out)["runs"]
    return found


@pytest.mark.usefixtures("database")
class TestRun:
    """`run` carries the night out, once: enrolments at the LMS, letters in the folder, and a journal."""

    def test_a_night(self, database: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert run() == 0
        out = capsys.readouterr().out
        assert out.startswith("acme · Monday 23 November 2026\n\nDone 6\n")
        assert out.count("enrolled, invited") == 6
        assert out.endswith("The next night\n         there is nothing to make up for\n")
        assert len(list(database.with_suffix(".mail").iterdir())) == 6
        with StandinLms(database.with_suffix(".lms")) as lms:
            assert len(lms.bookings()) == 6

    def test_twice(self, database: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert run("--format", "json") == run("--format", "json") == 0
        with StandinLms(database.with_suffix(".lms")) as lms:
            assert len(lms.bookings()) == 6
        assert capsys.readouterr().out.count('"enrol"') == 7

    def test_missed_nights(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run() == 0
        capsys.readouterr()
        assert run("--format", "json", at="2026-11-26T23:30:00+00:00") == 0
        [report] = runs(capsys)
        assert (report["on"], report["missed"]) == ("2026-11-26", ["2026-11-24", "2026-11-25"])
        assert run(at="2026-11-28T01:00:00+00:00") == 0
        assert "one night was missed (2026-11-27); this one makes up for them" in capsys.readouterr().out

    def test_json(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run("--format", "json") == 0
        [report] = runs(capsys)
        assert (report["account"], report["clean"], report["guards"], report["stopped"]) == ("acme", True, [], None)
        assert report["counts"] == [
            {"act": "enrol", "fate": "done", "count": 6},
            {"act": "mail", "fate": "done", "count": 6},
        ]
        outcomes = report["outcomes"]
        assert isinstance(outcomes, list)
        assert outcomes[0] | {"key": ""} == {
            "act": "enrol", "key": "", "person": "p0", "course": "c0", "fate": "done", "detail": "", "changed": [],
        }  # fmt: skip

    def test_a_dry_run(self, database: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert run("--dry-run") == 0
        assert "DRY RUN, nothing was done\n\nDone 6\n" in capsys.readouterr().out
        assert not database.with_suffix(".mail").exists()
        assert not database.with_suffix(".lms").exists()
        store = SqliteStore(database)
        assert store.rows("acme") == store.journal("acme") == Done(())
        store.close()

    def test_all_accounts_or_one(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        document = ready(1, 1, ON)
        document["account"]["id"] = "other"
        (folder / "other.json").write_text(json.dumps(document), encoding="utf-8")
        assert main(["init", "nights.db", "--from", "other.json"]) == 0
        capsys.readouterr()
        assert run("--format", "json", "--account", "other") == 0
        assert [report["account"] for report in runs(capsys)] == ["other"]
        assert run("--format", "json") == 0
        assert [report["account"] for report in runs(capsys)] == ["acme", "other"]
        assert run("--account", "nobody") == 2
        assert "there is no account `nobody` in the file; it has `acme`, `other`" in capsys.readouterr().err
        assert run(at="2026-11-24T01:00:00+00:00") == 0
        assert "\n\nother · Tuesday" in capsys.readouterr().out

    def test_what_people_did(self, database: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert run() == 0
        with StandinLms(database.with_suffix(".lms")) as lms:
            lms.start(lms.bookings()[0].key or "")
        capsys.readouterr()
        assert run("--follow", "--format", "json") == 0
        [report] = runs(capsys)
        assert report["counts"] == [{"act": "follow", "fate": "done", "count": 1}]

    def test_what_the_lms_refuses(self, database: Path, capsys: pytest.CaptureFixture[str]) -> None:
        with StandinLms(database.with_suffix(".lms")) as lms:
            lms.refuse_next("quota")
        assert run() == 1
        out = capsys.readouterr().out
        assert "Failed 1\n" in out
        assert "enrolment              quota" in out
        assert f"1 failed: {NEXT[Fate.FAILED]}" in " ".join(out.split())

    def test_a_plan_over_its_limit(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        document = ready(3, 2, ON)
        document["account"]["guards"] = {"max_enrolments": 5}
        (folder / "snapshot.json").write_text(json.dumps(document), encoding="utf-8")
        assert main(["init", "nights.db", "--from", "snapshot.json", "--refresh"]) == 0
        assert run() == 1
        assert "STOPPED by max-enrolments" in capsys.readouterr().out

    def test_letters_over_smtp(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        """Nobody listens: the people are enrolled, and their letters wait."""
        assert run("--mail", "smtp:127.0.0.1:1", "--smtp-security", "none") == 1
        assert capsys.readouterr().out.count(" letter ") == 6
        monkeypatch.setenv("ENROLPOLICY_SMTP_USER", "acme")
        assert run("--mail", "smtp:127.0.0.1:1") == 2
        assert "give both ENROLPOLICY_SMTP_USER and ENROLPOLICY_SMTP_PASSWORD" in capsys.readouterr().err


class TestInit:
    """`init` takes a register over, and again only where that is asked for."""

    def test_again(self, database: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["init", "nights.db", "--from", "snapshot.json"]) == 1
        assert "--refresh takes its newer state" in capsys.readouterr().err
        assert run() == 0
        assert main(["init", "nights.db", "--from", "snapshot.json", "--refresh"]) == 0
        assert "acme: refreshed, 3 people and 2 courses" in capsys.readouterr().out
        assert run("--format", "json") == 0
        assert runs(capsys)[0]["outcomes"] == []

    def test_a_document_that_is_refused(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (folder / "snapshot.json").write_text("{}", encoding="utf-8")
        assert main(["init", "nights.db", "--from", "snapshot.json"]) == 65
        assert capsys.readouterr().err.startswith("$.account: is missing")
        assert not (folder / "nights.db").exists()


@pytest.mark.usefixtures("database")
class TestLog:
    """`log` is the audit trail: who, what, when, why, by whom, under which settings and version."""

    def test_text(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["log", "nights.db"]) == 0
        assert capsys.readouterr().out == "acme: nothing has been done\n"
        assert run() == 0
        capsys.readouterr()
        assert main(["log", "nights.db", "--person", "p1", "--course", "c0"]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert [line.split()[:6] for line in lines[1:3]] == [
            ["2026-11-23", "p1", "c0", "pending", "expiring", "enrolpolicy"],
            ["2026-11-23", "p1", "c0", "booked", "booked", "enrolpolicy"],
        ]
        assert lines[3].startswith("2 moves, by version 1 of the policy")

    def test_jsonl(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run() == 0
        capsys.readouterr()
        assert main(["log", "nights.db", "--format", "jsonl", "--since", "2026-11-23"]) == 0
        rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert len(rows) == 12
        first = rows[0]
        assert (first["was"], first["now"], first["because"], first["policy_version"]) == (
            None,
            "pending",
            "expiring",
            "1",
        )
        assert first["under"]["account"]["id"] == "acme"
        assert first["under"]["course"]["id"] == "c0"
        assert datetime.fromisoformat(first["at"]).tzinfo is not None
        assert main(["log", "nights.db", "--format", "jsonl", "--since", "2026-11-24"]) == 0
        assert capsys.readouterr().out == ""
        assert main(["log", "nights.db", "--format", "jsonl", "--enrolment", first["enrolment"]]) == 0
        assert len(capsys.readouterr().out.splitlines()) == 2


@pytest.mark.usefixtures("database")
class TestCancel:
    """`cancel` takes one booking back that was not started, in somebody's name; or says why not."""

    def enrolment(self, database: Path) -> str:
        assert run() == 0
        store = SqliteStore(database)
        said = store.rows("acme")
        store.close()
        assert isinstance(said, Done)
        return said.value[0].key

    def test_one(self, database: Path, capsys: pytest.CaptureFixture[str]) -> None:
        key = self.enrolment(database)
        assert main(["cancel", "nights.db", key, "--actor", "priya", "--at", AT]) == 0
        assert "cancelled              requested" in capsys.readouterr().out
        assert main(["log", "nights.db", "--enrolment", key]) == 0
        assert "priya" in capsys.readouterr().out
        assert run("--format", "json") == 0
        assert runs(capsys)[0]["outcomes"] == []

    def test_refusals(self, database: Path, capsys: pytest.CaptureFixture[str]) -> None:
        key = self.enrolment(database)
        with StandinLms(database.with_suffix(".lms")) as lms:
            lms.start(key)
        assert main(["cancel", "nights.db", key, "--at", AT]) == 1
        assert "in-progress" in capsys.readouterr().out
        assert main(["cancel", "nights.db", key, "--at", AT]) == 1
        assert "is not cancelled: the person has started the course" in capsys.readouterr().err
        assert main(["cancel", "nights.db", "nothing"]) == 1
        assert "there is no enrolment `nothing` in the file" in capsys.readouterr().err


class TestHowItEnds:
    """0 clean; 1 something is not; 2 wrong usage; 65 a file that is refused. Never a traceback."""

    @pytest.mark.parametrize(
        ("arguments", "code", "words"),
        [
            (["run", "none.db"], 2, "there is no such file; `enrolpolicy init` makes one"),
            (["log", "snapshot.json"], 65, "it is no SQLite database"),
            (["init", "snapshot.json", "--from", "snapshot.json"], 65, "it is no SQLite database"),
            (["run", "a\0b"], 2, "it cannot be opened"),
            (["init", "a\0b", "--from", "snapshot.json"], 2, "it cannot be opened"),
            (["run", "nights.db", "--at", "2026-11-23"], 2, "not an instant with its offset"),
            (["run", "nights.db", "--at", "2026-11-23T01:00:00"], 2, "not an instant with its offset"),
            (["run", "nights.db", "--mail", "pigeon:north"], 2, "give eml:DIR or smtp:HOST:PORT"),
            (["run", "nights.db", "--mail", "smtp:host"], 2, "give eml:DIR or smtp:HOST:PORT"),
            (["run", "nights.db", "--mail", "smtp:host:port"], 2, "give eml:DIR or smtp:HOST:PORT"),
            (["run", "nights.db", "--mail", "smtp:host:99999"], 2, "must be from 1 to 65535"),
            (["run", "nights.db", "--lms", "moodle"], 2, "give standin:FILE"),
            (["run", "nights.db", "--lms", "standin:nights.db", "--at", AT], 1, "other-database"),
            (["run", "nights.db", "--sender", "us"], 2, "must be one mail address"),
            (["run", "nights.db", "--take-url", "http://x.example/"], 2, "must be an https address"),
            (["cancel", "nights.db"], 2, "required"),
        ],
    )
    @pytest.mark.usefixtures("database")
    def test_with_a_sentence(
        self, arguments: list[str], code: int, words: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(arguments) == code
        said = capsys.readouterr()
        assert words in " ".join((said.out + said.err).split())

    def test_a_file_that_is_locked(
        self, database: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("sqlite3.connect", _impatient(sqlite3.connect))
        other = sqlite3.connect(database, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        assert main(["init", "nights.db", "--from", "snapshot.json", "--refresh"]) == 1
        assert "another process has it" in capsys.readouterr().err
        other.close()

    def test_progress_is_for_terminals(self, database: Path) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "enrolpolicy", "run", str(database), "--at", AT],
            capture_output=True,
            check=False,
            timeout=60,
            env={**os.environ},
        )
        assert (done.returncode, done.stderr) == (0, b"")
        assert b"\x1b" not in done.stdout


def _impatient(connect: Callable[..., sqlite3.Connection]) -> Callable[..., sqlite3.Connection]:
    return lambda *arguments, **more: connect(*arguments, **{**more, "timeout": 0})


WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=120)


class TestHowItLooks:
    """A report or a journal is never wider than a hundred columns, and says everything there is to say."""

    @given(WORDS, st.sampled_from(Fate), st.sampled_from(["enrol", "cancel", "invite", "mail", "follow"]), WORDS)
    def test_a_report(self, name: str, fate: Fate, act: str, detail: str) -> None:
        changed = (Changed(id="reachable", sentence=f"{detail} is not so any more"),)
        outcome = Outcome(act=act, key="k", person="p", course="c", fate=fate, detail=detail, changed=changed)
        both = outcome, evolve(outcome, key="k2")
        report = Report(account=name, on=ON, outcomes=both, missed=(ON,), guards=("max-credits",), stopped=detail)
        lines = list(report_lines(report, Names({"p": name}, {"c": name}), Style()))
        assert all(columns(line) <= WIDTH for line in lines)
        assert any(line.strip().startswith("2  ") for line in lines) == (fate not in (Fate.DONE, Fate.ALREADY))

    def test_many(self) -> None:
        rows = [Outcome(act="enrol", key=f"k{n}", person="p", course="c", fate=Fate.DONE) for n in range(71)]
        lines = list(report_lines(Report(account="acme", on=ON, outcomes=tuple(rows)), Names({}, {}), Style()))
        assert "Done 71" in lines
        assert "  … and 11 more; --format json has them all" in lines

    @given(WORDS, WORDS, st.sampled_from(RowStatus))
    def test_a_journal(self, name: str, because: str, status: RowStatus) -> None:
        entry = Entry(
            account="acme", key="k", person="p", course="c", was=None, now=status, because=because, actor=name, on=ON,
            at=datetime(2026, 11, 23, tzinfo=UTC), policy_version="1", settings="{}",
        )  # fmt: skip
        lines = list(entry_lines([entry], Names({"p": name}, {"c": name}), Style()))
        assert all(columns(line) <= WIDTH for line in lines)

    def test_every_deed_has_its_words(self) -> None:
        acts = {"enrol", "cancel", "invite", "mail", "follow"}
        assert set(NOUNS) == acts
        assert {act for act, fate in DEEDS if fate is Fate.DONE} == acts
        assert set(NEXT) == set(Fate)


class TestNoFile:
    """What is no file at all is told so, whatever is asked of it."""

    @pytest.mark.parametrize("command", [["run"], ["cancel", "KEY"], ["log"], ["settle"]], ids=lambda it: it[0])
    @pytest.mark.parametrize("path", [".", "..", "/", "no/such.db", ""])
    def test_a_folder_or_nothing(
        self, path: str, command: list[str], folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main([command[0], path, *command[1:]]) in (2, 65)
        assert capsys.readouterr().err.startswith("enrolpolicy: ")


@pytest.mark.usefixtures("database")
class TestSettle:
    """`settle` writes down what a person found at the LMS of an enrolment that is held, and lists those that are."""

    @pytest.fixture
    def key(self, database: Path) -> str:
        """An enrolment that an LMS without keys and look-up left in doubt."""
        weak = evolve(STRONG, keys_kept=None, finds=False)
        store = SqliteStore(database, clock=lambda: datetime(2026, 11, 23, 1, tzinfo=UTC))
        terms = Terms(compose=lambda _: b"", accept={Weakness.AT_MOST_ONCE})
        ports = Ports(store=store, lms=Chaos([None, Fault.LOST_ANSWER]).lms(MemoryLms(weak)), mailer=MemoryMailer())
        run_night("acme", ports=ports, terms=terms, at=datetime.fromisoformat(AT))
        later = SqliteStore(database, clock=lambda: datetime(2026, 11, 23, 3, tzinfo=UTC))
        report = run_night("acme", ports=evolve(ports, store=later), terms=terms, at=datetime.fromisoformat(AT))
        store.close()
        later.close()
        [held] = report.of(Fate.HELD)
        return held.key

    def test_listed(self, key: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["settle", "nights.db"]) == 0
        out = capsys.readouterr().out
        assert key in out
        assert max(map(columns, out.splitlines())) <= WIDTH

    @pytest.mark.parametrize(
        ("how", "said", "after"),
        [
            (["--found", "booking-1"], "booked; the next night sends the invitation, or withdraws it", "booked"),
            (
                ["--not-there"],
                "refused; its credits are free again, and it is planned anew after the policy's pause",
                "refused",
            ),
        ],
    )
    def test_settled(
        self, how: list[str], said: str, after: str, key: str, database: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["settle", "nights.db", key, *how, "--actor", "kim", "--at", AT]) == 0
        assert capsys.readouterr().out == f"{key}: {said}\n"
        store = SqliteStore(database)
        entries = store.journal("acme", key=key)
        store.close()
        assert isinstance(entries, Done)
        assert (entries.value[-1].now.value, entries.value[-1].actor) == (after, "kim")
        assert main(["settle", "nights.db", key, *how]) == 1
        assert f"is not held, it is {after}; there is nothing to settle" in capsys.readouterr().err
        assert main(["settle", "nights.db"]) == 0
        assert capsys.readouterr().out == "acme: nothing is held\n"

    @pytest.mark.parametrize("arguments", [["KEY"], ["--found", "x"], ["--not-there"], ["KEY", "--found", ""]])
    def test_half_of_it(self, arguments: list[str], key: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["settle", "nights.db", *[key if it == "KEY" else it for it in arguments]]) == 2
        assert capsys.readouterr().err.startswith("enrolpolicy: ")

    def test_no_such(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["settle", "nights.db", "no-such", "--not-there"]) == 1
        assert "there is no enrolment `no-such` in the file" in capsys.readouterr().err
        assert main(["settle", "no.db"]) == 2
        assert "there is no such file" in capsys.readouterr().err
