"""The calls made for real: the same steps, driven with ports that answer, or with ports that are awaited.

What a port raises is an answer too: nobody knows whether it happened. Logs name keys, methods and codes, never a
person, an address, a body or a secret.
"""

import logging
from collections.abc import Callable, Collection, Generator, Sequence
from datetime import datetime, timedelta
from inspect import isawaitable
from typing import TypeVar, final
from uuid import uuid4

from attrs import frozen

from enrolpolicy.errors import InvalidValue
from enrolpolicy.guarantees import Weakness, accepted
from enrolpolicy.plans import Action, Plan
from enrolpolicy.ports import (
    AsyncLms,
    AsyncMailer,
    AsyncStore,
    Composer,
    Lms,
    LmsCapabilities,
    Mailer,
    MailerCapabilities,
    Refused,
    Store,
    Unknown,
)
from enrolpolicy.reports import Outcome, PlanRefused, Report
from enrolpolicy.runner.calls import Call, Told
from enrolpolicy.runner.holding import steps_of_settlement
from enrolpolicy.runner.job import Job
from enrolpolicy.runner.nights import steps_of_actions, steps_of_night, steps_of_plan

T = TypeVar("T")

LOG = logging.getLogger("enrolpolicy")
LOG.addHandler(logging.NullHandler())


@final
@frozen(kw_only=True)
class Ports:
    """The three ports of a host."""

    store: Store
    lms: Lms
    mailer: Mailer


@final
@frozen(kw_only=True)
class AsyncPorts:
    """The same three, with methods that are awaited."""

    store: AsyncStore
    lms: AsyncLms
    mailer: AsyncMailer


@final
@frozen(kw_only=True)
class Terms:
    """How a host wants its runs.

    `compose` writes the invitations (`enrolpolicy.letters.composer` makes one). `accept`: the weaknesses the host
    accepts by name. `batch`: how many enrolments share a transaction; one that breaks off leaves up to so many for the
    next run to settle. `lease`: how long other runs leave alone what this one works on; None: long enough for a batch
    of the ports' longest calls. `tries`: how often a letter is begun. `patience`: after how many calls in a row without
    an answer a port is left alone. `actor`: who the journal names.
    """

    compose: Composer
    accept: Collection[Weakness] = frozenset()
    batch: int = 20
    lease: timedelta | None = None
    tries: int = 8
    patience: int = 5
    actor: str = "enrolpolicy"


Watch = Callable[[Outcome], None]
"""Called with every outcome as it comes: for progress and metrics."""


def run_night(
    account: str, *, ports: Ports, terms: Terms, at: datetime, follow: bool = False, watch: Watch | None = None
) -> Report:
    """Run one night of an account: settle what earlier runs left, plan, and carry the plan out.

    `at` is an instant of the night with its offset; which night it is, the account's time zone says. Nights that were
    missed are made up for by this one. It may be called hourly, and twice at once. `follow`: ask the LMS first how far
    open bookings have come. Raises `PromiseTooWeak` where the ports cannot keep the default promise.
    """
    job = _job(account, ports.lms.capabilities, ports.mailer.capabilities, terms, at)
    return _drive(steps_of_night(job, follow=follow), ports, watch)


def apply(
    plan: Plan, *, ports: Ports, terms: Terms, at: datetime, exact: bool = False, watch: Watch | None = None
) -> Report | PlanRefused:
    """Carry out a plan made before, action by action, each held against the facts of now.

    A plan of another account, another night or another policy version, over a limit, or edited, is refused whole.
    `exact`: so is one whose register has changed at all since. Otherwise as `run_night`.
    """
    job = _job(plan.account, ports.lms.capabilities, ports.mailer.capabilities, terms, at)
    return _drive(steps_of_plan(job, plan, exact=exact), ports, watch)


def act(
    account: str,
    actions: Sequence[Action],
    *,
    ports: Ports,
    terms: Terms,
    at: datetime,
    watch: Watch | None = None,
) -> Report:
    """Carry out some actions at once: a cancellation that was asked for (`cancel`), or the plan of one person."""
    job = _job(account, ports.lms.capabilities, ports.mailer.capabilities, terms, at)
    return _drive(steps_of_actions(job, actions), ports, watch)


def settle(
    account: str, key: str, *, found: str | None, store: Store, at: datetime, actor: str = "enrolpolicy"
) -> Outcome | Refused | Unknown:
    """Settle an enrolment that is held for a person, who has looked it up at the LMS.

    `found` is the LMS's name for it; None: it is not there, and no late request can make it any more. The outcome is
    DONE with what it became; DROPPED where it was not held, with what it is, or `known` where there is none. The next
    night invites to it, or plans it again.
    """
    return _drive(steps_of_settlement(account, key, found=found, at=_aware(at), actor=actor), _Kept(store), None)


