"""The exam of a store: clauses S1 to S10, and how it answers (S0)."""

from enrolpolicy.testing.contract import Contract
from enrolpolicy.testing.store.answers import Answers
from enrolpolicy.testing.store.constraints import Constraints
from enrolpolicy.testing.store.facts import Facts
from enrolpolicy.testing.store.times import Times


class StoreContract(Answers, Constraints, Facts, Times, Contract):
    """What every store must do. Subclass it, and give it a fixture `harness`: a `StoreHarness`, new each time."""

    subject = "store"
