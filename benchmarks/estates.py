"""Estates of any size, the same ones every time, as Parquet tables; drawn like the registers, by the array.

    python benchmarks/estates.py DIRECTORY [--people N] [--accounts N]

Accounts of sixty courses, fourteen roles and some twenty records a person, every rule at work somewhere and credits
that do not suffice; a million people take a minute and the memory of fifty thousand. What one SQL query cannot follow
is left out: validity counted from the previous expiry, and bookings spread over days. Everybody lives in UTC, as in
the registers. Columns that would hold nothing but defaults are not written.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from enrolpolicy import (
    Account,
    Assignment,
    Audience,
    Course,
    Delivery,
    Employment,
    Enrolment,
    EnrolmentStatus,
    HeldRole,
    Level,
    OptOut,
    Origin,
    Person,
    Role,
    RoleCourse,
    Scope,
    Snapshot,
    TrainingRecord,
    Validity,
    Withdrawal,
)
from enrolpolicy.model import WITHDRAWN_BY_DEFAULT
from registers import COURSES, ON, ROLES, STATUSES, VALIDITIES

ASKED, TAKEN, PEOPLE_AT_ONCE = 14, 18, 50_000
EPOCH = date(1970, 1, 1)
TODAY = (ON - EPOCH).days
OPEN = (EnrolmentStatus.PENDING, EnrolmentStatus.BOOKED, EnrolmentStatus.IN_PROGRESS)
LASTING = (180, 365, 730)
NOBODY = ("", "nobody at all")

Ints = NDArray[np.int32]
Flags = NDArray[np.bool_]
Array = Any
"""A column of Arrow, of whatever kind."""
Columns = dict[str, Array]


class Texts(Protocol):
    """Names a row by its number."""

    def __call__(self, number: int) -> str: ...


# Columns


def numbers(values: Ints, absent: Flags | None = None) -> Array:
    return pa.array(values.astype(np.int32), mask=absent)


def dates(values: Ints, absent: Flags | None = None) -> Array:
    """Days since 1970."""
    return numbers(values, absent).view(pa.date32())


def instants(days: Ints, absent: Flags | None = None) -> Array:
    """Two in the morning of these days, in UTC."""
    micros = (days.astype(np.int64) * 24 + 2) * 3_600_000_000
    return pa.array(micros, mask=absent).view(pa.timestamp("us", tz="UTC"))


def texts(values: Ints, name: Texts, absent: Flags | None = None) -> Array:
    """The names of numbers, each of which is written down once."""
    low, high = (int(values.min()), int(values.max())) if len(values) else (0, -1)
    names = pa.array([name(number) for number in range(low, high + 1)], pa.string())
    return pa.DictionaryArray.from_arrays(numbers(values - low, absent), names)


def choices(values: Ints, members: Any, absent: Flags | None = None) -> Array:
    """The wire values of places in a list of an Enum's members."""
    listed = list(members)
    return texts(values, lambda number: str(listed[number].value), absent)


def of_account(number: int) -> str:
    return f"account-{number:05}"


def of_course(number: int) -> str:
    return f"course-{number:02}"


def of_role(number: int) -> str:
    return f"role-{number:02}"


def of_person(number: int) -> str:
    return f"person-{number:07}"


def of_enrolment(number: int) -> str:
    return f"enrolment-{number:07}"


def iso(day: int) -> str:
    """The cycle of a completion."""
    return (EPOCH + timedelta(day)).isoformat()


# Accounts, and what all of their people share


