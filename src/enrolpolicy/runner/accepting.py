"""Whether a plan may be carried out at all; which of its actions still stand is decided one by one, later."""

from collections import Counter
from datetime import date

from enrolpolicy.candidate import enrolment_key
from enrolpolicy.canonical import digest
from enrolpolicy.model import Snapshot
from enrolpolicy.planner import cancellable, tripped
from enrolpolicy.plans import Enrol, Plan
from enrolpolicy.policy import POLICY_VERSION
from enrolpolicy.reports import PlanRefused


def refusal_of(plan: Plan, snapshot: Snapshot, *, on: date, exact: bool = False) -> PlanRefused | None:
    """Why a plan is not carried out on a night; None: it may be.

    `exact`: only on the very register it was made from. The guards are asked again, for a document can be edited.
    """
    if plan.account != snapshot.account.id:
        return _refused("other-account", f"it is for account `{plan.account[:80]}`; plan for `{snapshot.account.id}`")
    if plan.on != on:
        return _refused("other-night", f"it is for the night of {plan.on}, and this one is {on}; plan anew")
    if plan.policy_version != POLICY_VERSION:
        made, ours = plan.policy_version[:80], POLICY_VERSION
        return _refused("other-policy", f"it was made under policy version `{made}`, and this is `{ours}`; plan anew")
    edited = _edited(plan)
    if edited is not None:
        return _refused("edited", f"{edited}; plan anew, and carry out what was planned")
    guards = plan.guards or tripped(snapshot, plan.actions, cancellable(snapshot))
    if guards:
        names = ", ".join(f"`{guard[:80]}`" for guard in guards)
        return _refused("guards", f"it is over the limit of {names}; look through it, then raise the limit")
    if exact and plan.snapshot != digest(snapshot):
        return _refused("changed", "the register is not the one it was made from; plan anew, and look through it again")
    return None


def _edited(plan: Plan) -> str | None:
    for action in plan.enrolments:
        if action.key != _key(plan.account, action):
            return f"the key of `{action.person[:80]}` on `{action.course[:80]}` does not go with what the action says"
    names = Counter(
        action.key if isinstance(action, Enrol) else (type(action), action.enrolment) for action in plan.actions
    )
    if any(count > 1 for count in names.values()):
        return "an action is in it twice"
    return None


def _key(account: str, action: Enrol) -> str:
    return enrolment_key(account, action.person, action.course, action.cycle, action.attempt)


def _refused(code: str, sentence: str) -> PlanRefused:
    return PlanRefused(code=code, sentence=f"the plan is not carried out: {sentence}")
