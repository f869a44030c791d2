"""A seeded estate on disk, and nights that say by a file who is looking at them, slowly enough to be interrupted."""

import os
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from attrs import evolve

from enrolpolicy.arrow import plan_tables, tables_of, write_tables
from enrolpolicy.arrow.running import WRITABLE
from enrolpolicy.bulk import estate_of
from registers import ON, register

ACCOUNTS, PEOPLE = 24, 60
PATHS = (Path(__file__).parent, Path(__file__).parents[2] / "benchmarks")
"""Where workers find what these tests hand to them."""
WHAT = tuple(WRITABLE)


class WatchedNights(dict[str, date]):
    """The same night for every account; whoever asks for one leaves a mark, and waits a little."""

    marks: str
    seconds: float

    def __init__(self, marks: str, seconds: float, nights: dict[str, date]) -> None:
        super().__init__(nights)
        self.marks, self.seconds = marks, seconds

    def __getitem__(self, account: str) -> date:
        (Path(self.marks) / f"{account} {os.getpid()} {time.monotonic_ns()}").touch()
        time.sleep(self.seconds)
        return super().__getitem__(account)

    def __reduce__(self) -> tuple[type, tuple[str, float, dict[str, date]]]:
        return type(self), (self.marks, self.seconds, dict(self))


def estate(folder: Path) -> dict[str, date]:
    """Write the tables of the estate, and its plan by a single process; the night of each account."""
    snapshots = []
    for number in range(ACCOUNTS):
        whole = register(PEOPLE, seed=number)
        snapshots.append(evolve(whole, account=evolve(whole.account, id=f"account-{number:03}")))
    write_tables(tables_of(estate_of(snapshots)), folder / "tables")
    (folder / "alone").mkdir()
    plan_tables(folder / "tables", on=ON, out=files(folder / "alone"))
    return {snapshot.account.id: ON for snapshot in snapshots}


def files(folder: Path) -> dict[str, Path]:
    return {what: folder / f"{what}.parquet" for what in WHAT}


def same(folder: Path, other: Path) -> None:
    """Every file is the same to the byte, and says something."""
    for what in WHAT:
        assert (folder / f"{what}.parquet").read_bytes() == (other / f"{what}.parquet").read_bytes(), what


def looked_at(marks: Path) -> Iterator[tuple[str, int]]:
    """Each look at a night: of which account, by which process."""
    for name in os.listdir(marks):
        account, process, _ = name.split()
        yield account, int(process)
