"""Estates decided by every engine, side by side: the library over columns and over objects, DuckDB, Polars, and others.

    python benchmarks/side_by_side.py [--people N …] [--rounds N] [--only NAME …] [--keep DIRECTORY]

Each engine is a process of its own, with the tables in memory in the form that suits it best, and all take turns: one
round of each, then the next. Times are of deciding alone, by the clock and of the processor (all threads together), the
best and the median of the rounds; `×` is in units of the bulk engine, by the best. `peak` is what deciding added to the
memory the process held, and `held` that. All must give the same actions, and where they count them the same reasons
for each account, or the program ends with 1. What has to be measured on a sample says so.
"""

import argparse
import contextlib
import gc
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve()
BASE = "bulk"


class Engine(NamedTuple):
    """Where it is, what it does, and up to how many people waiting for it makes sense."""

    where: str
    does: str
    most: int = 10**9
    full: bool = True


ENGINES = {
    "floor": Engine("columns:Floor", "reads every input column once, decides nothing"),
    "bulk": Engine("columns:Bulk", "enrolpolicy.bulk"),
    "bulk+": Engine("columns:BulkWithFindings", "enrolpolicy.bulk, with findings"),
    "duckdb-straight": Engine("duckdb_sql:Straight", "DuckDB, straight SQL, full"),
    "duckdb-optimised": Engine("duckdb_sql:Optimised", "DuckDB, optimised SQL, full"),
    "duckdb-pruned": Engine("duckdb_sql:Pruned", "DuckDB, pruned, actions only", full=False),
    "polars-full": Engine("polars_frames:Full", "Polars, lazy, full"),
    "polars-pruned": Engine("polars_frames:Pruned", "Polars, lazy, pruned, actions only", full=False),
    "pandas": Engine("pandas_frames:Full", "pandas, full", most=1_000_000),
    "sqlite": Engine("sqlite_sql:Straight", "SQLite, full", most=100_000),
    "objects": Engine("objects:Objects", "enrolpolicy.plan, over objects", most=100_000),
    "zen": Engine("zen_table:Zen", "zen-engine, a decision table called for each candidate *", most=10_000),
}
FILES = {
    "bulk": Engine("files:BulkFiles", "enrolpolicy.arrow, actions and counts"),
    "duckdb-full": Engine("files:DuckDBFiles", "DuckDB, optimised SQL, actions and counts"),
    "duckdb-pruned": Engine("files:DuckDBFilesPruned", "DuckDB, pruned, actions only", full=False),
}


class Round(NamedTuple):
    wall: float
    cpu: float
    added: float
    """MiB above what was held before."""


# In the process of an engine


def work(where: str, directory: Path) -> None:
    """Load, then decide once for every line of the input."""
    module, name = where.split(":")
    rival = getattr(import_module(f"rivals.{module}"), name)()
    rival.load(directory / "tables", directory / "keyed")
    gc.collect()
    say({"held": memory("VmRSS"), "bytes": getattr(rival, "bytes", None), "sample": getattr(rival, "share", None)})
    decided: Any = None
    for line in sys.stdin:
        if line.strip() == "answer":
            answer = rival.answer(decided)
            say(answer.same() if answer is not None else {})
            continue
        decided = None  # so that the last round's is not in the way
        gc.collect()
        forget_peak()
        before, start, used = memory("VmRSS"), time.perf_counter(), time.process_time()
        decided = rival.decide()
        wall, cpu = time.perf_counter() - start, time.process_time() - used
        scale = getattr(rival, "share", 1)
        say({"wall": wall / scale, "cpu": cpu / scale, "added": max(0.0, memory("VmHWM") - before)})


def say(what: dict[str, Any]) -> None:
    print(json.dumps(what), flush=True)


