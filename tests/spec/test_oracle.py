"""The engine against the definition: the same rules, written twice, asked the same questions."""

import json
from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from documents import near_ready_rows
from enrolpolicy import dump, explain_all, findings, load, plan
from oracle import GATES, World, noticed

Drawn = tuple[dict[str, Any], date]
THOROUGH = settings.get_current_profile_name() == "thorough"


class TestTheEngineIsTheDefinition:
    """Whatever the register: the same actions with the same identities, the same deferrals, counts, guards and
    findings."""

    @given(near_ready_rows())
    @settings(max_examples=20_000 if THOROUGH else 600)
    def test_every_action_is_the_same(self, drawn: Drawn) -> None:
        document, on = drawn
        ours = json.loads(dump(plan(load(json.dumps(document)), on=on)))
        theirs = World(document, on).plan()
        assert ours["actions"] == theirs["actions"]
        assert ours["deferred"] == theirs["deferred"]
        assert ours["counts"]["not-enrolled"] == theirs["not-enrolled"]
        assert ours["guards"] == theirs["guards"]
        assert ours["applyable"] == (theirs["guards"] == [])

    @given(near_ready_rows(most_flips=6))
    def test_every_candidate_is_the_same(self, drawn: Drawn) -> None:
        document, on = drawn
        found = [json.loads(dump(row)) for row in explain_all(load(json.dumps(document)), on=on)]
        defined = World(document, on).candidates()
        same = ("person", "course", "status", "level", "trigger", "shut", "cycle", "attempt", "lead_days", "lead_from")
        assert [{name: row[name] for name in same} for row in found] == [
            {name: row[name] for name in same} for row in defined
        ]
        for name in ("expires_on", "opens_on"):
            assert [row[name] for row in found] == [row[name] and row[name].isoformat() for row in defined]

    @given(near_ready_rows(most_flips=8), st.data())
    @settings(max_examples=20_000 if THOROUGH else 200)
    def test_every_finding_is_the_same(self, drawn: Drawn, data: st.DataObject) -> None:
        document, on = drawn
        if document["records"] and data.draw(st.booleans()):  # what no other property has a use for
            data.draw(st.sampled_from(document["records"])).update(data.draw(st.sampled_from(odd_records(on))))
        found = [(row.level, row.code, row.path) for row in findings(load(json.dumps(document)), on)]
        assert sorted(found) == sorted(noticed(document, on))


def odd_records(on: date) -> list[dict[str, Any]]:
    """Dates at odds with each other, with what is never to expire, and with the calendar, or just not."""
    days = [(on + timedelta(offset)).isoformat() for offset in (-1, 0, 1)]
    odd = [
        {"completed_on": done, "expires_on": end, "never_expires": never}
        for done in days
        for end in (*days, None)
        for never in (True, False)
    ]
    return odd + [{"completed_on": f"99{year}-06-01", "expires_on": None} for year in ("00", "98", "99")]


@pytest.fixture(scope="module")
def sample() -> list[Drawn]:
    drawn: list[Drawn] = []

    @settings(max_examples=1_500, database=None, derandomize=True)
    @given(near_ready_rows())
    def draw(document: Drawn) -> None:
        drawn.append(document)

    draw()
    return drawn


class TestTheDocumentsAreWorthPlanning:
    """What the properties are tried on acts, often, and meets every rule."""

    def test_more_than_half_act(self, sample: list[Drawn]) -> None:
        acting = sum(bool(World(*drawn).plan()["actions"]) for drawn in sample)
        assert acting > len(sample) / 2

    def test_every_rule_is_met(self, sample: list[Drawn]) -> None:
        met: Counter[str] = Counter()
        for drawn in sample:
            world = World(*drawn)
            outcome = world.plan()
            met.update(id for facts in world.candidates() for id in (*facts["shut"], facts["trigger"]) if id)
            met.update(row["because"] for row in outcome["actions"] if "because" in row)
            met.update(row["because"] for row in outcome["deferred"])
            met.update(outcome["guards"])
        causes = {"superseded", "person-archived", "no-longer-assigned", "course-archived", "credits", "spread"}
        wanted = {*GATES, "expiring", "expired", "missing", *causes, "max-enrolments", "max-cancellations"}
        assert {id: met[id] for id in wanted if met[id] < 3} == {}


@given(st.data())
@settings(max_examples=20)
def test_a_document_stands_by_itself(data: st.DataObject) -> None:
    document, on = data.draw(near_ready_rows())
    before = json.dumps(document)
    World(document, on).plan()
    assert json.dumps(document) == before
