"""Arrow tables as estates, and back."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any
from unittest.mock import patch

import numpy as np
import pyarrow as pa
import pytest
from attrs import evolve
from hypothesis import example, given, settings
from hypothesis import strategies as st

from arrow_tables import Tables, accounts, registers, rows_of, sound
from enrolpolicy import Account, Enrolment, EnrolmentStatus, Origin, Snapshot, Validity, plan
from enrolpolicy.arrow import ArrowStream, estate_of_tables, estates, schema, tables_of
from enrolpolicy.arrow.kernels import made
from enrolpolicy.arrow.references import _by_id, _by_key, _by_place, index
from enrolpolicy.arrow.working_out import reachable_in_arrow
from enrolpolicy.bulk import SHAPES, blocks, estate_of, plan_estate, plans_of, standing
from enrolpolicy.bulk.assembly import reachable
from enrolpolicy.bulk.columns import UNKNOWN
from enrolpolicy.testing.builders import NIGHT
from enrolpolicy.testing.builders import course as a_course

Form = Callable[[pa.Table], pa.Table]


def _cast(table: pa.Table, to: Callable[[Any], pa.DataType | None]) -> pa.Table:
    kinds = [pa.field(field.name, to(field.type) or field.type) for field in table.schema]
    return table.cast(pa.schema(kinds))


def _text_as(kind: pa.DataType) -> Form:
    return lambda table: _cast(table, lambda found: kind if found == pa.string() else None)


def _dictionaries(table: pa.Table) -> pa.Table:
    columns = [
        column.dictionary_encode() if pa.types.is_string(column.type) else column for column in table.itercolumns()
    ]
    return pa.table(columns, names=table.column_names)


def _reversed(table: pa.Table) -> pa.Table:
    """The rows of each account the other way round, the accounts in their order."""
    account = np.array(table.column("account").to_pylist())
    return table.take(made(np.lexsort((-np.arange(len(account)), account))))


FORMS: dict[str, Form] = {
    "as they are": lambda table: table,
    "large strings": _text_as(pa.large_string()),
    "string views": _text_as(pa.string_view()),
    "dictionaries": _dictionaries,
    "row by row": lambda table: pa.Table.from_batches(
        [table.slice(row, 1).to_batches()[0] for row in range(len(table))], table.schema
    ),
    "dictionaries row by row": lambda table: pa.concat_tables(
        [_dictionaries(table.slice(row, 1)) for row in range(len(table))] or [_dictionaries(table)]
    ),
    "from the middle": lambda table: pa.concat_tables([table, table]).slice(len(table)),
    "rows within an account in another order": _reversed,
    "columns in another order": lambda table: table.select(table.column_names[::-1]),
    "64-bit numbers": lambda table: _cast(table, lambda kind: pa.int64() if kind == pa.int32() else None),
    "instants in milliseconds elsewhere": lambda table: _cast(
        table, lambda kind: pa.timestamp("ns", "Asia/Tokyo") if pa.types.is_timestamp(kind) else None
    ),
}
"""Ways in which the same tables may come."""


ROWS = ("personnel", "assignments", "records", "enrolments", "opt_outs")


class TestTheSamePlan:
    """Snapshots written as tables, and planned from those, have the plans that `plan` makes of the snapshots."""

    @given(registers(), st.integers(1, 9), st.sampled_from(sorted(FORMS)))
    def test_whatever_the_tables_look_like(self, drawn: tuple[list[Snapshot], date], rows: int, form: str) -> None:
        whole, on = drawn
        tables = {name: FORMS[form](table) for name, table in tables_of(estate_of(whole)).items()}
        sources = {snapshot.account.id: snapshot for snapshot in whole}
        found = [one for estate in estates(tables, rows=rows) for one in plans_of(plan_estate(estate, on=on), sources)]
        assert found == [plan(snapshot, on=on) for snapshot in whole]

    @given(registers(), st.sets(st.sampled_from(ROWS), min_size=1))
    @settings(max_examples=60)
    def test_tables_without_rows(self, drawn: tuple[list[Snapshot], date], names: set[str]) -> None:
        """Planned as they are; and the night after, when all rows have come."""
        whole, on = drawn
        rows: dict[str, Any] = dict.fromkeys(names, ())
        empty = [evolve(snapshot, **rows) for snapshot in whole]
        estate = estate_of_tables(tables_of(estate_of(empty)))
        found = plans_of(plan_estate(estate, on=on), {snapshot.account.id: snapshot for snapshot in empty})
        assert list(found) == [plan(snapshot, on=on) for snapshot in empty]
        night = standing(estate, on=on).night(
            on=on, changed=estate_of_tables(tables_of(estate_of(whole))), findings=True
        )
        found = plans_of(night, {snapshot.account.id: snapshot for snapshot in whole})
        assert list(found) == [plan(snapshot, on=on) for snapshot in whole]

    @given(registers(), st.integers(1, 9))
    def test_in_blocks_of_few_people(self, drawn: tuple[list[Snapshot], date], cells: int) -> None:
        """A block finds its people's rows only where they stand together, whatever the ids of bookings are."""
        whole, on = drawn
        tables = tables_of(estate_of(whole))
        with patch.object(blocks, "CELLS", cells):
            found = plans_of(plan_estate(estate_of_tables(tables), on=on))
            ours = [(one.actions, one.deferred, one.counts) for one in found]
        plans = [plan(snapshot, on=on) for snapshot in whole]
        assert ours == [(one.actions, one.deferred, one.counts) for one in plans]

    @given(registers())
    @settings(max_examples=30)
    def test_all_at_once(self, drawn: tuple[list[Snapshot], date]) -> None:
        whole, on = drawn
        estate = estate_of_tables(tables_of(estate_of(whole)))
        found = plans_of(plan_estate(estate, on=on), {snapshot.account.id: snapshot for snapshot in whole})
        assert list(found) == [plan(snapshot, on=on) for snapshot in whole]

    @given(registers())
    @settings(max_examples=30)
    def test_there_and_back(self, drawn: tuple[list[Snapshot], date]) -> None:
        tables = tables_of(estate_of(drawn[0]))
        again = tables_of(estate_of_tables(tables))
        for name, table in tables.items():  # the order of rows within an account means nothing
            assert sorted(map(repr, again[name].to_pylist())) == sorted(map(repr, table.to_pylist()))

    def test_of_no_account(self) -> None:
        assert len(estate_of_tables(tables_of(estate_of([]))).accounts) == 0
        assert list(estates(tables_of(estate_of([])))) == []


