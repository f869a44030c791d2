"""Real processes on real files, killed at random: what the files hold in the end is held against what was promised.

    python tests/processes/killing.py FOLDER [--people N] [--kills N] [--workers N] [--seed N] [--sabotage NAME]

Workers are forked from here, so that each begins at once. They tell by a byte of each call they make, and some calls
and a moment later they are killed with SIGKILL. Then one worker is left to finish, and the files are read. The LMS here
keeps keys and nothing else: what is asked for twice under two keys is there, and paid, twice. With `--sabotage` the
workers do without one safeguard, and the violations must show it.

Prints one line of JSON: how many were killed, how many of them left something unfinished, and every violation.
"""

import argparse
import json
import os
import random
import select
import signal
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

from attrs import evolve

from enrolpolicy import load, plan
from enrolpolicy.adapters.eml import EmlFolder
from enrolpolicy.adapters.memory import STRONG
from enrolpolicy.adapters.sqlite import SqliteStore
from enrolpolicy.letters import Sender, composer
from enrolpolicy.ports import Desk, Done, Message, Order, Receipt, Refused, RowWrite, Unknown, Writes
from enrolpolicy.rows import Entry, LetterStatus, Row, RowStatus
from enrolpolicy.runner.driving import Ports, Terms, run_night

ON = date(2026, 11, 23)
AT = datetime(2026, 11, 23, 1, tzinfo=UTC)
LEASE = timedelta(milliseconds=150)
"""Short, so that what a killed worker held is soon taken over, and what a slow one holds is, too."""

Work = Callable[[Path], object]

COMPOSE = composer(
    Sender(address="training@acme.example", contact="Priya Shah", take_url="https://training.example/take/{key}")
)


def document(people: int) -> str:
    """A register of so many people who are all to be enrolled on one course, with just enough credits."""
    ids = [f"p{number}" for number in range(people)]
    return json.dumps(
        {
            "format_version": "1.0",
            "account": {"id": "acme", "credits": people},
            "courses": [{"id": "fire", "delivery": "ihasco", "auto_enrol": True}],
            "roles": [{"id": "crew", "requirements": [{"course": "fire", "level": "required"}]}],
            "personnel": [
                {"id": id, "email": f"{id}@acme.example", "employment": "employee", "roles": [{"role": "crew"}]}
                for id in ids
            ],
            "records": [
                {"person": id, "course": "fire", "completed_on": "2025-12-10", "expires_on": "2026-12-10"} for id in ids
            ],
        }
    )


class KeyedLms:
    """An LMS in a file that knows keys for ever, and nothing else about doubles."""

    capabilities = STRONG

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None, timeout=60)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.execute("CREATE TABLE IF NOT EXISTS made (key TEXT PRIMARY KEY, person TEXT, course TEXT)")

    def check(self, courses: Any) -> Done[tuple[()]]:
        return Done(())

    def enrol(self, order: Order) -> Done[Receipt] | Refused | Unknown:
        tell()
        self._db.execute("INSERT OR IGNORE INTO made VALUES (?, ?, ?)", (order.key, order.person, order.course))
        return Done(Receipt(ref=f"ref-{order.key}"))

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"nobody needs `{name}` here")


# Workers


def honest(folder: Path) -> None:
    work(folder)


def work(folder: Path, **instead: Any) -> None:
    """One run of the night."""
    store = SqliteStore(folder / "store.db")
    ports: dict[str, Any] = {"store": store, "lms": KeyedLms(folder / "lms.db"), "mailer": TellingMailer(folder)}
    terms = Terms(compose=COMPOSE, lease=LEASE, batch=random.choice((1, 3, 20)))
    run_night("acme", ports=Ports(**(ports | instead)), terms=terms, at=AT)
    store.close()


class TellingMailer:
    """Writes files, and tells."""

    def __init__(self, folder: Path) -> None:
        self._mailer = EmlFolder(folder / "mail")
        self.capabilities = self._mailer.capabilities

    def send(self, message: Message) -> Done[None] | Refused | Unknown:
        tell()
        return self._mailer.send(message)


TOLD, TELLING = os.pipe()


def tell() -> None:
    """A byte for whoever is about to kill this."""
    os.write(TELLING, b".")


class RandomKeys(KeyedLms):
    """Asks under a key that is made up each time."""

    def enrol(self, order: Order) -> Done[Receipt] | Refused | Unknown:
        return super().enrol(evolve(order, key=uuid4().hex))


class RandomIds(TellingMailer):
    """Sends under an id that is made up each time."""

    def send(self, message: Message) -> Done[None] | Refused | Unknown:
        return super().send(evolve(message, message_id=uuid4().hex))


def random_keys(folder: Path) -> None:
    work(folder, lms=RandomKeys(folder / "lms.db"))


def random_ids(folder: Path) -> None:
    work(folder, mailer=RandomIds(folder))


def before_the_claim(folder: Path) -> None:
    """Asks the LMS first, and writes it down afterwards, as a plain script would."""
    store, lms = SqliteStore(folder / "store.db"), KeyedLms(folder / "lms.db")
    said = store.snapshot("acme")
    assert isinstance(said, Done)
    for action in plan(said.value, on=ON).enrolments:
        order = Order(
            key=uuid4().hex, account="acme", person=action.person, course="fire", cycle=action.cycle, attempt=0
        )
        lms.enrol(order)
        row = Row(
            key=action.key, account="acme", person=action.person, course="fire", cycle=action.cycle, credits=1,
            status=RowStatus.BOOKED, enrolled_at=AT, ref=f"ref-{order.key}", because=action.because,
        )  # fmt: skip
        entry = Entry(
            account="acme", key=row.key, person=row.person, course="fire", was=None, now=row.status, because="",
            actor="script", on=ON, at=AT, policy_version="1", settings="{}",
        )  # fmt: skip
        writes = Writes(rows=(RowWrite(row=row, fence=None),), entries=(entry,))
        store.transact("acme", (row.person,), partial(_as_it_is, writes))
    store.close()


