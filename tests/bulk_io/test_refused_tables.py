"""Tables that cannot be meant so are refused: table, row and column, what is wrong, and what to do next."""

from __future__ import annotations

from datetime import date
from typing import Any

import pyarrow as pa
import pytest

from arrow_tables import problems, sound, spoilt
from enrolpolicy import InvalidSnapshot
from enrolpolicy.arrow import estates


def _raw_text(*values: bytes) -> pa.Array[Any]:
    """Bytes that claim to be text, as a file can have them."""
    return pa.array(values, pa.binary()).view(pa.string())


def _days(*days: int) -> pa.Array[Any]:
    return pa.array(days, pa.int32()).view(pa.date32())


LONG = "x" * 256
SPOILT: list[tuple[str, str, list[Any], pa.DataType | None, str, str]] = [
    ("records", "completed_on", ["2026-01-01"] * 6, pa.string(), "records.completed_on", "wrong-type"),
    ("records", "voided", [0] * 6, pa.int32(), "records.voided", "wrong-type"),
    ("courses", "credit_cost", [1.0, 1.0], pa.float64(), "courses.credit_cost", "wrong-type"),
    ("personnel", "id", list(range(6)), pa.int64(), "personnel.id", "wrong-type"),
    ("accounts", "withdraw_when", ["superseded"] * 2, pa.string(), "accounts.withdraw_when", "wrong-type"),
    ("personnel", "id", ["p0", None], None, "personnel[1].id", "null"),
    ("records", "person", [None], None, "records[0].person", "null"),
    ("records", "account", ["acme", None], None, "records[1].account", "null"),
    ("accounts", "account", [None], None, "accounts[0].account", "null"),
    ("records", "completed_on", [None], None, "records[0].completed_on", "null"),
    ("records", "voided", [False, None, None], None, "records[1].voided", "null"),
    ("personnel", "employment", ["employee", None], None, "personnel[1].employment", "null"),
    ("accounts", "withdraw_when", [None], None, "accounts[0].withdraw_when", "null"),
    ("personnel", "name", [None], None, "personnel[0].name", "null"),
    ("personnel", "employment", ["employee", "boss"], None, "personnel[1].employment", "invalid"),
    ("courses", "delivery", ["IHASCO"], None, "courses[0].delivery", "invalid"),
    ("accounts", "withdraw_when", [[], ["superseded", "boredom"]], None, "accounts[1].withdraw_when", "invalid"),
    ("personnel", "id", ["p0", ""], None, "personnel[1].id", "invalid"),
    ("personnel", "id", ["p0", "p\n1"], None, "personnel[1].id", "invalid"),
    ("personnel", "id", ["p0", "p\x851"], None, "personnel[1].id", "invalid"),
    ("personnel", "id", ["p0", "p1", LONG], None, "personnel[2].id", "invalid"),
    ("accounts", "account", ["ac\tme"], None, "accounts[0].account", "invalid"),
    ("records", "person", ["p0", LONG], None, "records[1].person", "invalid"),
    ("records", "course", ["fire", ""], None, "records[1].course", "invalid"),
    ("accounts", "timezone", ["Europe/London", "Mars/Olympus"], None, "accounts[1].timezone", "invalid"),
    ("accounts", "lead_days", [3650, 3651], None, "accounts[1].lead_days", "invalid"),
    ("accounts", "lead_days", [-1], None, "accounts[0].lead_days", "invalid"),
    ("accounts", "credits", [-(10**9), 10**12], pa.int64(), "accounts[1].credits", "invalid"),
    ("accounts", "spread_days", [None], None, "accounts[0].spread_days", "null"),
    ("accounts", "max_cancelled_fraction", [1.0, 1.5], None, "accounts[1].max_cancelled_fraction", "invalid"),
    ("accounts", "max_cancelled_fraction", [float("nan")], None, "accounts[0].max_cancelled_fraction", "invalid"),
    ("accounts", "max_cancelled_fraction", [-0.1], None, "accounts[0].max_cancelled_fraction", "invalid"),
    ("courses", "credit_cost", [10**6, 10**6 + 1], None, "courses[1].credit_cost", "invalid"),
    ("personnel", "id", ["p0", "p1", "p1"], None, "personnel[2].id", "duplicate-id"),
    ("courses", "account", ["acme", "acme"], None, "courses[1].id", "duplicate-id"),
    ("accounts", "account", ["acme", "acme"], None, "accounts[1].account", "duplicate-id"),
    ("records", "account", ["acme", "bolt", "acme"], None, "records[2].account", "unsorted"),
    ("accounts", "account", ["bolt", "acme"], None, "accounts[1].account", "unsorted"),
    ("records", "account", ["able"], None, "records[0].account", "unknown-account"),
    ("records", "account", ["acme"] * 5 + ["zeta"], None, "records[5].account", "unknown-account"),
]


