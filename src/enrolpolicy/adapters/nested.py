"""Estates for distributed engines: one row for each account, its tables nested in it.

Such a row can be sent anywhere and planned there, because no account needs to know another. Nothing of an engine is
imported here; `enrolpolicy.adapters.spark` and `enrolpolicy.adapters.ray` are what little there is about each. A row
goes in (`NESTED`), a row comes out (`outcome_schema`), and planning it twice gives the same row: a part that an engine
does again because a machine was lost is neither missing nor there twice.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import pyarrow as pa
from attrs import evolve

from enrolpolicy.arrow.files import Directory, written
from enrolpolicy.arrow.kernels import as_kind, listed, made, taken, unlisted
from enrolpolicy.arrow.layout import schema
from enrolpolicy.arrow.problems import Problems
from enrolpolicy.arrow.running import WRITABLE, Part, plans_of_estate
from enrolpolicy.arrow.tables import estates_of_batches
from enrolpolicy.arrow.walking import ROWS, Block, Rows
from enrolpolicy.bulk import SHAPES
from enrolpolicy.bulk.terms import Nights
from enrolpolicy.errors import InvalidSnapshot

if TYPE_CHECKING:
    from enrolpolicy.arrow.kernels import Array, Chunks, Numbers


_ALL = dict.fromkeys(SHAPES, 1 << 62)


def _inner(whole: pa.Schema) -> pa.Schema:
    """What stands inside an account's row: all columns but its account, which is the row's.

    Any of them may be null there: whether it may be, is looked at where the row is planned.
    """
    return pa.schema([field.with_nullable(True) for field in whole if field.name != "account"])


def _nesting(tables: dict[str, pa.Schema]) -> pa.Schema:
    account = pa.field("account", pa.string(), nullable=False)
    inside = [pa.field(name, pa.list_(pa.struct(list(_inner(table))))) for name, table in tables.items()]
    return pa.schema([account, *inside])


NESTED = _nesting({name: schema(shape) for name, shape in SHAPES.items()})
"""A row for each account: every table a list of structs, `accounts` of a single one."""


def outcome_schema(what: Collection[str]) -> pa.Schema:
    """A row for each account: those tables of `WRITABLE` that are asked for, and the summary."""
    return _nesting({name: table for name, table in WRITABLE.items() if name in what or name == "summary"})


# Into rows


def nested(source: Directory, *, rows: int = ROWS) -> Iterator[pa.RecordBatch]:
    """The accounts of a directory as rows, a few at a time; what is in them is looked at where they are planned."""
    return map(_nest, source.blocks(rows=rows))


def write_nested(source: Directory, directory: str | os.PathLike[str], *, rows: int = ROWS) -> int:
    """Write the accounts of a directory into Parquet files of rows, which is what Spark reads; how many files."""
    Path(directory).mkdir(parents=True, exist_ok=True)
    number = 0
    for number, batch in enumerate(nested(source, rows=rows), start=1):
        with written({Path(directory) / f"part-{number:06}.parquet": NESTED}) as (file,):
            file.add(pa.Table.from_batches([batch]))
    return number


def _nest(block: Block) -> pa.RecordBatch:
    accounts = sorted({account for parts in block.values() for part in parts for account in part.accounts})
    lists = [_lists(name, block[name], accounts) for name in SHAPES]
    return pa.RecordBatch.from_arrays([made(accounts, pa.string()), *lists], schema=NESTED)


def _lists(name: str, parts: tuple[Rows, ...], accounts: list[str]) -> Array:
    """The rows of a table by account."""
    whole = schema(SHAPES[name])
    tables = [_plainly(part.batch, whole) for part in parts]
    table = pa.concat_tables([whole.empty_table(), *tables]).select(_inner(whole).names)
    counts = dict.fromkeys(accounts, 0)
    for part in parts:
        for account, count in zip(part.accounts, np.diff(part.ends, prepend=0).tolist(), strict=True):
            counts[account] += count
    return listed(table, np.cumsum(list(counts.values())))


def _plainly(batch: pa.RecordBatch, whole: pa.Schema) -> pa.Table:
    return pa.table(
        [as_kind(values, field.type) for values, field in zip(batch.columns, whole, strict=True)], schema=whole
    )


# Planned


def planned(
    batches: Iterable[pa.RecordBatch], *, on: Nights, what: Collection[str] = ("actions",)
) -> Iterator[pa.RecordBatch]:
    """Plan rows, whichever and wherever: for each one a row of `outcome_schema(what)`.

    Raises `InvalidSnapshot`, whose paths then begin with the account, where an account's tables cannot be meant so.
    """
    for batch in batches:
        if batch.num_rows:
            yield _renest(_planned(batch, on, what), batch.column("account"), what)


def _planned(batch: pa.RecordBatch, on: Nights, what: Collection[str]) -> Part:
    try:
        [estate] = estates_of_batches(_flat(batch), Problems(), rows=_ALL)
    except InvalidSnapshot as error:
        raise _by_account(batch) or error from None
    return plans_of_estate(estate, on=on, what=what)


def _by_account(batch: pa.RecordBatch) -> InvalidSnapshot | None:
    """The same refusal, of each account by itself."""
    problems = []
    for row in range(batch.num_rows):
        one = batch.slice(row, 1)
        try:
            list(estates_of_batches(_flat(one), Problems(), rows=_ALL))
        except InvalidSnapshot as error:
            account = one.column("account")[0].as_py()
            problems += [evolve(problem, path=f"account `{account}`: {problem.path}") for problem in error.problems]
    return InvalidSnapshot(tuple(problems)) if problems else None


def _flat(batch: pa.RecordBatch) -> dict[str, list[pa.RecordBatch]]:
    """The tables of some rows as they were before, by ascending account."""
    ordered = batch.take(made(_order(batch.column("account"))))
    return {name: [_unnest(ordered, name, schema(SHAPES[name]))] for name in SHAPES}


def _unnest(batch: pa.RecordBatch, name: str, whole: pa.Schema) -> pa.RecordBatch:
    lengths, columns = unlisted(batch.column(name))
    account = pa.DictionaryArray.from_arrays(
        made(np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)), as_kind(batch.column("account"), pa.string())
    )
    return pa.RecordBatch.from_arrays([account, *columns], names=whole.names)


def _renest(part: Part, accounts: Array, what: Collection[str]) -> pa.RecordBatch:
    """The plans of some accounts as rows, in the order in which the accounts came."""
    order = _order(accounts)
    place = {account: row for row, account in enumerate(_ids(taken(accounts, order)))}
    into = outcome_schema(what)
    lists = []
    for name in into.names[1:]:
        rows = [place[account] for account in _ids(part[name].column("account"))]
        ends = np.cumsum(np.bincount(rows, minlength=len(place)))
        lists.append(listed(part[name].select(_inner(WRITABLE[name]).names), ends))
    back = np.argsort(order)
    return pa.RecordBatch.from_arrays([accounts, *(taken(values, back) for values in lists)], schema=into)


# Out of rows


def plans_of_rows(rows: Iterable[pa.RecordBatch], what: Collection[str]) -> Iterator[Part]:
    """Planned rows as tables, by ascending account whatever the order they come in; what `write_plans` takes.

    All of them are held at once. Raises `ValueError` where an account comes twice.
    """
    into = outcome_schema(what)
    whole = pa.Table.from_batches([_as(batch, into) for batch in rows], into).combine_chunks()
    ascending = whole.take(made(_order(whole.column("account"))))
    for before, after in pairwise(_ids(ascending.column("account"))):
        if before == after:
            raise ValueError(f"the account `{before}` was planned twice; have each account in a single row")
    for batch in ascending.to_batches():
        flat = {name: _unnest(batch, name, WRITABLE[name]) for name in into.names[1:]}
        yield {name: pa.Table.from_batches([inner]).cast(WRITABLE[name]) for name, inner in flat.items()}


def _ids(values: Array | Chunks) -> list[str]:
    return cast("list[str]", values.to_pylist())


def _order(accounts: Array | Chunks) -> Numbers:
    """The order in which accounts ascend."""
    ids = _ids(accounts)
    return np.array(sorted(range(len(ids)), key=ids.__getitem__), dtype=np.int64)


def _as(batch: pa.RecordBatch, into: pa.Schema) -> pa.RecordBatch:
    """A batch as an engine gave it back, which may have forgotten what is never null."""
    return pa.RecordBatch.from_arrays([as_kind(batch.column(field.name), field.type) for field in into], schema=into)
