"""The nouns of the training register: what goes in.

Every value is frozen, hashable, built by keyword, and checked when it is built (`InvalidValue` otherwise). Days are
civil dates in the account's time zone; the order of rows never matters. What a rule may see of all this is in
`enrolpolicy.candidate`.
"""

from collections.abc import Iterable
from datetime import date, datetime
from enum import Enum
from operator import attrgetter
from typing import Annotated, final

from attrs import Factory, field, frozen

from enrolpolicy.constraints import Amount, Balance, Between, Days, Id, LongDays, Share, Zone, checked
from enrolpolicy.errors import InvalidSnapshot, InvalidValue, Problem


@final
class Delivery(Enum):
    """How a course is taken; the first two are eLearning."""

    IHASCO = "ihasco"
    SCORM = "scorm"
    CLASSROOM = "classroom"
    OTHER = "other"


@final
class Audience(Enum):
    """Whom a course's auto-enrolment is for."""

    EMPLOYEES = "employees"
    EVERYONE = "everyone"


@final
class Scope(Enum):
    """Which requirement levels a course's auto-enrolment is for."""

    REQUIRED = "required"
    REQUIRED_AND_OPTIONAL = "required-and-optional"


@final
class Level(Enum):
    """How strongly a training is asked of somebody."""

    REQUIRED = "required"
    OPTIONAL = "optional"


@final
class Employment(Enum):
    """Whether a person is the account's own employee or a sub-contractor."""

    EMPLOYEE = "employee"
    SUBCONTRACTOR = "subcontractor"


@final
class Origin(Enum):
    """Who made an enrolment: this policy, or a person."""

    AUTO = "auto"
    MANUAL = "manual"


@final
class EnrolmentStatus(Enum):
    """Where an enrolment stands; which moves there are, `enrolpolicy.lifecycle` says."""

    PENDING = "pending"
    BOOKED = "booked"
    IN_PROGRESS = "in-progress"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    REFUSED = "refused"


@final
class Anchor(Enum):
    """What a validity is counted from: the completion, or the expiry before it (which keeps the anniversary)."""

    COMPLETION = "completion"
    PREVIOUS_EXPIRY = "previous-expiry"


@final
class Withdrawal(Enum):
    """Why a booking may be withdrawn again (rule 5); an account chooses among these."""

    SUPERSEDED = "superseded"
    PERSON_ARCHIVED = "person-archived"
    NO_LONGER_ASSIGNED = "no-longer-assigned"
    COURSE_ARCHIVED = "course-archived"
    PERSON_DISABLED = "person-disabled"
    COURSE_DISABLED = "course-disabled"
    OUT_OF_AUDIENCE = "out-of-audience"
    OUT_OF_SCOPE = "out-of-scope"


WITHDRAWN_BY_DEFAULT = frozenset(
    {
        Withdrawal.SUPERSEDED,
        Withdrawal.PERSON_ARCHIVED,
        Withdrawal.NO_LONGER_ASSIGNED,
        Withdrawal.COURSE_ARCHIVED,
    }
)


@final
@frozen(kw_only=True, field_transformer=checked)
class Guards:
    """Limits above which a plan is not applyable (rule 7); None: no limit.

    `max_cancelled_fraction` is the share of the account's automatic bookings that one plan may cancel, 0 to 1.
    """

    max_enrolments: Amount | None = None
    max_credits: Amount | None = None
    max_cancellations: Amount | None = None
    max_cancelled_fraction: Share | None = None


@final
@frozen(kw_only=True, field_transformer=checked)
class Account:
    """One account's settings; they live at its primary division and hold for all divisions.

    `elearning_plan_active`: it has paid for eLearning. `auto_enrol` is the master switch; `auto_enrol_missing` is for
    training never recorded, if it was asked of somebody on or after `missing_since` (None: whenever). `lead_days`, here
    and on a course, is how many days before an expiry its window opens, and counts only with `custom_expiry`.
    `expired_lookback_days`: for how many days after an expiry somebody is still enrolled. `expiring_soon_days` colours
    a status, and decides nothing. `spread_days`: over how many days renewals are spread (0: they are not). `credits` is
    the balance, None where eLearning is not metered. `withdraw_when`: for what a booking is taken back. `guards`: what
    a plan may come to.
    """

    id: Id
    timezone: Zone = "Europe/London"
    elearning_plan_active: bool = True
    auto_enrol: bool = True
    auto_enrol_missing: bool = False
    missing_since: date | None = None
    custom_expiry: bool = False
    lead_days: Days | None = None
    expired_lookback_days: LongDays = 90
    expiring_soon_days: Days = 60
    credits: Balance | None = None
    spread_days: Days = 0
    withdraw_when: frozenset[Withdrawal] = WITHDRAWN_BY_DEFAULT
    guards: Guards = Factory(Guards)