class TestAColumn:
    """A value that the model would refuse is refused in a column, and the first row that has it is named."""

    @pytest.mark.parametrize(("table", "column", "values", "kind", "path", "code"), SPOILT)
    @pytest.mark.parametrize("rows", [1, 1000])
    def test_is_refused(
        self, table: str, column: str, values: list[Any], kind: pa.DataType | None, path: str, code: str, rows: int
    ) -> None:
        assert (path, code) in problems(spoilt(table, column, values, kind), rows)

    @pytest.mark.parametrize(("table", "column", "values", "kind", "path", "code"), SPOILT)
    def test_is_refused_where_it_is_dictionary_encoded(
        self, table: str, column: str, values: list[Any], kind: pa.DataType | None, path: str, code: str
    ) -> None:
        tables = spoilt(table, column, values, kind)
        at = tables[table].column_names.index(column)
        if pa.types.is_string(tables[table].column(at).type) and code != "wrong-type":
            tables[table] = tables[table].set_column(at, column, tables[table].column(at).dictionary_encode())
            assert (path, code) in problems(tables)

    @pytest.mark.parametrize("day", [date.min.toordinal() - 719_164, 2_932_897, 2**31 - 1, -(2**31)])
    def test_a_date_that_is_not_in_the_calendar(self, day: int) -> None:
        tables = sound()
        old = tables["records"].column("expires_on").combine_chunks()
        found = pa.concat_arrays([old[:2], _days(day), old[3:]])
        tables["records"] = tables["records"].set_column(4, "expires_on", found)
        assert tables["records"].column_names[4] == "expires_on"
        assert problems(tables) == [("records[2].expires_on", "date-out-of-range")]

    @pytest.mark.parametrize("day", [date.min.toordinal() - 719_163, 2_932_896])
    def test_the_first_and_the_last_day_of_the_calendar(self, day: int) -> None:
        tables = sound()
        tables["records"] = tables["records"].set_column(4, "expires_on", _days(*[day] * 6))
        assert problems(tables) == []

    @pytest.mark.parametrize(("unit", "ticks"), [("s", 253_402_300_800), ("ms", -(10**15)), ("us", 10**18)])
    def test_an_instant_that_is_not_in_the_calendar(self, unit: Any, ticks: int) -> None:
        tables = sound()
        columns = {name: pa.nulls(1, field.type) for name, field in zip(*_fields(tables["enrolments"]), strict=True)}
        columns |= {
            name: pa.array([value], pa.string())
            for name, value in {
                "account": "acme", "id": "e1", "person": "p0", "course": "fire", "origin": "auto", "status": "booked",
            }.items()
        }  # fmt: skip
        columns["enrolled_at"] = pa.array([ticks], pa.int64()).view(pa.timestamp(unit, "UTC"))
        tables["enrolments"] = pa.table(columns)
        assert problems(tables) == [("enrolments[0].enrolled_at", "date-out-of-range")]

    def test_an_instant_without_a_zone(self) -> None:
        tables = sound()
        tables["enrolments"] = tables["enrolments"].set_column(
            tables["enrolments"].column_names.index("enrolled_at"), "enrolled_at", pa.array([], pa.timestamp("us"))
        )
        assert problems(tables) == [("enrolments.enrolled_at", "wrong-type")]

    @pytest.mark.parametrize("encoded", [False, True])
    @pytest.mark.parametrize(("table", "column"), [("personnel", "name"), ("personnel", "id"), ("records", "person")])
    def test_bytes_that_are_no_text(self, table: str, column: str, encoded: bool) -> None:
        tables = sound()
        at = tables[table].column_names.index(column)
        rest = [str(value).encode() for value in tables[table].column(at).to_pylist()[2:]]
        found = _raw_text(b"p0", b"p\xff", *rest)
        if encoded:
            found = pa.DictionaryArray.from_arrays(pa.array(list(range(6))), found)
        tables[table] = tables[table].set_column(at, column, found)
        assert (f"{table}[1].{column}", "not-utf-8") in problems(tables, 1000)

    def test_months_and_days(self) -> None:
        tables = spoilt("courses", "validity_months", [12, 12])
        at = tables["courses"].column_names.index("validity_days")
        both = pa.array([None, 365], pa.int32())
        tables["courses"] = tables["courses"].set_column(at, "validity_days", both)
        assert problems(tables) == [("courses[1].validity_days", "invalid")]


