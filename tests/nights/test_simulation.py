"""Nights in which everything goes wrong that may: the runner's promises hold in every state that can be reached."""

from functools import partial
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

import simulation
from enrolpolicy.guarantees import Weakness
from enrolpolicy.runner.nights import steps_of_night
from sabotages import SABOTAGES, Sabotage, line
from simulation import (
    FIND,
    FOR_A_DAY,
    LATE,
    NOTHING,
    ONE_OPEN,
    Budget,
    Setting,
    by_dice,
    exhaustively,
    one,
    register,
)

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "safeguards.md"

SETTINGS = {
    "keys for ever": Setting,
    "one credit for two": lambda: Setting(register=register(2, credits=1)),
    "mail that is not recognised again": lambda: Setting(register=register(2), deduplicates=False),
    "one mail at most": lambda: Setting(deduplicates=False, accept=frozenset({Weakness.AT_MOST_ONE_INVITATION})),
    "refusals that are not final": lambda: Setting(lms=LATE, register=register(2)),
    "keys for a day, one at a time": lambda: Setting(lms=FOR_A_DAY, batch=1),
    "look-up only": lambda: Setting(lms=FIND, accept=frozenset({Weakness.ONE_RUNNER})),
    "one open at a time": lambda: Setting(lms=ONE_OPEN, accept=frozenset({Weakness.ONE_OPEN})),
    "nothing at all": lambda: Setting(lms=NOTHING, accept=frozenset({Weakness.AT_MOST_ONCE})),
}
"""Ports as strong as can be, and as weak; with each, what is promised must be kept."""

ONE_BY_ONE = {
    "a run dies": Budget(runs=1, crash=1),
    "a run dies, another is not answered": Budget(runs=1, crash=1, silence=1),
    "a request arrives late": Budget(runs=1, silence=1, late=1),
    "a commit nobody confirms": Budget(runs=1, commit=1, silence=1),
    "the LMS refuses, and a request arrives late": Budget(runs=1, refuse=1, late=1),
    "a letter is not taken now": Budget(runs=1, mail=1, crash=1),
}
"""Small troubles, few enough for every world to be played."""

EVERYTHING = Budget(
    runs=2, switch=3, pause=2, crash=2, silence=2, late=1, commit=1, refuse=1, mail=1, people=2
)  # fmt: skip
"""Two runs, and all of it."""

WITHIN = {
    "look-up only": evolve(EVERYTHING, pause=0),
    "one open at a time": evolve(EVERYTHING, late=0, people=1),
}
"""What a weaker promise leaves out: with look-up only no run pauses; with one open at a time nothing arrives late."""


class TestEveryWorldWithLittleTrouble:
    """Whatever call a run dies before or after, or gets no answer to: two clean runs later everybody who is wanted is
    booked once, invited, and paid for once, and at no moment in between was any invariant broken."""

    @pytest.mark.parametrize("budget", ONE_BY_ONE.values(), ids=ONE_BY_ONE)
    @pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)
    def test_all_of_them(self, setting: type[Setting], budget: Budget) -> None:
        played, found = exhaustively(setting, budget)
        assert found is None
        assert played > 5

    def test_the_nth_call(self) -> None:
        """Die at call 1, then at call 2, … until a run comes through: what is left is mended by the next."""
        played, found = exhaustively(Setting, Budget(runs=1, crash=1))
        assert (played, found) == (21, None)  # ten calls, before and after each, and none


FOLLOWING = partial(steps_of_night, follow=True)


class TestRunsThatFollow:
    """Runs that ask the LMS how far bookings have come keep the same promises, while people start and runs die."""

    def test_one_that_dies(self) -> None:
        played, found = exhaustively(Setting, Budget(runs=1, crash=1, people=1), FOLLOWING)
        assert found is None
        assert played > 200

    @pytest.mark.parametrize("name", ["keys for ever", "refusals that are not final"])
    def test_some_worlds(self, name: str) -> None:
        assert by_dice(SETTINGS[name], EVERYTHING, range(60), FOLLOWING) == (60, None)


class TestTwoRunsAtOnce:
    """Two runs of one night, taking turns wherever they may, one of them dying or pausing until its leases are over."""

    @pytest.mark.parametrize("budget", [Budget(switch=1, crash=1), Budget(switch=1, pause=1)], ids=["dies", "pauses"])
    def test_all_of_them(self, budget: Budget) -> None:
        played, found = exhaustively(Setting, budget)
        assert found is None
        assert played > 150


class TestManyTroublesAtOnce:
    """Everything together, by dice: the same seeds each time here, others in `make soak`."""

    @pytest.mark.parametrize("name", SETTINGS)
    def test_some_worlds(self, name: str) -> None:
        assert by_dice(SETTINGS[name], WITHIN.get(name, EVERYTHING), range(60)) == (60, None)

    @given(st.data())
    def test_what_hypothesis_finds(self, data: st.DataObject) -> None:
        def choose(n: int, label: str) -> int:
            return data.draw(st.integers(0, n - 1), label=label) if n > 1 else 0

        setting = data.draw(st.sampled_from([name for name in SETTINGS if name not in WITHIN]))
        assert one(SETTINGS[setting], EVERYTHING, choose, steps_of_night) is None


class TestEverySafeguardIsNeeded:
    """With any one safeguard switched off, an invariant breaks, and it is seen."""

    @pytest.mark.parametrize("sabotage", SABOTAGES, ids=lambda sabotage: sabotage.off)
    def test_it_is_seen(self, sabotage: Sabotage) -> None:
        _, found = sabotage.explored()
        assert found is not None
        assert found.invariant in sabotage.expected
        assert line(sabotage, found) in PAGE.read_text(encoding="utf-8"), "run `make docs-safeguards`"

    def test_leases_are_not_one(self) -> None:
        """Without leases runs get in each other's way, and no promise is broken: safety rests on the key and fence."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(simulation, "LEASE", simulation.LEASE * 0)
            assert exhaustively(Setting, Budget(switch=1, crash=1))[1] is None
