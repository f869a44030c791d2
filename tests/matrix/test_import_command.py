"""`enrolpolicy import`: what it writes, what it says, how it ends."""

import csv
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from enrolpolicy import load
from enrolpolicy.cli import main
from enrolpolicy.cli.command import Usage
from enrolpolicy.cli.files import write_file
from matrices import as_csv, as_workbook
from matrices import main as write_matrices

CLEAN = [["Name", "Fire completed"], ["Ana", "2025-01-31"]]
DIRTY = [*CLEAN, ["Bo", "booked"], ["Cy", "03/04/2025"]]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clean.csv").write_bytes(as_csv([list(row) for row in CLEAN]))
    (tmp_path / "dirty.csv").write_bytes(as_csv([list(row) for row in DIRTY]))
    (tmp_path / "dirty.xlsx").write_bytes(as_workbook([list(row) for row in DIRTY]))
    (tmp_path / "map.toml").write_text('dates = "mdy"\n[words]\nnothing = ["booked"]\n')
    return tmp_path


class TestWhatItWrites:
    """The snapshot is written when all was understood, or when it is accepted without the rest; else nothing is."""

    def test_all_understood(self, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["import", "clean.csv", "--account", "acme", "--out", "s.json"]) == 0
        assert len(load((here / "s.json").read_bytes()).records) == 1
        out = capsys.readouterr()
        assert "acme · 1 people, 1 courses, 1 training records" in out.out
        assert "wrote the snapshot to s.json" in out.out
        assert out.err == ""

    def test_not_all_understood(self, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["import", "dirty.csv", "--account", "acme", "--out", "s.json"]) == 1
        assert not (here / "s.json").exists()
        text = " ".join(capsys.readouterr().out.split())
        assert "Not understood 2" in text
        assert "dirty!B3 `booked`" in text
        assert "dirty!B4 `03/04/2025`" in text
        assert "nothing was written; correct the cells above" in text

    def test_the_rest_accepted(self, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
        arguments = [
            "import",
            "dirty.xlsx",
            "--account",
            "acme",
            "--out",
            "s.json",
            "--accept-partial",
            "--list",
            "l.csv",
        ]
        assert main(arguments) == 1
        assert len(load((here / "s.json").read_bytes()).records) == 1
        assert (here / "l.csv").read_text().splitlines()[:2] == [
            "sheet,row,column,code,value,what to do",
            'Matrix,3,B,not-a-date,booked,"is no date; write the date, leave the cell empty, '
            'or name the word in a mapping"',
        ]
        assert "wrote what was understood to s.json" in capsys.readouterr().out

    def test_nothing_in_the_list_is_a_formula(self, here: Path) -> None:
        rows: list[list[Any]] = [["Name", "Fire completed"], ["=1+1", "=cmd|x"], ["Bo", "@SUM(1)"], ["Bo", "-"]]
        (here / "evil.csv").write_bytes(as_csv(rows))
        assert main(["import", "evil.csv", "--account", "acme", "--list", "l.csv"]) == 1
        with (here / "l.csv").open(newline="") as file:
            cells = [cell for row in csv.reader(file) for cell in row]
        assert {"'=cmd|x", "'@SUM(1)"} <= set(cells)
        assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]

    def test_more_told(self, here: Path) -> None:
        arguments = ["import", "dirty.csv", "--account", "acme", "--out", "s.json"]
        assert main([*arguments, "--mapping", "map.toml"]) == 0
        assert str(load((here / "s.json").read_bytes()).records[1].completed_on) == "2025-03-04"
        assert main([*arguments, "--mapping", "map.toml", "--dates", "dmy"]) == 0
        assert str(load((here / "s.json").read_bytes()).records[1].completed_on) == "2025-04-03"
        assert main([*arguments, "--cells", "expires"]) == 1

    def test_only_looked_at(self, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
        before = set(os.listdir())
        assert main(["import", "clean.csv", "--account", "acme"]) == 0
        assert set(os.listdir()) == before
        assert "nothing was written; give --out FILE" in capsys.readouterr().out

    def test_as_json(self, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["import", "dirty.csv", "--account", "acme", "--format", "json"]) == 1
        document = json.loads(capsys.readouterr().out)
        assert (document["people"], document["records"], document["written"]) == (3, 1, False)
        assert [row["place"] for row in document["unread"]] == ["dirty!B3", "dirty!B4"]
        assert document["unread"][0] == {
            "place": "dirty!B3", "sheet": "dirty", "row": 3, "column": "B", "code": "not-a-date", "value": "booked",
            "message": "is no date; write the date, leave the cell empty, or name the word in a mapping",
        }  # fmt: skip
        assert "no-email" in {row["code"] for row in document["untold"]}

    def test_many_of_a_kind_are_cut_short(self, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
        rows = [["Name", "Fire completed"], *([f"P{at}", "booked"] for at in range(150))]
        (here / "many.csv").write_bytes(as_csv([list(row) for row in rows]))
        assert main(["import", "many.csv", "--account", "acme"]) == 1
        assert "and 50 more, which --list writes" in " ".join(capsys.readouterr().out.split())

    def test_the_matrix_that_the_tests_write(self, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
        write_matrices(here, 7, people=12)
        dirt = (here / "dirt.txt").read_text().splitlines()
        code = main(["import", "matrix.csv", "--account", "acme", "--mapping", "mapping.toml", "--format", "json"])
        assert code == 1
        found = json.loads(capsys.readouterr().out)["unread"]
        assert {f"{row['place'].partition('!')[2]} {row['code']}" for row in found} == set(dirt)


class TestHowItIsRefused:
    """A file or mapping that cannot be read ends with 65, what was asked wrongly with 2; never with a traceback."""

    @pytest.mark.parametrize(
        ("arguments", "code", "words"),
        [
            (["import", "clean.csv"], 65, "$.account: nobody says whose matrix this is"),
            (["import", "none.csv", "--account", "acme"], 2, "`none.csv`: no such file or directory"),
            (["import", "clean.csv", "--account", "acme", "--mapping", "none"], 2, "give a TOML file"),
            (["import", "clean.csv", "--account", "acme", "--mapping", "clean.csv"], 65, "the mapping is not TOML"),
            (["import", "clean.csv", "--account", "acme", "--encoding", "klingon"], 2, "`klingon` is no encoding"),
            (["import", "clean.csv", "--account", "acme", "--dates", "dym"], 2, "invalid choice"),
            (["import", "dirty.xlsx", "--account", "acme", "--sheet", "x"], 65, "has no sheet `x`; it has `Matrix`"),
            (["import", "clean.csv", "--account", "acme", "--out", "no/s.json"], 2, "`no/s.json`: no such file"),
            (["import", "clean.csv", "--account", "acme", "--out", "a\0b"], 2, "the file's name is not one"),
            (["import", "clean.csv", "--account", ""], 65, "$.account.id: must have 1 to 255 characters"),
        ],
    )
    def test_how(
        self, arguments: list[str], code: int, words: str, here: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(arguments) == code
        out = capsys.readouterr()
        assert out.out == ""
        assert words in " ".join(out.err.split())

    def test_without_the_extra(
        self, here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(__import__("sys").modules, "openpyxl", None)
        assert main(["import", "dirty.xlsx", "--account", "acme"]) == 2
        assert "pip install 'enrolpolicy[xlsx]'" in capsys.readouterr().err


class TestFilesAreWrittenWhole:
    """A file is replaced in one step; when that fails the old one is untouched, and nothing else is left behind."""

    def test_replaced(self, tmp_path: Path) -> None:
        path = tmp_path / "x"
        write_file(str(path), "one\r\n")
        write_file(str(path), "two\n")
        assert path.read_bytes() == b"two\n"
        assert os.listdir(tmp_path) == ["x"]
        umask = os.umask(0)
        os.umask(umask)
        assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask

    def test_a_failure_leaves_the_old_one(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = tmp_path / "x"
        write_file(str(path), "one")

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(Usage, match="no space left on device"):
            write_file(str(path), "two")
        assert path.read_text() == "one"
        assert os.listdir(tmp_path) == ["x"]

    def test_through_a_link(self, tmp_path: Path) -> None:
        (tmp_path / "real").write_text("one")
        (tmp_path / "link").symlink_to(tmp_path / "real")
        write_file(str(tmp_path / "link"), "two")
        assert (tmp_path / "link").is_symlink()
        assert (tmp_path / "real").read_text() == "two"

    def test_a_device_is_written_to(self) -> None:
        write_file("/dev/null", "x")
        assert not Path("/dev/null").is_file()
