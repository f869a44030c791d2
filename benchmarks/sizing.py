"""How much time and memory planning an estate from files takes, as the estate grows; and what a hundred million would.

    python benchmarks/sizing.py [--accounts N …] [--people N] [--keep DIRECTORY]

One account of the registers is written again and again under other ids, everybody with an id of their own. Each size is
planned in a process of its own, on one processor, from Parquet to Parquet. Memory is the peak of the whole process.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from enrolpolicy.arrow import plan_tables, schema, tables_of
from enrolpolicy.arrow.files import written
from enrolpolicy.arrow.kernels import made
from enrolpolicy.bulk import SHAPES, estate_of
from registers import ON, register

PLATFORM = 100_000_000
"""So many people the last table is for."""
PROCESSORS = (1, 4, 16)


def repeated(directory: Path, accounts: int, people: int) -> None:
    """Write the tables of an estate of so many accounts like each other, one account in memory at a time."""
    directory.mkdir(parents=True)
    tables = tables_of(estate_of([register(people)]))
    with written({directory / f"{name}.parquet": schema(shape) for name, shape in SHAPES.items()}) as sinks:
        for number in range(accounts):
            for sink, (name, table) in zip(sinks, tables.items(), strict=True):
                sink.add(_renamed(name, table, f"account-{number:06}"))


def _renamed(name: str, table: pa.Table, account: str) -> pa.Table:
    columns: dict[str, Any] = {column: table.column(column) for column in table.column_names}
    columns["account"] = made([account] * len(table), pa.string())
    for column in ("person", "id") if name in ("personnel", "enrolments") else ("person",):
        if column in columns:
            columns[column] = made([f"{account}/{id}" for id in columns[column].to_pylist()], pa.string())
    return pa.table(list(columns.values()), schema=table.schema)


def measured(directory: Path) -> dict[str, float]:
    """Plan the tables of a directory in this process."""
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)

    with tempfile.TemporaryDirectory() as out:
        used = time.process_time()
        totals = plan_tables(directory, on=ON, out={"actions": Path(out) / "plan.parquet"})
        used = time.process_time() - used
        size = (Path(out) / "plan.parquet").stat().st_size
    return {"cpu": used, "peak": peak(), "enrol": totals.enrol, "out": size}


def peak() -> float:
    """The most memory this process has had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def compare(sizes: Iterable[int], people: int, directory: Path) -> tuple[int, dict[str, float]]:
    """Measure estates of growing size; the people and the figures of the largest."""
    first: dict[str, float] = {}
    found: dict[str, float] = {}
    heads = 0
    print("| people | records | processor time a person | × | peak memory | × |")
    print("| --- | --- | --- | --- | --- | --- |")
    for accounts in sizes:
        here = directory / f"{accounts}-{people}"
        if not here.exists():
            repeated(here, accounts, people)
        done = subprocess.run(
            [sys.executable, __file__, "--measure", str(here)], capture_output=True, check=True, text=True
        )
        found, heads = json.loads(done.stdout), accounts * people
        found["in"] = sum(path.stat().st_size for path in here.iterdir())
        first = first or {**found, "cpu": found["cpu"] / heads}
        each = found["cpu"] / heads
        print(
            f"| {heads:,} | {_records(here):,} | {each * 1e6:.0f} µs | {each / first['cpu']:.2f} "
            f"| {found['peak'] / 2**20:.0f} MiB | {found['peak'] / first['peak']:.2f} |"
        )
    return heads, found


def _records(directory: Path) -> int:
    import pyarrow.parquet as pq

    return int(pq.read_metadata(directory / "records.parquet").num_rows)


def sized(people: int, found: dict[str, float]) -> None:
    """What so many people would take, by the figures of the largest estate."""
    scale = PLATFORM / people
    print(f"\n{PLATFORM:,} people, as the largest above:\n")
    print("| processors | time to plan | memory |")
    print("| --- | --- | --- |")
    for processors in PROCESSORS:
        minutes = found["cpu"] * scale / processors / 60
        print(f"| {processors} | {minutes:,.0f} min | {np.ceil(found['peak'] * processors / 2**30):,.0f} GiB |")
    print(f"\nfiles in {found['in'] * scale / 2**30:,.0f} GiB, the plan {found['out'] * scale / 2**30:,.1f} GiB")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--accounts", type=int, nargs="+", default=[100, 400, 1600], metavar="N")
    parser.add_argument("--people", type=int, default=500, metavar="N", help="in each account")
    parser.add_argument("--keep", type=Path, metavar="DIRECTORY", help="where to keep the tables, made once")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measured(options.measure)))
        return 0
    with tempfile.TemporaryDirectory() as directory:
        sized(*compare(options.accounts, options.people, options.keep or Path(directory)))
    return 0


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())
