"""zen-engine: the rows of the policy as one decision table, called for each candidate on facts made ready before.

A call costs the same whatever the estate, and too much to make millions of: so it is called for a sample, whose times
are taken times the rest. What comes before (facts from rows) and after (credits, withdrawals) is not measured.
"""

import json
from itertools import product
from pathlib import Path
from typing import Any

import zen

import estates
from enrolpolicy.facts import DOMAINS, Facts, Value, code, facts_of
from enrolpolicy.night import night
from enrolpolicy.policy import GATES, NO_TRIGGER, TRIGGERS
from enrolpolicy.verdict import verdict_of
from registers import ON

SAMPLE = 2_000


def word(value: Value) -> object:
    """A fact's value as JSON has it."""
    return value if isinstance(value, bool) else "none" if value is None else value.value


def combinations(reads: tuple[str, ...]) -> list[tuple[dict[str, Value], Facts]]:
    """Every combination of some facts, and whole facts with it."""
    found = []
    for values in product(*(DOMAINS[name] for name in reads)):
        combination = dict(zip(reads, values, strict=True))
        found.append((combination, facts_of(code(**combination))))
    return found


def table() -> str:
    """A line for each way a gate is shut, in their order, then for each way a trigger fires; the first counts."""
    lines: list[tuple[dict[str, Value], str]] = []
    for gate in GATES:
        lines += [(some, gate.id) for some, facts in combinations(gate.reads) if not gate.holds(facts)]
    for trigger in TRIGGERS:
        lines += [(some, "") for some, facts in combinations(trigger.reads) if trigger.holds(facts)]
    lines.append(({}, NO_TRIGGER))
    rules = [
        {
            "_id": str(number),
            **{name: json.dumps(word(value)) for name, value in some.items()},
            "reason": json.dumps(said),
        }
        for number, (some, said) in enumerate(lines)
    ]
    content = {
        "hitPolicy": "first",
        "inputs": [{"id": name, "name": name, "type": "expression", "field": name} for name in DOMAINS],
        "outputs": [{"id": "reason", "name": "reason", "type": "expression", "field": "reason"}],
        "rules": rules,
    }
    kinds = {"in": "inputNode", "table": "decisionTableNode", "out": "outputNode"}
    nodes = [{"id": id, "name": id, "type": kind, "position": {"x": 0, "y": 0}} for id, kind in kinds.items()]
    nodes[1]["content"] = content
    edges = [
        {"id": f"{one}-{other}", "type": "edge", "sourceId": one, "targetId": other}
        for one, other in (("in", "table"), ("table", "out"))
    ]
    return json.dumps({"nodes": nodes, "edges": edges})


class Zen:
    def load(self, tables: Path, keyed: Path) -> None:
        codes = []
        for snapshot in estates.snapshots(tables):
            tonight = night(snapshot, ON)
            for person in tonight.register.people:
                codes += [tonight.read(person, course).code for course in tonight.register.courses_of(person)]
        self.codes = codes[:: max(1, len(codes) // SAMPLE)]
        self.share = len(self.codes) / len(codes)
        self.facts = [{name: word(getattr(facts_of(code), name)) for name in DOMAINS} for code in self.codes]
        self.decision = zen.ZenEngine().create_decision(table())

    def decide(self) -> list[str]:
        evaluate = self.decision.evaluate
        return [evaluate(facts)["result"]["reason"] for facts in self.facts]

    def answer(self, decided: list[str]) -> Any:
        wrong = sum((verdict_of(code).reason or "") != reason for code, reason in zip(self.codes, decided, strict=True))
        if wrong:
            raise SystemExit(f"zen-engine decides {wrong} of {len(decided)} candidates otherwise")
        return None
