"""Snapshots worth planning: near to enrolling somebody, and near to every boundary.

Registers drawn at random enrol hardly anybody, and then a rule that is off by one day is never noticed. So a document
begins with everybody about to be enrolled, and a few facts are flipped, with dates a day before, on, and a day after
each boundary.
"""

import json
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

Row = dict[str, Any]
Draw = Callable[[st.SearchStrategy[Any]], Any]
Flip = Callable[[Draw, Row, date], None]

NIGHTS = (date(2026, 11, 23), date(2024, 2, 29), date(2026, 3, 1), date(2026, 4, 24), date(2025, 12, 31))
ZONES = ("Europe/London", "Africa/Cairo", "America/Havana", "Pacific/Apia", "Pacific/Pago_Pago")
CAUSES = (
    "superseded", "person-archived", "no-longer-assigned", "course-archived",
    "person-disabled", "course-disabled", "out-of-audience", "out-of-scope",
)  # fmt: skip
STATUSES = ("pending", "booked", "in-progress", "completed", "cancelled", "refused")


def ready(people: int, courses: int, on: date) -> Row:
    """A document in which everybody is enrolled on everything, tonight."""
    ids = [f"c{number}" for number in range(courses)]
    names = [f"p{number}" for number in range(people)]
    return {
        "format_version": "1.0",
        "account": {"id": "acme"},
        "courses": [{"id": id, "delivery": "ihasco", "auto_enrol": True} for id in ids],
        "roles": [{"id": "crew", "requirements": [{"course": id, "level": "required"} for id in ids]}],
        "personnel": [
            {
                "id": id,
                "email": f"{id}@acme.example",
                "employment": "employee",
                "roles": [{"role": "crew", "assigned_on": _day(on, -400)}],
            }
            for id in names
        ],
        "assignments": [],
        "records": [
            {"person": name, "course": id, "completed_on": _day(on, -345), "expires_on": _day(on, 20)}
            for name in names
            for id in ids
        ],
        "enrolments": [],
        "opt_outs": [],
    }


def _day(on: date, days: int) -> str:
    return (on + timedelta(days)).isoformat()


# Flips


def _account(draw: Draw, document: Row, on: date) -> None:
    name, values = draw(st.sampled_from(ACCOUNT_SETTINGS))
    document["account"][name] = draw(st.sampled_from(values))


ACCOUNT_SETTINGS: list[tuple[str, tuple[Any, ...]]] = [
    ("elearning_plan_active", (False,)),
    ("auto_enrol", (False,)),
    ("auto_enrol_missing", (True,)),
    ("custom_expiry", (True,)),
    ("lead_days", (0, 1, 19, 20, 21, 200)),
    ("expired_lookback_days", (0, 1, 89, 90, 91)),
    ("spread_days", (1, 2, 10, 40)),
    ("credits", (0, 1, 2, 3, 5)),
    ("timezone", ZONES),
    ("withdraw_when", ([], list(CAUSES), ["person-disabled", "course-disabled"], ["out-of-scope", "out-of-audience"])),
    ("guards", ({"max_cancelled_fraction": 0.5}, {"max_cancelled_fraction": 0})),
]


def _course(draw: Draw, document: Row, on: date) -> None:
    name, values = draw(st.sampled_from(COURSE_SETTINGS))
    draw(st.sampled_from(document["courses"]))[name] = draw(st.sampled_from(values))


COURSE_SETTINGS: list[tuple[str, tuple[Any, ...]]] = [
    ("archived", (True,)),
    ("auto_enrol", (False,)),
    ("delivery", ("scorm", "classroom", "other")),
    ("audience", ("everyone",)),
    ("scope", ("required-and-optional",)),
    ("lead_days", (0, 19, 20, 21)),
    ("credit_cost", (0, 2)),
]


def _person(draw: Draw, document: Row, on: date) -> None:
    name, values = draw(st.sampled_from(PERSON_SETTINGS))
    draw(st.sampled_from(document["personnel"]))[name] = draw(st.sampled_from(values))


PERSON_SETTINGS: list[tuple[str, tuple[Any, ...]]] = [
    ("archived", (True,)),
    ("auto_enrol", (False,)),
    ("email", (None, "", "ana", "a@b", "a b@acme.example", "a@b@acme.example", "ana@acme.example.")),
    ("employment", ("subcontractor",)),
    ("roles", ([], [{"role": "crew"}], [{"role": "gone"}])),
]


def _missing(draw: Draw, document: Row, on: date) -> None:
    """Training never recorded, and asked for around the date it counts from."""
    document["records"].remove(draw(st.sampled_from(document["records"]))) if document["records"] else None
    document["account"]["auto_enrol_missing"] = True
    document["account"]["missing_since"] = draw(st.sampled_from([None, _day(on, -401), _day(on, -400), _day(on, -399)]))


