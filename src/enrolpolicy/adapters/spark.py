"""Estates planned on Spark: the rows of `enrolpolicy.adapters.nested` through `mapInArrow`.

    rows = spark.read.parquet("rows")                       # as `write_nested` wrote them
    planned = plan_frame(rows, on=date(2026, 11, 23))       # a row for each account
    collected(planned, {"actions": "plan.parquet"})         # or whatever else Spark can do with it

Each account is a row, so there is no shuffle, and the package is needed on every machine. Spark gives a machine so many
rows at once as `spark.sql.execution.arrow.maxRecordsPerBatch` says; large accounts want fewer.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from importlib import import_module
from typing import Any, Protocol, Self, TypeVar

import pyarrow as pa

from enrolpolicy.adapters.nested import outcome_schema, planned, plans_of_rows
from enrolpolicy.arrow.running import Name, Totals, write_plans
from enrolpolicy.bulk.terms import Nights

_Mapped = Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]


class Frame(Protocol):
    """What is used of a Spark data frame."""

    def mapInArrow(self, func: _Mapped, schema: Any) -> Self: ...  # noqa: N802 - Spark's name
    def toArrow(self) -> pa.Table: ...  # noqa: N802 - Spark's name


_F = TypeVar("_F", bound=Frame)


def plan_frame(frame: _F, *, on: Nights, what: Collection[str] = ("actions",)) -> _F:
    """The plans of a frame with a row for each account, as a frame with a row for each account.

    `what` are names of `enrolpolicy.arrow.running.WRITABLE`; the summary is always there. Nothing runs until Spark is
    asked for the result; then a fault in an account's tables is an exception of Spark's that quotes it.
    """
    types: Any = import_module("pyspark.sql.pandas.types")

    def work(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        return planned(batches, on=on, what=what)

    return frame.mapInArrow(work, types.from_arrow_schema(outcome_schema(what)))


def collected(frame: Frame, out: Mapping[str, Name]) -> Totals:
    """Run what `plan_frame` made, and write it here: the same bytes as `enrolpolicy.arrow.plan_tables` writes.

    `out` has files by the names of `WRITABLE`, all of which the frame was asked for.
    """
    return write_plans(plans_of_rows(frame.toArrow().to_batches(), out), out)