@final
@frozen(kw_only=True, field_transformer=checked)
class Validity:
    """How long a completion counts: calendar months, or days; exactly one of the two."""

    months: Annotated[int, Between(1, 1200)] | None = None
    days: Annotated[int, Between(1, 36525)] | None = None
    anchor: Anchor = Anchor.COMPLETION

    def __attrs_post_init__(self) -> None:
        if (self.months is None) == (self.days is None):
            raise InvalidValue("validity", "must have either `months` or `days`, not both and not neither")


@final
@frozen(kw_only=True, field_transformer=checked)
class Course:
    """A course of the register.

    `auto_enrol` is the box that switches automatic enrolment on for it; `audience` and `scope` say whom that is for.
    `lead_days` is days before expiry, `validity` how long a completion counts (None: for ever, unless its record says
    otherwise), `credit_cost` credits per enrolment.
    """

    id: Id
    name: str = ""
    delivery: Delivery
    archived: bool = False
    auto_enrol: bool = False
    audience: Audience = Audience.EMPLOYEES
    scope: Scope = Scope.REQUIRED
    lead_days: Days | None = None
    validity: Validity | None = None
    credit_cost: Annotated[int, Between(0, 10**6)] = 1


@final
@frozen(kw_only=True, field_transformer=checked)
class RoleCourse:
    """A training that a role asks for."""

    course: Id
    level: Level


@final
@frozen(kw_only=True, field_transformer=checked)
class Role:
    """A role, and the trainings it asks for."""

    id: Id
    name: str = ""
    requirements: tuple[RoleCourse, ...] = ()


@final
@frozen(kw_only=True, field_transformer=checked)
class HeldRole:
    """A role somebody holds, and since when, where that is known."""

    role: Id
    assigned_on: date | None = None


@final
@frozen(kw_only=True, field_transformer=checked)
class Person:
    """Somebody on the register. `auto_enrol` is the toggle on their profile; `division` only groups."""

    id: Id
    name: str = ""
    email: str | None = None
    employment: Employment
    archived: bool = False
    auto_enrol: bool = True
    roles: tuple[HeldRole, ...] = ()
    division: str | None = None


@final
@frozen(kw_only=True, field_transformer=checked)
class Assignment:
    """A training asked of one person, beside what their roles ask for."""

    person: Id
    course: Id
    level: Level
    assigned_on: date | None = None


@final
@frozen(kw_only=True, field_transformer=checked)
class TrainingRecord:
    """A completed training. `expires_on`, where given, is the last valid day; a voided record counts for nothing."""

    person: Id
    course: Id
    completed_on: date
    expires_on: date | None = None
    never_expires: bool = False
    voided: bool = False


@final
@frozen(kw_only=True, field_transformer=checked)
class Enrolment:
    """A booking at the LMS, whoever made it.

    `cycle` says which renewal it is (rule 2), None where nobody recorded it; `because` is the trigger that made it.
    `ended_on` and `ended_because` belong to ended ones: `requested` where a person cancelled, a cause of rule 5 where
    the plan did, the LMS's words where it refused.
    """

    id: Id
    person: Id
    course: Id
    cycle: str | None = None
    origin: Origin
    status: EnrolmentStatus
    because: str | None = None
    enrolled_at: datetime
    invited_at: datetime | None = None
    ended_on: date | None = None
    ended_because: str | None = None


@final
@frozen(kw_only=True, field_transformer=checked)
class OptOut:
    """One person, out of auto-enrolment for one course."""

    person: Id
    course: Id


@final
@frozen(kw_only=True, field_transformer=checked)
class Snapshot:
    """One account at one moment. Raises `InvalidSnapshot` where two rows share an id."""

    account: Account
    courses: tuple[Course, ...] = ()
    roles: tuple[Role, ...] = ()
    personnel: tuple[Person, ...] = ()
    assignments: tuple[Assignment, ...] = ()
    records: tuple[TrainingRecord, ...] = field(default=(), repr=False)
    enrolments: tuple[Enrolment, ...] = ()
    opt_outs: tuple[OptOut, ...] = ()

    def __attrs_post_init__(self) -> None:
        problems = [
            *repeated_ids("courses", map(_id, self.courses)),
            *repeated_ids("roles", map(_id, self.roles)),
            *repeated_ids("personnel", map(_id, self.personnel)),
            *repeated_ids("enrolments", map(_id, self.enrolments)),
        ]
        if problems:
            raise InvalidSnapshot(tuple(problems[:1000]), max(0, len(problems) - 1000))


_id = attrgetter("id")


def repeated_ids(table: str, ids: Iterable[object]) -> list[Problem]:
    """A problem for every row of a table whose id an earlier row has."""
    listed = list(ids)
    if len(set(listed)) == len(listed):  # nearly every table's case, and asked in every transaction of a night
        return []
    first: dict[object, int] = {}
    problems = []
    for index, id in enumerate(listed):
        earlier = first.setdefault(id, index)
        if earlier != index:
            message = f"the id `{str(id)[:80]}` is also the one of row {earlier}; give each row its own"
            problems.append(Problem(path=f"$.{table}[{index}].id", code="duplicate-id", message=message))
    return problems
