"""A directory of tables in, files of plans out: whole or not at all."""

import os
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arrow_tables import accounts, registers, sound
from enrolpolicy import InvalidSnapshot, plan
from enrolpolicy.arrow import estates, tables_of
from enrolpolicy.arrow.files import GROUP, Sink, open_tables, write_tables, written
from enrolpolicy.arrow.outcomes import ACTIONS, FINDINGS, outcomes_of
from enrolpolicy.arrow.running import WRITABLE, plan_tables
from enrolpolicy.bulk import estate_of, plan_estate
from enrolpolicy.plans import ERROR, Cancel, Enrol, Invite
from enrolpolicy.testing.builders import NIGHT


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    write_tables(sound(), tmp_path / "tables")
    return tmp_path / "tables"


def _refused(directory: Path) -> list[str]:
    with pytest.raises(InvalidSnapshot) as error:
        list(open_tables(directory).estates())
    return [str(problem) for problem in error.value.problems]


class TestADirectory:
    """There is one file for each table, Parquet or Arrow, and everything else is left alone."""

    def test_is_read(self, directory: Path) -> None:
        (directory / "README.txt").write_text("not a table")
        (directory / ".records.parquet.crc").write_text("neither")
        found = open_tables(directory)
        assert found.accounts == 2
        assert [len(estate.records) for estate in found.estates()] == [6]

    @pytest.mark.parametrize("new", [pa.ipc.new_file, pa.ipc.new_stream])
    def test_may_hold_arrow_files(self, directory: Path, new: Callable[..., Any]) -> None:
        for path in directory.iterdir():
            table = pq.read_table(path)
            path.unlink()
            with new(path.with_suffix(".arrow"), table.schema) as writer:
                writer.write_table(table)
        found = open_tables(directory)
        assert found.accounts is None
        assert [len(estate.records) for estate in found.estates(rows=2)] == [3, 3]

    def test_without_a_table(self, directory: Path) -> None:
        (directory / "opt_outs.parquet").rename(directory / "optouts.parquet")
        assert _refused(directory) == [
            "opt_outs: is missing; give this table, if only with its columns and no row",
            "optouts: is not a table here; did you mean `opt_outs`?",
        ]

    def test_with_two_files_of_a_table(self, directory: Path) -> None:
        (directory / "roles.arrow").write_bytes(b"")
        [problem, *_] = _refused(directory)
        assert problem == "roles: has two files, `roles.arrow` and `roles.parquet`; keep the one that is meant"

    def test_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            open_tables(tmp_path / "nowhere")

    @pytest.mark.parametrize("suffix", ["parquet", "arrow"])
    @pytest.mark.parametrize(
        "content", [b"", b"PAR1", b"PAR1....PAR1", b"not a table at all, but long enough to look at"]
    )
    def test_with_a_file_that_is_something_else(self, directory: Path, suffix: str, content: bytes) -> None:
        (directory / "records.parquet").unlink()
        (directory / f"records.{suffix}").write_bytes(content)
        [problem] = _refused(directory)
        assert problem.startswith("records: cannot be read: ")
        assert problem.endswith("; write the file anew")

    def test_with_a_file_that_was_cut_off(self, directory: Path) -> None:
        content = (directory / "records.parquet").read_bytes()
        (directory / "records.parquet").write_bytes(content[: len(content) // 2])
        assert _refused(directory)[0].startswith("records: cannot be read: ")

    def test_with_a_file_that_is_damaged_inside(self, directory: Path) -> None:
        content = bytearray((directory / "records.parquet").read_bytes())
        content[4:40] = b"\xff" * 36
        (directory / "records.parquet").write_bytes(content)
        assert _refused(directory)[0].startswith("records: cannot be read: ")

    def test_with_wrong_columns(self, directory: Path) -> None:
        pq.write_table(pa.table({"account": ["acme"], "id": [1]}), directory / "roles.parquet")
        assert _refused(directory) == ["roles.id: must be text, plain or dictionary-encoded, not `int64`; cast it"]


class TestWriting:
    """Files are there whole, all of them, or nothing is left."""

    def test_nothing_is_left_after_a_fault(self, tmp_path: Path) -> None:
        (tmp_path / "plan.parquet").write_text("last night's")
        with pytest.raises(RuntimeError), written({tmp_path / "plan.parquet": ACTIONS, tmp_path / "f.arrow": FINDINGS}):
            raise RuntimeError
        assert os.listdir(tmp_path) == ["plan.parquet"]
        assert (tmp_path / "plan.parquet").read_text() == "last night's"

    def test_nothing_is_left_of_a_plan_of_bad_tables(self, directory: Path, tmp_path: Path) -> None:
        """Although the accounts before the bad one have been planned."""
        tables = sound()
        tables["records"] = tables["records"].slice(0, 5)
        bad = tables["records"].slice(0, 1).set_column(0, "account", pa.array(["zeta"]))
        tables["records"] = pa.concat_tables([tables["records"], bad.cast(tables["records"].schema)])
        write_tables(tables, directory)
        with pytest.raises(InvalidSnapshot, match=r"records\[5\].account"):
            plan_tables(directory, on=NIGHT, out={"actions": tmp_path / "plan.parquet"}, rows=1)
        assert os.listdir(tmp_path) == ["tables"]

    def test_a_place_that_cannot_be_written(self, directory: Path, tmp_path: Path) -> None:
        with pytest.raises(OSError, match="No such file"):
            plan_tables(directory, on=NIGHT, out={"actions": tmp_path / "nowhere" / "plan.parquet"})

    def test_a_name_that_says_nothing(self, directory: Path, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match=r"`plan\.csv` must end in `\.parquet` or `\.arrow`"):
            plan_tables(directory, on=NIGHT, out={"actions": tmp_path / "plan.csv"})
        assert os.listdir(tmp_path) == ["tables"]

    @given(st.lists(st.integers(0, 3 * GROUP), max_size=5), st.integers(0, 3 * GROUP))
    @settings(max_examples=10)
    def test_the_parts_do_not_show(self, quick_sizes: list[int], more: int) -> None:
        whole = pa.table({"n": pa.array(range(sum(quick_sizes) + more), pa.int64())})

        class Groups:
            def __init__(self) -> None:
                self.written: list[int] = []

            def write_table(self, table: pa.Table) -> None:
                self.written.append(len(table))

            def close(self) -> None:
                pass

        groups: Any = Groups()
        sink, start = Sink(groups, whole.schema), 0
        for size in (*quick_sizes, more):
            sink.add(whole.slice(start, size))
            start += size
        sink.close()
        rest = [len(whole) % GROUP] if len(whole) % GROUP else []
        assert groups.written == [GROUP] * (len(whole) // GROUP) + rest


def _bytes(directory: Path) -> Iterator[bytes]:
    for name in WRITABLE:
        yield (directory / f"{name}.parquet").read_bytes()


class TestThePlanInFiles:
    """What is written is what `plan` says of each account, and the same bytes in however many parts it was read."""

    @given(registers())
    @settings(max_examples=25)
    def test_the_same_as_the_plans(self, drawn: Any) -> None:
        whole, on = drawn
        plans = [plan(snapshot, on=on) for snapshot in whole]
        found = [outcomes_of(plan_estate(one, on=on)) for one in estates(tables_of(estate_of(whole)), rows=2)]
        tables = {name: pa.concat_tables([part[name] for part in found]).to_pylist() for name in found[0]}
        assert tables["actions"] == [_row(it.account, action) for it in plans for action in it.actions]
        assert [(row["account"], row["person"], row["because"], row["until"], row["shortfall"], row["cycle"])
                for row in tables["deferred"]] == [
            (it.account, row.person, row.because, row.until, row.shortfall, row.cycle)
            for it in plans for row in it.deferred
        ]  # fmt: skip
        assert [(row["account"], row["code"], row["path"]) for row in tables["findings"]] == [
            (it.account, row.code, row.path) for it in plans for row in it.findings
        ]
        for row, it in zip(tables["summary"], plans, strict=True):
            assert (row["account"], row["on"], row["applyable"]) == (it.account, on, it.applyable)
            assert tuple(row["guards"]) == it.guards
            assert {name: count for name, count in row["not_enrolled"].items() if count} == dict(it.counts.not_enrolled)
            assert [row[name] for name in ("enrol", "cancel", "invite", "deferred")] == [
                it.counts.enrol, it.counts.cancel, it.counts.invite, it.counts.deferred
            ]  # fmt: skip

    def test_the_same_bytes_in_any_parts(self, tmp_path: Path) -> None:
        write_tables(tables_of(estate_of(accounts(*"abcdef", people=4))), tmp_path / "tables")
        found = []
        for rows in (1, 7, 1000):
            (tmp_path / str(rows)).mkdir()
            out = {name: tmp_path / str(rows) / f"{name}.parquet" for name in WRITABLE}
            totals = plan_tables(tmp_path / "tables", on=NIGHT, out=out, rows=rows)
            assert (totals.accounts, totals.enrol, totals.errors) == (6, 24, 0)
            found.append(list(_bytes(tmp_path / str(rows))))
        assert found[0] == found[1] == found[2]

    def test_progress_is_told(self, directory: Path, tmp_path: Path) -> None:
        told: list[tuple[int, int | None]] = []
        out = {"actions": tmp_path / "plan.arrow"}
        found = plan_tables(directory, on=NIGHT, out=out, rows=1, told=lambda done, of: told.append((done, of)))
        assert told == [(1, 2), (2, 2)]
        assert found.errors is None

    def test_every_candidate_and_its_verdict(self, directory: Path, tmp_path: Path) -> None:
        plan_tables(
            directory, on=date(2026, 1, 1), out={"actions": tmp_path / "a.arrow", "reasons": tmp_path / "r.arrow"}
        )
        rows = pa.ipc.open_file(str(tmp_path / "r.arrow")).read_all().to_pylist()
        assert len(rows) == 6
        assert rows[0] == {"account": "acme", "person": "p0", "course": "fire", "trigger": None, "shut": []}

    def test_findings_of_level_error_are_counted(self, directory: Path, tmp_path: Path) -> None:
        tables = sound()
        column = pa.array(["nobody", *tables["records"].column("person").to_pylist()[1:]])
        tables["records"] = tables["records"].set_column(1, "person", column)
        write_tables(tables, directory)
        out = {"actions": tmp_path / "a.parquet", "findings": tmp_path / "f.parquet"}
        assert plan_tables(directory, on=NIGHT, out=out).errors == 1
        assert pq.read_table(tmp_path / "f.parquet").column("level").to_pylist().count(ERROR) == 1


def _row(account: str, action: Enrol | Cancel | Invite) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(ACTIONS.names)
    row |= {name: getattr(action, name) for name in ACTIONS.names if hasattr(action, name)}
    return row | {"account": account, "type": type(action).__name__.lower()}
