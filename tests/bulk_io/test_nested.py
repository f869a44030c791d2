"""One row for each account: what distributed engines are given, and give back."""

import os
import pickle
from itertools import permutations
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arrow_tables import Tables, accounts, registers, sound, spoilt
from enrolpolicy import InvalidSnapshot, InvalidValue, UnknownId
from enrolpolicy.adapters.nested import NESTED, nested, outcome_schema, planned, plans_of_rows, write_nested
from enrolpolicy.arrow import open_tables, plan_tables, tables_of, write_tables
from enrolpolicy.arrow.running import WRITABLE, write_plans
from enrolpolicy.bulk import estate_of
from enrolpolicy.errors import Problem
from enrolpolicy.testing.builders import NIGHT

WHAT = tuple(WRITABLE)


def _rows(tables: Tables, folder: Path, rows: int = 5) -> list[pa.RecordBatch]:
    write_tables(tables, folder)
    return list(nested(open_tables(folder), rows=rows))


class TestRows:
    """An account's tables go into one row and come out of it; planned anywhere, in any order, the plan is the same."""

    @given(registers(), st.randoms(use_true_random=False), st.integers(1, 9))
    @settings(max_examples=20)
    def test_the_same_bytes(self, tmp_path_factory: Any, drawn: Any, random: Any, rows: int) -> None:
        folder = tmp_path_factory.mktemp("nested")
        batches = _rows(tables_of(estate_of(drawn[0])), folder / "tables", rows)
        alone = {what: folder / f"alone-{what}.parquet" for what in WHAT}
        apart = {what: folder / f"apart-{what}.parquet" for what in WHAT}
        totals = plan_tables(folder / "tables", on=drawn[1], out=alone)
        whole = pa.Table.from_batches(batches, NESTED).combine_chunks()
        order = list(range(len(whole)))
        random.shuffle(order)
        mixed = whole.take(order).to_batches(max_chunksize=2)
        found = planned(mixed, on=drawn[1], what=WHAT)
        assert write_plans(plans_of_rows(found, WHAT), apart) == totals
        for what in WHAT:
            assert apart[what].read_bytes() == alone[what].read_bytes()

    def test_what_was_not_asked_for_is_not_made(self, tmp_path: Path) -> None:
        [batch] = planned(_rows(sound(), tmp_path, 1000), on=NIGHT)
        assert batch.schema == outcome_schema(["actions"])
        assert batch.schema.names == ["account", "actions", "summary"]

    def test_an_account_planned_twice(self, tmp_path: Path) -> None:
        found = list(planned(_rows(sound(), tmp_path), on=NIGHT))
        with pytest.raises(ValueError, match="the account `acme` was planned twice"):
            list(plans_of_rows([*found, found[0]], ["actions"]))

    def test_no_rows(self) -> None:
        nothing = pa.RecordBatch.from_pylist([], schema=NESTED)
        assert list(planned([nothing], on=NIGHT)) == []
        assert list(plans_of_rows([], ["actions"])) == []

    def test_rows_of_any_order_in_one_batch(self, tmp_path: Path) -> None:
        whole = [*accounts("a", people=1), *accounts("b", people=2), *accounts("c", people=3)]
        [batch] = _rows(tables_of(estate_of(whole)), tmp_path, 1000)
        for order in permutations(range(3)):
            [found] = planned([batch.take(pa.array(order))], on=NIGHT)
            assert found.column("account").to_pylist() == ["abc"[place] for place in order]
            assert [row[0]["enrol"] for row in found.column("summary").to_pylist() if row] == [
                place + 1 for place in order
            ]

    def test_bad_tables_name_the_account(self, tmp_path: Path) -> None:
        tables = spoilt("records", "completed_on", [None])
        tables["courses"] = spoilt("courses", "credit_cost", [1, -1])["courses"]
        with pytest.raises(InvalidSnapshot) as error:
            list(planned(_rows(tables, tmp_path, 1000), on=NIGHT))
        assert [problem.path for problem in error.value.problems] == [
            "account `acme`: records[0].completed_on",
            "account `bolt`: courses[0].credit_cost",
        ]

    def test_rows_of_an_account_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(InvalidSnapshot, match=r"account `able`: records\[0\].account: is of account `able`"):
            list(planned(_rows(spoilt("records", "account", ["able"]), tmp_path, 1000), on=NIGHT))


class TestFilesOfRows:
    """Rows are written to Parquet files, some accounts in each."""

    def test_written_and_read(self, tmp_path: Path) -> None:
        write_tables(tables_of(estate_of(accounts(*"abcdef"))), tmp_path / "tables")
        assert (
            write_nested(open_tables(tmp_path / "tables"), tmp_path / "rows", rows=7)
            == len(os.listdir(tmp_path / "rows"))
            > 1
        )
        found = pq.read_table(tmp_path / "rows")
        assert found.column("account").to_pylist() == list("abcdef")
        assert found.schema == NESTED


class TestExceptions:
    """What is raised in another process arrives as it was."""

    @pytest.mark.parametrize(
        "error",
        [
            InvalidSnapshot((Problem(path="a", code="b", message="c"),), 3),
            InvalidValue("on", "must be a date"),
            UnknownId("person", "ana"),
        ],
    )
    def test_pickled(self, error: Any) -> None:
        again = pickle.loads(pickle.dumps(error))
        assert type(again) is type(error)
        assert str(again) == str(error)
        assert vars(again) == vars(error)
