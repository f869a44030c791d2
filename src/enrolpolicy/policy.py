"""The tables: who is enrolled, who is not, and whose booking is taken back.

Theory of operation
===================

Once a night, for every person and every course that has something to do with them, one question is asked: *enrol?*
The answer is built from three tables, and from nothing else.

**Triggers** are reasons to enrol: the training is about to expire, expired a short while ago, or was never recorded.
They exclude each other, so at most one fires. **Gates** are reasons not to: the course's box is not ticked, the person
opted out, there is a booking already. Each gate stands on its own and can only refuse. So:

    enrol  ⇔  one trigger fires, and no gate is shut

    somebody on whom all looks the same but one shut gate is left out for exactly that gate, and opening it enrols them

No row is skipped because an earlier one has settled the matter: whoever is left out for three reasons is told all
three, and fixing the first does not uncover a second nobody mentioned. The order of the gates decides only which
reason is shown first, from the broadest (the account) to the narrowest (this person's address).

**Withdrawals** are reasons to take back a booking that has not been started. Each is some gates seen from the other
side, but not every shut gate withdraws: an account chooses its causes, and running out of plan or switching everything
off never cancels anything.

A row sees `enrolpolicy.facts.Facts` alone: booleans and small enumerations, no dates, no names, no numbers. What a
"window", a "cycle" or a "pause" is has been settled before, in `enrolpolicy.renewal` and `enrolpolicy.candidate`. That
keeps each row one line long, lets the tests walk through every combination a row can meet, and lets an engine over
columns look the answers up.

A row's `id` is its reason code in verdicts, JSON, logs and documents. Its sentences say what holds and what does not;
`{placeholders}` are filled from the candidate by `enrolpolicy.explanation`. `reads` names the facts the row looks at:
when none of them changed, neither did the answer. `serves` says which rule it carries out, and whether the feature's
product page asks for it or we do. To add a rule, add a row.
"""

from collections.abc import Callable
from typing import final

from attrs import frozen

from enrolpolicy.facts import Facts, Status
from enrolpolicy.model import Audience, Delivery, Employment, Level, Scope, Withdrawal

POLICY_VERSION = "1"
"""Changes whenever a row, or what a fact means, changes."""

NO_TRIGGER = "no-trigger"
"""The reason of a pair for which no gate is shut and no trigger fires either."""


@final
@frozen(kw_only=True)
class Row:
    """One rule. `holds` looks at the facts in `reads` only; `yes` and `no` say in words what it found."""

    id: str
    holds: Callable[[Facts], bool]
    reads: tuple[str, ...]
    yes: str
    no: str
    serves: str


# Triggers


def _expiring(facts: Facts) -> bool:
    return facts.status is Status.EXPIRING


def _expired(facts: Facts) -> bool:
    return facts.status is Status.EXPIRED and facts.lately_expired


def _missing(facts: Facts) -> bool:
    return facts.status is Status.MISSING


TRIGGERS: tuple[Row, ...] = (
    Row(
        id="expiring",
        holds=_expiring,
        reads=("status",),
        yes="the training expires on {expires_on} and its window opened on {opens_on} ({lead})",
        no="the training is not inside its renewal window ({standing}; {lead})",
        serves="3, the page: enrolled automatically ahead of expiry, 30 days unless set otherwise",
    ),
    Row(
        id="expired",
        holds=_expired,
        reads=("status", "lately_expired"),
        yes="the training expired on {expires_on}, not longer ago than the {lookback} days looked back",
        no="the training did not expire in the {lookback} days looked back ({standing})",
        serves="3, ours: the day after an expiry is not treated worse than the day before",
    ),
    Row(
        id="missing",
        holds=_missing,
        reads=("status",),
        yes="no completion of the training is on record",
        no="a completion of the training is on record ({standing})",
        serves="3, the page: training never recorded",
    ),
)


# Gates


def _plan_active(facts: Facts) -> bool:
    return facts.plan_active


def _account_enabled(facts: Facts) -> bool:
    return facts.account_enabled


def _course_active(facts: Facts) -> bool:
    return facts.course_active


def _course_elearning(facts: Facts) -> bool:
    return facts.delivery is Delivery.IHASCO or facts.delivery is Delivery.SCORM


def _course_enabled(facts: Facts) -> bool:
    return facts.course_enabled


