"""The file of the embedded store: what is kept in it, what holds by itself, and whatever may be wrong with it."""

import json
import os
import random
import re
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from documents import near_ready_rows, ready
from enrolpolicy import Snapshot, load
from enrolpolicy.adapters import sqlite_opening, sqlite_refusals, sqlite_schema
from enrolpolicy.adapters.memory import MemoryStore
from enrolpolicy.adapters.sqlite import SqliteStore
from enrolpolicy.adapters.sqlite_refusals import SENTENCES
from enrolpolicy.adapters.sqlite_schema import STEPS
from enrolpolicy.adapters.sqlite_tables import ACCOUNT, ENTRY, PERSONAL, SETTLED
from enrolpolicy.adapters.sqlite_values import Shape, shape
from enrolpolicy.ports import Desk, Done, LetterWrite, Refused, RowWrite, Unknown, Writes
from enrolpolicy.rows import RESERVING_ROWS, Letter, LetterStatus, Row, RowStatus
from test_store_clauses import (
    ON,
    SHM,
    START,
    WRITTEN,
    backlog,
    entry,
    letter,
    look,
    moved,
    new,
    register,
    row,
    write,
)

NO_WAIT = timedelta(0)


@pytest.fixture
def path(quick_folder: Path) -> Path:
    return quick_folder / "store.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    made = SqliteStore(path, wait=NO_WAIT)
    assert made.put(register(credits=5)) == Done(None)
    yield made
    made.close()


def everything(code: str) -> Refused:
    assert code in SENTENCES
    return Refused(code, final=False, everything=True)


def answers(store: SqliteStore) -> list[object]:
    """What each method says."""
    return [
        store.snapshot("acme"),
        store.backlog("acme", True),
        write(store, new(row("new", course="c1"), night=ON)),
        store.rows("acme"),
        store.letters("acme"),
        store.journal("acme"),
        store.accounts(),
        store.put(register()),
    ]


class TestWhatIsKept:
    """A register comes back as it was given: its rows in their order, text, dates and offsets to the letter."""

    @settings(max_examples=30)
    @given(near_ready_rows(most_flips=6), st.text(st.characters(exclude_categories=["Cs"]), max_size=5))
    def test_a_register(self, drawn: tuple[dict[str, Any], date], name: str) -> None:
        document = drawn[0]
        document["personnel"][0]["name"] = document["courses"][0]["name"] = name
        register = load(json.dumps(document))
        register = evolve(register, personnel=register.personnel[::-1], records=register.records[::-1])
        store, model = SqliteStore(SCRATCH / f"kept-{os.getpid()}.db"), MemoryStore(register)
        try:
            assert store.put(register) == Done(None)
            said = store.snapshot("acme")
            if len({(one.person, one.course) for one in model.rows("acme") if one.open}) == sum(
                one.open for one in model.rows("acme")
            ):
                assert said == model.snapshot("acme")
            assert isinstance(said, Done)
            assert {one.enrolled_at.isoformat() for one in said.value.enrolments} == {
                one.enrolled_at.isoformat() for one in register.enrolments
            }
        finally:
            store.close()
            for file in SCRATCH.glob(f"kept-{os.getpid()}.db*"):
                file.unlink()

    def test_every_field_has_its_column(self, store: SqliteStore, path: Path) -> None:
        with sqlite3.connect(path) as db:
            kept: dict[str, Shape[Any]] = SETTLED | {table: one for table, (one, _) in PERSONAL.items()}
            own: dict[str, Shape[Any]] = {
                "accounts": ACCOUNT,
                "rows": shape(Row),
                "letters": shape(Letter),
                "journal": ENTRY,
            }
            for table, one in (kept | own).items():
                columns = {name for _, name, *_ in db.execute(f"PRAGMA table_info({table})")}
                assert {*one.names} <= columns
        assert {*sqlite_schema.SETTINGS, "id", "credits"} == set(ACCOUNT.names)
        db.close()

    def test_settings_are_kept_once(self, store: SqliteStore, path: Path) -> None:
        for key, course in (("k1", "c0"), ("k2", "c1")):
            assert write(store, new(row(key, course=course))) == WRITTEN
        with sqlite3.connect(path) as db:
            assert db.execute("SELECT content FROM settings").fetchall() == [('{"account": {}}',)]
        db.close()
        said = store.journal("acme")
        assert isinstance(said, Done)
        assert [one.settings for one in said.value] == ['{"account": {}}'] * 2

    def test_the_journal_of_somebody(self, store: SqliteStore) -> None:
        first, second = row("k1"), row("k2", person="p1", course="c1")
        assert write(store, new(first, second)) == WRITTEN
        later = evolve(entry(evolve(first, status=RowStatus.BOOKED), RowStatus.PENDING), on=ON + timedelta(days=1))
        after = RowWrite(row=evolve(first, status=RowStatus.BOOKED), fence=0)
        assert write(store, Writes(rows=(after,), entries=(later,))) == WRITTEN
        a, b = entry(first, None), entry(second, None)
        assert store.journal("acme") == Done((a, b, later))
        assert store.journal("acme", person="p0") == Done((a, later))
        assert store.journal("acme", course="c1") == Done((b,))
        assert store.journal("acme", key="k2", person="p1") == Done((b,))
        assert store.journal("acme", since=ON + timedelta(days=1)) == Done((later,))
        assert store.journal("other") == Done(())
        assert store.accounts() == Done(("acme",))

    def test_text_that_cannot_be_kept(self, store: SqliteStore) -> None:
        for odd in (letter(detail="\ud800"), letter(tries=2**63)):
            writes = new(row(), letters=(LetterWrite(letter=odd, fence=None),))
            assert write(store, writes) == Refused("unwritable", final=False)
        assert look(store, "p0").rows == ()

    def test_a_row_of_another_account(self, store: SqliteStore) -> None:
        assert write(store, new(row(account="other"))) == Refused("other-account", final=False)


