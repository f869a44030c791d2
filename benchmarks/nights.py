"""A night carried out against files: throughput, commits and memory, beside commits that write next to nothing.

    python benchmarks/nights.py [--people N] [--batches N …] [--folder DIR]

Each step runs in a process of its own, on files of its own in `--folder` (a temporary one: choose a real disk). The
night enrols everybody on one course: claimed and confirmed in the SQLite store, enrolled at the stand-in LMS, and
invited by an `.eml` file. Beside it stand the same numbers of synchronous writes and nothing else, which is what a
night could cost at best.
"""

import argparse
import json
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve()
ON = date(2026, 11, 23)
AT = datetime(2026, 11, 23, 1, tzinfo=UTC)
BATCHES = (1, 20, 200)
EML_SYNCS = 2
"""An `.eml` file is put on the disk, and so is its name."""


def register(people: int) -> Any:
    """So many people, each due on one of sixty courses, with a year of records on four others."""
    from enrolpolicy import load

    courses = [{"id": f"c{n:02}", "delivery": "ihasco", "auto_enrol": n < 60} for n in range(64)]
    roles = [{"id": f"r{n:02}", "requirements": [{"course": f"c{n:02}", "level": "required"}]} for n in range(60)]
    personnel, records = [], []
    for number in range(people):
        id, role = f"p{number:06}", number % 60
        personnel.append(
            {"id": id, "email": f"{id}@acme.example", "employment": "employee", "roles": [{"role": f"r{role:02}"}]}
        )
        taken = [f"c{role:02}", *(f"c{n}" for n in range(60, 64))]
        for course in taken:
            records.append({"person": id, "course": course, "completed_on": "2025-12-10", "expires_on": "2026-12-10"})
    account = {"id": "estate", "timezone": "UTC", "credits": people}
    return load(
        json.dumps(
            {
                "format_version": "1.0", "account": account, "courses": courses, "roles": roles,
                "personnel": personnel, "records": records,
            }
        )
    )  # fmt: skip


def prepared(folder: Path, people: int) -> Any:
    from enrolpolicy.adapters.sqlite import SqliteStore

    store = SqliteStore(folder / "store.db")
    store.put(register(people))
    return store


class Counted:
    """A port that counts the calls of one of its methods that are done."""

    def __init__(self, port: Any, method: str) -> None:
        self._port, self._method, self.count = port, method, 0

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if name != self._method:
            return found

        def counting(*arguments: Any) -> Any:
            self.count += 1
            return found(*arguments)

        return counting


def night(folder: Path, people: int, batch: int) -> dict[str, Any]:
    """One night against files."""
    from enrolpolicy.adapters.eml import EmlFolder
    from enrolpolicy.adapters.standin import StandinLms
    from enrolpolicy.letters import Sender, composer
    from enrolpolicy.runner.driving import Ports, Terms, run_night

    sender = Sender(address="training@acme.example", contact="Priya", take_url="https://training.example/take/{key}")
    store: Any = Counted(prepared(folder, people), "transact")
    ports = Ports(store=store, lms=StandinLms(folder / "lms.db"), mailer=EmlFolder(folder / "mail"))
    start, cpu = time.perf_counter(), time.process_time()
    report = run_night("estate", ports=ports, terms=Terms(compose=composer(sender), batch=batch), at=AT)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    assert report.clean, report
    assert len(report.outcomes) == 2 * people
    return {"seconds": seconds, "cpu": cpu, "commits": store.count}


def bare(folder: Path, commits: int, enrolments: int) -> dict[str, Any]:
    """So many commits of next to nothing in a file like the store's; one for each enrolment, and the letters' syncs."""
    store, lms = (_bare_database(folder / name) for name in ("bare.db", "bare-lms.db"))
    handle = os.open(folder / "bare.eml", os.O_CREAT | os.O_WRONLY)
    start, cpu = time.perf_counter(), time.process_time()
    for _ in range(commits):
        store.execute("INSERT INTO next_to_nothing VALUES (1)")
    for _ in range(enrolments):
        lms.execute("INSERT INTO next_to_nothing VALUES (1)")
        for _ in range(EML_SYNCS):
            os.write(handle, b"a" * 4096)
            os.fsync(handle)
    return {"seconds": time.perf_counter() - start, "cpu": time.process_time() - cpu, "commits": commits}


def _bare_database(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("CREATE TABLE next_to_nothing (a)")
    return db


STEPS: dict[str, Callable[..., dict[str, Any]]] = {
    "night": lambda folder, people, batch, _: night(folder, people, batch),
    "bare": lambda folder, people, _, commits: bare(folder, commits, people),
}


def child(step: str, folder: str, people: int, batch: int, commits: int) -> None:
    found = STEPS[step](Path(folder), people, batch, commits)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({**found, "peak": peak}))


def measured(step: str, where: Path, people: int, batch: int, commits: int = 0) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(dir=where) as folder:
        command = [sys.executable, str(HERE), "--child", step, folder, str(people), str(batch), str(commits)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main() -> int:
    if sys.argv[1:2] == ["--child"]:
        step, folder, *numbers = sys.argv[2:]
        child(step, folder, *map(int, numbers))
        return 0
    parser = argparse.ArgumentParser()
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--batches", type=int, nargs="+", default=BATCHES)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    arguments = parser.parse_args()
    people = arguments.people
    print(f"a night of {people:,} enrolments, in {arguments.folder}")
    heads = ("batch", "commits", "syncs each", "night", "bare", "ratio", "CPU", "each second", "peak")
    print(" ".join(f"{head:>11}" for head in heads))
    for batch in arguments.batches:
        ours = measured("night", arguments.folder, people, batch)
        beside = measured("bare", arguments.folder, people, batch, ours["commits"])
        seconds = ours["seconds"]
        cells = (
            f"{batch}",
            f"{ours['commits']:,}",
            f"{(ours['commits'] + people * (1 + EML_SYNCS)) / people:.2f}",
            f"{seconds:.1f} s",
            f"{beside['seconds']:.1f} s",
            f"{seconds / beside['seconds']:.2f}",
            f"{ours['cpu']:.1f} s",
            f"{people / seconds:.0f}",
            f"{ours['peak']:.0f} MB",
        )
        print(" ".join(f"{cell:>11}" for cell in cells), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
