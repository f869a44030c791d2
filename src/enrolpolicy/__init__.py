"""Who is automatically re-enrolled before their training expires, who is not, and why.

A `Snapshot` of the register and a date go in, a `Plan` comes out, and `explain` says why for every person and course.
Nothing here reads a clock, a file or a network.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from enrolpolicy.candidate import Candidate, enrolment_key
from enrolpolicy.dates import next_run, nights_due, run_date
from enrolpolicy.errors import EnrolPolicyError, InvalidSnapshot, InvalidValue, Problem, UnknownId
from enrolpolicy.facts import Facts, Status
from enrolpolicy.findings import findings
from enrolpolicy.model import (
    Account,
    Anchor,
    Assignment,
    Audience,
    Course,
    Delivery,
    Employment,
    Enrolment,
    EnrolmentStatus,
    Guards,
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
from enrolpolicy.night import candidate
from enrolpolicy.planner import plan, project
from enrolpolicy.plans import Action, Cancel, Counts, Deferred, Enrol, Finding, Invite, Plan
from enrolpolicy.policy import GATES, NO_TRIGGER, POLICY_VERSION, TRIGGERS, WITHDRAWALS, Row
from enrolpolicy.verdict import Verdict, decide

if TYPE_CHECKING:
    from enrolpolicy.agenda import Lapse
    from enrolpolicy.amending import load_changes, load_past_enrolments
    from enrolpolicy.assumptions import Assumptions, Completion
    from enrolpolicy.backtesting import BackTest, Compared, Match, PastEnrolment, back_test
    from enrolpolicy.cancellation import CancelRefused, cancel
    from enrolpolicy.canonical import digest
    from enrolpolicy.changes import (
        UNCHANGED,
        Amended,
        AuditEntry,
        CancelEnrolment,
        ChangeAccount,
        ChangeCourse,
        ChangeOptOut,
        ChangePerson,
        amend,
        applied,
    )
    from enrolpolicy.codec import dump, load, load_plan
    from enrolpolicy.covering import Coverage, CoverageCell, Covered, Standing, coverage
    from enrolpolicy.explanation import Answer, Explanation, explain, explain_all
    from enrolpolicy.forecasting import Drift, Forecast, ForecastMonth, ForecastNight, forecast
    from enrolpolicy.lifecycle import Event, Forbidden, advance, move
    from enrolpolicy.permissions import Actor, Area, Permission, PermissionDenied, permits
    from enrolpolicy.remedies import Remedy, what_helps
    from enrolpolicy.schemas import plan_schema, snapshot_schema
    from enrolpolicy.staleness import Changed, Rechecked, Stale, preconditions, recheck
    from enrolpolicy.tabular import forecast_csv
    from enrolpolicy.views import (
        BookingStatus,
        CoursePanel,
        CourseRow,
        Light,
        PanelRow,
        Profile,
        ProfileRow,
        Tag,
        course_panel,
        course_register,
        personnel_profile,
    )
    from enrolpolicy.whatif import (
        Difference,
        Figures,
        Moved,
        Outcome,
        Part,
        Supposition,
        TopUp,
        difference,
        supposed,
        what_if,
    )

# What only some callers need (JSON, changes to settings, plans on newer data) is imported when it is first asked for:
# building its classes would double the time this import takes.
_LATER = {
    "Assumptions": "assumptions",
    "Completion": "assumptions",
    "load_changes": "amending",
    "load_past_enrolments": "amending",
    "BackTest": "backtesting",
    "Compared": "backtesting",
    "Match": "backtesting",
    "PastEnrolment": "backtesting",
    "back_test": "backtesting",
    "CancelRefused": "cancellation",
    "cancel": "cancellation",
    "digest": "canonical",
    "Amended": "changes",
    "AuditEntry": "changes",
    "CancelEnrolment": "changes",
    "ChangeAccount": "changes",
    "ChangeCourse": "changes",
    "ChangeOptOut": "changes",
    "ChangePerson": "changes",
    "UNCHANGED": "changes",
    "amend": "changes",
    "applied": "changes",
    "dump": "codec",
    "load": "codec",
    "load_plan": "codec",
    "Coverage": "covering",
    "CoverageCell": "covering",
    "Covered": "covering",
    "Standing": "covering",
    "coverage": "covering",
    "Answer": "explanation",
    "Explanation": "explanation",
    "explain": "explanation",
    "explain_all": "explanation",
    "Drift": "forecasting",
    "Forecast": "forecasting",
    "ForecastMonth": "forecasting",
    "ForecastNight": "forecasting",
    "Lapse": "agenda",
    "forecast": "forecasting",
    "Event": "lifecycle",
    "Forbidden": "lifecycle",
    "advance": "lifecycle",
    "move": "lifecycle",
    "Actor": "permissions",
    "Area": "permissions",
    "Permission": "permissions",
    "PermissionDenied": "permissions",
    "permits": "permissions",
    "Changed": "staleness",
    "Rechecked": "staleness",
    "Stale": "staleness",
    "preconditions": "staleness",
    "recheck": "staleness",
    "BookingStatus": "views",
    "CoursePanel": "views",
    "CourseRow": "views",
    "Light": "views",
    "PanelRow": "views",
    "Profile": "views",
    "ProfileRow": "views",
    "Tag": "views",
    "course_panel": "views",
    "course_register": "views",
    "personnel_profile": "views",
    "Difference": "whatif",
    "Figures": "whatif",
    "Moved": "whatif",
    "Outcome": "whatif",
    "Part": "whatif",
    "Supposition": "whatif",
    "TopUp": "whatif",
    "difference": "whatif",
    "supposed": "whatif",
    "what_if": "whatif",
    "forecast_csv": "tabular",
    "Remedy": "remedies",
    "what_helps": "remedies",
    "plan_schema": "schemas",
    "snapshot_schema": "schemas",
}

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name not in _LATER:
            raise AttributeError(f"module `enrolpolicy` has no `{name}`")
        found = getattr(import_module(f"enrolpolicy.{_LATER[name]}"), name)
        globals()[name] = found
        return found

    def __dir__() -> list[str]:
        return sorted({*globals(), *_LATER})


__all__ = [
    "GATES",
    "NO_TRIGGER",
    "POLICY_VERSION",
    "TRIGGERS",
    "UNCHANGED",
    "WITHDRAWALS",
    "Account",
    "Action",
    "Actor",
    "Amended",
    "Anchor",
    "Answer",
    "Area",
    "Assignment",
    "Assumptions",
    "Audience",
    "AuditEntry",
    "BackTest",
    "BookingStatus",
    "Cancel",
    "CancelEnrolment",
    "CancelRefused",
    "Candidate",
    "ChangeAccount",
    "ChangeCourse",
    "ChangeOptOut",
    "ChangePerson",
    "Changed",
    "Compared",
    "Completion",
    "Counts",
    "Course",
    "CoursePanel",
    "CourseRow",
    "Coverage",
    "CoverageCell",
    "Covered",
    "Deferred",
    "Delivery",
    "Difference",
    "Drift",
    "Employment",
    "Enrol",
    "EnrolPolicyError",
    "Enrolment",
    "EnrolmentStatus",
    "Event",
    "Explanation",
    "Facts",
    "Figures",
    "Finding",
    "Forbidden",
    "Forecast",
    "ForecastMonth",
    "ForecastNight",
    "Guards",
    "HeldRole",
    "InvalidSnapshot",
    "InvalidValue",
    "Invite",
    "Lapse",
    "Level",
    "Light",
    "Match",
    "Moved",
    "OptOut",
    "Origin",
    "Outcome",
    "PanelRow",
    "Part",
    "PastEnrolment",
    "Permission",
    "PermissionDenied",
    "Person",
    "Plan",
    "Problem",
    "Profile",
    "ProfileRow",
    "Rechecked",
    "Remedy",
    "Role",
    "RoleCourse",
    "Row",
    "Scope",
    "Snapshot",
    "Stale",
    "Standing",
    "Status",
    "Supposition",
    "Tag",
    "TopUp",
    "TrainingRecord",
    "UnknownId",
    "Validity",
    "Verdict",
    "Withdrawal",
    "advance",
    "amend",
    "applied",
    "back_test",
    "cancel",
    "candidate",
    "course_panel",
    "course_register",
    "coverage",
    "decide",
    "difference",
    "digest",
    "dump",
    "enrolment_key",
    "explain",
    "explain_all",
    "findings",
    "forecast",
    "forecast_csv",
    "load",
    "load_changes",
    "load_past_enrolments",
    "load_plan",
    "move",
    "next_run",
    "nights_due",
    "permits",
    "personnel_profile",
    "plan",
    "plan_schema",
    "preconditions",
    "project",
    "recheck",
    "run_date",
    "snapshot_schema",
    "supposed",
    "what_helps",
    "what_if",
]
