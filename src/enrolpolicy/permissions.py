"""Who may change what (rule 8). Whatever the table does not allow is denied."""

from enum import Enum
from typing import final

from attrs import frozen

from enrolpolicy.constraints import Id, checked


@final
class Permission(Enum):
    """What a user of the register may have been made."""

    ACCOUNT_OWNER = "account-owner"
    ACCOUNT_ADMIN = "account-admin"
    ROLES_AND_COURSES_EDITOR = "roles-and-courses-editor"
    PERSONNEL_EDITOR = "personnel-editor"


@final
class Area(Enum):
    """What a change is about."""

    ACCOUNT = "account"
    COURSE = "course"
    PERSON = "person"
    CANCELLING = "cancelling"


_OWNERS = frozenset({Permission.ACCOUNT_OWNER, Permission.ACCOUNT_ADMIN})

ALLOWED: dict[Area, frozenset[Permission]] = {
    Area.ACCOUNT: _OWNERS,
    Area.COURSE: _OWNERS | {Permission.ROLES_AND_COURSES_EDITOR},
    Area.PERSON: _OWNERS | {Permission.PERSONNEL_EDITOR},
    Area.CANCELLING: _OWNERS | {Permission.PERSONNEL_EDITOR},
}
"""The permissions that each allow changes in an area."""

PRIMARY_ONLY = frozenset({Area.ACCOUNT})
"""The areas whose settings live at the account's primary division, and are changed nowhere else."""


@final
@frozen(kw_only=True, field_transformer=checked)
class Actor:
    """A user of the register who wants to change something.

    `account` is the one they belong to; `division` the division they are working in, None for the primary one.
    """

    id: Id
    account: Id
    permissions: frozenset[Permission]
    division: str | None = None
    active: bool = True


@final
@frozen(kw_only=True)
class PermissionDenied:
    """A change that an actor may not make.

    `code` is `other-account`, `inactive`, `not-primary-division` or `not-permitted`.
    """

    actor: str
    area: Area
    code: str

    @property
    def sentence(self) -> str:
        """What is refused, and who could do it."""
        able = ", ".join(f"`{permission.value}`" for permission in Permission if permission in ALLOWED[self.area])
        return {
            "other-account": "the actor belongs to another account; ask somebody of this one",
            "inactive": "the actor is not active; ask somebody who is",
            "not-primary-division": "account settings are changed at the primary division; change to that one first",
            "not-permitted": f"changes to this area need one of {able}",
        }[self.code]


def denied(actor: Actor, area: Area, account: str) -> PermissionDenied | None:
    """Why an actor may not make changes in an area of an account; None: they may."""
    code = _denial(actor, area, account)
    return None if code is None else PermissionDenied(actor=actor.id, area=area, code=code)


def permits(actor: Actor, area: Area, account: str) -> bool:
    """Whether an actor may make changes in an area of an account."""
    return _denial(actor, area, account) is None


def _denial(actor: Actor, area: Area, account: str) -> str | None:
    if actor.account != account:
        return "other-account"
    if not actor.active:
        return "inactive"
    if not actor.permissions & ALLOWED[area]:
        return "not-permitted"
    if area in PRIMARY_ONLY and actor.division is not None:
        return "not-primary-division"
    return None
