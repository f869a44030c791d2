"""What every rival is, and what it answers."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import pyarrow.parquet as pq

from enrolpolicy import Plan
from enrolpolicy.candidate import enrolment_key

COLUMNS = (
    "account", "type", "person", "course", "cycle", "attempt", "because", "expires_on", "credits", "key", "enrolment",
)  # fmt: skip
Row = tuple[Any, ...]


class Answer(NamedTuple):
    """Who is enrolled, cancelled, invited, in any order; and how many of each account are left out for what.

    None for the reasons says that they were not counted.
    """

    actions: list[Row]
    reasons: dict[tuple[str, str], int] | None

    def same(self) -> dict[str, Any]:
        """What two answers have in common that say the same."""
        lines = sorted(map(repr, self.actions))
        digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
        counted = None if self.reasons is None else hashlib.sha256(repr(sorted(self.reasons.items())).encode())
        return {"actions": f"{len(lines)} {digest}", "reasons": counted and counted.hexdigest()[:16]}


class Rival(Protocol):
    """One way to decide.

    `load` brings the tables into memory, in whatever form suits it best; `decide` is what is measured, up to a table of
    actions in its own form, of people and courses by number; `answer` reads that, with ids and keys.
    """

    def load(self, tables: Path, keyed: Path) -> None:
        """`tables` has the register's own, `keyed` the same with references as numbers, see `rivals.keyed`."""

    def decide(self) -> Any: ...

    def answer(self, decided: Any) -> Answer: ...


class Names:
    """The ids of accounts, people and courses, by key."""

    def __init__(self, keyed: Path) -> None:
        def ids(table: str) -> list[str]:
            found: list[Any] = pq.read_table(keyed / f"{table}.parquet", columns=["id"]).column(0).to_pylist()
            return found

        self.accounts, self.people, self.courses = ids("account"), ids("person"), ids("course")


def told(names: Names, rows: Iterable[Row]) -> Answer:
    """Rows of what was decided, by key; counts among them as rows of the type `reason`."""
    actions: list[Row] = []
    reasons: dict[tuple[str, str], int] = {}
    for account, type, person, course, cycle, attempt, because, expires_on, credits, enrolment in rows:
        of = names.accounts[account]
        if type == "reason":
            reasons[of, because] = credits
        else:
            who, what = names.people[person], names.courses[course]
            key = enrolment_key(of, who, what, cycle, attempt) if type == "enrol" else None
            actions.append((of, type, who, what, cycle, attempt, because, expires_on, credits, key, enrolment))
    return Answer(actions, reasons or None)


def of_plans(plans: Iterable[Plan]) -> Answer:
    actions: list[Row] = []
    reasons: dict[tuple[str, str], int] = {}
    for plan in plans:
        of = plan.account
        for row in plan.enrolments:
            actions.append(
                (
                    of,
                    "enrol",
                    row.person,
                    row.course,
                    row.cycle,
                    row.attempt,
                    row.because,
                    row.expires_on,
                    row.credits,
                    row.key,
                    None,
                )
            )
        for gone in plan.cancellations:
            who = of, "cancel", gone.person, gone.course
            actions.append((*who, None, None, gone.because, None, None, None, gone.enrolment))
        for told in plan.invitations:
            actions.append((of, "invite", told.person, told.course, *[None] * 6, told.enrolment))
        reasons |= {(of, reason): count for reason, count in plan.counts.not_enrolled}
    return Answer(actions, reasons)
