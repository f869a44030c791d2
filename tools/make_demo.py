"""Write the example account that ships with the package: a made-up firm, on Monday 23 November 2026.

Most of its people are as they should be. `STORIES` holds those who are not, one line for each thing the policy can say
of somebody, so that the demonstration shows every reason it can show in one account.
"""

import json
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from enrolpolicy import dump, load

Row = dict[str, Any]

ON = date(2026, 11, 23)
TARGET = Path(__file__).parents[1] / "src" / "enrolpolicy" / "demo.json"

# id, name, delivery, months of validity, what else differs
COURSES: list[tuple[str, str, str, int, Row]] = [
    ("fire-safety", "Fire Safety", "ihasco", 12, {"audience": "everyone"}),
    ("manual-handling", "Manual Handling", "ihasco", 12, {"audience": "everyone"}),
    ("display-screens", "Display Screen Equipment", "ihasco", 24, {}),
    ("data-protection", "Data Protection", "ihasco", 12, {}),
    ("cyber-security", "Cyber Security", "ihasco", 12, {}),
    ("slips-trips", "Slips, Trips and Falls", "ihasco", 24, {"audience": "everyone"}),
    ("asbestos", "Asbestos Awareness", "ihasco", 12, {"audience": "everyone"}),
    ("height", "Working at Height", "ihasco", 12, {"audience": "everyone"}),
    ("food-hygiene", "Food Hygiene, Level 2", "ihasco", 36, {}),
    ("mental-health", "Mental Health at Work", "ihasco", 24, {"auto_enrol": False}),
    ("coshh", "Hazardous Substances", "ihasco", 24, {"scope": "required-and-optional"}),
    ("site-induction", "Site Induction", "scorm", 12, {"audience": "everyone", "credit_cost": 0}),
    ("forklift-theory", "Forklift Theory", "scorm", 36, {"credit_cost": 2}),
    ("ladders-2019", "Ladder Safety (2019)", "scorm", 12, {"archived": True}),
    ("first-aid", "First Aid at Work", "classroom", 36, {}),
]

# id, name, what it requires, what it offers
ROLES: list[tuple[str, str, list[str], list[str]]] = [
    ("everyone", "Everyone", ["fire-safety", "slips-trips"], ["mental-health"]),
    ("office", "Office", ["display-screens", "data-protection", "cyber-security"], ["coshh"]),
    ("site", "Site", ["manual-handling", "asbestos", "height", "site-induction"], ["first-aid"]),
    ("kitchen", "Kitchen", ["food-hygiene", "manual-handling"], ["data-protection"]),
]

OFFICE, SITE, KITCHEN, VISITING = "office", "site", "kitchen", "visiting"

PEOPLE: dict[str, str] = {
    OFFICE: "Priya Nair, Tom Ashworth, Grace Obi, Helen Marsh, Ivan Petrov, Yuki Tanaka, Owen Pryce, Sara Lindqvist, "
    "Daniel Osei, Ruth Abrams, Leo Fontaine, Maya Kapoor, Chloe Barnett, Samir Haddad, Nora Quinn, Felix Brandt, "
    "Amara Diallo, Jack Tilley, Elena Rossi, Paul Whitby",
    SITE: "Aaron Blake, Bogdan Ilic, Carlos Vega, Dylan Rees, Ewan Muir, Farid Aziz, Gareth Pugh, Hamza Malik, "
    "Idris Bello, Joao Pinto, Kofi Mensah, Liam Doyle, Marek Nowak, Neil Carver, Oscar Lund, Pavel Horak, "
    "Quentin Roux, Rhys Morgan",
    KITCHEN: "Alba Ruiz, Bella Conti, Cora Whelan, Dina Farouk, Esme Hartley, Fiona Keane, Gita Rao, Hana Kim",
    VISITING: "Victor Stone, Wendy Frost, Xavier Cole, Yasmin Noor, Zack Turner, Adele Novak, Bram de Wit, "
    "Celia Ortiz, Dario Greco, Emil Jensen, Freya Holt, Gus Palmer, Hugo Laurent, Iris Wolfe",
}
DIVISIONS = {OFFICE: "head-office", SITE: "north", KITCHEN: "canteen", VISITING: "north"}

NEW, EARLIER = "2026-11-16", "2026-03-02"
"""When roles were given: to those who have just started, and to everybody else."""


def days(count: int) -> str:
    """The date so many days from the demonstration's."""
    return (ON + timedelta(count)).isoformat()