def _newcomers(draw: Draw, document: Row, on: date) -> None:
    """People with the same role, given to each on another day around the one that missing training counts from."""
    document["account"] |= {"auto_enrol_missing": True, "missing_since": _day(on, -400)}
    document["records"] = [row for row in document["records"] if draw(st.booleans())]
    for row in document["personnel"]:
        since = draw(st.sampled_from([None, _day(on, -401), _day(on, -400), _day(on, -399)]))
        row["roles"] = [{"role": "crew", "assigned_on": since}]


def _level(draw: Draw, document: Row, on: date) -> None:
    requirement = draw(st.sampled_from(document["roles"][0]["requirements"]))
    requirement["level"] = "optional"


def _assignment(draw: Draw, document: Row, on: date) -> None:
    document["assignments"].append(
        {
            **_pair(draw, document),
            "level": draw(st.sampled_from(["required", "optional"])),
            "assigned_on": draw(st.sampled_from([None, _day(on, -400), _day(on, -5), _day(on, 0)])),
        }
    )


def _pair(draw: Draw, document: Row) -> Row:
    person = draw(st.sampled_from([row["id"] for row in document["personnel"]]))
    return {"person": person, "course": draw(st.sampled_from([row["id"] for row in document["courses"]]))}


def _opt_out(draw: Draw, document: Row, on: date) -> None:
    document["opt_outs"].append(_pair(draw, document))


def _expiry(draw: Draw, document: Row, on: date) -> None:
    """An expiry around the window, the night itself, and the end of what is looked back."""
    if document["records"]:
        row = draw(st.sampled_from(document["records"]))
        days = draw(st.sampled_from([-91, -90, -89, -1, 0, 1, 19, 20, 21, 29, 30, 31]))
        row["expires_on"] = _day(on, days)


def _completion(draw: Draw, document: Row, on: date) -> None:
    """A completion around half of what it is valid for, or not counting at all."""
    if document["records"]:
        row = draw(st.sampled_from(document["records"]))
        row |= draw(
            st.sampled_from(
                [
                    {"voided": True},
                    {"never_expires": True},
                    {"never_expires": True, "expires_on": None},
                    {"completed_on": _day(on, 1)},
                    {"completed_on": _day(on, 0)},
                    {"completed_on": _day(on, -20), "expires_on": _day(on, 20)},
                    {"completed_on": _day(on, -21), "expires_on": _day(on, 20)},
                    {"completed_on": _day(on, -19), "expires_on": _day(on, 20)},
                    {"completed_on": _day(on, -5), "expires_on": _day(on, -6)},
                ]
            )
        )


def _another(draw: Draw, document: Row, on: date) -> None:
    """A second record: older or newer, longer or shorter, of the same day, or of nobody known."""
    row = {
        **_pair(draw, document),
        "completed_on": _day(on, draw(st.sampled_from([-700, -346, -345, -344, -10, 0, 1]))),
        "expires_on": draw(st.sampled_from([None, _day(on, 19), _day(on, 20), _day(on, 21), _day(on, 300)])),
        "voided": draw(st.booleans()),
    }
    document["records"].append(row | draw(st.sampled_from([{}, {}, {}, {"person": "nobody"}, {"course": "nothing"}])))


def _validity(draw: Draw, document: Row, on: date) -> None:
    """Expiries that follow from the course, by completion or from one expiry to the next."""
    course = draw(st.sampled_from(document["courses"]))
    course["validity"] = draw(
        st.sampled_from([{"months": 12}, {"months": 1}, {"months": 1200}, {"days": 365}, {"days": 1}])
    ) | draw(st.sampled_from([{}, {"anchor": "previous-expiry"}]))
    for row in document["records"]:
        if row["course"] == course["id"] and draw(st.booleans()):
            row["expires_on"] = None
            row["completed_on"] = _day(on, draw(st.sampled_from([-366, -365, -350, -336, -335, -334, -30, -1])))


def _enrolment(draw: Draw, document: Row, on: date) -> None:
    """An enrolment of any status, of this cycle or another, made around the local midnight of some day."""
    pair = _pair(draw, document)
    of_pair = [row["completed_on"] for row in document["records"] if row | pair == row]
    zone = ZoneInfo(document["account"].get("timezone", "Europe/London"))
    made_on = on + timedelta(draw(st.sampled_from([-345, -40, -10, -1])))
    at = datetime.combine(made_on, time(), zone) + timedelta(seconds=draw(st.sampled_from([-1, 0, 1])))
    for _ in range(draw(st.sampled_from([1, 1, 1, 2, 5, 7]))):
        document["enrolments"].append(
            {
                **pair,
                "id": f"e{len(document['enrolments'])}",
                "cycle": draw(st.sampled_from([*of_pair, *of_pair, "first", "2020-01-01", None])),
                "origin": draw(st.sampled_from(["auto", "auto", "manual"])),
                "status": draw(st.sampled_from(STATUSES)),
                "enrolled_at": at.isoformat(),
                "invited_at": draw(st.sampled_from([None, at.isoformat()])),
                "ended_on": draw(st.sampled_from([None, *(_day(on, -days) for days in (0, 1, 2, 4, 5, 16, 31, 32))])),
                "ended_because": draw(st.sampled_from([None, "requested", "requested", "superseded"])),
            }
        )