SCRATCH = Path(SHM or "/tmp")


class TestTakingOver:
    """A register is taken over whole, and again when there is a newer one; what runs have done stays."""

    def booked(self, *ids: str, **fields: Any) -> list[dict[str, Any]]:
        given = {"person": "p0", "course": "c0", "origin": "manual", "status": "booked"} | fields
        return [{"id": id, "enrolled_at": START.isoformat(), **given} for id in ids]

    def with_enrolments(self, *rows: dict[str, Any], **settings: Any) -> Snapshot:
        document = ready(3, 2, ON) | {"enrolments": list(rows)}
        document["account"] |= settings
        return load(json.dumps(document))

    def test_again(self, store: SqliteStore) -> None:
        assert write(store, new(row(), night=ON)) == WRITTEN
        newer = register(credits=2, lead_days=9)
        newer = evolve(newer, personnel=newer.personnel[1:], records=newer.records[:1], courses=newer.courses[::-1])
        assert store.put(newer) == Done(None)
        said = store.snapshot("acme")
        assert isinstance(said, Done)
        assert evolve(said.value, enrolments=()) == newer
        assert [one.id for one in said.value.enrolments] == ["k1"]
        assert (look(store).reserved, look(store).snapshot) == (1, evolve(newer, personnel=(), records=()))
        assert backlog(store).last_night == ON
        assert len(answer(store.journal("acme"))) == 1

    def test_the_balance_is_the_registers(self, store: SqliteStore) -> None:
        booked = row(status=RowStatus.BOOKED)
        assert write(store, new(booked)) == WRITTEN
        assert write(store, moved(booked, evolve(booked, status=RowStatus.IN_PROGRESS), spent=1)) == WRITTEN
        assert look(store).snapshot.account.credits == 4
        assert store.put(register(credits=9)) == Done(None)
        assert look(store).snapshot.account.credits == 9

    def test_a_balance_below_what_is_reserved(self, store: SqliteStore) -> None:
        assert write(store, new(row(credits=3))) == WRITTEN
        assert store.put(register(credits=1)) == Done(None)
        assert look(store).reserved == 3
        assert write(store, new(row("k2", person="p1"))) == Refused("credits", final=False)
        assert store.put(register(credits=4)) == Done(None)
        assert write(store, new(row("k2", person="p1"))) == WRITTEN

    def test_what_nobody_here_moved_follows_the_register(self, store: SqliteStore) -> None:
        assert store.put(self.with_enrolments(*self.booked("e1"))) == Done(None)
        told = evolve(look(store, "p0").rows[0], invited_at=START)
        assert write(store, Writes(rows=(RowWrite(row=told, fence=0),))) == WRITTEN
        newer = self.with_enrolments(*self.booked("e1", status="completed", ended_on="2026-11-22"))
        assert store.put(newer) == Done(None)
        assert look(store, "p0").rows == (evolve(told, status=RowStatus.COMPLETED, ended_on=date(2026, 11, 22)),)

    def test_what_was_moved_here_does_not(self, store: SqliteStore) -> None:
        theirs = self.with_enrolments(*self.booked("e1", origin="auto"))
        assert store.put(theirs) == Done(None)
        first = look(store, "p0").rows[0]
        after = evolve(first, status=RowStatus.CANCELLING, fence=1)
        assert write(store, moved(first, after)) == WRITTEN
        assert store.put(theirs) == Done(None)
        assert look(store, "p0").rows == (after,)

    def test_two_open_ones_are_taken_as_they_are(self, store: SqliteStore) -> None:
        two = self.with_enrolments(*self.booked("e1", "e2"))
        for _ in range(2):
            assert store.put(two) == Done(None)
            assert [one.key for one in look(store, "p0").rows] == ["e1", "e2"]
            assert write(store, new(row())) == Refused("open", final=False)
        swapped = self.with_enrolments(*self.booked("e2"), *self.booked("e1", status="cancelled"), *self.booked("e3"))
        assert store.put(swapped) == Done(None)
        assert [one.open for one in look(store, "p0").rows] == [False, True, True]

    def test_accounts_with_the_same_ids(self, store: SqliteStore) -> None:
        other = self.with_enrolments(*self.booked("e1", person="p1"), id="other")
        assert store.put(self.with_enrolments(*self.booked("e1"))) == Done(None)
        assert store.put(other) == Done(None)
        assert [(one.key, one.person) for one in answer(store.rows("acme"))] == [("e1", "p0")]
        assert [(one.key, one.person) for one in answer(store.rows("other"))] == [("e1", "p1")]
        assert store.accounts() == Done(("acme", "other"))


