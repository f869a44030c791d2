"""The command line as people use it: what goes where, how it ends, and how it looks."""

import json
import os
import re
import subprocess
import sys
import unicodedata
from datetime import date
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from enrolpolicy import load, plan, plan_schema, snapshot_schema
from enrolpolicy.cli import main
from enrolpolicy.text import WIDTH, Style, columns, fitted, plan_lines, safe, wrapped
from terminal import on_a_terminal
from test_bad_input import SOUND, changed

ON = "2026-11-23"


@pytest.fixture
def document(tmp_path: Path) -> str:
    path = tmp_path / "snapshot.json"
    path.write_text(json.dumps(SOUND), encoding="utf-8")
    return str(path)


def written(tmp_path: Path, value: object) -> str:
    path = tmp_path / "other.json"
    path.write_bytes(value if isinstance(value, bytes) else json.dumps(value).encode())
    return str(path)


def shell(*arguments: str, stdin: bytes = b"", **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "enrolpolicy", *arguments],
        input=stdin,
        env={**os.environ, **environment},
        capture_output=True,
        check=False,
        timeout=60,
    )


class TestPlan:
    """`plan` prints the plan of a date: to look at, or as the document other programs read."""

    def test_json(self, document: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["plan", document, "--on", ON, "--format", "json"]) == 0
        out = capsys.readouterr()
        assert json.loads(out.out)["counts"]["enrol"] == 1
        assert out.err == ""

    def test_text(self, document: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["plan", document, "--on", ON]) == 0
        text = capsys.readouterr().out
        assert "Enrol 1\n" in text
        assert "3 credits, 1 of them reserved by open bookings; tonight takes 1, and leaves 1" in text
        assert "in-scope\n         bo, fire: the training is optional for the person" in text

    def test_for_some_people(self, document: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["plan", document, "--on", ON, "--person", "bo", "--format", "json"]) == 0
        assert json.loads(capsys.readouterr().out)["actions"] == []
        assert main(["plan", document, "--on", ON, "--person", "bo"]) == 0
        assert "Enrol 0" in capsys.readouterr().out

    def test_from_standard_input(self) -> None:
        done = shell("plan", "-", "--on", ON, "--format", "json", stdin=json.dumps(SOUND).encode())
        assert (done.returncode, done.stderr) == (0, b"")
        assert json.loads(done.stdout)["account"] == "acme"

    def test_a_plan_that_is_not_applyable(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        path = written(tmp_path, changed("account.guards", {"max_enrolments": 0}))
        assert main(["plan", path, "--on", ON]) == 1
        assert "NOT APPLYABLE: stopped by max-enrolments" in capsys.readouterr().out


class TestExplain:
    """`explain` says why, of one pair or of all."""

    def test_one(self, document: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["explain", document, "--on", ON, "--person", "ana", "--course", "fire"]) == 0
        text = capsys.readouterr().out
        assert "ENROL (expiring)" in text
        assert re.search(r"✓ reachable +the person has an e-mail address", text)
        assert re.search(r"✗ missing +a completion of the training is on record", text)

    def test_one_as_json(self, document: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["explain", document, "--on", ON, "--person", "bo", "--course", "fire", "--format", "json"]) == 0
        assert json.loads(capsys.readouterr().out)["outcome"] == "not-enrolled"

    def test_all(self, document: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["explain", document, "--on", ON, "--all", "--format", "jsonl"]) == 0
        rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert [(row["person"], row["course"]) for row in rows] == [("ana", "fire"), ("bo", "fire")]
        assert main(["explain", document, "--on", ON, "--all"]) == 0
        assert capsys.readouterr().out.splitlines()[0].split() == ["enrol", "ana", "fire", "expiring", "2026-12-02"]


class TestCheckAndSchema:
    """`check` prints findings, `schema` a document's schema."""

    def test_nothing_to_notice(self, document: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["check", document]) == 0
        assert capsys.readouterr().out == "nothing to notice\n"

    def test_findings(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        path = written(tmp_path, changed("records.0.person", "gone"))
        assert main(["check", path]) == 1
        assert "error unknown-person at $.records[0].person" in capsys.readouterr().out
        assert main(["check", path, "--format", "json"]) == 1
        assert [row["code"] for row in json.loads(capsys.readouterr().out)] == ["unknown-person"]

    @pytest.mark.parametrize(("name", "schema"), [("snapshot", snapshot_schema()), ("plan", plan_schema())])
    def test_schema(self, name: str, schema: object, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["schema", name]) == 0
        assert json.loads(capsys.readouterr().out) == schema


class TestHowItEnds:
    """0 done, 1 findings of level error or not applyable, 2 wrong usage, 65 the document was refused."""

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            ([], "required"),
            (["plan"], "required"),
            (["plan", "DOCUMENT"], "--on"),
            (["plan", "DOCUMENT", "--on", "tomorrow"], "`tomorrow` is not a date that exists, written YYYY-MM-DD"),
            (["plan", "DOCUMENT", "--on", "20261123"], "YYYY-MM-DD"),
            (["plan", "DOCUMENT", "--on", "2026-02-30"], "YYYY-MM-DD"),
            (["plan", "DOCUMENT", "--on", "2026-W48-1"], "YYYY-MM-DD"),
            (["plan", "DOCUMENT", "--on", ON, "--person", "an"], "no person `an` in the snapshot; did you mean `ana`?"),
            (["plan", "DOCUMENT", "--on", ON, "--person", "zz"], "lists every person"),
            (["plan", "no-such-file", "--on", ON], "`no-such-file`: no such file or directory; give a JSON file"),
            (["plan", ".", "--on", ON], "`.`: is a directory"),
            (["plan", "a\0b", "--on", ON], "give a JSON file"),
            (["explain", "DOCUMENT", "--on", ON], "either --all, or --person and --course"),
            (["explain", "DOCUMENT", "--on", ON, "--person", "ana"], "either --all, or --person and --course"),
            (["explain", "DOCUMENT", "--on", ON, "--all", "--person", "ana"], "either --all"),
            (["explain", "DOCUMENT", "--on", ON, "--all", "--format", "json"], "use --format jsonl"),
            (["explain", "DOCUMENT", "--on", ON, "--person", "ana", "--course", "fir"], "did you mean `fire`?"),
            (
                ["explain", "DOCUMENT", "--on", ON, "--person", "ana", "--course", "fire", "--format", "jsonl"],
                "--format json",
            ),
            (["schema", "people"], "invalid choice"),
        ],
    )
    def test_wrong_usage(
        self, arguments: list[str], words: str, document: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main([document if word == "DOCUMENT" else word for word in arguments]) == 2
        out = capsys.readouterr()
        assert out.out == ""
        assert words in " ".join(out.err.split())
        assert "Traceback" not in out.err

    @pytest.mark.parametrize("content", [b"", b"\xff", b"[]", b"{", b"[" * 10**6])
    def test_a_document_that_is_none(self, content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        path = written(tmp_path, content)
        for command in (["plan", path, "--on", ON], ["explain", path, "--on", ON, "--all"], ["check", path]):
            assert main(command) == 65
            out = capsys.readouterr()
            assert out.out == ""
            assert out.err.startswith("$: ")

    def test_every_problem_on_a_line(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        broken = changed("account.credits", "3")
        broken["courses"] = [{"id": "fire", "delivery": "no"}] * 1001
        assert main(["check", written(tmp_path, broken)]) == 65
        lines = capsys.readouterr().err.splitlines()
        assert len(lines) == 1001
        assert lines[0].startswith("$.account.credits: must be a whole number")
        assert lines[-1] == "and 1002 more"

    def test_help_and_version(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["--help"]) == 0
        assert main(["--version"]) == 0
        assert capsys.readouterr().out.splitlines()[-1] == "enrolpolicy 0.1.0"

    def test_a_reader_that_has_seen_enough(self) -> None:
        command = f"{sys.executable} -m enrolpolicy demo | head -1"
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, timeout=60)
        assert done.stdout == "brackley-works · Monday 23 November 2026\n"
        assert done.stderr == ""

    @pytest.mark.parametrize(
        ("redirected", "words"),
        [
            ("plan - --on 2026-11-23 >&-", "standard output is closed"),
            ("plan - --on 2026-11-23 <&-", "standard input is closed; give a JSON file"),
            ("demo > /dev/full", "standard output: no space left on device; what was written is not complete"),
            ("demo --snapshot > /dev/full", "standard output: no space left on device"),
            ("schema plan > /dev/full", "standard output: no space left on device"),
            ("plan nowhere --on 2026-11-23 2>&-", ""),
        ],
    )
    def test_streams_that_are_closed_or_full(self, redirected: str, words: str) -> None:
        """What could not be written or read is said in one sentence, and is not taken for done."""
        command = f"{sys.executable} -m enrolpolicy {redirected}"
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 2
        assert done.stdout == ""
        assert done.stderr == ("" if not words else done.stderr)
        assert words in done.stderr
        assert len(done.stderr.splitlines()) <= 1

    def test_nowhere_to_complain_to(self, document: str) -> None:
        command = f"{sys.executable} -m enrolpolicy plan {document} --on {ON} 2>&-"
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0
        assert "Enrol 1\n" in done.stdout

    def test_stopped_from_the_keyboard(self, monkeypatch: pytest.MonkeyPatch, document: str) -> None:
        def stop(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr("enrolpolicy.cli.planning.plan", stop)
        assert main(["plan", document, "--on", ON]) == 130


class TestHowItLooks:
    """Colour and progress are for terminals; text is never wider than a hundred columns, and never a command."""

    def test_on_a_terminal(self, document: str) -> None:
        shown = on_a_terminal("plan", document, "--on", ON)
        assert "\x1b[1m" in shown
        assert "reading …" in shown
        assert "\r\x1b[K" in shown

    def test_progress_of_many(self, document: str) -> None:
        assert "explaining 1 of 2 people …" in on_a_terminal("explain", document, "--on", ON, "--all")

    def test_no_colour_where_it_is_not_wanted(self, document: str) -> None:
        assert "\x1b[1m" not in on_a_terminal("plan", document, "--on", ON, NO_COLOR="1")

    def test_elsewhere(self, document: str) -> None:
        done = shell("plan", document, "--on", ON)
        assert b"\x1b" not in done.stdout
        assert done.stderr == b""

    def test_a_terminal_that_knows_ascii_only(self, document: str) -> None:
        done = shell("explain", document, "--on", ON, "--person", "ana", "--course", "fire", PYTHONIOENCODING="ascii")
        assert done.returncode == 0
        assert re.search(rb"\+ reachable", done.stdout)
        assert done.stdout.startswith(b"ana - fire - Monday 23 November 2026\n")
        plain = shell("plan", document, "--on", ON, "--format", "json", PYTHONIOENCODING="ascii")
        assert json.loads(plain.stdout)["account"] == "acme"

    def test_names_are_never_commands(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        evil = "\x1b]0;gone\x07\u202eevil\x9b31m"
        named = changed("personnel.0.name", evil)
        named["personnel"][0]["email"] = f"{evil}@acme"
        assert main(["plan", written(tmp_path, named), "--on", ON]) == 0
        text = capsys.readouterr().out
        assert not {"\x1b", "\x07", "\u202e", "\x9b"} & set(text)
        assert "\\x1b]0;gone\\x07\\u202eevil" in text

    @given(st.text(max_size=150), st.integers(1, 60))
    def test_cells_are_as_wide_as_they_say(self, text: str, width: int) -> None:
        shown = fitted(text, width)
        assert columns(shown) == width
        assert all(unicodedata.category(char) not in {"Cc", "Cf"} for char in shown)
        assert all(columns(line) <= WIDTH for line in wrapped(text, indent="  "))

    def test_what_is_safe_is_left_alone(self) -> None:
        assert safe("Zoë O'Brien 日本") == "Zoë O'Brien 日本"
        assert safe("a\nb\u2028c") == "a\\x0ab\\u2028c"

    @given(st.text(st.characters(exclude_categories=["Cs"]), max_size=130))
    def test_a_plan_is_never_wider(self, name: str) -> None:
        snapshot = load(json.dumps(changed("personnel.0.name", name)))
        course = evolve(snapshot.courses[0], name=name)
        snapshot = evolve(snapshot, courses=(course, *snapshot.courses[1:]))
        lines = list(plan_lines(snapshot, plan(snapshot, on=date.fromisoformat(ON)), Style()))
        assert all(columns(line) <= WIDTH for line in lines)