class Dice:
    """What `random.Random` does for the registers, for many rows at once."""

    def __init__(self, *seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def chance(self, share: float, shape: Any) -> Flags:
        below: Flags = self.rng.random(shape, np.float32) < share
        return below

    def ago(self, days: int, shape: Any) -> Ints:
        found: Ints = (TODAY - self.rng.integers(0, days, shape, np.int32)).astype(np.int32)
        return found

    def among(self, values: Any, shape: Any) -> Ints:
        found: Ints = np.asarray(values, np.int32)[self.rng.integers(0, len(values), shape, np.int32)]
        return found

    def weighted(self, weights: tuple[int, ...], shape: Any) -> Ints:
        """Places in a list, each as often as its weight says."""
        return self.among(np.repeat(np.arange(len(weights)), weights), shape)

    def sample(self, rows: int, many: int, few: int) -> Ints:
        """A few different numbers below `many`, for each row."""
        found = np.argpartition(self.rng.random((rows, many), np.float32), few, axis=1)
        return found[:, :few].astype(np.int32)


def accounts(dice: Dice, sizes: Ints) -> Columns:
    """The first is set as the register's account is, the others in all the ways an account can be."""
    count = len(sizes)
    like_the_register = np.arange(count) == 0
    unmetered = dice.chance(0.2, count) & ~like_the_register
    causes = [sorted(cause.value for cause in Withdrawal), sorted(cause.value for cause in WITHDRAWN_BY_DEFAULT), []]
    chosen = np.where(like_the_register, 1, dice.weighted((2, 7, 1), count))
    return {
        "account": texts(np.arange(count, dtype=np.int32), of_account),
        "timezone": pa.array(["UTC"] * count),
        "elearning_plan_active": pa.array(dice.chance(0.98, count) | like_the_register),
        "auto_enrol": pa.array(dice.chance(0.98, count) | like_the_register),
        "auto_enrol_missing": pa.array(dice.chance(0.7, count) | like_the_register),
        "missing_since": dates(np.full(count, TODAY - 200), dice.chance(0.3, count) & ~like_the_register),
        "custom_expiry": pa.array(dice.chance(0.8, count) | like_the_register),
        "lead_days": numbers(
            np.where(like_the_register, 45, dice.among((14, 30, 45, 60), count)),
            dice.chance(0.2, count) & ~like_the_register,
        ),
        "expired_lookback_days": numbers(np.where(like_the_register, 90, dice.among((0, 30, 90, 90, 365), count))),
        "credits": numbers(sizes * 3 // 4, unmetered),
        "withdraw_when": pa.array([causes[which] for which in chosen], pa.list_(pa.string())),
    }


def courses(dice: Dice, count: int) -> tuple[Columns, Ints]:
    """The columns, and each course's place in `VALIDITIES`."""
    rows = count * COURSES
    account, number = np.divmod(np.arange(rows, dtype=np.int32), COURSES)
    lasts = dice.among(range(len(VALIDITIES)), rows)
    months = np.array([(validity and validity.months) or 0 for validity in VALIDITIES], np.int32)[lasts]
    days = np.array([(validity and validity.days) or 0 for validity in VALIDITIES], np.int32)[lasts]
    columns = {
        "account": texts(account, of_account),
        "id": texts(number, of_course),
        "delivery": choices(dice.weighted((6, 3, 1), rows), Delivery),
        "archived": pa.array(dice.chance(0.05, rows)),
        "auto_enrol": pa.array(dice.chance(0.8, rows)),
        "audience": choices(dice.weighted((1, 1), rows), Audience),
        "scope": choices(dice.weighted((1, 1), rows), Scope),
        "lead_days": numbers(dice.among((14, 60, 90), rows), dice.chance(0.4, rows)),
        "validity_months": numbers(months, months == 0),
        "validity_days": numbers(days, days == 0),
        "credit_cost": numbers(dice.among((0, 1, 1, 1, 2), rows)),
    }
    return columns, lasts.reshape(count, COURSES)


def roles(count: int) -> Columns:
    account, number = np.divmod(np.arange(count * ROLES, dtype=np.int32), ROLES)
    return {"account": texts(account, of_account), "id": texts(number, of_role)}


def requirements(dice: Dice, count: int) -> Columns:
    rows = count * ROLES * ASKED
    account, number = np.divmod(np.arange(rows, dtype=np.int32), ROLES * ASKED)
    return {
        "account": texts(account, of_account),
        "role": texts(number // ASKED, of_role),
        "course": texts(dice.sample(count * ROLES, COURSES, ASKED).ravel(), of_course),
        "level": choices(dice.weighted((4, 1), rows), Level),
    }


# People, some thousands at once


def people(dice: Dice, account: Ints, number: Ints, lasts: Ints) -> dict[str, Columns]:
    """The tables of some people, each of whom has an account and, as on most platforms, a number across all of them."""
    count = len(number)

    def ids(rows: Any) -> Columns:
        return {"account": texts(account[rows], of_account), "person": texts(number[rows], of_person)}

    first = int(number.min())
    addresses = [f"{of_person(first + row)}@estate.example" for row in range(int(number.max()) - first + 1)]
    reached = np.where(dice.chance(0.97, count), number - first, len(addresses) + dice.among(range(3), count))
    names = pa.array([*addresses, *NOBODY], pa.string())
    everybody = np.arange(count)
    personnel = ids(everybody)
    personnel["id"] = personnel.pop("person")
    found = {
        "personnel": {
            **personnel,
            "email": pa.DictionaryArray.from_arrays(numbers(reached, reached == len(names)), names),
            "employment": choices(dice.weighted((8, 2), count), Employment),
            "archived": pa.array(dice.chance(0.05, count)),
            "auto_enrol": pa.array(dice.chance(0.97, count)),
        }
    }
    held = np.repeat(everybody, dice.weighted((1, 6, 3), count))
    second = np.concatenate(([False], held[1:] == held[:-1]))
    role = dice.sample(count, ROLES, 2)[held, second.astype(np.int32)]
    found["held_roles"] = {
        **ids(held),
        "role": texts(role, of_role),
        "assigned_on": dates(dice.ago(900, len(held)), dice.chance(0.5, len(held))),
    }
    asked = np.flatnonzero(dice.chance(0.1, count))
    found["assignments"] = {
        **ids(asked),
        "course": texts(dice.among(range(COURSES), len(asked)), of_course),
        "level": choices(dice.weighted((1, 1), len(asked)), Level),
        "assigned_on": dates(dice.ago(900, len(asked)), dice.chance(0.5, len(asked))),
    }
    out = np.flatnonzero(dice.chance(0.02, count))
    found["opt_outs"] = {**ids(out), "course": texts(dice.among(range(COURSES), len(out)), of_course)}

    taken = dice.sample(count, COURSES, TAKEN)
    again = dice.chance(0.1, (count, TAKEN))
    at = np.repeat(np.arange(count * TAKEN), 1 + again.ravel())
    repeated = np.concatenate(([False], at[1:] == at[:-1]))
    completed = dice.ago(1100, len(at))
    same_day = repeated & dice.chance(0.1, len(at))  # so that there are ties to settle
    completed[same_day] = completed[np.flatnonzero(same_day) - 1]
    who, what = at // TAKEN, taken.ravel()[at]
    no_validity = lasts[account[who], what] == VALIDITIES.index(None)
    written = no_validity | dice.chance(0.3, len(at))
    found["records"] = {
        **ids(who),
        "course": texts(what, of_course),
        "completed_on": dates(completed),
        "expires_on": dates(completed + dice.among(LASTING, len(at)), ~written),
        "never_expires": pa.array(~written & dice.chance(0.03, len(at))),
        "voided": pa.array(dice.chance(0.02, len(at))),
    }

    booked = np.repeat(everybody, dice.weighted((10, 9, 1), count))
    pair = booked * TAKEN + dice.among(range(TAKEN), count)[booked]  # a second booking is on the same course
    oldest = np.flatnonzero(~repeated)[pair]
    newest = oldest + again.ravel()[pair]
    day = np.stack((completed[newest], completed[oldest]))[dice.weighted((1, 1), len(pair)), np.arange(len(pair))]
    kind = dice.weighted((2, 1, 1), len(pair))  # of a completion, of a first booking, of nobody knows what
    cycle = np.where(kind == 0, day, TODAY + 1)  # the day after stands for `first`
    status = dice.weighted(tuple(weight for _, weight in STATUSES), len(pair))
    statuses = [status for status, _ in STATUSES]
    ended = np.array([status not in OPEN for status in statuses])[status]
    cancelled = status == statuses.index(EnrolmentStatus.CANCELLED)
    enrolled = dice.ago(60, len(pair))
    found["enrolments"] = {
        **ids(booked),
        "id": texts(number[booked] * 2 + np.concatenate(([False], booked[1:] == booked[:-1])), of_enrolment),
        "course": texts(taken.ravel()[pair], of_course),
        "cycle": texts(cycle, lambda day: "first" if day > TODAY else iso(day), kind == 2),
        "origin": choices(1 - dice.weighted((1, 9), len(pair)), Origin),
        "status": choices(status, statuses),
        "enrolled_at": instants(enrolled),
        "invited_at": instants(enrolled, dice.chance(0.1, len(pair))),
        "ended_on": dates(enrolled + dice.among(range(60), len(pair)), ~ended),
        "ended_because": pa.array(np.where(dice.chance(0.5, len(pair)), "requested", "superseded"), mask=~cancelled),
    }
    return found


def tables(people_in_all: int, accounts_in_all: int, seed: int = 1, life: int = 1) -> Iterator[tuple[str, Columns]]:
    """The tables, those about people in pieces, by ascending account and person.

    Another `life` gives the same people in the same accounts, of whom all else is different.
    """
    sizes = np.full(accounts_in_all, people_in_all // accounts_in_all, np.int32)
    sizes[: people_in_all % accounts_in_all] += 1
    dice = Dice(seed, 0)
    yield "accounts", accounts(dice, sizes)
    columns, lasts = courses(dice, accounts_in_all)
    yield "courses", columns
    yield "roles", roles(accounts_in_all)
    yield "requirements", requirements(dice, accounts_in_all)
    starts = np.concatenate(([0], np.cumsum(sizes)))
    for low in range(0, people_in_all, PEOPLE_AT_ONCE):
        everybody = np.arange(low, min(low + PEOPLE_AT_ONCE, people_in_all), dtype=np.int32)
        account = np.searchsorted(starts, everybody, side="right") - 1
        yield from people(Dice(seed, life, low), account.astype(np.int32), everybody, lasts).items()


def write(directory: Path, people: int, accounts: int, seed: int = 1, life: int = 1) -> None:
    """The tables as files. Their texts are plain to whoever reads them, whatever wrote them."""
    directory.mkdir(parents=True, exist_ok=True)
    writers: dict[str, pq.ParquetWriter] = {}
    try:
        for name, columns in tables(people, accounts, seed, life):
            table = pa.table(columns)
            if name not in writers:
                writers[name] = pq.ParquetWriter(directory / f"{name}.parquet", table.schema, store_schema=False)
            writers[name].write_table(table, row_group_size=max(1, len(table)))
    finally:
        for writer in writers.values():
            writer.close()


# The same as objects, where there are not too many


def rows(directory: Path, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pq.read_table(directory / f"{name}.parquet").to_pylist()
    return found


def snapshots(directory: Path) -> tuple[Snapshot, ...]:
    """One of each account, built by the model's own classes."""
    asked, held = _grouped(rows(directory, "requirements"), "role"), _grouped(rows(directory, "held_roles"), "person")
    found: dict[str, dict[str, list[Any]]] = {}
    for table, make in _MAKERS.items():
        for row in rows(directory, table):
            inside = {"roles": asked, "personnel": held}.get(table, {}).get((row["account"], row.get("id", "")), ())
            account = row.pop("account")
            found.setdefault(account, {name: [] for name in _MAKERS})[table].append(make(row, inside))
    settings = {row["account"]: row for row in rows(directory, "accounts")}
    return tuple(
        Snapshot(account=_account(settings[account]), **{name: tuple(rows) for name, rows in of_account.items()})
        for account, of_account in sorted(found.items())
    )


def _grouped(rows: list[dict[str, Any]], by: str) -> dict[tuple[str, str], list[dict[str, Any]]]:
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault((row.pop("account"), row.pop(by)), []).append(row)
    return found


def _account(row: dict[str, Any]) -> Account:
    causes = frozenset(map(Withdrawal, row.pop("withdraw_when")))
    return Account(id=row.pop("account"), withdraw_when=causes, **row)


def _course(row: dict[str, Any], _: Any) -> Course:
    months, days = row.pop("validity_months"), row.pop("validity_days")
    validity = None if months is None and days is None else Validity(months=months, days=days)
    return Course(
        **row
        | {
            "delivery": Delivery(row["delivery"]),
            "audience": Audience(row["audience"]),
            "scope": Scope(row["scope"]),
            "validity": validity,
        }
    )


def _role(row: dict[str, Any], asked: Any) -> Role:
    rows = tuple(RoleCourse(course=one["course"], level=Level(one["level"])) for one in asked)
    return Role(id=row["id"], requirements=rows)


def _person(row: dict[str, Any], held: Any) -> Person:
    roles = tuple(HeldRole(**one) for one in held)
    return Person(**row | {"employment": Employment(row["employment"]), "roles": roles})


def _enrolment(row: dict[str, Any], _: Any) -> Enrolment:
    return Enrolment(**row | {"origin": Origin(row["origin"]), "status": EnrolmentStatus(row["status"])})


_MAKERS: Mapping[str, Any] = {
    "courses": _course,
    "roles": _role,
    "personnel": _person,
    "assignments": lambda row, _: Assignment(**row | {"level": Level(row["level"])}),
    "records": lambda row, _: TrainingRecord(**row),
    "enrolments": _enrolment,
    "opt_outs": lambda row, _: OptOut(**row),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("directory", type=Path)
    parser.add_argument("--people", type=int, default=10_000, metavar="N")
    parser.add_argument("--accounts", type=int, metavar="N", help="one for every thousand people, unless given")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    options = parser.parse_args()
    write(options.directory, options.people, options.accounts or max(1, options.people // 1000), options.seed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