def _person_active(facts: Facts) -> bool:
    return facts.person_active


def _person_enabled(facts: Facts) -> bool:
    return facts.person_enabled and not facts.opted_out


def _assigned(facts: Facts) -> bool:
    return facts.level is not None


def _in_scope(facts: Facts) -> bool:
    return facts.level is Level.REQUIRED or facts.scope is Scope.REQUIRED_AND_OPTIONAL


def _in_audience(facts: Facts) -> bool:
    return facts.employment is Employment.EMPLOYEE or facts.audience is Audience.EVERYONE


def _missing_enabled(facts: Facts) -> bool:
    return facts.status is not Status.MISSING or (facts.missing_enabled and facts.asked_since)


def _not_enrolled(facts: Facts) -> bool:
    return not facts.enrolled


def _completion_recorded(facts: Facts) -> bool:
    return not facts.awaiting_record


def _not_cancelled(facts: Facts) -> bool:
    return not facts.cancelled_on_request


def _not_refused(facts: Facts) -> bool:
    return not facts.refusal_pause


def _reachable(facts: Facts) -> bool:
    return facts.reachable


GATES: tuple[Row, ...] = (
    Row(
        id="plan-active",
        holds=_plan_active,
        reads=("plan_active",),
        yes="the account's eLearning plan is active",
        no="the account has no active eLearning plan",
        serves="3, the page: for all active eLearning plans",
    ),
    Row(
        id="account-enabled",
        holds=_account_enabled,
        reads=("account_enabled",),
        yes="auto-enrol is switched on for the account",
        no="auto-enrol is switched off for the whole account",
        serves="3, the page: owners and admins switch the feature on and off",
    ),
    Row(
        id="course-active",
        holds=_course_active,
        reads=("course_active",),
        yes="the course is in use",
        no="the course is archived",
        serves="3, ours: nobody is sent to a course that was put away",
    ),
    Row(
        id="course-elearning",
        holds=_course_elearning,
        reads=("delivery",),
        yes="the course is eLearning ({delivery})",
        no="the course is not eLearning ({delivery}), so there is nothing to book",
        serves="3, the page: iHasco and custom SCORM courses",
    ),
    Row(
        id="course-enabled",
        holds=_course_enabled,
        reads=("course_enabled",),
        yes="the course's auto-enrol box is ticked",
        no="the course's auto-enrol box is not ticked",
        serves="3, the page: switched on by hand for each course",
    ),
    Row(
        id="person-active",
        holds=_person_active,
        reads=("person_active",),
        yes="the person is on the register",
        no="the person is archived",
        serves="3, ours: leavers are not booked",
    ),
    Row(
        id="person-enabled",
        holds=_person_enabled,
        reads=("person_enabled", "opted_out"),
        yes="the person has not been taken out of auto-enrol",
        no="auto-enrol is turned off for the person ({opt_out})",
        serves="3, the page: the toggle on the profile; ours: a toggle for one course",
    ),
    Row(
        id="assigned",
        holds=_assigned,
        reads=("level",),
        yes="the training is asked of the person: {sources}",
        no="no role or assignment asks the person for the training any more",
        serves="3, ours: training nobody asks for is not renewed",
    ),
    Row(
        id="in-scope",
        holds=_in_scope,
        reads=("level", "scope"),
        yes="the training is {level} for the person, which the course's auto-enrol covers",
        no="the training is {level} for the person, and the course enrols for required training only",
        serves="3, the page: required courses only, or optional ones as well",
    ),
    Row(
        id="in-audience",
        holds=_in_audience,
        reads=("employment", "audience"),
        yes="the course's auto-enrol is for {employment}s",
        no="the person is a sub-contractor, and the course enrols employees only",
        serves="3, the page: employees only, or sub-contractors as well",
    ),
    Row(
        id="missing-enabled",
        holds=_missing_enabled,
        reads=("status", "missing_enabled", "asked_since"),
        yes="{missing_yes}",
        no="the training was never recorded, and {missing_no}",
        serves="3, the page: missing training is left alone unless the account asks for it",
    ),
    Row(
        id="not-enrolled",
        holds=_not_enrolled,
        reads=("enrolled",),
        yes="the person has no open enrolment on the course",
        no="the person is enrolled already ({open})",
        serves="3, ours: one booking, one credit",
    ),
    Row(
        id="completion-recorded",
        holds=_completion_recorded,
        reads=("awaiting_record",),
        yes="no completion is waiting to be recorded",
        no="the person completed this enrolment, and the training record has not arrived yet",
        serves="3, ours: else it would be booked again every night",
    ),
    Row(
        id="not-cancelled",
        holds=_not_cancelled,
        reads=("cancelled_on_request",),
        yes="nobody cancelled this renewal",
        no="somebody cancelled this renewal, which holds until the next one",
        serves="3, ours: a cancellation outlives midnight",
    ),
    Row(
        id="not-refused",
        holds=_not_refused,
        reads=("refusal_pause",),
        yes="the LMS is not holding this enrolment off",
        no="the LMS refused this enrolment ({refusals}); it is tried again on {retry_on}",
        serves="3, ours: tried again with growing pauses, and seen meanwhile",
    ),
    Row(
        id="reachable",
        holds=_reachable,
        reads=("reachable",),
        yes="the person has an e-mail address to send the link to",
        no="the person has no usable e-mail address to send the link to",
        serves="3, ours: the link is sent by e-mail",
    ),
)


