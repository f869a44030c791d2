"""Changes to a snapshot, as values: what somebody wants to be different, and the snapshot in which it is (rule 8).

`applied` makes a change, for instance to see what a plan would be; `amend` asks first whether the actor may, and writes
down what changed. Neither touches the snapshot it is given.
"""

from collections.abc import Iterator
from datetime import date
from enum import Enum
from typing import Any, TypeVar, final

from attrs import evolve, fields, frozen

from enrolpolicy.bookings import REQUESTED
from enrolpolicy.cancellation import CancelRefused, cancel
from enrolpolicy.canonical import plain
from enrolpolicy.errors import UnknownId
from enrolpolicy.lifecycle import Event, advance
from enrolpolicy.model import Audience, Enrolment, Guards, OptOut, Scope, Snapshot, Withdrawal
from enrolpolicy.permissions import Actor, Area, PermissionDenied, denied


@final
class Unchanged(Enum):
    """The type of `UNCHANGED`, which None cannot stand for: None switches things off."""

    UNCHANGED = "unchanged"


UNCHANGED = Unchanged.UNCHANGED
"""Leave a setting as it is."""


@final
@frozen(kw_only=True)
class ChangeCourse:
    """Settings of one course; the values are checked when the change is made."""

    course: str
    auto_enrol: bool | Unchanged = UNCHANGED
    audience: Audience | Unchanged = UNCHANGED
    scope: Scope | Unchanged = UNCHANGED
    lead_days: int | Unchanged | None = UNCHANGED


@final
@frozen(kw_only=True)
class ChangeAccount:
    """Settings of the account; the values are checked when the change is made."""

    auto_enrol: bool | Unchanged = UNCHANGED
    auto_enrol_missing: bool | Unchanged = UNCHANGED
    missing_since: date | Unchanged | None = UNCHANGED
    custom_expiry: bool | Unchanged = UNCHANGED
    lead_days: int | Unchanged | None = UNCHANGED
    expired_lookback_days: int | Unchanged = UNCHANGED
    expiring_soon_days: int | Unchanged = UNCHANGED
    spread_days: int | Unchanged = UNCHANGED
    withdraw_when: frozenset[Withdrawal] | Unchanged = UNCHANGED
    guards: Guards | Unchanged = UNCHANGED


@final
@frozen(kw_only=True)
class ChangePerson:
    """The toggle on somebody's profile."""

    person: str
    auto_enrol: bool


@final
@frozen(kw_only=True)
class ChangeOptOut:
    """Take one person out of auto-enrolment for one course, or back in."""

    person: str
    course: str
    opted_out: bool


@final
@frozen(kw_only=True)
class CancelEnrolment:
    """Cancel a booking that was not started."""

    enrolment: str


Change = ChangeCourse | ChangeAccount | ChangePerson | ChangeOptOut | CancelEnrolment

AREAS: dict[type, Area] = {
    ChangeCourse: Area.COURSE,
    ChangeAccount: Area.ACCOUNT,
    ChangePerson: Area.PERSON,
    ChangeOptOut: Area.PERSON,
    CancelEnrolment: Area.CANCELLING,
}


@final
@frozen(kw_only=True)
class AuditEntry:
    """Who changed what, on which date. `changed` holds, by field: its name, what it was, and what it is."""

    actor: str
    account: str
    on: date
    area: Area
    target: str
    changed: tuple[tuple[str, str, str], ...]


@final
@frozen(kw_only=True)
class Amended:
    """The snapshot after a change, and the entry for the audit trail."""

    snapshot: Snapshot
    entry: AuditEntry


def amend(snapshot: Snapshot, change: Change, actor: Actor, *, on: date) -> Amended | PermissionDenied | CancelRefused:
    """Make a change that an actor asks for on a local date, or say why not.

    Raises `UnknownId` for a course or person that the snapshot does not have, and `InvalidValue` for a value that its
    field cannot hold. A change to what is so already is made, and its entry is empty.
    """
    area = AREAS[type(change)]
    refusal = denied(actor, area, snapshot.account.id)
    if refusal is not None:
        return refusal
    if isinstance(change, CancelEnrolment):
        answer = cancel(snapshot, change.enrolment)
        if isinstance(answer, CancelRefused):
            return answer
    after = applied(snapshot, change, on=on)
    entry = AuditEntry(
        actor=actor.id,
        account=snapshot.account.id,
        on=on,
        area=area,
        target=_target(snapshot, change),
        changed=tuple(_differences(snapshot, after, change)),
    )
    return Amended(snapshot=after, entry=entry)


