"""What comes out of a night: actions, what was put off, what was noticed. Plain values."""

from datetime import date
from typing import final

from attrs import Factory, field, frozen

from enrolpolicy.canonical import digest
from enrolpolicy.constraints import checked
from enrolpolicy.model import Snapshot
from enrolpolicy.policy import POLICY_VERSION

FORMAT_VERSION = "1.0"


@final
@frozen(kw_only=True, field_transformer=checked)
class Enrol:
    """Book one person on one course. `credits` is what it costs; `key` makes doing it twice the same as once."""

    person: str
    course: str
    cycle: str
    attempt: int
    because: str
    expires_on: date | None
    credits: int
    key: str


@final
@frozen(kw_only=True, field_transformer=checked)
class Cancel:
    """Take a booking back that has not been started."""

    enrolment: str
    person: str
    course: str
    because: str


@final
@frozen(kw_only=True, field_transformer=checked)
class Invite:
    """Send the invitation of a booking in the register that never went out."""

    enrolment: str
    person: str
    course: str


Action = Enrol | Cancel | Invite


@final
@frozen(kw_only=True, field_transformer=checked)
class Deferred:
    """Somebody who is to be enrolled, later.

    Because of `spread`: on `until`. Because of `credits`: when there are `shortfall` more of them.
    """

    person: str
    course: str
    cycle: str
    because: str
    until: date | None = None
    shortfall: int | None = None


@final
@frozen(kw_only=True, field_transformer=checked)
class Finding:
    """Something in the data or the settings that cannot be meant so.

    `level` is `error` (something is ignored, or cannot work) or `warning`; `path` is a JSONPath into the snapshot.
    """

    level: str
    code: str
    path: str
    message: str


ERROR, WARNING = "error", "warning"
"""The levels of findings."""


def error(code: str, path: str, message: str) -> Finding:
    """A finding of level error."""
    return Finding(level=ERROR, code=code, path=path, message=message)


def warning(code: str, path: str, message: str) -> Finding:
    """A finding of level warning."""
    return Finding(level=WARNING, code=code, path=path, message=message)


@final
@frozen(kw_only=True)
class Counts:
    """How many of each. `not_enrolled` pairs the first reason of those left out with their number, in table order."""

    enrol: int = 0
    cancel: int = 0
    invite: int = 0
    deferred: int = 0
    not_enrolled: tuple[tuple[str, int], ...] = ()


@final
@frozen(kw_only=True)
class Plan:
    """One night's plan. `guards` names those that say it must not be carried out as it is."""

    account: str
    on: date
    actions: tuple[Action, ...] = ()
    deferred: tuple[Deferred, ...] = ()
    findings: tuple[Finding, ...] = ()
    guards: tuple[str, ...] = ()
    counts: Counts = Factory(Counts)
    policy_version: str = POLICY_VERSION
    format_version: str = FORMAT_VERSION
    source: Snapshot | str = field(eq=False, repr=False)
    """The snapshot planned from, or its digest where the plan was read from a document."""

    @property
    def applyable(self) -> bool:
        """Whether the plan may be carried out: no guard was tripped."""
        return not self.guards

    @property
    def snapshot(self) -> str:
        """The digest of the snapshot planned from; worked out when asked for, as it costs as much as the plan."""
        return self.source if isinstance(self.source, str) else digest(self.source)

    @property
    def enrolments(self) -> tuple[Enrol, ...]:
        """The enrolments among the actions."""
        return tuple(action for action in self.actions if isinstance(action, Enrol))

    @property
    def cancellations(self) -> tuple[Cancel, ...]:
        """The cancellations among the actions."""
        return tuple(action for action in self.actions if isinstance(action, Cancel))

    @property
    def invitations(self) -> tuple[Invite, ...]:
        """The invitations among the actions."""
        return tuple(action for action in self.actions if isinstance(action, Invite))
