"""The journal's entry of a move: who, when, why, under which settings and policy version."""

import json
from datetime import date
from functools import lru_cache

from enrolpolicy.model import Account, Course
from enrolpolicy.policy import POLICY_VERSION
from enrolpolicy.ports import Desk
from enrolpolicy.rows import Entry, Row, RowStatus
from enrolpolicy.structuring import quick


def entry_of(
    desk: Desk, course: Course | None, row: Row, was: RowStatus | None, because: str, *, actor: str, on: date
) -> Entry:
    """The entry of a row that has moved; `course` is the row's, None where the register has it no more."""
    return Entry(
        account=row.account,
        key=row.key,
        person=row.person,
        course=row.course,
        was=was,
        now=row.status,
        because=because,
        actor=actor,
        on=on,
        at=desk.now,
        policy_version=POLICY_VERSION,
        settings=_settings(desk.snapshot.account, course),
    )


@lru_cache(maxsize=4096)
def _settings(account: Account, course: Course | None) -> str:
    """The settings a row is decided under, as JSON; the balance is none."""
    plain = quick(True).unstructure
    settings = plain(account)
    del settings["credits"]
    return json.dumps({"account": settings, "course": course and plain(course)}, ensure_ascii=False, sort_keys=True)