def memory(line: str) -> float:
    """MiB, from what Linux says of this process; elsewhere only its peak is known."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return int(next(one for one in status.splitlines() if one.startswith(line)).split()[1]) / 1024


def forget_peak() -> None:
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


# Beside each other


class Worker:
    """The process of one engine."""

    def __init__(self, engine: Engine, directory: Path) -> None:
        command = [sys.executable, str(HERE), "--work", engine.where, "--keep", str(directory)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.loaded = self._answer()
        self.rounds: list[Round] = []

    def ask(self, line: str) -> dict[str, Any]:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"an engine ended early: {self.process.args!r}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def round(self) -> None:
        self.rounds.append(Round(**self.ask("go")))

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()

    def best(self, of: str) -> float:
        return min(self._seen(of))

    def median(self, of: str) -> float:
        return statistics.median(self._seen(of))

    def _seen(self, of: str) -> list[float]:
        return [getattr(one, of) for one in self.rounds]


@contextlib.contextmanager
def working(engines: dict[str, Engine], directory: Path) -> Iterator[dict[str, Worker]]:
    workers: dict[str, Worker] = {}
    try:
        for name, engine in engines.items():
            workers[name] = Worker(engine, directory)
        yield workers
    finally:
        for worker in workers.values():
            worker.close()


def compare(title: str, engines: dict[str, Engine], directory: Path, rounds: int) -> tuple[dict[str, float], bool]:
    """Some rounds of all; the best times by engine, and whether all agreed."""
    with working(engines, directory) as workers:
        for _ in range(rounds):
            for worker in workers.values():
                worker.round()
        answers = {name: worker.ask("answer") for name, worker in workers.items()}
        report(title, engines, workers)
    return {name: worker.best("cpu") for name, worker in workers.items()}, agreed(answers)


def report(title: str, engines: dict[str, Engine], workers: dict[str, Worker]) -> None:
    ours = workers[BASE]
    print(f"\n{title}")
    print(f"  {'':54}{'wall s':>9}{'median':>9}{'×':>7}{'CPU s':>9}{'median':>9}{'×':>7}{'held':>7}{'peak':>7} MiB")
    for name, worker in workers.items():
        times = "".join(
            f"{worker.best(of):9.3f}{worker.median(of):9.3f}{worker.best(of) / ours.best(of):7.2f}"
            for of in ("wall", "cpu")
        )
        peak = f"{worker.loaded['held']:7,.0f}{worker.median('added'):7,.0f}"
        print(f"  {engines[name].does:54}{times}{peak}", flush=True)
    for name, worker in workers.items():
        if worker.loaded["sample"] is not None:
            print(f"  * {name}: measured on {worker.loaded['sample']:.2%} of the candidates, and taken times the rest")
        if worker.loaded["bytes"] is not None:
            size = worker.loaded["bytes"] / 2**20
            added = ours.median("added") / size
            print(
                f"  the input's columns are {size:,.0f} MiB; with what bulk added that is {1 + added:.2f} times as much"
            )


def agreed(answers: dict[str, dict[str, Any]]) -> bool:
    """Whether all that answered did so alike; says who did not."""
    fine = True
    for what in ("actions", "reasons"):
        said = {name: answer[what] for name, answer in answers.items() if answer.get(what) is not None}
        if len(set(said.values())) > 1:
            fine = False
            print(f"  THEY DISAGREE on the {what}: {said}")
        elif said:
            print(f"  {len(said)} agree on the {what}: {next(iter(said.values()))}")
    return fine


# The whole


def prepared(directory: Path, people: int, accounts: int | None) -> Path:
    """The tables for so many people, and the same with numbers for references; made once."""
    import estates
    from rivals import keyed

    of_accounts = accounts or max(1, people // 1000)
    here = directory / f"{people}-people-{of_accounts}-accounts"
    if not (here / "keyed").exists():
        estates.write(here / "tables", people, of_accounts)
        keyed.write(here / "tables", here / "keyed")
    return here


def chosen(engines: dict[str, Engine], only: list[str] | None, people: int) -> dict[str, Engine]:
    return {
        name: engine
        for name, engine in engines.items()
        if people <= engine.most and (not only or name in only or name == BASE)
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--people", type=int, nargs="+", default=[1_000, 10_000], metavar="N")
    parser.add_argument("--accounts", type=int, metavar="N", help="one for every thousand people, unless given")
    parser.add_argument("--rounds", type=int, default=5, metavar="N")
    parser.add_argument("--only", nargs="+", metavar="NAME", help=f"beside bulk, of {', '.join(ENGINES)}")
    parser.add_argument("--keep", type=Path, metavar="DIRECTORY", help="where to keep the tables, made once")
    parser.add_argument("--work", metavar="ENGINE", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        work(options.work, options.keep)
        return 0
    names = ("numpy", "pyarrow", "duckdb", "polars", "pandas", "zen-engine")
    used = ", ".join(f"{name} {version(name)}" for name in names)
    print(f"{platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} processors; {used}")
    fine, best = True, {}
    with contextlib.nullcontext(options.keep) if options.keep else tempfile.TemporaryDirectory() as directory:
        for people in options.people:
            here = prepared(Path(directory), people, options.accounts)
            title = f"{people:,} people: deciding, tables in memory, best and median of {options.rounds}"
            found = compare(title, chosen(ENGINES, options.only, people), here, options.rounds)
            title = f"{people:,} people: from Parquet to Parquet"
            files = compare(title, chosen(FILES, options.only, people), here, options.rounds)
            best[people] = found[0]
            fine = fine and found[1] and files[1]
    growth(best)
    return 0 if fine else 1


def growth(best: dict[int, dict[str, float]]) -> None:
    """Processor time for each person, against that of the smallest estate."""
    first, *more = best
    if more:
        print("\nprocessor time for each person, in units of that at the smallest size")
    for people in more:
        for name in best[people].keys() & best[first].keys():
            ratio = best[people][name] / people / (best[first][name] / first)
            print(f"  {people:12,} people  {name:20}{ratio:6.2f}")


if __name__ == "__main__":
    sys.exit(main())
