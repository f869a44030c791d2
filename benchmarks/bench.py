"""Speed and memory, side by side: the library, a plain loop with pendulum dates, one DuckDB query.

    python benchmarks/bench.py [--people N …] [--repeat N]

Every step runs in a process of its own, so that its peak of memory is its own. All three must give the same actions, or
the program ends with 1. Times are the best of some repeats, by the clock and of the processor (all threads together),
which others on the machine disturb less; memory is the peak of the whole process.
"""

import argparse
import hashlib
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve()
EXPLAINED = 10_000
"""Above so many people nobody wants millions of explanations at once."""
STEPS = ("generate", "load", "plan", "explain", "loop", "duckdb", "duckdb-1")
IMPORTS = {
    "attrs + cattrs": "import attrs, cattrs",
    "enrolpolicy": "import enrolpolicy",
    "and load": "from enrolpolicy import load",
}


def best(work: Callable[[], Any], repeat: int) -> tuple[dict[str, float], Any]:
    """The fewest seconds it took, by the clock and of the processor, and what came out."""
    seconds, cpu, result = [], [], None
    for _ in range(repeat):
        start, used = time.perf_counter(), time.process_time()
        result = work()
        seconds.append(time.perf_counter() - start)
        cpu.append(time.process_time() - used)
    return {"seconds": min(seconds), "cpu": min(cpu)}, result


def fingerprint(actions: Any) -> str:
    """The same for the same actions in whatever order."""
    rows = sorted(repr(tuple(value for value in row if value is not None)) for row in actions)
    return f"{len(rows)} {hashlib.sha256(chr(10).join(rows).encode()).hexdigest()[:16]}"


def as_rows(plan: Any) -> Any:
    for row in plan.enrolments:
        expires_on = None if row.expires_on is None else row.expires_on.isoformat()
        yield (
            "enrol", row.person, row.course, row.cycle, row.attempt, row.because, expires_on, row.credits, row.key,
        )  # fmt: skip
    for row in plan.cancellations:
        yield "cancel", row.person, row.course, row.enrolment, row.because
    for row in plan.invitations:
        yield "invite", row.person, row.course, row.enrolment


def told(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """A row of the query, in the same form."""
    _, kind, person, course, cycle, attempt, because, expires_on, credits, key, enrolment = row
    if kind == "enrol":
        until = None if expires_on is None else expires_on.isoformat()
        return kind, person, course, cycle, attempt, because, until, credits, key
    return kind, person, course, enrolment, because


def run(step: str, people: int, repeat: int) -> dict[str, Any]:
    """One step, in this process."""
    from enrolpolicy import explain_all, load, plan
    from registers import ON, register

    if step == "load":
        # The text is made in another process, so that the peak of memory is that of reading it.
        text = subprocess.run(
            [sys.executable, str(HERE), "--dump", str(people)], capture_output=True, check=True
        ).stdout
        took, _ = best(lambda: load(text), 1)
        return {**took, "size": len(text), "peak": peak()}
    snapshot = register(people)
    took = {"seconds": 0.0, "cpu": 0.0}
    found: dict[str, Any] = {"rows": len(snapshot.records)}
    if step == "plan":
        took, planned = best(lambda: plan(snapshot, on=ON), repeat)
        found["actions"] = fingerprint(as_rows(planned))
        found["pairs"] = sum(count for _, count in planned.counts.not_enrolled) + planned.counts.enrol
        found["pairs"] += planned.counts.deferred
    elif step == "explain" and people <= EXPLAINED:
        took, found["pairs"] = best(lambda: sum(1 for _ in explain_all(snapshot, on=ON)), 1)
    elif step == "loop":
        from straightforward import actions

        took, rows = best(lambda: actions(snapshot, ON), min(repeat, 2))
        found["actions"] = fingerprint(rows)
    elif step.startswith("duckdb"):
        import duckdb_query

        with tempfile.TemporaryDirectory() as directory:
            connection = duckdb_query.database(snapshot, Path(directory))
            if step == "duckdb-1":
                connection.execute("set threads = 1")
            took, rows = best(lambda: duckdb_query.actions(connection, ON), repeat)
        found["actions"] = fingerprint(told(row) for row in rows)
    return found | took | {"peak": peak()}


def peak() -> int:
    """The most memory this process has had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def apart(step: str, people: int, repeat: int) -> dict[str, Any]:
    """The same in a process of its own."""
    command = [sys.executable, str(HERE), "--step", step, "--people", str(people), "--repeat", str(repeat)]
    answer: dict[str, Any] = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    return answer


def import_seconds(statement: str) -> float:
    """The fewest seconds of the processor a new process takes for an import, less those of one that imports nothing."""

    def once(code: str) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", code], check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    return min(once(statement) for _ in range(15)) - min(once("pass") for _ in range(15))


def side_by_side(people: int, repeat: int) -> bool:
    """Every step for a register of one size, printed as they end; whether all agreed."""
    found = {step: apart(step, people, repeat) for step in STEPS}
    ours, base = found["plan"], found["generate"]["peak"]
    print(
        f"\n{people:,} people × 60 courses, {ours['rows']:,} records, {ours['pairs']:,} pairs, "
        f"{ours['actions'].split()[0]} actions; register in memory: {base} MiB"
    )
    print(f"  {'':22}{'seconds':>9}{'× plan':>9}{'CPU s':>9}{'× plan':>9}{'peak MiB':>10}")
    for step, name in (
        ("load", f"load {found['load']['size'] / 1e6:.0f} MB of JSON"),
        ("plan", "plan"),
        ("explain", "explain every pair"),
        ("loop", "loop with pendulum"),
        ("duckdb", "DuckDB query"),
        ("duckdb-1", "DuckDB, one thread"),
    ):
        row = found[step]
        if not row["seconds"]:
            continue
        ratios = "".join(f"{row[one]:9.3f}{row[one] / ours[one]:9.2f}" for one in ("seconds", "cpu"))
        print(f"  {name:22}{ratios}{row['peak']:10,}", flush=True)
    prints = {found[step]["actions"] for step in ("plan", "loop", "duckdb", "duckdb-1")}
    print("  all agree on every action" if len(prints) == 1 else f"  THEY DISAGREE: {prints}")
    return len(prints) == 1


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--people", type=int, nargs="+", default=[1_000, 10_000, 100_000], metavar="N")
    parser.add_argument("--repeat", type=int, default=5, metavar="N", help="of which the best counts")
    parser.add_argument("--step", choices=STEPS, help="one step for one size, as JSON")
    parser.add_argument("--dump", type=int, metavar="N", help="the register of so many people as a document")
    options = parser.parse_args()
    if options.dump:
        from enrolpolicy import dump
        from registers import register

        print(dump(register(options.dump)))
        return 0
    if options.step:
        print(json.dumps(run(options.step, options.people[0], options.repeat)))
        return 0
    print(f"{platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} processors")
    times = {name: import_seconds(statement) for name, statement in IMPORTS.items()}
    first = next(iter(times.values()))
    for name, seconds in times.items():
        print(f"import {name}: {seconds * 1000:.0f} ms ({seconds / first:.2f} ×)")
    agreed = [side_by_side(people, options.repeat) for people in options.people]
    return 0 if all(agreed) else 1


if __name__ == "__main__":
    sys.exit(main())
