"""The policy once more, written down as it is defined, over JSON documents, with the standard library alone.

Nothing here is imported from the library or shared with it; it is slow, and short enough to be read beside the rules.
"""

import calendar
import hashlib
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

Row = dict[str, Any]

DEFAULTS: Row = {
    "account": {
        "timezone": "Europe/London", "elearning_plan_active": True, "auto_enrol": True, "auto_enrol_missing": False,
        "missing_since": None, "custom_expiry": False, "lead_days": None, "expired_lookback_days": 90, "credits": None,
        "spread_days": 0, "guards": {},
        "withdraw_when": ["superseded", "person-archived", "no-longer-assigned", "course-archived"],
    },
    "courses": {
        "archived": False, "auto_enrol": False, "audience": "employees", "scope": "required", "lead_days": None,
        "validity": None, "credit_cost": 1,
    },
    "personnel": {"email": None, "archived": False, "auto_enrol": True, "roles": []},
    "records": {"expires_on": None, "never_expires": False, "voided": False},
    "enrolments": {"cycle": None, "invited_at": None, "ended_on": None, "ended_because": None},
    "assignments": {"assigned_on": None},
    "roles": {"requirements": []},
    "opt_outs": {},
}  # fmt: skip
TABLES = ("courses", "roles", "personnel", "assignments", "records", "enrolments", "opt_outs")
GATES = (
    "plan-active", "account-enabled", "course-active", "course-elearning", "course-enabled", "person-active",
    "person-enabled", "assigned", "in-scope", "in-audience", "missing-enabled", "not-enrolled", "completion-recorded",
    "not-cancelled", "not-refused", "reachable",
)  # fmt: skip
OPEN = ("pending", "booked", "in-progress")
ENDED = ("completed", "cancelled", "refused")


def day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def plus_months(start: date, months: int) -> date | None:
    years, month = divmod(start.month - 1 + months, 12)
    year = start.year + years
    if year > 9999:
        return None
    return date(year, month + 1, min(start.day, calendar.monthrange(year, month + 1)[1]))


def plus(start: date, validity: Row) -> date | None:
    if validity.get("months") is not None:
        return plus_months(start, validity["months"])
    try:
        return start + timedelta(validity["days"])
    except OverflowError:
        return None


