"""Who is automatically re-enrolled before their training expires, who is not, and why.

A `Snapshot` of the register and a date go in, a `Plan` comes out, and `explain` says why for every person and course.
Nothing here reads a clock, a file or a network.
"""

from enrolpolicy.candidate import Candidate, candidate, enrolment_key
from enrolpolicy.canonical import digest
from enrolpolicy.codec import dump, load, load_plan
from enrolpolicy.dates import next_run, nights_due, run_date
from enrolpolicy.errors import EnrolPolicyError, InvalidSnapshot, InvalidValue, Problem, UnknownId
from enrolpolicy.explanation import Answer, Explanation, explain, explain_all
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
from enrolpolicy.planner import plan, project
from enrolpolicy.plans import Action, Cancel, Counts, Deferred, Enrol, Finding, Invite, Plan
from enrolpolicy.policy import GATES, NO_TRIGGER, POLICY_VERSION, TRIGGERS, WITHDRAWALS, Row
from enrolpolicy.preconditions import Changed, Rechecked, Stale, preconditions, recheck
from enrolpolicy.schemas import plan_schema, snapshot_schema
from enrolpolicy.verdict import Verdict, decide
