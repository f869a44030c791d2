"""A night carried out against files: throughput, commits, processor and memory, beside commits of next to nothing.

    python benchmarks/nights.py [--people N] [--batches N …] [--folder DIR]

Each step runs in a process of its own, on files of its own in `--folder` (a temporary one: choose a real disk). The
night enrols everybody on one course: claimed and confirmed in the SQLite store, enrolled at the stand-in LMS, and
invited by an `.eml` file. Beside it stand the same numbers of synchronous writes and nothing else, which is what a
night could cost at best. A second table says who of all that keeps the processor busy, and who waits.
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


class Clock:
    """Where the time of a night goes: what a part takes while it calls another is the other's."""

    def __init__(self) -> None:
        self.spent: dict[str, list[float]] = {}
        self.commits = 0
        self._parts: list[str] = []
        self._since = self._now()

    def timed(self, part: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """A call whose time is a part's."""

        def calling(*arguments: Any) -> Any:
            self._turn()
            self._parts.append(part)
            try:
                return call(*arguments)
            finally:
                self._turn()
                self._parts.pop()

        return calling

    def _turn(self) -> None:
        now = self._now()
        if self._parts:
            spent = self.spent.setdefault(self._parts[-1], [0.0, 0.0])
            for place, (before, after) in enumerate(zip(self._since, now, strict=True)):
                spent[place] += after - before
        self._since = now

    @staticmethod
    def _now() -> tuple[float, float]:
        return time.perf_counter(), time.process_time()


class Timed:
    """A port whose calls are timed; what a transaction is given to do is the runner's."""

    def __init__(self, port: Any, part: str, clock: Clock) -> None:
        self._port, self._part, self._clock = port, part, clock

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        return self._clock.timed(self._part, found) if callable(found) else found

    def transact(self, account: str, people: Any, work: Any) -> Any:
        self._clock.commits += 1
        call = self._clock.timed(self._part, self._port.transact)
        return call(account, people, self._clock.timed(RUNNER, work))


RUNNER, STORE, LMS, LETTERS = "runner", "store", "LMS", "letters"


def night(folder: Path, people: int, batch: int) -> dict[str, Any]:
    """One night against files."""
    from enrolpolicy.adapters.eml import EmlFolder
    from enrolpolicy.adapters.standin import StandinLms
    from enrolpolicy.letters import Sender, composer
    from enrolpolicy.runner.driving import Ports, Terms, run_night

    sender = Sender(address="training@acme.example", contact="Priya", take_url="https://training.example/take/{key}")
    clock = Clock()
    store: Any = Timed(prepared(folder, people), STORE, clock)
    lms: Any = Timed(StandinLms(folder / "lms.db"), LMS, clock)
    mailer: Any = Timed(EmlFolder(folder / "mail"), LETTERS, clock)
    terms = Terms(compose=composer(sender), batch=batch)
    run = clock.timed(
        RUNNER, lambda: run_night("estate", ports=Ports(store=store, lms=lms, mailer=mailer), terms=terms, at=AT)
    )
    report, costs = costing(run)
    assert report.clean, report
    assert len(report.outcomes) == 2 * people
    return {**costs, "commits": clock.commits, "parts": clock.spent}


def costing(run: Callable[[], Any]) -> tuple[Any, dict[str, float]]:
    """What a run answers, and its seconds: by the clock, the processor's for us, and the processor's for the kernel."""
    before, start = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    answer = run()
    seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF)
    return answer, {
        "seconds": seconds,
        "user": after.ru_utime - before.ru_utime,
        "system": after.ru_stime - before.ru_stime,
    }


def bare(folder: Path, commits: int, enrolments: int) -> dict[str, Any]:
    """So many commits of next to nothing in a file like the store's; one for each enrolment, and the letters' syncs."""
    store, lms = (_bare_database(folder / name) for name in ("bare.db", "bare-lms.db"))
    letters = folder / "bare-mail"
    letters.mkdir()

    def run() -> None:
        for _ in range(commits):
            store.execute("INSERT INTO next_to_nothing VALUES (1)")
        for number in range(enrolments):
            lms.execute("INSERT INTO next_to_nothing VALUES (1)")
            _bare_letter(letters, number)

    return {**costing(run)[1], "commits": commits}


def _bare_letter(folder: Path, number: int) -> None:
    """A file under its name, and both on the disk."""
    handle = os.open(folder / f"{number}.tmp", os.O_CREAT | os.O_WRONLY)
    os.write(handle, b"a" * 4096)
    os.fsync(handle)
    os.close(handle)
    os.rename(folder / f"{number}.tmp", folder / f"{number}.eml")
    handle = os.open(folder, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)


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


def line(*cells: str) -> None:
    print(" ".join(f"{cell:>13}" for cell in cells), flush=True)


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
    line("batch", "commits", "syncs each", "night", "bare", "ratio", "user", "system", "each second", "peak")
    parts: dict[int, dict[str, tuple[float, float]]] = {}
    for batch in arguments.batches:
        ours = measured("night", arguments.folder, people, batch)
        beside = measured("bare", arguments.folder, people, batch, ours["commits"])
        seconds, parts[batch] = ours["seconds"], ours["parts"]
        line(
            f"{batch}",
            f"{ours['commits']:,}",
            f"{(ours['commits'] + people * (1 + EML_SYNCS)) / people:.2f}",
            f"{seconds:.1f} s",
            f"{beside['seconds']:.1f} s",
            f"{seconds / beside['seconds']:.2f}",
            *(f"{ours[which]:.2f} / {beside[which]:.2f}" for which in ("user", "system")),
            f"{people / seconds:.0f}",
            f"{ours['peak']:.0f} MB",
        )
    print("\nms for each enrolment: processor + waiting (user and system above: night / bare, in s)")
    names = (RUNNER, STORE, LMS, LETTERS)
    line("batch", *names)
    for batch, spent in parts.items():
        each = [[1000 * one / people for one in spent[name]] for name in names]
        line(f"{batch}", *(f"{cpu:.2f} + {wall - cpu:.2f}" for wall, cpu in each))
    return 0


if __name__ == "__main__":
    sys.exit(main())