async def arun_night(
    account: str, *, ports: AsyncPorts, terms: Terms, at: datetime, follow: bool = False, watch: Watch | None = None
) -> Report:
    """`run_night` for ports that are awaited."""
    job = _job(account, ports.lms.capabilities, ports.mailer.capabilities, terms, at)
    return await _adrive(steps_of_night(job, follow=follow), ports, watch)


async def aapply(
    plan: Plan, *, ports: AsyncPorts, terms: Terms, at: datetime, exact: bool = False, watch: Watch | None = None
) -> Report | PlanRefused:
    """`apply` for ports that are awaited."""
    job = _job(plan.account, ports.lms.capabilities, ports.mailer.capabilities, terms, at)
    return await _adrive(steps_of_plan(job, plan, exact=exact), ports, watch)


async def aact(
    account: str,
    actions: Sequence[Action],
    *,
    ports: AsyncPorts,
    terms: Terms,
    at: datetime,
    watch: Watch | None = None,
) -> Report:
    """`act` for ports that are awaited."""
    job = _job(account, ports.lms.capabilities, ports.mailer.capabilities, terms, at)
    return await _adrive(steps_of_actions(job, actions), ports, watch)


async def asettle(
    account: str, key: str, *, found: str | None, store: AsyncStore, at: datetime, actor: str = "enrolpolicy"
) -> Outcome | Refused | Unknown:
    """`settle` for a store that is awaited."""
    return await _adrive(steps_of_settlement(account, key, found=found, at=_aware(at), actor=actor), _Kept(store), None)


@final
@frozen
class _Kept:
    """A store alone."""

    store: Store | AsyncStore


def _aware(at: datetime) -> datetime:
    if at.utcoffset() is None:
        raise InvalidValue("at", "must have a UTC offset; a naive time does not say which night it is")
    return at


def _job(account: str, lms: LmsCapabilities, mailer: MailerCapabilities, terms: Terms, at: datetime) -> Job:
    for name, value in (("batch", terms.batch), ("tries", terms.tries), ("patience", terms.patience)):
        if value < 1:
            raise InvalidValue(name, f"must be 1 or more, not `{value}`")
    return Job(
        account=account,
        on=_aware(at).date(),
        at=at,
        actor=terms.actor,
        owner=uuid4().hex,
        lms=lms,
        guarantee=accepted(lms, mailer, terms.accept),
        compose=terms.compose,
        lease=terms.lease or timedelta(minutes=1) + terms.batch * (2 * lms.longest_call + mailer.longest_call),
        batch=terms.batch,
        tries=terms.tries,
        patience=terms.patience,
    )


def _drive(steps: Generator[Call | Told, object, T], ports: Ports | _Kept, watch: Watch | None) -> T:
    answer: object = None
    while True:
        try:
            effect = steps.send(answer)
        except StopIteration as ended:
            result: T = ended.value
            return result
        if isinstance(effect, Call):
            try:
                answer = getattr(getattr(ports, effect.port), effect.method)(*effect.arguments)
            except Exception as error:  # noqa: BLE001 - whatever a port raises, nobody knows what it did before
                answer = _raised(effect, error)
        else:
            answer = None
            _told(effect.outcome, watch)


async def _adrive(steps: Generator[Call | Told, object, T], ports: AsyncPorts | _Kept, watch: Watch | None) -> T:
    answer: object = None
    while True:
        try:
            effect = steps.send(answer)
        except StopIteration as ended:
            result: T = ended.value
            return result
        if isinstance(effect, Call):
            try:
                answer = getattr(getattr(ports, effect.port), effect.method)(*effect.arguments)
                if isawaitable(answer):
                    answer = await answer
            except Exception as error:  # noqa: BLE001 - whatever a port raises, nobody knows what it did before
                answer = _raised(effect, error)
        else:
            answer = None
            _told(effect.outcome, watch)


def _raised(call: Call, error: Exception) -> Unknown:
    # The text of the exception stays out of it: it may hold an address, or a whole answer of the LMS.
    LOG.warning("%s.%s raised %s", call.port, call.method, type(error).__name__)
    return Unknown(f"raised {type(error).__name__}")


def _told(outcome: Outcome, watch: Watch | None) -> None:
    LOG.info("%s %s: %s %s", outcome.act, outcome.key, outcome.fate.value, outcome.detail)
    if watch is not None:
        watch(outcome)
