"""The engine over columns against the definition, which knows neither engine."""

import json
from collections.abc import Iterable
from datetime import date, timedelta
from itertools import chain, product
from typing import Any

from hypothesis import given, settings

from documents import CAUSES, near_ready_rows
from enrolpolicy import Snapshot, dump, load
from enrolpolicy.bulk import estate_of, plan_estate, plans_of, verdicts
from oracle import World

Row = dict[str, Any]
Drawn = tuple[Row, date]
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
COMPLETED_ON = ON - timedelta(300)
OPEN: Row = {"auto_enrol_missing": True}
"""The account that asks for most; the others are asked about people who are not in the way themselves."""
OTHERS: tuple[Row, ...] = ({}, {"elearning_plan_active": False}, {"auto_enrol": False})
WITHDRAWING: tuple[Row, ...] = tuple({"withdraw_when": [cause]} for cause in CAUSES)
PEOPLE = tuple(
    {"employment": employment, "archived": archived, "auto_enrol": enabled}
    for employment, archived, enabled in product(("employee", "subcontractor"), (False, True), (True, False))
)
LEVELS = (None, "required", "optional")
EXPIRIES = (None, 400, 30, -1, -100)
"""In how many days a training expires, None where it was never recorded: missing, current, expiring, expired twice."""
DELIVERIES = ("ihasco", "scorm", "classroom", "other")
CYCLES = (str(COMPLETED_ON), "2020-01-01")


class TestEverySettingWithEveryOther:
    """Whatever account, person and course are set to, together: the candidates and the actions of the definition."""

    def test_of_candidates(self) -> None:
        kinds = chain(product((OPEN,), PEOPLE, LEVELS, EXPIRIES), product(OTHERS, PEOPLE[:1], LEVELS, EXPIRIES))
        documents = accounts_of(courses_of(DELIVERIES), kinds)
        found: dict[str, list[Any]] = {id: [] for id in documents}
        for person, course, verdict, _ in verdicts(estate_of(map(read, documents.values())), on=ON):
            found[person].append((person, course, verdict.trigger, list(verdict.shut)))
        for id, document in documents.items():
            theirs = World(document, ON).candidates()
            assert found[id] == [tuple(row[name] for name in ("person", "course", "trigger", "shut")) for row in theirs]
        self.same_actions(documents)

    def test_of_bookings(self) -> None:
        """Each cause by itself, for bookings of this cycle and of another one."""
        kinds = product(WITHDRAWING, PEOPLE, LEVELS, (30,), CYCLES)
        self.same_actions(accounts_of(courses_of(DELIVERIES[1:3]), kinds))

    @staticmethod
    def same_actions(documents: dict[str, Row]) -> None:
        for planned in plans_of(plan_estate(estate_of(map(read, documents.values())), on=ON)):
            theirs = World(documents[planned.account], ON).plan()
            assert json.loads(dump(planned))["actions"] == theirs["actions"]


def read(document: Row) -> Snapshot:
    return load(json.dumps(document))


def courses_of(deliveries: Iterable[str]) -> list[Row]:
    """As many courses as a course can be set."""
    settings = product(
        deliveries, (False, True), (True, False), ("employees", "everyone"), ("required", "required-and-optional")
    )
    names = ("delivery", "archived", "auto_enrol", "audience", "scope")
    return [{"id": f"c{number:02}", **dict(zip(names, one, strict=True))} for number, one in enumerate(settings)]


def accounts_of(courses: list[Row], kinds: Iterable[tuple[Any, ...]]) -> dict[str, Row]:
    """An account for each kind, of one person, who goes by its id, and for whom all courses stand alike."""
    accounts = (account(f"{number:03}", courses, *kind) for number, kind in enumerate(kinds))
    return {document["account"]["id"]: document for document in accounts}


def account(
    id: str, courses: list[Row], settings: Row, person: Row, level: str | None, expiry: int | None, cycle: str = ""
) -> Row:
    pairs = [{"person": id, "course": course["id"]} for course in courses]
    taken = None if expiry is None else {"completed_on": str(COMPLETED_ON), "expires_on": str(ON + timedelta(expiry))}
    booked = {"cycle": cycle, "origin": "auto", "status": "booked", "enrolled_at": "2026-11-01T12:00:00+00:00"}
    return {
        "format_version": "1.0",
        "account": {"id": id, **settings},
        "courses": courses,
        "personnel": [{"id": id, "email": "ana@acme.example", **person}],
        "assignments": [pair | {"level": level} for pair in pairs if level is not None],
        "records": [pair | taken for pair in pairs if taken is not None],
        "enrolments": [{"id": f"e-{pair['course']}", **pair, **booked} for pair in pairs if cycle],
    }