def answer(said: Done[Any] | Refused | Unknown) -> Any:
    assert isinstance(said, Done), said
    return said.value


class TestHeldByTheFile:
    """The promises are the file's own: whoever writes to it, by whatever means, cannot break them."""

    @pytest.fixture
    def db(self, store: SqliteStore, path: Path) -> Iterator[sqlite3.Connection]:
        rows = row("k1", credits=2), row("k2", RowStatus.CANCELLED), row("k3", course="c1")
        assert write(store, new(*rows, letters=(LetterWrite(letter=letter(), fence=None),))) == WRITTEN
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("PRAGMA foreign_keys = ON")
        yield connection
        connection.close()

    @pytest.mark.parametrize(
        ("clause", "statement"),
        [
            ("S2", "UPDATE rows SET key = 'k1' WHERE key = 'k2'"),
            ("S3", "UPDATE rows SET status = 'held' WHERE key = 'k2'"),
            ("S3", "UPDATE rows SET course = 'c0' WHERE key = 'k3'"),
            ("S5", "UPDATE accounts SET credits = 1, allowed = 6"),
            ("S6", "UPDATE letters SET message_id = NULL"),
            ("S10", "UPDATE journal SET actor = 'nobody'"),
            ("S10", "DELETE FROM journal"),
            ("S10", "DELETE FROM settings"),
            ("S10", "UPDATE settings SET content = '{}'"),
            ("S10", "DELETE FROM rows"),
            ("rows", "UPDATE rows SET status = 'lost'"),
            ("rows", "UPDATE rows SET credits = -1"),
            ("rows", "UPDATE rows SET account = 'other'"),
        ],
    )
    def test_by_hand(self, clause: str, statement: str, db: sqlite3.Connection) -> None:
        before = list(db.iterdump())
        with pytest.raises(sqlite3.IntegrityError):
            db.execute(statement)
        assert list(db.iterdump()) == before

    def test_settings_changed_by_hand(self, db: sqlite3.Connection, store: SqliteStore) -> None:
        assert look(store).snapshot.account.lead_days is None
        db.execute("UPDATE accounts SET lead_days = 7")
        db.execute("UPDATE courses SET name = 'Fire' WHERE id = 'c0'")
        db.execute("UPDATE roles SET name = 'Crew'")
        seen = look(store).snapshot
        assert (seen.account.lead_days, seen.courses[0].name, seen.roles[0].name) == (7, "Fire", "Crew")
        db.execute("DELETE FROM courses WHERE id = 'c1'")
        assert [course.id for course in look(store).snapshot.courses] == ["c0"]

    def test_what_is_reserved_follows_the_rows(self, db: sqlite3.Connection, store: SqliteStore) -> None:
        assert look(store).reserved == 3
        db.execute("UPDATE rows SET credits = 4 WHERE key = 'k1'")
        assert look(store).reserved == 5
        db.execute("UPDATE rows SET status = 'completed' WHERE key = 'k3'")
        assert look(store).reserved == 4

    @pytest.mark.parametrize("was", RowStatus)
    @pytest.mark.parametrize("now", RowStatus)
    def test_what_is_reserved_by_every_move(
        self, was: RowStatus, now: RowStatus, store: SqliteStore, path: Path
    ) -> None:
        assert write(store, new(row("k1", was, credits=2))) == WRITTEN
        with sqlite3.connect(path) as db:
            db.execute("UPDATE rows SET status = ?, credits = 3", (now.value,))
        db.close()
        assert look(store).reserved == (3 if now in RESERVING_ROWS else 0)

    def test_the_store_says_which(self, store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
        """Even a store that forgot to look would be stopped, and say so in the same words."""
        assert write(store, new(row("k1", credits=2))) == WRITTEN
        monkeypatch.setattr("enrolpolicy.adapters.sqlite.broken", lambda *_, **__: None)
        assert write(store, new(row("k2"))) == Refused("open", final=False)
        assert write(store, new(row("k2", person="p1", credits=4))) == Refused("credits", final=False)
        assert len(look(store, "p0", "p1").rows) == 1


class TestWhatIsRead:
    """A transaction for some people reads what is theirs, however many others there are."""

    def test_it_is_looked_up(self, store: SqliteStore, path: Path) -> None:
        assert write(store, new(row("k1"), letters=(LetterWrite(letter=letter(), fence=None),))) == WRITTEN
        db, asked = store._connection, set[str]()
        assert db is not None
        db.set_trace_callback(asked.add)
        assert write(store, new(row("k2", person="p1")), "p0") == WRITTEN
        assert write(store, moved(row("k2", person="p1"), row("k2", RowStatus.BOOKED, person="p1")), "p1") == WRITTEN
        db.set_trace_callback(None)
        personal = [*PERSONAL, "rows", "letters"]
        read = [one for one in asked if one.startswith("SELECT") and one.split(" FROM ")[1].split()[0] in personal]
        assert len(read) > len(personal)
        for statement in read:
            steps = [step for *_, step in db.execute(f"EXPLAIN QUERY PLAN {statement}")]
            assert re.search(r"SEARCH \w+ USING .*\(account=\? AND (person|id|key|message_id)=\?\)", steps[0]), steps

    def test_what_was_left_behind_is_looked_up(self, store: SqliteStore, path: Path) -> None:
        db, asked = store._connection, set[str]()
        assert db is not None
        db.set_trace_callback(asked.add)
        backlog(store, ended=True)
        db.set_trace_callback(None)
        read = [one for one in asked if " FROM rows " in one or " FROM letters " in one]
        steps = {step for one in read for *_, step in db.execute(f"EXPLAIN QUERY PLAN {one}")}
        assert {step.split(" INDEX ")[1].split()[0] for step in steps} == {
            "rows_unfinished",
            "rows_ended",
            "letters_pending",
        }


class TestWhatIsWritten:
    """Of what is there already, the columns that are to be others are written, and no index is touched in vain."""

    def test_only_what_changed(self, store: SqliteStore) -> None:
        first, sent = row(), letter()
        assert write(store, new(first, letters=(LetterWrite(letter=sent, fence=None),))) == WRITTEN
        asked = list[str]()
        assert store._connection is not None
        store._connection.set_trace_callback(asked.append)

        def work(desk: Desk) -> tuple[Writes, tuple[Row, Letter]]:
            [booked], [known] = desk.rows, desk.letters
            invited, posted = evolve(booked, invited_at=START), evolve(known, status=LetterStatus.SENT, tries=1)
            letters = LetterWrite(letter=posted, fence=0), LetterWrite(letter=letter("k2"), fence=None)
            return Writes(rows=(RowWrite(row=invited, fence=0),), letters=letters), (invited, posted)

        invited, posted = answer(store.transact("acme", ["p0"], work))
        assert [one.split(" WHERE ")[0] for one in asked if re.match("UPDATE (rows|letters)", one)] == [
            f"UPDATE rows SET \"invited_at\" = '{START.isoformat()}'",
            'UPDATE letters SET "status" = \'sent\', "tries" = 1',
        ]
        assert look(store, "p0").rows == (invited,)
        assert answer(store.letters("acme")) == (posted, letter("k2"))

    def test_written_twice_at_once(self, store: SqliteStore) -> None:
        """What stands last is what it comes to."""
        first = row()
        assert write(store, new(first)) == WRITTEN
        once, again = evolve(first, ref="once", credits=2), evolve(first, invited_at=START)
        assert write(store, Writes(rows=(RowWrite(row=once, fence=0), RowWrite(row=again, fence=0)))) == WRITTEN
        assert look(store, "p0").rows == (again,)
        assert look(store).reserved == 1


class TestReadOnceForSomePeople:
    """What the register says of the same people is not read again, unless somebody else may have changed it."""

    @staticmethod
    def about(store: SqliteStore, *people: str, account: str = "acme") -> tuple[Any, ...]:
        seen = look(store, *people, account=account).snapshot
        return seen.personnel, seen.assignments, seen.records, seen.opt_outs

    def test_it_is_not_read_again(self, store: SqliteStore) -> None:
        first, asked = self.about(store, "p0", "p1"), list[str]()
        assert store._connection is not None
        store._connection.set_trace_callback(asked.append)
        assert write(store, new(row()), "p0", "p1") == WRITTEN
        assert self.about(store, "p0", "p1") == first
        assert look(store, "p0", "p1").rows == (row(),)
        assert not [one for one in asked if any(f" FROM {table} " in one for table in PERSONAL)]

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE personnel SET archived = TRUE WHERE id = 'p0'",
            "DELETE FROM personnel WHERE id = 'p0'",
            "INSERT INTO opt_outs (account, person, course) VALUES ('acme', 'p0', 'c0')",
            "INSERT INTO assignments (account, person, course, level) VALUES ('acme', 'p0', 'c0', 'optional')",
            """INSERT INTO records (account, person, course, completed_on, never_expires, voided)
            VALUES ('acme', 'p0', 'c0', '2026-11-01', FALSE, FALSE)""",
        ],
    )
    def test_somebody_else_has_written(self, statement: str, store: SqliteStore, path: Path) -> None:
        before = self.about(store, "p0")
        with sqlite3.connect(path) as db:
            db.execute(statement)
        db.close()
        after = self.about(store, "p0")
        assert after != before
        fresh = SqliteStore(path)
        assert self.about(fresh, "p0") == after
        fresh.close()

    def test_a_newer_register(self, store: SqliteStore) -> None:
        before = self.about(store, "p0")
        newer = register(credits=5)
        people = tuple(evolve(one, email="new@acme.example") for one in newer.personnel)
        assert store.put(evolve(newer, personnel=people)) == Done(None)
        assert self.about(store, "p0") != before
        assert self.about(store, "p0")[0] == people[:1]

    def test_written_while_the_file_was_closed(self, store: SqliteStore, path: Path) -> None:
        """Each connection counts anew what others have written."""
        before = self.about(store, "p0")
        store.close()
        with sqlite3.connect(path) as db:
            db.execute("DELETE FROM personnel WHERE id = 'p0'")
        db.close()
        assert before[0] != ()
        assert self.about(store, "p0")[0] == ()

    def test_other_people_and_another_account(self, store: SqliteStore) -> None:
        other = register("other")
        people = tuple(evolve(one, name="Other") for one in other.personnel)
        assert store.put(evolve(other, personnel=people)) == Done(None)
        assert [one.id for one in self.about(store, "p0")[0]] == ["p0"]
        assert [one.id for one in self.about(store, "p0", "p1")[0]] == ["p0", "p1"]
        assert [one.name for one in self.about(store, "p0", "p1", account="other")[0]] == ["Other", "Other"]
        assert self.about(store)[0] == ()