# Who, which course, and until when their last completion is valid, counted from tonight.
EXPIRING: list[tuple[str, str, int]] = [
    ("priya-nair", "fire-safety", 12),
    ("tom-ashworth", "data-protection", 3),
    ("grace-obi", "cyber-security", 9),
    ("helen-marsh", "fire-safety", 20),
    ("aaron-blake", "asbestos", 5),
    ("bogdan-ilic", "height", 14),
    ("carlos-vega", "site-induction", 18),
    ("victor-stone", "fire-safety", 8),
    ("ivan-petrov", "display-screens", 29),
    ("yuki-tanaka", "cyber-security", 30),
    ("dylan-rees", "manual-handling", 29),
    ("ewan-muir", "asbestos", 28),
    # expired a short while ago, and longer ago than the account looks back
    ("alba-ruiz", "food-hygiene", -6),
    ("farid-aziz", "height", -1),
    ("bella-conti", "food-hygiene", -120),
    # and those who are left out
    ("owen-pryce", "data-protection", 15),
    ("sara-lindqvist", "fire-safety", 10),
    ("daniel-osei", "fire-safety", 10),
    ("ruth-abrams", "cyber-security", 7),
    ("gareth-pugh", "height", 11),
    ("hamza-malik", "asbestos", 16),
    ("idris-bello", "manual-handling", 6),
    ("joao-pinto", "height", 4),
    ("leo-fontaine", "mental-health", 13),
    ("kofi-mensah", "first-aid", 21),
    ("liam-doyle", "ladders-2019", 17),
    ("cora-whelan", "data-protection", 19),
    ("wendy-frost", "data-protection", 9),
    ("marek-nowak", "forklift-theory", 12),
    ("maya-kapoor", "fire-safety", 22),
    ("neil-carver", "height", 24),
]

# What else differs about somebody.
PERSONS: dict[str, Row] = {
    "owen-pryce": {"archived": True},
    "sara-lindqvist": {"auto_enrol": False},
    "joao-pinto": {"email": "joao.pinto at brackley"},
    "chloe-barnett": {"archived": True},
    "samir-haddad": {"auto_enrol": False},
    "paul-whitby": {"email": "facilities@brackley.example"},
    "jack-tilley": {"email": "facilities@brackley.example"},
}
STARTERS = ("hana-kim", "rhys-morgan")
OPT_OUTS = [("daniel-osei", "fire-safety")]
ASSIGNMENTS: list[tuple[str, str, str, str]] = [
    ("wendy-frost", "data-protection", "required", EARLIER),
    ("nora-quinn", "data-protection", "required", EARLIER),
    ("xavier-cole", "cyber-security", "required", EARLIER),
    ("felix-brandt", "forklift-theory", "optional", EARLIER),
    ("oscar-lund", "ladders-2019", "required", EARLIER),
]

# Who, which course, status, made by, days since it was made, and what else is known.
ENROLMENTS: list[tuple[str, str, str, str, int, Row]] = [
    ("ruth-abrams", "cyber-security", "booked", "manual", 4, {}),
    ("maya-kapoor", "fire-safety", "in-progress", "auto", 6, {}),
    ("neil-carver", "height", "booked", "auto", 3, {"invited_at": None}),
    ("gareth-pugh", "height", "completed", "auto", 9, {"ended_on": days(-1)}),
    ("hamza-malik", "asbestos", "cancelled", "auto", 12, {"ended_on": days(-5), "ended_because": "requested"}),
    ("idris-bello", "manual-handling", "refused", "auto", 1, {"ended_on": days(0), "ended_because": "no licence left"}),
    # taken back again, one for each cause
    ("amara-diallo", "fire-safety", "booked", "auto", 20, {"cycle": "2025-11-30"}),
    ("chloe-barnett", "fire-safety", "booked", "auto", 8, {}),
    ("elena-rossi", "asbestos", "booked", "auto", 8, {"cycle": "first", "because": "missing"}),
    ("oscar-lund", "ladders-2019", "booked", "auto", 8, {"cycle": "first", "because": "missing"}),
    ("samir-haddad", "data-protection", "booked", "auto", 8, {}),
    ("quentin-roux", "mental-health", "booked", "auto", 8, {"cycle": "first", "because": "missing"}),
    ("xavier-cole", "cyber-security", "booked", "auto", 8, {"cycle": "first", "because": "missing"}),
    ("felix-brandt", "forklift-theory", "booked", "auto", 8, {"cycle": "first", "because": "missing"}),
]
CREDITS = 28
"""Two fewer than all that is asked for tonight comes to, beside what open bookings have reserved."""


def account() -> Row:
    """The account's settings: missing training is enrolled for those who started this month."""
    causes = "superseded person-archived no-longer-assigned course-archived person-disabled course-disabled"
    return {
        "id": "brackley-works",
        "auto_enrol_missing": True,
        "missing_since": "2026-11-01",
        "credits": CREDITS,
        "spread_days": 5,
        "lead_days": 45,
        "withdraw_when": [*causes.split(), "out-of-audience", "out-of-scope"],
        "guards": {"max_enrolments": 50, "max_cancellations": 20},
    }


