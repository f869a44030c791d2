"""Looking ahead, beside one plan: what-if, coverage, a year's forecast; and the forecast beside stepping every night.

    python benchmarks/ahead.py [--people N] [--repeat N] [--small N] [--days N]

Times are processor seconds, the best of some repeats. The forecast of a register is made twice: with credits that do
not suffice, which takes a second walk to find the top-up, and with none metered. On a smaller register every night is
also planned, carried out and lived through on whole snapshots; both must give the same actions, or it ends with 1.
"""

import argparse
import sys
import time
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from attrs import evolve

from enrolpolicy import (
    Action,
    ChangeAccount,
    ChangePerson,
    Enrolment,
    EnrolmentStatus,
    Snapshot,
    TrainingRecord,
    candidate,
    coverage,
    forecast,
    plan,
    project,
    what_helps,
    what_if,
)
from enrolpolicy.dates import local_date
from registers import ON, register

OPEN = {EnrolmentStatus.PENDING, EnrolmentStatus.BOOKED, EnrolmentStatus.IN_PROGRESS}
AFTER_DAYS = 14


def best(work: Callable[[], Any], repeat: int) -> tuple[float, Any]:
    seconds, result = [], None
    for _ in range(repeat):
        start = time.process_time()
        result = work()
        seconds.append(time.process_time() - start)
    return min(seconds), result


def unmetered(snapshot: Snapshot) -> Snapshot:
    return evolve(snapshot, account=evolve(snapshot.account, credits=None))


# Every night, on whole snapshots


def every_night(snapshot: Snapshot, until: date) -> list[tuple[Action, ...]]:
    """The actions of every night, where each booking is completed two weeks after it was made."""
    nights, on = [], ON
    people = {row.id for row in snapshot.personnel if not row.archived}
    timezone = snapshot.account.timezone
    while on <= until:
        tonight = plan(snapshot, on=on)
        nights.append(tonight.actions)
        snapshot = project(snapshot, tonight)
        due = [
            row
            for row in snapshot.enrolments
            if row.status in OPEN
            and row.person in people
            and local_date(timezone, row.enrolled_at) <= on - timedelta(AFTER_DAYS)
        ]
        snapshot = completed(snapshot, due, on)
        on += timedelta(1)
    return nights


def completed(snapshot: Snapshot, due: list[Enrolment], on: date) -> Snapshot:
    records = tuple(record(snapshot, row, on) for row in due)
    ended = {row.id for row in due}
    rows = tuple(
        evolve(row, status=EnrolmentStatus.COMPLETED, ended_on=on) if row.id in ended else row
        for row in snapshot.enrolments
    )
    return evolve(snapshot, enrolments=rows, records=(*snapshot.records, *records))


def record(snapshot: Snapshot, row: Enrolment, on: date) -> TrainingRecord:
    """Without a validity, the new record is valid for as long as the old one was."""
    found = candidate(snapshot, person=row.person, course=row.course, on=on)
    began, ended = found.renewal.completed_on, found.renewal.expires_on
    expires_on = None
    if found.course.validity is None and began is not None and ended is not None and ended > began:
        expires_on = on + (ended - began)
    return TrainingRecord(person=row.person, course=row.course, completed_on=on, expires_on=expires_on)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--people", type=int, default=10_000, metavar="N")
    parser.add_argument("--repeat", type=int, default=3, metavar="N", help="of which the best counts")
    parser.add_argument("--small", type=int, default=200, metavar="N", help="people where every night is stepped")
    parser.add_argument("--days", type=int, default=120, metavar="N", help="for so many days")
    options = parser.parse_args()
    return 0 if beside_a_plan(options.people, options.repeat) and beside_every_night(options.small, options.days) else 1


def beside_a_plan(people: int, repeat: int) -> bool:
    snapshot, year = register(people), ON + timedelta(365)
    base, tonight = best(lambda: plan(snapshot, on=ON), repeat)
    found = coverage(snapshot, on=ON)
    ahead: Any = None
    print(f"\n{people:,} people × 60 courses, {len(snapshot.records):,} records")
    print(f"  {'':44}{'seconds':>9}{'× plan':>9}")
    print(f"  {'plan':44}{base:9.3f}{1:9.2f}")
    account, person = ChangeAccount(auto_enrol_missing=False), ChangePerson(person="person-000001", auto_enrol=False)
    for name, work in (
        ("what-if, one person's toggle", lambda: what_if(snapshot, [person], on=ON)),
        ("what-if, a setting of the account", lambda: what_if(snapshot, [account], on=ON)),
        ("coverage", lambda: coverage(snapshot, on=ON)),
        ("what one change would help", lambda: what_helps(snapshot, found)),
        ("a year's forecast", lambda: forecast(unmetered(snapshot), start=ON, until=year)),
        ("a year's forecast, credits short, with top-up", lambda: forecast(snapshot, start=ON, until=year)),
    ):
        seconds, ahead = best(work, 1 if base > 0.5 else repeat)
        print(f"  {name:44}{seconds:9.3f}{seconds / base:9.2f}")
    same = bool(ahead.nights[0].actions == tonight.actions)
    print("  the forecast's first night is the plan" if same else "  THE FORECAST'S FIRST NIGHT IS NOT THE PLAN")
    return same


def beside_every_night(people: int, days: int) -> bool:
    snapshot, until = unmetered(register(people)), ON + timedelta(days)
    ours, ahead = best(lambda: forecast(snapshot, start=ON, until=until), 3)
    naive, nights = best(lambda: every_night(snapshot, until), 1)
    told = {night.on: night.actions for night in ahead.nights}
    same = bool(nights == [told.get(ON + timedelta(day), ()) for day in range(days + 1)])
    print(f"\n{people:,} people, {days} days: forecast {ours:.3f} s, every night planned {naive:.3f} s")
    print(f"  {naive / ours:.0f} × as long; {'all actions agree' if same else 'THEY DISAGREE'}")
    return same


if __name__ == "__main__":
    sys.exit(main())