# Withdrawals


def _superseded(facts: Facts) -> bool:
    return facts.status is Status.CURRENT and facts.other_cycle


def _person_archived(facts: Facts) -> bool:
    return not _person_active(facts)


def _no_longer_assigned(facts: Facts) -> bool:
    return not _assigned(facts)


def _course_archived(facts: Facts) -> bool:
    return not (_course_active(facts) and _course_elearning(facts))


def _person_disabled(facts: Facts) -> bool:
    return not _person_enabled(facts)


def _course_disabled(facts: Facts) -> bool:
    return not _course_enabled(facts)


def _out_of_audience(facts: Facts) -> bool:
    return not _in_audience(facts)


def _out_of_scope(facts: Facts) -> bool:
    return not _in_scope(facts)


WITHDRAWALS: tuple[Row, ...] = (
    Row(
        id=Withdrawal.SUPERSEDED.value,
        holds=_superseded,
        reads=("status", "other_cycle"),
        yes="the training was taken another way, and is current again",
        no="the training the booking renews has not been taken another way",
        serves="5, ours, on by default",
    ),
    Row(
        id=Withdrawal.PERSON_ARCHIVED.value,
        holds=_person_archived,
        reads=("person_active",),
        yes="the person left",
        no="the person is still on the register",
        serves="5, ours, on by default",
    ),
    Row(
        id=Withdrawal.NO_LONGER_ASSIGNED.value,
        holds=_no_longer_assigned,
        reads=("level",),
        yes="nothing asks the person for the training any more",
        no="the training is still asked of the person",
        serves="5, ours, on by default",
    ),
    Row(
        id=Withdrawal.COURSE_ARCHIVED.value,
        holds=_course_archived,
        reads=("course_active", "delivery"),
        yes="the course was archived, or is not eLearning any more",
        no="the course is in use, and eLearning",
        serves="5, ours, on by default",
    ),
    Row(
        id=Withdrawal.PERSON_DISABLED.value,
        holds=_person_disabled,
        reads=("person_enabled", "opted_out"),
        yes="the person was taken out of auto-enrol",
        no="the person was not taken out of auto-enrol",
        serves="5, off by default: the page keeps turning off and cancelling apart",
    ),
    Row(
        id=Withdrawal.COURSE_DISABLED.value,
        holds=_course_disabled,
        reads=("course_enabled",),
        yes="the course's auto-enrol box was unticked",
        no="the course's auto-enrol box is ticked",
        serves="5, ours, off by default",
    ),
    Row(
        id=Withdrawal.OUT_OF_AUDIENCE.value,
        holds=_out_of_audience,
        reads=("employment", "audience"),
        yes="the course's auto-enrol is not for sub-contractors any more",
        no="the course's auto-enrol is for people like this one",
        serves="5, ours, off by default",
    ),
    Row(
        id=Withdrawal.OUT_OF_SCOPE.value,
        holds=_out_of_scope,
        reads=("level", "scope"),
        yes="the course's auto-enrol does not cover this requirement level any more",
        no="the course's auto-enrol covers this requirement level",
        serves="5, ours, off by default",
    ),
)
