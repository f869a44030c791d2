"""The engine over columns against the definition, which knows neither engine."""

import json
from datetime import date
from typing import Any

from hypothesis import given, settings

from documents import near_ready_rows
from enrolpolicy import dump, load
from enrolpolicy.bulk import estate_of, plan_estate, plans_of, verdicts
from oracle import World

Drawn = tuple[dict[str, Any], date]
THOROUGH = settings.get_current_profile_name() == "thorough"


class TestTheColumnsAreTheDefinition:
    """Whatever the register: the actions, deferrals, counts and guards of the definition, and its candidates."""

    @given(near_ready_rows())
    @settings(max_examples=10_000 if THOROUGH else 250)
    def test_every_action_is_the_same(self, drawn: Drawn) -> None:
        document, on = drawn
        [found] = plans_of(plan_estate(estate_of([load(json.dumps(document))]), on=on))
        ours, theirs = json.loads(dump(found)), World(document, on).plan()
        assert ours["actions"] == theirs["actions"]
        assert ours["deferred"] == theirs["deferred"]
        assert ours["counts"]["not-enrolled"] == theirs["not-enrolled"]
        assert ours["guards"] == theirs["guards"]

    @given(near_ready_rows(most_flips=6))
    @settings(max_examples=10_000 if THOROUGH else 100)
    def test_every_candidate_is_the_same(self, drawn: Drawn) -> None:
        document, on = drawn
        found = verdicts(estate_of([load(json.dumps(document))]), on=on)
        ours = [(person, course, verdict.trigger, list(verdict.shut)) for person, course, verdict, _ in found]
        theirs = World(document, on).candidates()
        assert ours == [tuple(row[name] for name in ("person", "course", "trigger", "shut")) for row in theirs]
