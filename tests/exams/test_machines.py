"""The machines hold an adapter against the one in memory, and find what is wrong with one without being told where."""

import pytest
from attrs import evolve
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from lms_mutants import LMS_MUTANTS
from store_mutants import STORE_MUTANTS

from enrolpolicy.adapters.memory import STRONG
from enrolpolicy.testing.machines import lms_machine, store_machine
from enrolpolicy.testing.worlds import lms_harness, store_harness

QUICK = settings(settings.get_profile("quick"), max_examples=10, stateful_step_count=25)
# A machine that finds something stops there, and need not find the shortest way to it here.
FINDING = settings(QUICK, max_examples=500, phases=[Phase.generate])
KINDS = {
    "strong": STRONG,
    "one-open": evolve(STRONG, keys_kept=None, one_open=True, refusals_final=False),
    "weak": evolve(STRONG, keys_kept=None, finds=False, cancels_unstarted=False, cancel_frees_key=True),
}
FOUND = {
    "lms": [
        "cancels without looking", "keys are those that were answered", "finds only what it was told of",
        "what was lost counts as done", "a started one is refused",
    ],
    "store": [
        "credits are not counted", "what is spent is not taken off", "fences are not asked for", "moves need no entry",
        "leases hold nobody off",
    ],
}  # fmt: skip
MUTANTS = {mutant.wrong: mutant for mutant in (*LMS_MUTANTS, *STORE_MUTANTS)}


class TestTheAdaptersInMemory:
    """Whatever is asked of them, and whatever gets lost, the adapters in memory hold what their models hold."""

    @pytest.mark.parametrize("kind", KINDS)
    def test_lms(self, kind: str) -> None:
        run_state_machine_as_test(lms_machine(lambda: lms_harness(KINDS[kind])), settings=QUICK)

    def test_store(self) -> None:
        run_state_machine_as_test(store_machine(store_harness), settings=QUICK)


class TestBrokenOnes:
    """An adapter that is broken in some one way is found out by its machine."""

    @pytest.mark.parametrize("wrong", FOUND["lms"])
    def test_lms(self, wrong: str) -> None:
        with pytest.raises(AssertionError):
            run_state_machine_as_test(lms_machine(MUTANTS[wrong].made), settings=FINDING)

    @pytest.mark.parametrize("wrong", FOUND["store"])
    def test_store(self, wrong: str) -> None:
        with pytest.raises(AssertionError):
            run_state_machine_as_test(store_machine(MUTANTS[wrong].made), settings=FINDING)