class _Stream:
    """What any library's frame is to us: something with the Arrow C interface."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        table: Any = self._table
        found: object = table.__arrow_c_stream__(requested_schema)
        return found


class TestWhatIsTaken:
    """Tables come from any library with the Arrow C interface; what has a default may be left out, or be null alone."""

    def test_the_c_interface(self) -> None:
        tables: dict[str, ArrowStream] = {name: _Stream(table) for name, table in sound().items()}
        assert [len(estate.records) for estate in estates(tables)] == [6]

    def test_columns_with_a_default(self) -> None:
        tables = sound()
        required = {name: [one.name for one in shape.columns if one.required] for name, shape in SHAPES.items()}
        least = {name: table.select(required[name]) for name, table in tables.items()}
        least["courses"] = least["courses"].append_column("auto_enrol", tables["courses"].column("auto_enrol"))
        least["personnel"] = least["personnel"].append_column("email", tables["personnel"].column("email"))
        expiries = tables["records"].column("expires_on")
        least["records"] = least["records"].append_column("expires_on", expiries)
        assert _plan(least) == _plan(tables)

    def test_columns_of_nulls(self) -> None:
        tables = sound()
        for name, shape in SHAPES.items():
            for column in shape.columns:
                at = tables[name].column_names.index(column.name)
                if tables[name].column(at).null_count == len(tables[name]):
                    tables[name] = tables[name].set_column(at, column.name, pa.nulls(len(tables[name])))
        assert _plan(tables) == _plan(sound())

    def test_an_empty_table_says_its_columns(self) -> None:
        assert all(table.schema == schema(SHAPES[name]) for name, table in tables_of(estate_of([])).items())

    def test_a_null_among_the_entries_of_a_dictionary(self) -> None:
        tables = sound()
        at = tables["personnel"].column_names.index("division")
        odd = pa.DictionaryArray.from_arrays(pa.array([0, 1, 0, 1, None, 1]), pa.array(["north", None]))
        tables["personnel"] = tables["personnel"].set_column(at, "division", odd)
        [estate] = estates(tables)
        assert list(estate.personnel.texts("division")) == ["north", None, "north", None, None, None]

    def test_a_validity_without_an_anchor_is_counted_from_the_completion(self) -> None:
        [snapshot] = accounts("acme")
        course = a_course(validity=Validity(months=12))
        tables = tables_of(estate_of([evolve(snapshot, courses=(course,))]))
        tables["courses"] = tables["courses"].drop_columns("validity_anchor")
        again = tables_of(estate_of_tables(tables))
        assert again["courses"].column("validity_anchor").to_pylist() == ["completion"]

    def test_instants_are_kept_to_the_microsecond(self) -> None:
        from datetime import UTC, datetime

        at = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)
        booked = Enrolment(
            id="e1", person="p0", course="fire", origin=Origin.AUTO, status=EnrolmentStatus.BOOKED, enrolled_at=at
        )
        [snapshot] = accounts("acme")
        tables = tables_of(estate_of([evolve(snapshot, enrolments=(booked,))]))
        assert tables_of(estate_of_tables(tables))["enrolments"].column("enrolled_at").to_pylist() == [at]


def _plan(tables: Tables) -> list[Any]:
    return [one.actions for one in plans_of(plan_estate(estate_of_tables(tables), on=NIGHT))]


class TestInStep:
    """Tables are read in step: whole accounts, in their order, and never more rows than a few batches of any table."""

    @given(st.lists(st.integers(0, 12), min_size=1, max_size=12), st.integers(1, 8))
    @settings(max_examples=20)
    def test_no_more_is_read_than_is_needed(self, sizes: list[int], rows: int) -> None:
        whole = [accounts(f"a{number:02}", people=size)[0] for number, size in enumerate(sizes)]
        tables = tables_of(estate_of(whole))
        read: dict[str, int] = {}
        handed: dict[str, int] = {}

        def watched(name: str) -> Iterator[pa.RecordBatch]:
            for batch in tables[name].to_batches(max_chunksize=rows):
                read[name] = read.get(name, 0) + len(batch)
                yield batch

        streams = {
            name: pa.RecordBatchReader.from_batches(table.schema, watched(name)) for name, table in tables.items()
        }
        seen: list[str] = []
        for estate in estates(streams, rows=rows):
            largest = max(sizes)
            for name in SHAPES:
                # What is held besides the estate itself: a batch, and what was read of an account that is not over.
                held = read.get(name, 0) - handed.get(name, 0)
                assert held <= len(getattr(estate, name)) + rows + max(rows, largest)
                handed[name] = handed.get(name, 0) + len(getattr(estate, name))
            # No estate is larger than what is read at once, but for its last account.
            assert len(estate.records) <= 2 * rows + 2 * largest
            seen += estate.accounts.ids("account")
        assert seen == [snapshot.account.id for snapshot in whole]

    def test_an_account_is_never_parted(self) -> None:
        tables = tables_of(estate_of(accounts("a", "b", "c", people=5)))
        assert rows_of(estates(tables, rows=1)) == [("a", 5, 5), ("b", 5, 5), ("c", 5, 5)]
        assert rows_of(estates(tables, rows=6)) == [("a", 5, 5), ("b", 5, 5), ("c", 5, 5)]
        assert rows_of(estates(tables, rows=12)) == [("a b", 10, 10), ("c", 5, 5)]

    def test_accounts_that_some_tables_do_not_have(self) -> None:
        whole = [*accounts("a", people=0), *accounts("b", people=2), *accounts("c", people=0)]
        found = rows_of(estates(tables_of(estate_of(whole)), rows=1))
        assert " ".join(ids for ids, _, _ in found) == "a b c"


class TestReferences:
    """An id is looked up among its own account's, whichever way that is done."""

    @given(
        st.lists(st.tuples(st.integers(0, 3), st.sampled_from("abcdef")), unique=True),
        st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["a", "b", "c", "x", None]))),
        st.booleans(),
    )
    def test_ids_of_every_account(
        self, rows: list[tuple[int, str]], asked: list[tuple[int, str | None]], encoded: bool
    ) -> None:
        rows.sort()
        references = pa.array([id for _, id in asked], pa.string())
        found = index(pa.array([id for _, id in rows], pa.string()), _ints(account for account, _ in rows), 4).find(
            references.dictionary_encode() if encoded else references, _ints(account for account, _ in asked)
        )
        places = {row: place for place, row in enumerate(rows)}
        assert found.tolist() == [
            UNKNOWN if id is None else places.get((account, id), UNKNOWN) for account, id in asked
        ]

    @given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5)), unique=True, min_size=1), st.data())
    def test_the_ways_agree(self, rows: list[tuple[int, int]], data: st.DataObject) -> None:
        rows.sort()
        keys = np.array([account * 6 + id for account, id in rows])
        asked = data.draw(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5))))
        account, ids = _ints(account for account, _ in asked), _ints(id for _, id in asked)
        expected = [rows.index(one) if one in rows else UNKNOWN for one in asked]
        assert _by_place(keys, 4, 6)(account, ids).tolist() == expected
        assert _by_key(keys, 6)(account, ids).tolist() == expected

    def test_an_id_of_one_account_is_not_found_in_another(self) -> None:
        assert _by_id(_ints([0, 1]))(_ints([0, 0, 1]), _ints([0, 1, 1])).tolist() == [0, UNKNOWN, 1]