def applied(snapshot: Snapshot, change: Change, *, on: date) -> Snapshot:
    """The snapshot with a change made, whoever may make it; errors as for `amend`.

    A cancellation that would be refused changes nothing; `UnknownId` where there is no such enrolment.
    """
    match change:
        case ChangeAccount():
            return evolve(snapshot, account=evolve(snapshot.account, **_settings(change)))
        case ChangeCourse():
            _known(snapshot, "course", change.course)
            return evolve(snapshot, courses=_with(snapshot.courses, change.course, _settings(change)))
        case ChangePerson():
            _known(snapshot, "person", change.person)
            return evolve(snapshot, personnel=_with(snapshot.personnel, change.person, _settings(change)))
        case ChangeOptOut():
            return _opted(snapshot, change)
        case CancelEnrolment():
            return _cancelled(snapshot, change.enrolment, on)


_NAMES = ("course", "person")
_Row = TypeVar("_Row", bound=Any)


def _settings(change: Change) -> dict[str, Any]:
    """What a change says, without whom it is about."""
    values = {field.name: getattr(change, field.name) for field in fields(type(change)) if field.name not in _NAMES}
    return {name: value for name, value in values.items() if value is not UNCHANGED}


def _with(rows: tuple[_Row, ...], id: str, settings: dict[str, Any]) -> tuple[_Row, ...]:
    return tuple(evolve(row, **settings) if row.id == id else row for row in rows)


def _known(snapshot: Snapshot, kind: str, id: str) -> None:
    rows: tuple[Any, ...] = snapshot.personnel if kind == "person" else snapshot.courses
    if all(row.id != id for row in rows):
        raise UnknownId(kind, id)


def _opted(snapshot: Snapshot, change: ChangeOptOut) -> Snapshot:
    _known(snapshot, "person", change.person)
    _known(snapshot, "course", change.course)
    wanted = OptOut(person=change.person, course=change.course)
    if change.opted_out:
        return snapshot if wanted in snapshot.opt_outs else evolve(snapshot, opt_outs=(*snapshot.opt_outs, wanted))
    return evolve(snapshot, opt_outs=tuple(row for row in snapshot.opt_outs if row != wanted))


def _cancelled(snapshot: Snapshot, id: str, on: date) -> Snapshot:
    if all(row.id != id for row in snapshot.enrolments):
        raise UnknownId("enrolment", id)
    if isinstance(cancel(snapshot, id), CancelRefused):
        return snapshot

    def after(row: Enrolment) -> Enrolment:
        ended = advance(row, Event.CANCEL, on=on, because=REQUESTED) if row.id == id else row
        return ended if isinstance(ended, Enrolment) else row

    return evolve(snapshot, enrolments=tuple(map(after, snapshot.enrolments)))


# The audit trail


def _target(snapshot: Snapshot, change: Change) -> str:
    match change:
        case ChangeAccount():
            return snapshot.account.id
        case ChangeCourse():
            return change.course
        case ChangePerson() | ChangeOptOut():
            return change.person
        case CancelEnrolment():
            return change.enrolment


def _differences(before: Snapshot, after: Snapshot, change: Change) -> Iterator[tuple[str, str, str]]:
    if isinstance(change, ChangeOptOut):
        row = OptOut(person=change.person, course=change.course)
        was, now = row in before.opt_outs, row in after.opt_outs
        if was != now:
            yield f"opted out of {change.course}", _text(was), _text(now)
        return
    old, new = _subject(before, change), _subject(after, change)
    for field in fields(type(old)):
        was, now = getattr(old, field.name), getattr(new, field.name)
        if was != now:
            yield field.name, _text(was), _text(now)


def _subject(snapshot: Snapshot, change: Change) -> Any:
    """The row a change is about."""
    match change:
        case ChangeCourse():
            rows, id = snapshot.courses, change.course
            return next(row for row in rows if row.id == id)
        case ChangePerson():
            return next(row for row in snapshot.personnel if row.id == change.person)
        case CancelEnrolment():
            return next(row for row in snapshot.enrolments if row.id == change.enrolment)
        case _:
            return snapshot.account


def _text(value: object) -> str:
    """A value as the audit trail has it."""
    return str(plain(value))