class World:
    """A document with its defaults filled in, and rows that name nobody known taken out."""

    def __init__(self, document: Row, on: date) -> None:
        self.on = on
        self.account = DEFAULTS["account"] | document["account"]
        rows = {table: [DEFAULTS[table] | row for row in document.get(table, [])] for table in TABLES}
        self.courses = {row["id"]: row for row in rows["courses"]}
        self.roles = {row["id"]: row for row in rows["roles"]}
        self.people = {row["id"]: row for row in rows["personnel"]}
        self.all_enrolments = rows["enrolments"]

        def known(table: str) -> list[Row]:
            return [row for row in rows[table] if row["person"] in self.people and row["course"] in self.courses]

        self.assignments, self.records = known("assignments"), known("records")
        self.enrolments, self.opt_outs = known("enrolments"), known("opt_outs")

    def of(self, rows: list[Row], person: str, course: str) -> list[Row]:
        return [row for row in rows if (row["person"], row["course"]) == (person, course)]

    def local(self, instant: str) -> date:
        return datetime.fromisoformat(instant).astimezone(ZoneInfo(self.account["timezone"])).date()

    # 2. Derived facts

    def sources(self, person: str, course: str) -> list[tuple[str, date | None]]:
        held = [(row, self.roles[row["role"]]) for row in self.people[person]["roles"] if row["role"] in self.roles]
        return [
            (wanted["level"], day(row.get("assigned_on")))
            for row, role in held
            for wanted in role["requirements"]
            if wanted["course"] == course
        ] + [(row["level"], day(row["assigned_on"])) for row in self.of(self.assignments, person, course)]

    def level(self, person: str, course: str) -> str | None:
        levels = {level for level, _ in self.sources(person, course)}
        return "required" if "required" in levels else "optional" if levels else None

    def asked_on(self, person: str, course: str) -> date | None:
        return max((since for _, since in self.sources(person, course) if since), default=None)

    def expiry(self, record: Row, valid: list[Row]) -> date | None:
        """The last valid day of a record among those that are not voided; None: never."""
        if record["expires_on"] is not None:
            return day(record["expires_on"])
        validity = self.courses[record["course"]]["validity"]
        if record["never_expires"] or validity is None:
            return None
        completed_on = date.fromisoformat(record["completed_on"])
        if validity.get("anchor") == "previous-expiry":
            earlier = [row for row in valid if row["completed_on"] < record["completed_on"]]
            last = max((row["completed_on"] for row in earlier), default=None)
            before = [self.expiry(row, valid) for row in earlier if row["completed_on"] == last]
            if before and None not in before:
                previous = max(one for one in before if one is not None)
                if completed_on <= previous:
                    return plus(previous, validity)
        return plus(completed_on, validity)

    def counted(self, person: str, course: str) -> tuple[date, date | None] | None:
        valid = [row for row in self.of(self.records, person, course) if not row["voided"]]
        past = [
            (date.fromisoformat(row["completed_on"]), self.expiry(row, valid))
            for row in valid
            if date.fromisoformat(row["completed_on"]) <= self.on
        ]
        return max(past, key=lambda pair: (pair[1] is None, pair[1] or date.min, pair[0]), default=None)

    def lead(self, course: Row) -> tuple[int, str]:
        if self.account["custom_expiry"] and course["lead_days"] is not None:
            return course["lead_days"], "course"
        if self.account["custom_expiry"] and self.account["lead_days"] is not None:
            return self.account["lead_days"], "account"
        return 30, "default"

    def candidate(self, person: str, course: str) -> Row:
        """Everything rule 2 derives about a pair, and rule 3's answer."""
        lead, lead_from = self.lead(self.courses[course])
        found, expires_on, opens_on = self.counted(person, course), None, None
        if found is None:
            status, cycle = "missing", "first"
        else:
            completed_on, expires_on = found
            cycle = completed_on.isoformat()
            if expires_on is None:
                status = "current"
            else:
                lead = min(lead, max(0, (expires_on - completed_on).days // 2))
                opens_on = expires_on - timedelta(lead)
                status = "current" if self.on < opens_on else "expiring" if self.on <= expires_on else "expired"
        of_cycle = [row for row in self.of(self.enrolments, person, course) if row["cycle"] == cycle]
        facts: Row = {
            "person": person, "course": course, "status": status, "cycle": cycle, "expires_on": expires_on,
            "opens_on": opens_on, "lead_days": lead, "lead_from": lead_from, "level": self.level(person, course),
            "attempt": sum(row["status"] in ENDED for row in of_cycle), "of_cycle": of_cycle,
        }  # fmt: skip
        facts["trigger"] = self.trigger(facts)
        holds = self.gates(facts)
        facts["shut"] = [gate for gate in GATES if not holds[gate]]
        return facts

    # 3. Triggers and gates

    def trigger(self, facts: Row) -> str | None:
        if facts["status"] == "expired":
            late = (self.on - facts["expires_on"]).days
            return "expired" if late <= self.account["expired_lookback_days"] else None
        return {"expiring": "expiring", "missing": "missing"}.get(facts["status"])

    def gates(self, facts: Row) -> dict[str, bool]:
        account, person, course = self.account, self.people[facts["person"]], self.courses[facts["course"]]
        pair = person["id"], course["id"]
        asked_on, since = self.asked_on(*pair), day(account["missing_since"])
        asked_lately = since is None or (asked_on is not None and asked_on >= since)
        return {
            "plan-active": account["elearning_plan_active"],
            "account-enabled": account["auto_enrol"],
            "course-active": not course["archived"],
            "course-elearning": course["delivery"] in ("ihasco", "scorm"),
            "course-enabled": course["auto_enrol"],
            "person-active": not person["archived"],
            "person-enabled": person["auto_enrol"] and not self.of(self.opt_outs, *pair),
            "assigned": facts["level"] is not None,
            "in-scope": facts["level"] == "required" or course["scope"] == "required-and-optional",
            "in-audience": person["employment"] == "employee" or course["audience"] == "everyone",
            "missing-enabled": facts["status"] != "missing" or (account["auto_enrol_missing"] and asked_lately),
            "not-enrolled": not any(row["status"] in OPEN for row in self.of(self.enrolments, *pair)),
            "completion-recorded": not any(self.awaits(row) for row in facts["of_cycle"]),
            "not-cancelled": not any(self.still_cancelled(row, facts["cycle"], asked_on) for row in facts["of_cycle"]),
            "not-refused": self.may_retry(facts["of_cycle"]),
            "reachable": usable(person["email"]),
        }

    def awaits(self, row: Row) -> bool:
        since = self.local(row["enrolled_at"])
        records = self.of(self.records, row["person"], row["course"])
        return row["status"] == "completed" and all(date.fromisoformat(one["completed_on"]) < since for one in records)

    def still_cancelled(self, row: Row, cycle: str, asked_on: date | None) -> bool:
        if row["status"] != "cancelled" or row["ended_because"] != "requested":
            return False
        ended_on = day(row["ended_on"])
        asked_anew = cycle == "first" and asked_on is not None and ended_on is not None and ended_on < asked_on
        return not asked_anew

    def may_retry(self, of_cycle: list[Row]) -> bool:
        ends = [
            day(row["ended_on"]) or self.local(row["enrolled_at"]) for row in of_cycle if row["status"] == "refused"
        ]
        return not ends or (self.on - max(ends)).days >= min(32, 2 ** (len(ends) - 1))

    # 4. Credits, spread

    def key(self, facts: Row) -> str:
        parts = (self.account["id"], facts["person"], facts["course"], facts["cycle"], str(facts["attempt"]))
        text = "".join(f"{len(part.encode())}:{part}," for part in parts)
        return "ep1-" + hashlib.sha256(text.encode()).hexdigest()[:40]

    def held_until(self, facts: Row) -> date | None:
        if not self.account["spread_days"] or facts["trigger"] != "expiring":
            return None
        offset = int(self.key(facts)[4:12], 16) % self.account["spread_days"]
        until: date = min(facts["opens_on"] + timedelta(offset), facts["expires_on"] - timedelta(7))
        return until if until > self.on else None

    def available(self) -> int | None:
        if self.account["credits"] is None:
            return None
        reserving = [row for row in self.enrolments if row["status"] in ("pending", "booked")]
        reserved = sum(int(self.courses[row["course"]]["credit_cost"]) for row in reserving)
        return int(self.account["credits"]) - reserved

    def candidates(self) -> list[Row]:
        rows = [*self.records, *self.enrolments]
        pairs = {(row["person"], row["course"]) for row in rows}
        pairs |= {(p, c) for p in self.people for c in self.courses if self.level(p, c) is not None}
        return [self.candidate(*pair) for pair in sorted(pairs)]

    def plan(self) -> Row:
        """The actions and deferrals as JSON has them, the first reasons' counts, and the guards."""
        candidates = self.candidates()
        demand = [facts for facts in candidates if facts["trigger"] and not facts["shut"]]
        demand.sort(
            key=lambda facts: (
                facts["trigger"] == "missing", facts["level"] != "required", facts["expires_on"] or date.min,
                facts["person"], facts["course"],
            )
        )  # fmt: skip
        available, paid, enrols, deferred = self.available(), 0, [], []
        for facts in demand:
            cost = self.courses[facts["course"]]["credit_cost"]
            until = self.held_until(facts)
            waits = {name: facts[name] for name in ("person", "course", "cycle")}
            if until is not None:
                deferred.append({**waits, "because": "spread", "until": until.isoformat(), "shortfall": None})
                continue
            paid += cost
            if cost and available is not None and paid > available:
                deferred.append({**waits, "because": "credits", "until": None, "shortfall": paid - available})
                continue
            enrols.append(
                {
                    "type": "enrol", **waits, "attempt": facts["attempt"], "because": facts["trigger"],
                    "expires_on": facts["expires_on"] and facts["expires_on"].isoformat(), "credits": cost,
                    "key": self.key(facts),
                }
            )  # fmt: skip
        cancels = [row for facts in candidates for row in self.withdrawals(facts)]
        cancelled = {row["enrolment"] for row in cancels}
        invites = [
            {"type": "invite", "enrolment": row["id"], "person": row["person"], "course": row["course"]}
            for row in self.ours()
            if row["invited_at"] is None and row["id"] not in cancelled and usable(self.people[row["person"]]["email"])
        ]
        by_pair = ["person", "course"]
        by_booking = [*by_pair, "enrolment"]
        actions = [
            *sorted(enrols, key=lambda row: [row[name] for name in by_pair]),
            *sorted(cancels, key=lambda row: [row[name] for name in by_booking]),
            *sorted(invites, key=lambda row: [row[name] for name in by_booking]),
        ]
        reasons = [(facts["shut"] or ["no-trigger"])[0] for facts in candidates if facts not in demand]
        return {
            "actions": actions,
            "deferred": sorted(deferred, key=lambda row: [row[name] for name in by_pair]),
            "not-enrolled": {id: reasons.count(id) for id in (*GATES, "no-trigger") if id in reasons},
            "guards": self.guards(enrols, cancels),
        }

    # 5. Withdrawals

    def ours(self) -> list[Row]:
        return [row for row in self.enrolments if (row["origin"], row["status"]) == ("auto", "booked")]

    def withdrawals(self, facts: Row) -> list[Row]:
        holds = self.gates(facts)
        rows = []
        for row in self.of(self.ours(), facts["person"], facts["course"]):
            causes = {
                "superseded": facts["status"] == "current" and row["cycle"] != facts["cycle"],
                "person-archived": not holds["person-active"],
                "no-longer-assigned": not holds["assigned"],
                "course-archived": not (holds["course-active"] and holds["course-elearning"]),
                "person-disabled": not holds["person-enabled"],
                "course-disabled": not holds["course-enabled"],
                "out-of-audience": not holds["in-audience"],
                "out-of-scope": not holds["in-scope"],
            }
            because = [id for id, holds_now in causes.items() if holds_now and id in self.account["withdraw_when"]]
            if because:
                pair = {"person": row["person"], "course": row["course"]}
                rows.append({"type": "cancel", "enrolment": row["id"], **pair, "because": because[0]})
        return rows

    # 7. Guards

    def guards(self, enrols: list[Row], cancels: list[Row]) -> list[str]:
        limits, ours = self.account["guards"], len(self.ours())
        reached = {
            "max_enrolments": len(enrols),
            "max_credits": sum(row["credits"] for row in enrols),
            "max_cancellations": len(cancels),
            "max_cancelled_fraction": len(cancels) / ours if ours else 0,
        }
        over = [id for id, count in reached.items() if limits.get(id) is not None and count > limits[id]]
        if not self.people and any(row["status"] in OPEN for row in self.all_enrolments):
            over.append("empty-personnel")
        return [id.replace("_", "-") for id in over]


def usable(email: str | None) -> bool:
    """One `@`, nothing blank or unprintable, and a dot inside the domain."""
    if email is None or email.count("@") != 1 or any(char.isspace() or ord(char) < 32 for char in email):
        return False
    if any(0x7F <= ord(char) <= 0x9F for char in email):
        return False
    local, domain = email.split("@")
    labels = domain.split(".")
    return local != "" and len(labels) > 1 and all(labels)


# 7. Findings


def noticed(document: Row, on: date) -> list[tuple[str, str, str]]:
    """What cannot be meant so, as level, code and path, in no order."""
    account = DEFAULTS["account"] | document["account"]
    rows = {table: [DEFAULTS[table] | row for row in document.get(table, [])] for table in TABLES}
    found = [("warning", *row) for row in at_odds(account, rows)]
    found += [("error", *row) for row in dangling(rows)]
    for index, row in enumerate(rows["personnel"]):
        here = [one for one in rows["personnel"] if not one["archived"] and same_address(one, row)]
        if row["email"] is not None and not usable(row["email"]):
            found.append(("warning", "invalid-email", f"$.personnel[{index}].email"))
        elif row["email"] is not None and not row["archived"] and len(here) > 1:
            found.append(("warning", "duplicate-email", f"$.personnel[{index}].email"))
    courses = {row["id"]: row for row in rows["courses"]}
    for index, row in enumerate(rows["courses"]):
        lead = next((days for days in (row["lead_days"], account["lead_days"]) if days is not None), 30)
        lead = lead if account["custom_expiry"] else 30
        if booked_by_itself(row) and row["validity"] and lead >= shortest(row["validity"]):
            found.append(("error", "lead-not-shorter-than-validity", f"$.courses[{index}].validity"))
    people = {row["id"] for row in rows["personnel"]}
    for index, row in enumerate(rows["records"]):
        if row["person"] in people and row["course"] in courses:
            validity = courses[row["course"]]["validity"]
            found += [(level, code, f"$.records[{index}].{key}") for level, code, key in odd_dates(row, validity, on)]
    return found


def same_address(one: Row, other: Row) -> bool:
    return (one["email"] or "").casefold() == (other["email"] or "").casefold()


def booked_by_itself(course: Row) -> bool:
    return course["auto_enrol"] and not course["archived"] and course["delivery"] in ("ihasco", "scorm")


def shortest(validity: Row) -> int:
    """The fewest days it comes to, from any day of four years."""
    if validity.get("months") is None:
        return int(validity["days"])
    starts = [date(2096, 1, 1) + timedelta(days) for days in range(8 * 366)]  # 2100 has no 29 February
    return min((end - start).days for start in starts if (end := plus_months(start, validity["months"])))


def at_odds(account: Row, rows: dict[str, list[Row]]) -> list[tuple[str, str]]:
    """Settings that have no effect, or none that could be meant."""
    found = []
    if account["lead_days"] is not None and not account["custom_expiry"]:
        found.append(("custom-days-ignored", "$.account.lead_days"))
    if account["missing_since"] is not None and not account["auto_enrol_missing"]:
        found.append(("missing-since-ignored", "$.account.missing_since"))
    if account["credits"] is not None and account["credits"] < 0:
        found.append(("negative-credits", "$.account.credits"))
    asked = [one for role in rows["roles"] for one in role["requirements"]] + rows["assignments"]
    for index, course in enumerate(rows["courses"]):
        path = f"$.courses[{index}]"
        if course["lead_days"] is not None and not account["custom_expiry"]:
            found.append(("custom-days-ignored", f"{path}.lead_days"))
        if course["auto_enrol"] and not course["archived"] and course["delivery"] in ("classroom", "other"):
            found.append(("not-elearning", f"{path}.auto_enrol"))
        if not booked_by_itself(course):
            continue
        levels = {one["level"] for one in asked if one["course"] == course["id"]}
        if levels == {"optional"} and course["scope"] == "required":
            found.append(("scope-never-matches", f"{path}.scope"))
        if not levels:
            found.append(("never-asked-for", f"{path}.auto_enrol"))
        taken = [row for row in rows["records"] if row["course"] == course["id"] and not row["voided"]]
        ends = [row["expires_on"] or (course["validity"] and not row["never_expires"]) for row in taken]
        if not any(ends) and not account["auto_enrol_missing"]:
            found.append(("nothing-expires", f"{path}.auto_enrol"))
    return found


def dangling(rows: dict[str, list[Row]]) -> list[tuple[str, str]]:
    """Names of people, courses and roles that are not there."""
    ids = {kind: {row["id"] for row in rows[table]} for kind, table in KINDS.items()}
    named = [
        (kind, row[kind], f"$.{table}[{index}].{kind}")
        for table in ("assignments", "records", "enrolments", "opt_outs")
        for index, row in enumerate(rows[table])
        for kind in ("person", "course")
    ]
    for table, inner, kind in (("roles", "requirements", "course"), ("personnel", "roles", "role")):
        named += [
            (kind, one[kind], f"$.{table}[{index}].{inner}[{place}].{kind}")
            for index, row in enumerate(rows[table])
            for place, one in enumerate(row[inner])
        ]
    return [(f"unknown-{kind}", path) for kind, id, path in named if id not in ids[kind]]


KINDS = {"person": "personnel", "course": "courses", "role": "roles"}


def odd_dates(record: Row, validity: Row | None, on: date) -> list[tuple[str, str, str]]:
    """What a record's dates say against each other, the calendar, and the night."""
    found, completed_on, expires_on = [], date.fromisoformat(record["completed_on"]), day(record["expires_on"])
    if expires_on is not None and expires_on < completed_on:
        found.append(("error", "expiry-before-completion", "expires_on"))
    elif expires_on is not None and record["never_expires"]:
        found.append(("warning", "expiry-and-never", "never_expires"))
    elif expires_on is None and validity and not record["never_expires"] and plus(completed_on, validity) is None:
        found.append(("warning", "expiry-beyond-calendar", "completed_on"))
    if completed_on > on:
        found.append(("warning", "completed-in-future", "completed_on"))
    return found
