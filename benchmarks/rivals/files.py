"""From the register's tables in Parquet to a plan in Parquet, ids and keys included: the library, and DuckDB.

DuckDB numbers people and courses on the way, as the library does; joining on their texts takes it longer.
"""

from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from duckdb_query import ACTIONS, TOLD
from enrolpolicy.arrow.running import plan_tables
from registers import ON
from rivals import duckdb_sql
from rivals.answers import COLUMNS, Answer
from rivals.keyed import TABLES

ORDERED = """
order by account.id, case type when 'enrol' then 0 when 'cancel' then 1 else 2 end, person.id, course.id, enrolment
"""


class _Files:
    def load(self, tables: Path, keyed: Path) -> None:
        self.tables, self.out = tables, keyed.parent / f"{type(self).__name__}.parquet"
        self.counts = self.out.with_suffix(".counts.parquet")

    def answer(self, decided: None) -> Answer:
        columns = pq.read_table(self.out, columns=list(COLUMNS)).columns
        return Answer(list(zip(*(column.to_pylist() for column in columns), strict=True)), None)


class BulkFiles(_Files):
    """Actions, and a line for each account with its counts and guards."""

    def decide(self) -> None:
        plan_tables(self.tables, on=ON, out={"actions": self.out, "summary": self.counts})


class DuckDBFiles(_Files):
    """Actions, and how many of each account are left out for what."""

    QUERY = duckdb_sql.JUDGED_ONCE
    COUNTED = True

    def decide(self) -> None:
        with duckdb.connect() as connection:
            connection.execute("set timezone = 'UTC'")
            for name, query in TABLES.items():
                connection.execute(f"create table {name} as {query.format(tables=self.tables)}")
            made = f"copy ({self.QUERY}{ACTIONS}{TOLD}{ORDERED}) to '{self.out}'"
            connection.execute(made, {"today": ON})
            if self.COUNTED:
                counted = (
                    f"{self.QUERY} counted as (select account, reason, count(*) from judged group by all) from counted"
                )
                connection.execute(f"copy ({counted}) to '{self.counts}'", {"today": ON})


class DuckDBFilesPruned(DuckDBFiles):
    """Actions alone."""

    QUERY = duckdb_sql.PRUNED
    COUNTED = False