def _refused(draw: Draw, document: Row, on: date) -> None:
    """Refused so many times, and the pause after it ending yesterday, tonight, or tomorrow."""
    pair = _pair(draw, document)
    cycle = next((row["completed_on"] for row in document["records"] if row | pair == row), "first")
    times = draw(st.integers(1, 7))
    ended_on = _day(on, draw(st.sampled_from([-1, 0, 1])) - min(32, 2 ** (times - 1)))
    for _ in range(times):
        document["enrolments"].append(_booking(document, on, {**pair, "cycle": cycle, "status": "refused"}))
        document["enrolments"][-1]["ended_on"] = ended_on


def _booking(document: Row, on: date, differing: Row) -> Row:
    return {
        "id": f"e{len(document['enrolments'])}", "origin": "auto", "status": "booked",
        "enrolled_at": f"{_day(on, -40)}T12:00:00+00:00", **differing,
    }  # fmt: skip


def _withdrawn(draw: Draw, document: Row, on: date) -> None:
    """A booking not yet started, and one cause to take it back, chosen by the account or not."""
    pair = _pair(draw, document)
    rows = [row for row in document["records"] if row | pair == row]
    cycle = draw(st.sampled_from([*(row["completed_on"] for row in rows), "first", None]))
    document["enrolments"].append(_booking(document, on, {**pair, "cycle": cycle}))
    [person] = (row for row in document["personnel"] if row["id"] == pair["person"])
    [course] = (row for row in document["courses"] if row["id"] == pair["course"])
    cause = draw(st.sampled_from(CAUSES))
    if cause == "superseded":
        rows = rows or [{}]
        rows[0]["expires_on"] = draw(st.sampled_from([_day(on, 20), _day(on, 300)]))
    elif cause == "no-longer-assigned":
        person["roles"] = []
    elif cause == "course-archived":
        course |= draw(st.sampled_from([{"archived": True}, {"delivery": "classroom"}]))
    elif cause == "out-of-scope":
        document["roles"][0]["requirements"][0]["level"] = "optional"
    else:
        simple: dict[str, tuple[Row, Row]] = {
            "person-archived": (person, {"archived": True}),
            "person-disabled": (person, {"auto_enrol": False}),
            "course-disabled": (course, {"auto_enrol": False}),
            "out-of-audience": (person, {"employment": "subcontractor"}),
        }
        row, change = simple[cause]
        row |= change
    if draw(st.booleans()):
        document["account"]["withdraw_when"] = [cause]


def _guarded(draw: Draw, document: Row, on: date) -> None:
    """A limit that the plan reaches, or exceeds by one."""
    name = draw(st.sampled_from(["max_enrolments", "max_credits", "max_cancellations"]))
    document["account"]["guards"] = {name: draw(st.integers(0, 4))}
    if name == "max_cancellations":
        _withdrawn(draw, document, on)


def _spread(draw: Draw, document: Row, on: date) -> None:
    """Windows that have just opened, or are about to close, and bookings spread over a few days or many."""
    document["account"]["spread_days"] = draw(st.sampled_from([2, 5, 10, 40, 3650]))
    for row in document["records"]:
        row["expires_on"] = _day(on, draw(st.sampled_from([6, 7, 8, 26, 28, 29, 30])))


def _dangling(draw: Draw, document: Row, on: date) -> None:
    """A booking of somebody, or on something, that is not in the register."""
    _enrolment(draw, document, on)
    document["enrolments"][-1][draw(st.sampled_from(["person", "course"]))] = "unknown"


FLIPS: tuple[Flip, ...] = (
    _account, _course, _person, _missing, _newcomers, _level, _assignment, _opt_out, _expiry, _completion, _another,
    _validity, _enrolment, _enrolment, _refused, _withdrawn, _withdrawn, _guarded, _spread, _dangling,
)  # fmt: skip


@st.composite
def near_ready(draw: Draw, most_flips: int = 4, people: int = 3, courses: int = 2) -> tuple[str, date]:
    """A document's text and the night to plan."""
    document, on = draw(near_ready_rows(most_flips, people, courses))
    return json.dumps(document), on


@st.composite
def near_ready_rows(draw: Draw, most_flips: int = 4, people: int = 3, courses: int = 2) -> tuple[Row, date]:
    """The same, not yet as text."""
    on = draw(st.sampled_from(NIGHTS))
    document = ready(draw(st.integers(1, people)), draw(st.integers(1, courses)), on)
    for flip in draw(st.lists(st.sampled_from(FLIPS), max_size=most_flips)):
        flip(draw, document, on)
    return document, on
