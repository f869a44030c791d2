"""What is promised, computed from what the ports can do.

"Exactly once" is three promises (the enrolment and its credit, the invitation, the cancellation), and each of them is
only as strong as what stands behind it. So it is worked out from declared capabilities, by tables that read like the
policy's: the first row that holds is the promise. What falls short of the default has a name, and a host must accept it
by that name before a run starts.
"""

from collections.abc import Callable, Collection
from enum import Enum
from typing import final

from attrs import frozen

from enrolpolicy.errors import EnrolPolicyError
from enrolpolicy.ports import FOR_EVER, LmsCapabilities, MailerCapabilities


@final
class Weakness(Enum):
    """A promise below the default one, by name."""

    AT_MOST_ONCE = "at-most-once"
    AT_LEAST_ONCE = "at-least-once"
    ONE_RUNNER = "one-runner"
    ONE_OPEN = "one-open"
    LATE_REQUESTS = "late-requests"
    AT_MOST_ONE_INVITATION = "at-most-one-invitation"


WEAKNESSES: dict[Weakness, str] = {
    Weakness.AT_MOST_ONCE: "an enrolment in doubt is held until a person has looked",
    Weakness.AT_LEAST_ONCE: "an enrolment in doubt is asked for again, and may be made, and paid, twice",
    Weakness.ONE_RUNNER: "exactly once only while one run works at a time, and none pauses for longer than its lease",
    Weakness.ONE_OPEN: "one open enrolment at a time; a late request can make another once the first has ended",
    Weakness.LATE_REQUESTS: "a request that arrives after its key was given up, nobody knows how late, can enrol still",
    Weakness.AT_MOST_ONE_INVITATION: "an invitation in doubt is not sent again, and may never have arrived",
}
"""What each of them means."""


@final
class InDoubt(Enum):
    """What the runner does with an enrolment of which nobody knows whether it was made."""

    RESEND = "resend"
    FIND = "find"
    """Look it up, wait until no late request can arrive any more, then ask again."""
    HOLD = "hold"


@final
class Invitations(Enum):
    """How often an invitation is sent."""

    EXACTLY_ONCE = "exactly-once"
    AT_LEAST_ONCE = "at-least-once"
    AT_MOST_ONCE = "at-most-once"
    BY_LMS = "by-lms"


@final
class Cancelling(Enum):
    """What keeps a started course from being cancelled."""

    NEVER_STARTED = "never-started"
    NARROWED = "narrowed"
    """Looked at immediately before and after; a start in between is cancelled, and reported."""


@final
@frozen(kw_only=True)
class Guarantee:
    """What a combination of ports is good for.

    `enrolment` says in words what is promised of enrolments and their credits, `weaknesses` which names the host has to
    accept for it (none: the default promise). `in_doubt` is what is done while a key is still recognised, `later` what
    is done afterwards.
    """

    enrolment: str
    weaknesses: tuple[Weakness, ...]
    in_doubt: InDoubt
    later: InDoubt
    invitations: Invitations
    cancelling: Cancelling

    @property
    def exclusive(self) -> bool:
        """Whether it holds for one run at a time only."""
        return Weakness.ONE_RUNNER in self.weaknesses


@final
class PromiseTooWeak(EnrolPolicyError):
    """The ports cannot keep the default promise, and the host has not accepted what they can; `missing` names it."""

    def __init__(self, guarantee: Guarantee, missing: tuple[Weakness, ...]) -> None:
        names = ", ".join(f"`{weakness.value}`" for weakness in missing)
        means = "; ".join(WEAKNESSES[weakness] for weakness in missing)
        super().__init__(f"this LMS is too weak for exactly one enrolment; accept {names} to run all the same: {means}")
        self.guarantee = guarantee
        self.missing = missing


@final
@frozen(kw_only=True)
class Promise:
    """A row: for which LMSs it holds, what is promised of the enrolment, and what is done in doubt."""

    id: str
    holds: Callable[[LmsCapabilities], bool]
    when: str
    enrolment: str
    weaknesses: tuple[Weakness, ...] = ()
    in_doubt: InDoubt
    later: InDoubt


def _for_ever(lms: LmsCapabilities) -> bool:
    return lms.keys_kept == FOR_EVER


def _for_a_time(lms: LmsCapabilities) -> bool:
    return lms.keys_kept is not None


def _settled(lms: LmsCapabilities) -> bool:
    """Nothing that was given up can still happen, or it is known until when."""
    return (lms.refusals_final and not lms.cancel_frees_key) or (lms.finds and lms.latest_arrival is not None)