def courses() -> list[Row]:
    """The courses; the box is ticked where nothing else is said."""
    return [
        {"id": id, "name": name, "delivery": delivery, "auto_enrol": True, "validity": {"months": months}, **more}
        for id, name, delivery, months, more in COURSES
    ]


def roles() -> list[Row]:
    """The roles, with what they ask for."""
    return [
        {
            "id": id,
            "name": name,
            "requirements": [{"course": course, "level": "required"} for course in required]
            + [{"course": course, "level": "optional"} for course in optional],
        }
        for id, name, required, optional in ROLES
    ]


def held(group: str) -> list[str]:
    """The roles of a group of people."""
    return ["everyone", "site" if group == VISITING else group]


def people() -> list[Row]:
    """The people, by group."""
    rows = []
    for group, listed in PEOPLE.items():
        for name in listed.split(", "):
            id = name.lower().replace(" ", "-")
            since = NEW if id in STARTERS else EARLIER
            rows.append(
                {
                    "id": id,
                    "name": name,
                    "email": f"{id.replace('-', '.')}@brackley.example",
                    "employment": "subcontractor" if group == VISITING else "employee",
                    "division": DIVISIONS[group],
                    "roles": [{"role": role, "assigned_on": since} for role in held(group)],
                    **PERSONS.get(id, {}),
                }
            )
    return rows


def records() -> list[Row]:
    """What the stories say, and for everything else that is required a completion that is valid for a while yet."""
    told = {(person, course): left for person, course, left in EXPIRING}
    booked = {(person, course) for person, course, *_ in ENROLMENTS}
    required = {id: wanted for id, _, wanted, _ in ROLES}
    months = {id: length for id, _, _, length, _ in COURSES}
    asked = [
        (person["id"], course)
        for person in people()
        for role in person["roles"]
        for course in required[role["role"]]
        if person["id"] not in STARTERS and person["id"] not in UNRECORDED
    ]
    rows = [
        record(person, course, months[course], told.get((person, course), 60 + (number * 37) % 180))
        for number, (person, course) in enumerate(asked)
        if (person, course) not in booked or (person, course) in told or (person, course) in RECORDED
    ]
    known = {(row["person"], row["course"]) for row in rows}
    return rows + [record(*pair, months[pair[1]], left) for pair, left in told.items() if pair not in known]


UNRECORDED = ("gus-palmer",)
"""Those whose earlier training nobody wrote down; they were here before missing training was enrolled for."""

RECORDED = {("amara-diallo", "fire-safety"), ("chloe-barnett", "fire-safety"), ("samir-haddad", "data-protection")}
"""Those with a booking, and an older record beside it."""


def record(person: str, course: str, months: int, left: int) -> Row:
    """A completion that is valid for so many more days."""
    expires_on = ON + timedelta(left)
    completed_on = expires_on.replace(year=expires_on.year - months // 12)
    return {"person": person, "course": course, "completed_on": str(completed_on), "expires_on": str(expires_on)}


def enrolments(rows: list[Row]) -> list[Row]:
    """The enrolments; the cycle is the completion on record where nothing else is said."""
    completed = {(row["person"], row["course"]): row["completed_on"] for row in rows}
    made = []
    for number, (person, course, status, origin, ago, more) in enumerate(ENROLMENTS, start=101):
        at = datetime(ON.year, ON.month, ON.day, tzinfo=UTC) - timedelta(ago)
        made.append(
            {
                "id": f"booking-{number}",
                "person": person,
                "course": course,
                "cycle": completed.get((person, course), "first"),
                "origin": origin,
                "status": status,
                "because": "expiring" if origin == "auto" else None,
                "enrolled_at": at.isoformat(),
                "invited_at": (at + timedelta(minutes=1)).isoformat(),
                **more,
            }
        )
    return made


def document() -> Row:
    """The whole account, as a snapshot document."""
    completed = records()
    return {
        "format_version": "1.0",
        "account": account(),
        "courses": courses(),
        "roles": roles(),
        "personnel": people(),
        "assignments": [
            {"person": person, "course": course, "level": level, "assigned_on": since}
            for person, course, level, since in ASSIGNMENTS
        ],
        "records": completed,
        "enrolments": enrolments(completed),
        "opt_outs": [{"person": person, "course": course} for person, course in OPT_OUTS],
    }


def written() -> str:
    """The document as it is shipped: read by the library itself, and in its one order."""
    return dump(load(json.dumps(document())))


if __name__ == "__main__":
    TARGET.write_text(written(), encoding="utf-8")
    sys.stdout.write(f"wrote {TARGET.name}\n")
