"""Small estates as Arrow tables, for the tests of reading them: two sound accounts, and ways to spoil a column."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import pyarrow as pa
from attrs import evolve
from hypothesis import strategies as st

from enrolpolicy import InvalidSnapshot, Snapshot
from enrolpolicy.arrow import estates, tables_of
from enrolpolicy.bulk import Estate, estate_of
from enrolpolicy.testing.builders import person, register
from enrolpolicy.testing.strategies import snapshots

Tables = dict[str, pa.Table]


@st.composite
def registers(draw: Any) -> tuple[list[Snapshot], date]:
    """Some accounts near to enrolling, each with an id of its own, and a night."""
    drawn = draw(st.lists(snapshots(), min_size=1, max_size=4))
    found = [
        evolve(snapshot, account=evolve(snapshot.account, id=f"account {number}"))
        for number, (snapshot, _) in enumerate(drawn)
    ]
    return found, drawn[0][1]


def accounts(*ids: str, people: int = 3) -> list[Snapshot]:
    """Accounts of the same people on the same course, in which nobody has an id of their own."""
    found = []
    for id in ids:
        whole = register(*(person(f"p{number}") for number in range(people)))
        found.append(evolve(whole, account=evolve(whole.account, id=id)))
    return found


def sound() -> Tables:
    return tables_of(estate_of(accounts("acme", "bolt")))


def spoilt(table: str, column: str, values: Sequence[Any], kind: pa.DataType | None = None) -> Tables:
    """Sound tables, with the first values of a column replaced."""
    tables = sound()
    old = tables[table].column(column)
    found = [*values, *old.to_pylist()[len(values) :]]
    at = tables[table].column_names.index(column)
    tables[table] = tables[table].set_column(at, column, pa.array(found, kind or old.type))
    return tables


def problems(tables: Mapping[str, Any], rows: int = 4) -> list[tuple[str, str]]:
    """What is wrong with tables: paths and codes; nothing where they are read."""
    try:
        list(estates(tables, rows=rows))
    except InvalidSnapshot as error:
        assert all(problem.message[0].islower() for problem in error.problems)
        assert not any(problem.message.endswith(".") for problem in error.problems)
        return [(problem.path, problem.code) for problem in error.problems]
    return []


def rows_of(found: Iterable[Estate]) -> list[tuple[str, int, int]]:
    """Each estate's accounts, with how many people and records they have."""
    return [(" ".join(it.accounts.ids("account")), len(it.personnel), len(it.records)) for it in found]


__all__ = ["accounts", "problems", "registers", "rows_of", "sound", "spoilt"]