def _as_it_is(writes: Writes, _: Desk) -> tuple[Writes, None]:
    return writes, None


WORKERS: dict[str, Work] = {
    "none": honest,
    "random-keys": random_keys,
    "random-ids": random_ids,
    "before-the-claim": before_the_claim,
}


# Killing


def forked(work: Work, folder: Path, seed: int) -> int:
    """A process that works once; its id."""
    child = os.fork()
    if child:
        return child
    random.seed(seed)
    try:
        work(folder)
    finally:
        os._exit(0)


def kill_some(folder: Path, work: Work, kills: int, workers: int, dice: random.Random) -> Counter[str]:
    """Start workers, kill them, again and again."""
    seen: Counter[str] = Counter()
    while seen["killed"] < kills:
        children = [forked(work, folder, dice.randrange(2**32)) for _ in range(workers)]
        listen(dice.randrange(1, 30))
        time.sleep(dice.choice((0, 0, dice.uniform(0, 0.02))))
        for child in children:
            os.kill(child, signal.SIGKILL)
        for child in children:
            _, status = os.waitpid(child, 0)
            seen["killed" if os.WIFSIGNALED(status) else "finished"] += 1
        seen["left unfinished"] += unfinished(folder)
        if seen["finished"] > 3 * workers:
            break
    return seen


def listen(calls: int) -> None:
    """Until workers have made so many calls, or make none any more."""
    for _ in range(calls):
        if not select.select([TOLD], [], [], 1)[0]:
            return
        os.read(TOLD, 1)


def unfinished(folder: Path) -> bool:
    """Whether a row or a letter was left in the middle."""
    store = SqliteStore(folder / "store.db")
    letters = store.letters("acme")
    store.close()
    assert isinstance(letters, Done)
    pending = any(letter.status is LetterStatus.PENDING for letter in letters.value)
    return pending or any(row.status is RowStatus.PENDING for row in rows(folder))


def finish(folder: Path, work: Work) -> None:
    """Let one worker run until nothing is left to do."""
    for _ in range(40):
        _, status = os.waitpid(forked(work, folder, 1), 0)
        assert os.WIFEXITED(status)
        if all(row.status is RowStatus.BOOKED and row.invited_at for row in rows(folder)):
            return
        time.sleep(LEASE.total_seconds())


def rows(folder: Path) -> tuple[Row, ...]:
    store = SqliteStore(folder / "store.db")
    said = store.rows("acme")
    store.close()
    assert isinstance(said, Done), said
    return said.value


# What the files hold


def violations(folder: Path, people: int) -> list[str]:
    """What is not as promised, from the files alone."""
    found: list[str] = []
    store = SqliteStore(folder / "store.db")
    kept, journal, desk = store.rows("acme"), store.journal("acme"), store.transact("acme", (), lambda d: (Writes(), d))
    store.close()
    assert isinstance(kept, Done)
    assert isinstance(journal, Done)
    assert isinstance(desk, Done)
    lms = sqlite3.connect(folder / "lms.db")
    made = Counter(person for [person] in lms.execute("SELECT person FROM made"))
    keys = {key for [key] in lms.execute("SELECT key FROM made")}
    lms.close()
    everybody = {f"p{number}" for number in range(people)}
    found += [f"I1: {person} has {count} enrolments" for person, count in made.items() if count > 1]
    found += [f"not enrolled: {person}" for person in sorted(everybody - made.keys())]
    found += [f"I2: {desk.value.reserved} credits are reserved for {people}"] * (desk.value.reserved != people)
    found += [f"I3: nobody knows of {key}" for key in sorted(keys - {row.key for row in kept.value})]
    letters = Counter(recipient(path) for path in (folder / "mail").glob("*.eml"))
    found += [f"I6: {person} has {count} letters" for person, count in letters.items() if count > 1]
    found += [
        f"I6: no letter to {person}" for person in sorted({f"{id}@acme.example" for id in everybody} - letters.keys())
    ]
    found += [f"I9: {row.key} is {row.status.value}" for row in kept.value if row.status is not RowStatus.BOOKED]
    found += [f"I11: the journal of {key} does not lead to where it is" for key in at_odds(kept.value, journal.value)]
    return found


def recipient(path: Path) -> str:
    return str(message_from_bytes(path.read_bytes())["To"]).strip("<>")


def at_odds(kept: tuple[Row, ...], journal: tuple[Entry, ...]) -> list[str]:
    at: dict[str, RowStatus | None] = {}
    wrong = []
    for entry in journal:
        if entry.was is not at.get(entry.key):
            wrong.append(entry.key)
        at[entry.key] = entry.now
    return wrong + [row.key for row in kept if at.get(row.key) is not row.status]


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--people", type=int, default=120)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sabotage", choices=tuple(WORKERS), default="none")
    arguments = parser.parse_args(argv)
    folder, work = arguments.folder, WORKERS[arguments.sabotage]
    folder.mkdir(exist_ok=True)
    store = SqliteStore(folder / "store.db")
    said = store.put(load(document(arguments.people)))
    store.close()
    assert said == Done(None), said
    seen = kill_some(folder, work, arguments.kills, arguments.workers, random.Random(arguments.seed))
    finish(folder, honest if arguments.sabotage == "before-the-claim" else work)
    found = violations(folder, arguments.people)
    print(json.dumps({**seen, "violations": found}))
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