def _fields(table: pa.Table) -> tuple[list[str], list[pa.Field[Any]]]:
    return table.schema.names, list(table.schema)


class TestTables:
    """Tables and columns that are not there, or that nobody knows, are told by their names, all at once."""

    def test_what_is_missing(self) -> None:
        tables = sound()
        del tables["opt_outs"], tables["roles"]
        assert problems(tables) == [("roles", "missing-table"), ("opt_outs", "missing-table")]

    def test_what_nobody_knows(self) -> None:
        tables = {**sound(), "record": pa.table({"a": [1]})}
        with pytest.raises(InvalidSnapshot, match="record: is not a table here; did you mean `records`"):
            list(estates(tables))

    def test_columns(self) -> None:
        tables = sound()
        tables["records"] = tables["records"].rename_columns(
            ["account", "person", "course", "completed", "expires_on", "never_expires", "voided"]
        )
        tables["accounts"] = tables["accounts"].drop_columns("account")
        with pytest.raises(InvalidSnapshot) as error:
            list(estates(tables))
        assert [str(problem) for problem in error.value.problems] == [
            "accounts.account: is missing, and has no default; add the column",
            "records.completed: is not a column here; did you mean `completed_on`?",
            "records.completed_on: is missing, and has no default; add the column",
        ]

    def test_a_column_that_is_there_twice(self) -> None:
        tables = sound()
        tables["records"] = tables["records"].append_column("voided", tables["records"].column("voided"))
        assert problems(tables) == [("records.voided", "repeated-column")]


class TestAllAtOnce:
    """Everything that is wrong is told at once, each kind of fault in a column once, with how many rows have it."""

    def test_several_problems(self) -> None:
        tables = spoilt("personnel", "employment", ["boss", "employee", "chief"])
        tables["records"] = spoilt("records", "completed_on", [None])["records"]
        tables["courses"] = spoilt("courses", "credit_cost", [1, -1])["courses"]
        with pytest.raises(InvalidSnapshot) as error:
            list(estates(tables, rows=1))
        assert [str(problem) for problem in error.value.problems] == [
            "personnel[0].employment: must be one of `employee`, `subcontractor`, not `boss` (and 1 more row like it)",
            "records[0].completed_on: must not be null; give it a value",
            "courses[1].credit_cost: must be a whole number from 0 to 1000000, not `-1`",
        ]

    def test_what_comes_later_is_looked_at_too(self) -> None:
        tables = spoilt("records", "completed_on", [None])
        tables["personnel"] = spoilt("personnel", "id", ["p0", "p1", "p2", "p0", "p1", "p1"])["personnel"]
        assert problems(tables, 1) == [("records[0].completed_on", "null"), ("personnel[5].id", "duplicate-id")]

    def test_a_twin_names_the_earlier_row(self) -> None:
        with pytest.raises(InvalidSnapshot, match=r"personnel\[2\].id: the id `p0` is also the one of row 0; give"):
            list(estates(spoilt("personnel", "id", ["p0", "p1", "p0"])))

    def test_accounts_out_of_order_name_both(self) -> None:
        message = r"records\[2\].account: is of account `acme`, after rows of `bolt`; sort the table by account"
        with pytest.raises(InvalidSnapshot, match=message):
            list(estates(spoilt("records", "account", ["acme", "bolt", "acme"])))

    def test_only_rows_with_a_fault_are_told(self) -> None:
        """A dictionary may have entries that no row uses, as files of other engines do."""
        tables = sound()
        at = tables["personnel"].column_names.index("employment")
        odd = pa.DictionaryArray.from_arrays(pa.array([0] * 6), pa.array(["employee", "boss"]))
        tables["personnel"] = tables["personnel"].set_column(at, "employment", odd)
        assert problems(tables) == []