def _ints(values: Any) -> Any:
    return np.array(list(values), dtype=np.int32)


class TestAddresses:
    """Arrow and Python say the same about which addresses can be reached."""

    @given(st.lists(st.none() | st.text("ab@. \t\n\x1c\x7f\x85\u00a0\u2003\u00e9-", max_size=9) | st.emails()))
    def test_the_same(self, emails: list[str | None]) -> None:
        assert reachable_in_arrow(pa.array(emails, pa.string())).tolist() == reachable(emails).tolist()

    @given(st.lists(st.none() | st.text("ab@. \t\n\x0b\x1c\x7f", max_size=9)))
    @example(["a@b@b.a", "a b@b.a", "a@b.a b", "a@b.a"])
    def test_the_same_in_ascii(self, emails: list[str | None]) -> None:
        texts = pa.array(emails, pa.string())
        assert reachable_in_arrow(texts).tolist() == reachable(emails).tolist()
        assert reachable_in_arrow(texts.dictionary_encode()).tolist() == reachable(emails).tolist()


@pytest.mark.parametrize("name", SHAPES)
def test_every_table_of_the_model_has_a_schema(name: str) -> None:
    """What the model's classes have, the tables have; `Account` stands for all."""
    assert schema(SHAPES[name]).names == [column.name for column in SHAPES[name].columns]
    assert {"account", "timezone", "max_credits"} <= set(schema(SHAPES["accounts"]).names)
    assert Account(id="a").guards.max_credits is None
