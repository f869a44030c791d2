"""What a `StandinLms` decides, inside a transaction: what becomes of a key, of a booking, of credits."""

import re
import sqlite3
from datetime import datetime
from hashlib import sha256
from hmac import new

from enrolpolicy.ports import Cancelled, Done, Order, Progress, Receipt, Refused

_CANCELLED_AS = {
    None: Cancelled.NOT_FOUND,
    Progress.NOT_STARTED: Cancelled.CANCELLED,
    Progress.IN_PROGRESS: Cancelled.IN_PROGRESS,
    Progress.COMPLETED: Cancelled.COMPLETED,
    Progress.CANCELLED: Cancelled.ALREADY,
}


def enrolled(db: sqlite3.Connection, order: Order) -> Done[Receipt] | Refused:
    """The answer a key had before; else a new one, which is remembered, a refusal as well."""
    known = db.execute(
        "SELECT account, person, course, cycle, attempt, number, adopted, refused FROM asked WHERE key = ?",
        (order.key,),
    ).fetchone()
    asked_for = (order.account, order.person, order.course, order.cycle, order.attempt)
    if known is not None and known[:5] != asked_for:
        return Refused("key-conflict")
    if known is not None:
        return _answer(*known[5:])
    decided = _decided(db, order)
    db.execute("INSERT INTO asked VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (order.key, *asked_for, *decided))
    return _answer(*decided)


def _answer(number: int | None, adopted: bool, refused: str | None) -> Done[Receipt] | Refused:
    if number is None:
        return Refused(refused or "refused")
    return Done(Receipt(ref=ref_of(number), foreign=bool(adopted)))


def _decided(db: sqlite3.Connection, order: Order) -> tuple[int | None, bool, str | None]:
    """The booking of a new key, whether it was there before, and why there is none."""
    told = db.execute("SELECT number, reason FROM to_refuse ORDER BY number").fetchone()
    if told is not None:
        db.execute("DELETE FROM to_refuse WHERE number = ?", told[:1])
        return None, False, str(told[1])
    barred = "SELECT reason FROM barred WHERE (account, person, course) = (?, ?, ?)"
    for (reason,) in db.execute(barred, (order.account, order.person, order.course)):
        return None, False, str(reason)
    if not knows_course(db, order.course):
        return None, False, "unknown-course"
    if not _knows_person(db, order.account, order.person):
        return None, False, "unknown-person"
    beside = open_booking(db, order.account, order.person, order.course)
    if beside is not None:
        return beside, True, None
    cost = db.execute("SELECT cost FROM course WHERE id = ?", (order.course,)).fetchone() or (1,)
    if not _affords(db, order.account, cost[0]):
        return None, False, "no-credits"
    return booked(db, order.account, order.person, order.course, cost[0]), False, None


def knows_course(db: sqlite3.Connection, course: str) -> bool:
    """Whether a course is offered; while none is, any."""
    [told] = db.execute(
        "SELECT NOT EXISTS (SELECT 1 FROM course) OR EXISTS (SELECT 1 FROM course WHERE id = ?)", (course,)
    )
    return bool(told[0])


def _knows_person(db: sqlite3.Connection, account: str, person: str) -> bool:
    [told] = db.execute(
        "SELECT NOT EXISTS (SELECT 1 FROM person WHERE account = ?) "
        "OR EXISTS (SELECT 1 FROM person WHERE account = ? AND id = ?)",
        (account, account, person),
    )
    return bool(told[0])


def open_booking(db: sqlite3.Connection, account: str, person: str, course: str) -> int | None:
    """The open booking of a person on a course."""
    found = db.execute(
        "SELECT number FROM booking WHERE account = ? AND person = ? AND course = ? "
        "AND progress IN ('not-started', 'in-progress')",
        (account, person, course),
    ).fetchone()
    return int(found[0]) if found else None


def charged(db: sqlite3.Connection, account: str) -> int:
    """The credits of an account's enrolments, those given back left out."""
    total = "SELECT coalesce(sum(charged), 0) FROM booking WHERE account = ? AND charged > 0"
    return int(db.execute(total, (account,)).fetchone()[0])


def _affords(db: sqlite3.Connection, account: str, cost: int) -> bool:
    granted = db.execute("SELECT credits FROM account WHERE id = ?", (account,)).fetchone()
    return granted is None or cost == 0 or charged(db, account) + cost <= granted[0]


def booked(db: sqlite3.Connection, account: str, person: str, course: str, charged: int) -> int:
    """A new booking; the answer is its number."""
    made = db.execute(
        "INSERT INTO booking (account, person, course, progress, charged) VALUES (?, ?, ?, 'not-started', ?)",
        (account, person, course, charged),
    )
    assert made.lastrowid is not None
    return made.lastrowid


def progress_of(db: sqlite3.Connection, ref: str) -> Progress | None:
    """How far a booking has come; None: there is none."""
    row = db.execute("SELECT progress FROM booking WHERE number = ?", (number_of(ref),)).fetchone()
    return Progress(row[0]) if row else None


def cancelled(db: sqlite3.Connection, ref: str) -> Done[Cancelled]:
    """A cancellation, unless it was started; the credits are given back."""
    answer = _CANCELLED_AS[progress_of(db, ref)]
    if answer is Cancelled.CANCELLED:
        db.execute("UPDATE booking SET progress = 'cancelled', charged = 0 WHERE number = ?", (number_of(ref),))
    return Done(answer)


def signature(db: sqlite3.Connection, *parts: str) -> str:
    """What only this file can say about these texts."""
    [secret] = db.execute("SELECT value FROM secret").fetchone()
    return new(str(secret).encode(), "\0".join(parts).encode(errors="replace"), sha256).hexdigest()


# Rows and values

_REF = re.compile(r"booking-([1-9][0-9]{0,17})")


def ref_of(number: int) -> str:
    """What a booking is called outside."""
    return f"booking-{number}"


def number_of(ref: str) -> int:
    """The number of a booking that is called so; 0, which none has, for anything else."""
    match = _REF.fullmatch(ref)
    return int(match[1]) if match else 0


def instant(text: str | None) -> datetime | None:
    """An instant as it was written down."""
    return datetime.fromisoformat(text) if text else None