class TestDurable:
    """A commit is on the disk when it is confirmed, and the log is folded in only while nobody else writes."""

    def test_how_it_is_opened(self, store: SqliteStore) -> None:
        assert isinstance(store.snapshot("acme"), Done)
        db = store._connection
        assert db is not None
        settings = {name: db.execute(f"PRAGMA {name}").fetchone()[0] for name in PRAGMAS}
        assert settings == PRAGMAS

    def test_the_log_does_not_grow(self, store: SqliteStore, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sqlite_opening, "FOLDED_FROM", 200_000)
        log, sizes = Path(f"{path}-wal"), list[int]()
        for _ in range(30):
            assert store.put(register(credits=5)) == Done(None)
            sizes.append(log.stat().st_size)
        assert 0 < max(sizes) < 400_000
        assert sizes.count(0) > 1

    def test_not_while_somebody_reads(self, store: SqliteStore, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sqlite_opening, "FOLDED_FROM", 1)
        reader = sqlite3.connect(path, isolation_level=None)
        reader.execute("BEGIN")
        [before] = reader.execute("SELECT count(*) FROM journal").fetchone()
        assert write(store, new(row())) == WRITTEN
        assert reader.execute("SELECT count(*) FROM journal").fetchone() == (before,)
        assert Path(f"{path}-wal").stat().st_size > 0
        reader.close()
        assert write(store, Writes(night=ON)) == WRITTEN
        assert Path(f"{path}-wal").stat().st_size == 0


