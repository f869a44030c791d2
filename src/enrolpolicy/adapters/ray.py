"""Estates planned on Ray: the rows of `enrolpolicy.adapters.nested`, a task for each batch of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from importlib import import_module
from typing import Any

import pyarrow as pa

from enrolpolicy.adapters.nested import nested, planned, plans_of_rows
from enrolpolicy.arrow.files import open_tables
from enrolpolicy.arrow.running import Name, Totals, write_plans
from enrolpolicy.arrow.walking import ROWS
from enrolpolicy.bulk.terms import Nights

_TRIES = 5
"""How often a task is given to another worker after its own was lost."""


def plan_tables(
    directory: Name, *, on: Nights, out: Mapping[str, Name], rows: int = ROWS, at_once: int | None = None
) -> Totals:
    """Plan the tables of a directory on the Ray cluster that is connected to, and write the same bytes as alone.

    As `enrolpolicy.arrow.plan_tables`, with about so many `rows` of each table in a task. The tables are read and the
    plans written here; the package is needed on every machine.
    """
    batches = nested(open_tables(directory), rows=rows)
    found = plan_rows(batches, on=on, what=tuple(out), at_once=at_once)
    return write_plans((part for batch in found for part in plans_of_rows([batch], tuple(out))), out)


def plan_rows(
    batches: Iterable[pa.RecordBatch],
    *,
    on: Nights,
    what: Collection[str] = ("actions",),
    at_once: int | None = None,
) -> Iterator[pa.RecordBatch]:
    """The plans of rows, batch by batch and in their order; a task whose worker is lost is done by another.

    At most `at_once` tasks are under way, two for each of the cluster's processors unless said otherwise; so what is
    held here is bounded. Raises what planning raises.
    """
    ray: Any = import_module("ray")
    night = ray.put(on)
    task = ray.remote(_plan).options(max_retries=_TRIES)
    most = at_once or 2 * max(1, int(ray.cluster_resources().get("CPU", 1)))
    under_way: deque[Any] = deque()
    for batch in batches:
        under_way.append(task.remote(batch, night, tuple(what)))
        if len(under_way) >= most:
            yield ray.get(under_way.popleft())
    yield from map(ray.get, under_way)


def _plan(batch: pa.RecordBatch, on: Nights, what: Collection[str]) -> pa.RecordBatch:
    [found] = planned([batch], on=on, what=what)
    return found
