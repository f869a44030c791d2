"""Estates of Arrow tables: whole, or some accounts at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

import pyarrow as pa

from enrolpolicy.arrow.conforming import check_names, check_schema, conformed
from enrolpolicy.arrow.problems import Problems
from enrolpolicy.arrow.reading import estate_of_block
from enrolpolicy.arrow.walking import ROWS, blocks
from enrolpolicy.bulk import SHAPES, Estate


class ArrowStream(Protocol):
    """Whatever gives its rows through the Arrow C interface: a table of pyarrow or Polars, a frame of pandas …"""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object: ...


def estates(tables: Mapping[str, ArrowStream], *, rows: int = ROWS) -> Iterator[Estate]:
    """The accounts of some tables, a few at a time, by ascending id.

    `tables` are by name, as `SHAPES` lists them; the rows of each by ascending account. About so many `rows` of each
    are read at once. Raises `InvalidSnapshot` with a problem for everything that is wrong with the tables; only with
    rows before the first bad ones have estates been made by then, so act on none before the last has come.
    """
    problems = Problems()
    check_names(tables, problems)
    problems.refuse()
    readers = {name: pa.RecordBatchReader.from_stream(tables[name]) for name in SHAPES}
    for name, reader in readers.items():
        check_schema(SHAPES[name], reader.schema, problems)
    problems.refuse()
    batches = {name: conformed(SHAPES[name], reader, rows) for name, reader in readers.items()}
    yield from estates_of_batches(batches, problems, rows=dict.fromkeys(SHAPES, rows))


def estates_of_batches(
    batches: Mapping[str, Iterable[pa.RecordBatch]], problems: Problems, *, rows: Mapping[str, int]
) -> Iterator[Estate]:
    """The same of batches with all their columns. After a problem, the rest is only looked through for others."""
    for block in blocks(batches, problems, rows=rows):
        estate = estate_of_block(block, problems)
        if estate is not None:
            yield estate
    problems.refuse()


def estate_of_tables(tables: Mapping[str, ArrowStream]) -> Estate:
    """The accounts of some tables as one estate, whatever they need of memory; see `estates`."""
    everything = 1 << 62
    [estate] = list(estates(tables, rows=everything)) or [_empty()]
    return estate


def _empty() -> Estate:
    from enrolpolicy.bulk import estate_of  # noqa: PLC0415

    return estate_of([])
