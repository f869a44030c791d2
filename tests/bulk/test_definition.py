"""The engine over columns against the definition, which knows neither engine."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import chain, product
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


ON = date(2026, 11, 23)
OPEN: dict[str, bool] = {"auto_enrol_missing": True}
"""The account that asks for most; the others are asked about people who are not in the way themselves."""
OTHERS: tuple[dict[str, bool], ...] = ({}, {"elearning_plan_active": False}, {"auto_enrol": False})
PEOPLE = tuple(product(("employee", "subcontractor"), (False, True), (True, False)))
LEVELS = (None, "required", "optional")
EXPIRIES = (None, 400, 30, -1, -100)
"""In how many days a training expires, None where it was never recorded: missing, current, expiring, expired twice."""


class TestEverySettingWithEveryOther:
    """Whatever account, person and course are set to, together: the candidates and the actions of the definition."""

    def test_is_the_same(self) -> None:
        documents = {document["account"]["id"]: document for document in every_combination()}
        estate = estate_of([load(json.dumps(document)) for document in documents.values()])
        found: dict[str, list[Any]] = {id: [] for id in documents}
        for person, course, verdict, _ in verdicts(estate, on=ON):
            found[person].append((person, course, verdict.trigger, list(verdict.shut)))
        for planned in plans_of(plan_estate(estate, on=ON)):
            world = World(documents[planned.account], ON)
            assert found[planned.account] == [
                tuple(row[name] for name in ("person", "course", "trigger", "shut")) for row in world.candidates()
            ]
            assert json.loads(dump(planned))["actions"] == world.plan()["actions"]


def every_combination() -> Iterator[dict[str, Any]]:
    """Accounts of one person each, who goes by the account's id, and of as many courses as a course can be set."""
    courses = [
        {
            "id": f"c{number:02}", "delivery": delivery, "archived": archived, "auto_enrol": enabled,
            "audience": audience, "scope": scope,
        }
        for number, (delivery, archived, enabled, audience, scope) in enumerate(
            product(
                ("ihasco", "scorm", "classroom", "other"), (False, True), (True, False), ("employees", "everyone"),
                ("required", "required-and-optional"),
            )
        )
    ]  # fmt: skip
    kinds = chain(product((OPEN,), PEOPLE, LEVELS, EXPIRIES), product(OTHERS, PEOPLE[:1], LEVELS, EXPIRIES))
    for number, (account, (employment, archived, enabled), level, expiry) in enumerate(kinds):
        id = f"{number:03}"
        pairs = [{"person": id, "course": course["id"]} for course in courses]
        taken = {} if expiry is None else {"expires_on": str(ON + timedelta(expiry))}
        yield {
            "format_version": "1.0",
            "account": {"id": id, **account},
            "courses": courses,
            "personnel": [
                {
                    "id": id, "email": "ana@acme.example", "employment": employment, "archived": archived,
                    "auto_enrol": enabled,
                }
            ],
            "assignments": [pair | {"level": level} for pair in pairs if level is not None],
            "records": [pair | taken | {"completed_on": str(ON - timedelta(300))} for pair in pairs if taken],
        }  # fmt: skip
