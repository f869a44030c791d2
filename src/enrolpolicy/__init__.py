"""Who is automatically re-enrolled before their training expires, who is not, and why.

A `Snapshot` of the register and a date go in, a `Plan` comes out, and `explain` says why for every person and course.
Nothing of that reads a clock, a file or a network; `run_night` and `apply` carry a plan out through a host's own ports.
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
    from enrolpolicy.ahead.agenda import Lapse
    from enrolpolicy.ahead.amending import load_changes, load_past_enrolments
    from enrolpolicy.ahead.assumptions import Assumptions, Completion
    from enrolpolicy.ahead.backtesting import BackTest, Compared, Match, back_test
    from enrolpolicy.ahead.covering import Coverage, CoverageCell, Covered, Standing, coverage
    from enrolpolicy.ahead.feeds import CalendarEntry, EntryKind, calendar_entries, calendar_feed
    from enrolpolicy.ahead.figures import Figures, Part
    from enrolpolicy.ahead.forecasting import Drift, Forecast, ForecastMonth, ForecastNight, forecast
    from enrolpolicy.ahead.profiles import Light, Profile, ProfileRow, Tag, personnel_profile
    from enrolpolicy.ahead.remedies import Remedy, what_helps
    from enrolpolicy.ahead.restoring import PastEnrolment
    from enrolpolicy.ahead.sheets import forecast_csv
    from enrolpolicy.ahead.shown import BookingStatus
    from enrolpolicy.ahead.views import CoursePanel, CourseRow, PanelRow, course_panel, course_register
    from enrolpolicy.ahead.whatif import (
        Decision,
        Difference,
        Moved,
        Supposition,
        TopUp,
        difference,
        supposed,
        what_if,
    )
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
    from enrolpolicy.explanation import Answer, Explanation, explain, explain_all
    from enrolpolicy.guarantees import Guarantee, PromiseTooWeak, Weakness, accepted, guarantee
    from enrolpolicy.letters import Sender, composer
    from enrolpolicy.lifecycle import Event, Forbidden, advance, move
    from enrolpolicy.permissions import Actor, Area, Permission, PermissionDenied, permits
    from enrolpolicy.ports import (
        FOR_EVER,
        AsyncLms,
        AsyncMailer,
        AsyncStore,
        Booking,
        Cancelled,
        Charge,
        Composer,
        Done,
        Invitation,
        LaunchUrl,
        Lms,
        LmsCapabilities,
        Mailer,
        MailerCapabilities,
        Message,
        Order,
        Progress,
        Receipt,
        Refused,
        Store,
        Trouble,
        Unknown,
    )
    from enrolpolicy.reports import Fate, Outcome, PlanRefused, Report
    from enrolpolicy.runner.driving import AsyncPorts, Ports, Terms, aact, aapply, act, apply, arun_night, run_night
    from enrolpolicy.schemas import document_schema, plan_schema, snapshot_schema
    from enrolpolicy.staleness import Changed, Rechecked, Stale, preconditions, recheck
    from enrolpolicy.wording import Words

# What only some callers need is imported when it is first asked for: building its classes would take many times as long
# as all the rest of this import. By module, and the same as above.
_LATER = {
    "ahead.agenda": ("Lapse",),
    "ahead.amending": ("load_changes", "load_past_enrolments"),
    "ahead.assumptions": ("Assumptions", "Completion"),
    "ahead.backtesting": ("BackTest", "Compared", "Match", "back_test"),
    "cancellation": ("CancelRefused", "cancel"),
    "canonical": ("digest",),
    "changes": (
        "UNCHANGED",
        "Amended",
        "AuditEntry",
        "CancelEnrolment",
        "ChangeAccount",
        "ChangeCourse",
        "ChangeOptOut",
        "ChangePerson",
        "amend",
        "applied",
    ),
    "codec": ("dump", "load", "load_plan"),
    "ahead.covering": ("Coverage", "CoverageCell", "Covered", "Standing", "coverage"),
    "explanation": ("Answer", "Explanation", "explain", "explain_all"),
    "ahead.feeds": ("CalendarEntry", "EntryKind", "calendar_entries", "calendar_feed"),
    "ahead.forecasting": ("Drift", "Forecast", "ForecastMonth", "ForecastNight", "forecast"),
    "guarantees": ("Guarantee", "PromiseTooWeak", "Weakness", "accepted", "guarantee"),
    "letters": ("Sender", "composer"),
    "lifecycle": ("Event", "Forbidden", "advance", "move"),
    "permissions": ("Actor", "Area", "Permission", "PermissionDenied", "permits"),
    "ports": (
        "FOR_EVER",
        "AsyncLms",
        "AsyncMailer",
        "AsyncStore",
        "Booking",
        "Cancelled",
        "Charge",
        "Composer",
        "Done",
        "Invitation",
        "LaunchUrl",
        "Lms",
        "LmsCapabilities",
        "Mailer",
        "MailerCapabilities",
        "Message",
        "Order",
        "Progress",
        "Receipt",
        "Refused",
        "Store",
        "Trouble",
        "Unknown",
    ),
    "ahead.figures": ("Figures", "Part"),
    "ahead.profiles": ("Light", "Profile", "ProfileRow", "Tag", "personnel_profile"),
    "ahead.remedies": ("Remedy", "what_helps"),
    "ahead.restoring": ("PastEnrolment",),
    "ahead.shown": ("BookingStatus",),
    "ahead.sheets": ("forecast_csv",),
    "reports": ("Fate", "Outcome", "PlanRefused", "Report"),
    "runner.driving": ("AsyncPorts", "Ports", "Terms", "aact", "aapply", "act", "apply", "arun_night", "run_night"),
    "schemas": ("document_schema", "plan_schema", "snapshot_schema"),
    "staleness": ("Changed", "Rechecked", "Stale", "preconditions", "recheck"),
    "ahead.views": ("CoursePanel", "CourseRow", "PanelRow", "course_panel", "course_register"),
    "ahead.whatif": (
        "Decision",
        "Difference",
        "Moved",
        "Supposition",
        "TopUp",
        "difference",
        "supposed",
        "what_if",
    ),
    "wording": ("Words",),
}
_MODULES = {name: module for module, names in _LATER.items() for name in names}

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name not in _MODULES:
            raise AttributeError(f"module `enrolpolicy` has no `{name}`")
        found = getattr(import_module(f"enrolpolicy.{_MODULES[name]}"), name)
        globals()[name] = found
        return found

    def __dir__() -> list[str]:
        return sorted({*globals(), *_MODULES})


__all__ = [
    "FOR_EVER",
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
    "AsyncLms",
    "AsyncMailer",
    "AsyncPorts",
    "AsyncStore",
    "Audience",
    "AuditEntry",
    "BackTest",
    "Booking",
    "BookingStatus",
    "CalendarEntry",
    "Cancel",
    "CancelEnrolment",
    "CancelRefused",
    "Cancelled",
    "Candidate",
    "ChangeAccount",
    "ChangeCourse",
    "ChangeOptOut",
    "ChangePerson",
    "Changed",
    "Charge",
    "Compared",
    "Completion",
    "Composer",
    "Counts",
    "Course",
    "CoursePanel",
    "CourseRow",
    "Coverage",
    "CoverageCell",
    "Covered",
    "Decision",
    "Deferred",
    "Delivery",
    "Difference",
    "Done",
    "Drift",
    "Employment",
    "Enrol",
    "EnrolPolicyError",
    "Enrolment",
    "EnrolmentStatus",
    "EntryKind",
    "Event",
    "Explanation",
    "Facts",
    "Fate",
    "Figures",
    "Finding",
    "Forbidden",
    "Forecast",
    "ForecastMonth",
    "ForecastNight",
    "Guarantee",
    "Guards",
    "HeldRole",
    "InvalidSnapshot",
    "InvalidValue",
    "Invitation",
    "Invite",
    "Lapse",
    "LaunchUrl",
    "Level",
    "Light",
    "Lms",
    "LmsCapabilities",
    "Mailer",
    "MailerCapabilities",
    "Match",
    "Message",
    "Moved",
    "OptOut",
    "Order",
    "Origin",
    "Outcome",
    "PanelRow",
    "Part",
    "PastEnrolment",
    "Permission",
    "PermissionDenied",
    "Person",
    "Plan",
    "PlanRefused",
    "Ports",
    "Problem",
    "Profile",
    "ProfileRow",
    "Progress",
    "PromiseTooWeak",
    "Receipt",
    "Rechecked",
    "Refused",
    "Remedy",
    "Report",
    "Role",
    "RoleCourse",
    "Row",
    "Scope",
    "Sender",
    "Snapshot",
    "Stale",
    "Standing",
    "Status",
    "Store",
    "Supposition",
    "Tag",
    "Terms",
    "TopUp",
    "TrainingRecord",
    "Trouble",
    "Unknown",
    "UnknownId",
    "Validity",
    "Verdict",
    "Weakness",
    "Withdrawal",
    "Words",
    "aact",
    "aapply",
    "accepted",
    "act",
    "advance",
    "amend",
    "applied",
    "apply",
    "arun_night",
    "back_test",
    "calendar_entries",
    "calendar_feed",
    "cancel",
    "candidate",
    "composer",
    "course_panel",
    "course_register",
    "coverage",
    "decide",
    "difference",
    "digest",
    "document_schema",
    "dump",
    "enrolment_key",
    "explain",
    "explain_all",
    "findings",
    "forecast",
    "forecast_csv",
    "guarantee",
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
    "run_night",
    "snapshot_schema",
    "supposed",
    "what_helps",
    "what_if",
]