PRAGMAS = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "wal_autocheckpoint": 0, "busy_timeout": 0}


class TestManyAtOnce:
    """Threads of one process share a store; processes share its file; nobody waits for ever."""

    def test_threads(self, path: Path) -> None:
        store = SqliteStore(path)
        assert store.put(register()) == Done(None)
        said: list[object] = []

        def claim(number: int) -> None:
            said.append(write(store, new(row(f"k{number}"))))

        threads = [threading.Thread(target=claim, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert said.count(WRITTEN) == 1
        assert said.count(Refused("open", final=False)) == 7
        store.close()

    def test_a_file_that_is_locked(self, store: SqliteStore, path: Path) -> None:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        assert write(store, new(row())) == everything("busy")
        assert isinstance(store.snapshot("acme"), Done)
        other.execute("ROLLBACK")
        assert write(store, new(row())) == WRITTEN
        other.close()


class TestVersions:
    """A file says which schema it has: an older one goes through the steps it lacks, a newer one is left alone."""

    ANOTHER = (*STEPS, ("ALTER TABLE rows ADD COLUMN flavour TEXT", "UPDATE rows SET flavour = 'plain'"))

    def version(self, path: Path) -> object:
        with sqlite3.connect(path) as db:
            found = db.execute("PRAGMA user_version").fetchone()[0]
        db.close()
        return found

    def test_an_older_one(self, store: SqliteStore, path: Path) -> None:
        assert write(store, new(row())) == WRITTEN
        store.close()
        sqlite_opening.opened(path, create=False, wait=NO_WAIT, steps=self.ANOTHER).close()
        with sqlite3.connect(path) as db:
            assert db.execute("SELECT flavour FROM rows").fetchall() == [("plain",)]
        db.close()
        assert self.version(path) == len(STEPS) + 1

    def test_a_step_that_fails_half_way(self, store: SqliteStore, path: Path) -> None:
        store.close()
        broken_step = (*STEPS, ("ALTER TABLE rows ADD COLUMN flavour TEXT", "UPDATE nothing SET flavour = 1"))
        with pytest.raises(sqlite3.OperationalError):
            sqlite_opening.opened(path, create=False, wait=NO_WAIT, steps=broken_step)
        assert self.version(path) == len(STEPS)
        assert write(store, new(row())) == WRITTEN
        sqlite_opening.opened(path, create=False, wait=NO_WAIT, steps=self.ANOTHER).close()

    def test_a_newer_one(self, store: SqliteStore, path: Path) -> None:
        store.close()
        sqlite_opening.opened(path, create=False, wait=NO_WAIT, steps=self.ANOTHER).close()
        before = path.read_bytes()
        assert answers(store) == [everything("newer-schema")] * 8
        assert path.read_bytes() == before

    def test_a_first_step_that_fails(self, path: Path) -> None:
        with pytest.raises(sqlite3.OperationalError):
            sqlite_opening.opened(path, create=True, wait=NO_WAIT, steps=(("CREATE TABLE a (b)", "nonsense"),))
        with sqlite3.connect(path) as db:
            assert db.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
        db.close()
        store = SqliteStore(path)
        assert store.put(register()) == Done(None)
        store.close()


class TestWhatIsWrongWithTheFile:
    """Whatever is wrong with it, each method answers, with a reason, and nothing is half written."""

    def test_no_file(self, path: Path) -> None:
        store = SqliteStore(path)
        assert answers(store)[:-1] == [everything("no-file")] * 7
        store.close()
        assert SqliteStore(path.parent / "no" / "such").put(register()) == everything("cannot-open")

    @pytest.mark.parametrize("content", [b"", b"{}", b"a" * 5000, b"SQLite format 3\0" + b"\0" * 4080])
    def test_no_database(self, content: bytes, path: Path) -> None:
        path.write_bytes(content)
        store = SqliteStore(path)
        code = "not-a-database" if content else "other-database"
        assert answers(store)[:-1] == [everything(code)] * 7
        assert store.put(register()) == (everything(code) if content else Done(None))
        store.close()

    @pytest.mark.parametrize("pragma", ["user_version = 1", "application_id = 7", "application_id = 0"])
    def test_the_database_of_another(self, pragma: str, path: Path) -> None:
        with sqlite3.connect(path) as db:
            db.execute(f"PRAGMA {pragma}")
            db.execute("CREATE TABLE theirs (a)")
        db.close()
        before = path.read_bytes()
        store = SqliteStore(path)
        assert answers(store) == [everything("other-database")] * 8
        store.close()
        assert path.read_bytes() == before

    def test_tables_that_were_changed(self, store: SqliteStore, path: Path) -> None:
        store.close()
        with sqlite3.connect(path) as db:
            db.execute("ALTER TABLE rows RENAME COLUMN person TO whom")
        db.close()
        assert write(store, new(row())) == everything("other-database")

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE personnel SET employment = 'admiral'",
            "UPDATE personnel SET roles = '{'",
            "UPDATE personnel SET roles = '[1]'",
            "UPDATE personnel SET name = x'ff'",
            "UPDATE personnel SET name = CAST(x'ff' AS TEXT)",
            "UPDATE records SET completed_on = 'yesterday'",
            "UPDATE records SET completed_on = 7",
            "UPDATE accounts SET timezone = 'Mars/Olympus'",
            "UPDATE courses SET credit_cost = -1",
            "UPDATE rows SET enrolled_at = '2026-11-23T00:00:00'",
        ],
    )
    def test_values_that_make_no_sense(self, statement: str, store: SqliteStore, path: Path) -> None:
        assert write(store, new(row())) == WRITTEN
        store.close()
        with sqlite3.connect(path) as db:
            db.execute(statement)
        db.close()
        assert store.snapshot("acme") == everything("corrupted")
        assert write(store, new(row("k2", course="c1"))) == everything("corrupted")
        if "rows" not in statement:
            assert store.put(register()) == Done(None)
            assert isinstance(store.snapshot("acme"), Done)

    def test_bytes_that_were_flipped(self, store: SqliteStore, path: Path) -> None:
        """Each method answers; what could be read is what it was, or not a value of the model at all."""
        assert write(store, new(row(), night=ON)) == WRITTEN
        store.close()
        sound, dice = path.read_bytes(), random.Random(7)
        seen: set[str] = set()
        for _ in range(30):
            damaged = bytearray(sound)
            start = dice.randrange(len(sound))
            damaged[start : start + dice.choice([1, 16, 4096])] = dice.randbytes(dice.choice([1, 16, 4096]))
            path.write_bytes(damaged[: len(sound)])
            Path(f"{path}-wal").unlink(missing_ok=True)
            for said in answers(store):
                assert isinstance(said, Done | Refused | Unknown)
                seen.add(said.reason if isinstance(said, Refused) else type(said).__name__)
            store.close()
        assert {"Done", "corrupted"} <= seen
        assert seen <= {"Done", "key", "fence", "open", *SENTENCES}

    def test_a_log_that_was_cut_off(self, store: SqliteStore, path: Path) -> None:
        """A commit whose end never reached the disk did not happen; those before it did."""
        assert write(store, new(row("k1"))) == WRITTEN
        log = Path(f"{path}-wal")
        first = log.stat().st_size
        assert write(store, new(row("k2", person="p1"))) == WRITTEN
        whole = log.read_bytes()
        content = path.read_bytes()
        for length in range(first, len(whole), 4096):
            copy = path.with_name(f"cut-{length}.db")
            copy.write_bytes(content)
            Path(f"{copy}-wal").write_bytes(whole[:length])
            cut = SqliteStore(copy)
            assert [one.key for one in answer(cut.rows("acme"))] == ["k1"]
            assert look(cut).reserved == 1
            cut.close()

    def test_a_file_that_may_only_be_read(self) -> None:
        with as_nobody() as folder:
            store = SqliteStore(folder / "store.db", wait=NO_WAIT)
            assert store.put(register()) == Done(None)
            store.close()
            (folder / "store.db").chmod(0o444)
            assert write(store, new(row())) == everything("read-only")
            assert store.put(register()) == everything("read-only")
            folder.chmod(0o555)
            assert write(store, new(row())) in (everything("read-only"), everything("cannot-open"))
            folder.chmod(0o755)
            (folder / "store.db").chmod(0o000)
            assert answers(store) == [everything("cannot-open")] * 8

    def test_a_disk_that_is_full(self, store: SqliteStore) -> None:
        """SQLite's own limit stands in for the disk's: the same code comes back at the same places."""
        assert write(store, new(row("k1"))) == WRITTEN
        db = store._connection
        assert db is not None
        [pages] = db.execute("PRAGMA page_count").fetchone()
        db.execute(f"PRAGMA max_page_count = {pages}")
        big = LetterWrite(letter=letter("k2", content=b"a" * 10**6), fence=None)
        assert write(store, new(row("k2", person="p1"), letters=(big,))) == everything("full")
        assert [one.key for one in answer(store.rows("acme"))] == ["k1"]
        assert write(store, new(row("k2", person="p1"), letters=(big,))) == WRITTEN

    def test_writes_that_fail(self, path: Path) -> None:
        """A process that may not make its files any larger: nobody can say whether a commit came through, and no
        run is cut in half by it."""
        store = SqliteStore(path)
        assert store.put(register()) == Done(None)
        store.close()
        child = subprocess.run(
            [sys.executable, "-c", FAILING, str(path), *sys.path],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert child.stderr == ""
        said = child.stdout.splitlines()
        assert said[0] == "Done"
        assert set(said[1:]) <= {"Done", "Unknown", "input-output"}
        assert {"Unknown", "input-output"} & set(said)
        kept = {one.key for one in answer(store.rows("acme"))}
        confirmed = {f"k{number}" for number, word in enumerate(said) if word == "Done"}
        doubtful = {f"k{number}" for number, word in enumerate(said) if word == "Unknown"}
        assert confirmed <= kept <= confirmed | doubtful
        assert look(store).reserved == len(kept)
        store.close()

    def test_every_reason_has_a_sentence(self) -> None:
        assert set(sqlite_refusals.CODES.values()) <= SENTENCES.keys()


FAILING = """
import resource, sys
sys.path[:0] = sys.argv[2:]
from pathlib import Path
from enrolpolicy.adapters.sqlite import SqliteStore
from enrolpolicy.ports import Refused
from test_store_clauses import new, row, write
store = SqliteStore(sys.argv[1])
said = [write(store, new(row("k0", person="x0")))]
log = Path(sys.argv[1] + "-wal").stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (log + 100_000, log + 100_000))
for number in range(1, 30):
    said.append(write(store, new(row(f"k{number}", person=f"x{number}"))))
print(*[one.reason if isinstance(one, Refused) else type(one).__name__ for one in said], sep="\\n")
"""


@contextmanager
def as_nobody() -> Iterator[Path]:
    """A folder of somebody for whom rights count: the superuser may write everywhere."""
    import shutil
    import tempfile

    folder = Path(tempfile.mkdtemp(prefix="enrolpolicy-"))
    superuser = os.geteuid() == 0
    if superuser:
        os.chown(folder, 65534, 65534)
        os.setegid(65534)
        os.seteuid(65534)
    try:
        yield folder
    finally:
        if superuser:
            os.seteuid(0)
            os.setegid(0)
        shutil.rmtree(folder)