PROMISES: tuple[Promise, ...] = (
    Promise(
        id="key-for-ever",
        holds=lambda lms: _for_ever(lms) and _settled(lms),
        when="keys for ever; refusals final and cancelled keys remembered, or look-up and a bound on late requests",
        enrolment="exactly one for each cycle, with any number of runs at once, however long they pause",
        in_doubt=InDoubt.RESEND,
        later=InDoubt.RESEND,
    ),
    Promise(
        id="key-for-ever-late",
        holds=_for_ever,
        when="keys for ever; refusals not final or cancelled keys forgotten, and no bound on late requests",
        enrolment="exactly one for each attempt; a refused or cancelled one can still be made by a late request",
        weaknesses=(Weakness.LATE_REQUESTS,),
        in_doubt=InDoubt.RESEND,
        later=InDoubt.RESEND,
    ),
    Promise(
        id="key-for-a-time-find",
        holds=lambda lms: _for_a_time(lms) and lms.finds and lms.latest_arrival is not None,
        when="keys for a time, look-up, and a bound on late requests",
        enrolment="exactly one for each cycle; what is in doubt for longer than keys are kept is looked up first",
        in_doubt=InDoubt.RESEND,
        later=InDoubt.FIND,
    ),
    Promise(
        id="key-for-a-time",
        holds=lambda lms: _for_a_time(lms) and _settled(lms),
        when="keys for a time, refusals final, no look-up",
        enrolment="exactly one for each cycle while keys are kept; what is in doubt for longer is held for a person",
        in_doubt=InDoubt.RESEND,
        later=InDoubt.HOLD,
    ),
    Promise(
        id="key-for-a-time-late",
        holds=_for_a_time,
        when="keys for a time, refusals not final or cancelled keys forgotten, no bound on late requests",
        enrolment="exactly one for each attempt while keys are kept; a given-up one can be made by a late request",
        weaknesses=(Weakness.LATE_REQUESTS,),
        in_doubt=InDoubt.RESEND,
        later=InDoubt.HOLD,
    ),
    Promise(
        id="one-open",
        holds=lambda lms: lms.one_open,
        when="no keys; one open enrolment for each person and course",
        enrolment="one open enrolment at a time; a late request can make another once the first has ended",
        weaknesses=(Weakness.ONE_OPEN,),
        in_doubt=InDoubt.RESEND,
        later=InDoubt.RESEND,
    ),
    Promise(
        id="find-bounded",
        holds=lambda lms: lms.finds and lms.latest_arrival is not None,
        when="no keys; look-up, and a bound on late requests",
        enrolment="exactly one for each cycle, by one run at a time",
        weaknesses=(Weakness.ONE_RUNNER,),
        in_doubt=InDoubt.FIND,
        later=InDoubt.FIND,
    ),
    Promise(
        id="nothing",
        holds=lambda _: True,
        when="no keys, and no look-up or no bound on late requests",
        enrolment="at most one for each cycle; one in doubt is held for a person",
        weaknesses=(Weakness.AT_MOST_ONCE,),
        in_doubt=InDoubt.HOLD,
        later=InDoubt.HOLD,
    ),
)
"""What each kind of LMS is good for; the first row that holds."""

IMPOSSIBLE: tuple[tuple[str, str], ...] = (
    (
        "exactly one mail over SMTP",
        "a connection that is lost after the message and before its acceptance leaves both sides with different news, "
        "and a repeated Message-ID is delivered again; so an invitation in doubt is sent again, or never",
    ),
    (
        "exactly one enrolment at an LMS with neither keys nor look-up",
        "a request that was lost and an answer that was lost look the same from here; so an enrolment in doubt is held "
        "for a person, or may be made twice",
    ),
    (
        "never cancelling a started course at an LMS that cannot refuse to",
        "between looking and cancelling the person may start; so it is looked at immediately before and after, and a "
        "lost race is reported",
    ),
    (
        "never enrolling after an opt-out that lands while the LMS is being asked",
        "what was true when it was decided is not true any more when it takes effect; so the booking is cancelled, "
        "unless it was started by then, and its credit is given back",
    ),
)
"""What no choice of words in this module can promise: what it would be, and why not; and what is done instead."""


def promise(lms: LmsCapabilities) -> Promise:
    """The row that holds for an LMS."""
    return next(row for row in PROMISES if row.holds(lms))


def guarantee(
    lms: LmsCapabilities, mailer: MailerCapabilities, accept: Collection[Weakness] = frozenset()
) -> Guarantee:
    """What is promised with these ports, given what the host accepts.

    That is the first row that holds and needs no weakness but those accepted, or else the first row that holds; so what
    a host has accepted stays enough when its LMS learns more. `AT_LEAST_ONCE` turns holding what is in doubt into
    asking again, `AT_MOST_ONE_INVITATION` does the opposite for mail. Whether everything needed is accepted, `accepted`
    tells.
    """
    holding = [_guaranteed(row, lms, mailer, accept) for row in PROMISES if row.holds(lms)]
    return next((found for found in holding if set(found.weaknesses) <= set(accept)), holding[0])


def _guaranteed(
    row: Promise, lms: LmsCapabilities, mailer: MailerCapabilities, accept: Collection[Weakness]
) -> Guarantee:
    weaknesses, in_doubt, later, words = row.weaknesses, row.in_doubt, row.later, row.enrolment
    if Weakness.AT_LEAST_ONCE in accept and InDoubt.HOLD in (in_doubt, later):
        in_doubt = InDoubt.RESEND if in_doubt is InDoubt.HOLD else in_doubt
        later = InDoubt.RESEND
        words = "at least one for each cycle; one in doubt is asked for again"
        weaknesses = (Weakness.AT_LEAST_ONCE,)
    return Guarantee(
        enrolment=words,
        weaknesses=weaknesses,
        in_doubt=in_doubt,
        later=later,
        invitations=_invitations(lms, mailer, accept),
        cancelling=Cancelling.NEVER_STARTED if lms.cancels_unstarted else Cancelling.NARROWED,
    )


def _invitations(lms: LmsCapabilities, mailer: MailerCapabilities, accept: Collection[Weakness]) -> Invitations:
    if lms.sends_invitation:
        return Invitations.BY_LMS
    if mailer.deduplicates_for is not None:
        return Invitations.EXACTLY_ONCE
    return Invitations.AT_MOST_ONCE if Weakness.AT_MOST_ONE_INVITATION in accept else Invitations.AT_LEAST_ONCE


def accepted(lms: LmsCapabilities, mailer: MailerCapabilities, accept: Collection[Weakness] = frozenset()) -> Guarantee:
    """The guarantee to run with; raises `PromiseTooWeak` where it needs a weakness that was not accepted."""
    found = guarantee(lms, mailer, accept)
    missing = tuple(weakness for weakness in found.weaknesses if weakness not in accept)
    if missing:
        raise PromiseTooWeak(found, missing)
    return found
