"""`enrolpolicy bulk`: snapshots to tables, tables to plans, from the command line."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from arrow_tables import sound, spoilt
from enrolpolicy import dump, load, plan
from enrolpolicy.arrow.files import write_tables
from enrolpolicy.cli import main
from enrolpolicy.testing.builders import NIGHT, course, person, register

ON = NIGHT.isoformat()


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_tables(sound(), "tables")


def _plan(*more: str) -> int:
    return main(["bulk", "plan", "tables", "--on", ON, "--out", "plan.parquet", *more])


class TestPlan:
    """`bulk plan` writes the files that were asked for, and says what it came to."""

    def test_text(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert _plan() == 0
        out, err = capsys.readouterr()
        assert out.splitlines()[0] == "2 accounts"
        assert out.splitlines()[1].split() == ["Enrol", "6"]
        assert out.splitlines()[-1] == "wrote plan.parquet"
        assert err == ""
        assert len(pq.read_table("plan.parquet")) == 6

    def test_json_and_every_file(self, capsys: pytest.CaptureFixture[str]) -> None:
        names = ("deferred", "findings", "summary", "reasons")
        assert _plan(*(word for name in names for word in (f"--{name}", f"{name}.parquet")), "--format", "json") == 0
        found = json.loads(capsys.readouterr().out)
        assert found == {
            "accounts": 2, "enrol": 6, "cancel": 0, "invite": 0, "deferred": 0, "held_back": 0, "errors": 0
        }  # fmt: skip
        assert sorted(os.listdir()) == [*(f"{name}.parquet" for name in sorted((*names, "plan"))), "tables"]

    def test_a_plan_that_is_not_applyable(self, capsys: pytest.CaptureFixture[str]) -> None:
        write_tables(spoilt("accounts", "max_enrolments", [0]), "tables")
        assert _plan() == 1
        assert "NOT APPLYABLE: the plans of 1 account; --summary names their guards" in capsys.readouterr().out

    def test_findings_of_level_error(self, capsys: pytest.CaptureFixture[str]) -> None:
        write_tables(spoilt("records", "person", ["nobody"]), "tables")
        assert _plan() == 0
        assert _plan("--findings", "findings.parquet") == 1
        assert "1 finding of level error" in capsys.readouterr().out

    def test_bad_tables(self, capsys: pytest.CaptureFixture[str]) -> None:
        write_tables(spoilt("records", "completed_on", [None]), "tables")
        assert _plan() == 65
        out, err = capsys.readouterr()
        assert (out, err) == ("", "records[0].completed_on: must not be null; give it a value\n")
        assert os.listdir() == ["tables"]

    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            (["nowhere", "--out", "plan.parquet"], "`nowhere`: no such file or directory"),
            (["tables/roles.parquet", "--out", "plan.parquet"], "`tables/roles.parquet`: not a directory"),
            (["tables", "--out", "no/plan.parquet"], "no such file or directory"),
            (["tables", "--out", "plan.csv"], "`plan.csv` must end in `.parquet` or `.arrow`"),
            (["tables", "--out", "a.arrow", "--summary", "a.arrow"], "`a.arrow` is named twice"),
        ],
    )
    def test_wrong_usage(self, arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["bulk", "plan", *arguments, "--on", ON]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert says in err
        assert os.listdir() == ["tables"]

    def test_progress_on_a_terminal(self) -> None:
        ours, theirs = pty.openpty()
        command = [sys.executable, "-m", "enrolpolicy", "bulk", "plan", "tables", "--on", ON, "--out", "plan.parquet"]
        done = subprocess.run(command, stderr=theirs, stdout=subprocess.PIPE, timeout=60)
        assert done.returncode == 0
        os.close(theirs)
        assert "planned 2 of 2 accounts" in os.read(ours, 10_000).decode()
        os.close(ours)

    def test_without_the_extra(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        monkeypatch.setitem(sys.modules, "enrolpolicy.arrow", None)
        assert _plan() == 2
        assert capsys.readouterr().err == (
            "enrolpolicy: planning whole estates needs the extra `arrow`: pip install 'enrolpolicy[arrow]'\n"
        )


class TestExport:
    """`bulk export` writes snapshots as tables, from which the same is planned."""

    def test_two_accounts(self, capsys: pytest.CaptureFixture[str]) -> None:
        for id in ("bolt", "acme"):
            whole = load(dump(register(person("ana"), person("bo", email=None), courses=(course(id),))))
            Path(f"{id}.json").write_text(dump(whole).replace('"id": "acme"', f'"id": "{id}"', 1))
        assert main(["bulk", "export", "bolt.json", "acme.json", "--out", "made/tables"]) == 0
        assert capsys.readouterr().out == "wrote 10 tables of 2 accounts to made/tables\n"
        assert main(["bulk", "plan", "made/tables", "--on", ON, "--out", "plan.arrow", "--format", "json"]) == 0
        planned = [plan(load(Path(f"{id}.json").read_text()), on=NIGHT) for id in ("acme", "bolt")]
        assert json.loads(capsys.readouterr().out)["enrol"] == sum(it.counts.enrol for it in planned) == 2

    def test_the_same_account_twice(self, capsys: pytest.CaptureFixture[str]) -> None:
        Path("one.json").write_text(dump(register(person("ana"))))
        assert main(["bulk", "export", "one.json", "one.json", "--out", "made"]) == 2
        assert "of different accounts; `acme` is there twice" in capsys.readouterr().err
        assert not Path("made").exists()

    def test_a_document_that_is_refused_is_named(self, capsys: pytest.CaptureFixture[str]) -> None:
        Path("one.json").write_text("{}")
        assert main(["bulk", "export", "one.json", "--out", "made"]) == 65
        assert capsys.readouterr().err.startswith("one.json: $.account: is missing")

    def test_a_place_that_cannot_be_written(self, capsys: pytest.CaptureFixture[str]) -> None:
        Path("one.json").write_text(dump(register(person("ana"))))
        assert main(["bulk", "export", "one.json", "--out", "one.json"]) == 2
        assert "`one.json`: file exists" in capsys.readouterr().err
