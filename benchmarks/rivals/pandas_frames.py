"""pandas, all pairs with their reasons: columns and group-by, and no row looked at by Python but the few enrolments."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rivals.answers import Answer, Names, told
from rivals.keyed import TABLES
from rivals.polars_frames import BASE, COURSES, ENDED, NEVER, OPEN, REASONS, TODAY, TRIGGERS

NONE = -(2**31)
DATES = {
    "account": ["since"],
    "held": ["assigned_on"],
    "assignment": ["assigned_on"],
    "record": ["completed_on", "expires_on"],
    "enrolment": ["enrolled_on", "ended_on"],
}


def days(values: Any) -> Any:
    """Days since 1970; `NONE` where there is none."""
    found = pd.to_datetime(values).to_numpy().astype("datetime64[D]")
    return np.where(np.isnat(found), NONE, found.astype(np.int64)).astype(np.int32)


def months_later(day: Any, months: Any) -> Any:
    """The same day of the month, or its last."""
    date = day.astype("datetime64[D]")
    month = date.astype("datetime64[M]")
    then = month + months
    last = ((then + 1).astype("datetime64[D]") - 1).astype(np.int64)
    return np.minimum(
        then.astype("datetime64[D]").astype(np.int64) + (date - month.astype("datetime64[D]")).astype(np.int64), last
    )


def iso(day: Any) -> Any:
    """The cycle of a completion."""
    return np.where(day == NONE, "first", np.datetime_as_string(day.astype("datetime64[D]")))


class Full:
    def load(self, tables: Path, keyed: Path) -> None:
        self.names = Names(keyed)
        self.frames = {name: pd.read_parquet(keyed / f"{name}.parquet") for name in TABLES}
        for table, columns in DATES.items():
            for column in columns:
                self.frames[table][column] = days(self.frames[table][column])
        for table in ("held", "assignment", "record", "enrolment", "opt_out"):
            frame = self.frames[table]
            frame["pair"] = frame["person"].to_numpy(np.int64) * COURSES + frame.get("course", 0)
        courses, accounts = self.frames["course"], self.frames["account"]
        for column in ("lead", "months", "days"):
            courses[column] = courses[column].fillna(NONE).astype(np.int32)
        of = accounts.loc[courses["account"]].reset_index(drop=True)
        own = of["lead"].fillna(30).astype(np.int32)
        custom = np.where(courses["lead"] != NONE, courses["lead"], own)
        self.course = {name: courses[name].to_numpy() for name in courses} | {
            "account_enabled": of["enabled"].to_numpy(),
            "plan_active": of["plan_active"].to_numpy(),
            "missing": of["missing"].to_numpy(),
            "since": of["since"].to_numpy(),
            "looked_back_to": TODAY - of["lookback"].to_numpy(),
            "lead": np.where(of["custom"], custom, 30),
        }
        for cause in ("superseded", "person-archived", "no-longer-assigned", "course-archived", "person-disabled",
                      "course-disabled", "out-of-audience", "out-of-scope"):  # fmt: skip
            self.course[cause] = np.array([cause in chosen for chosen in of["causes"]])
        self.person = {name: self.frames["person"][name].to_numpy() for name in self.frames["person"]}

    def decide(self) -> Any:
        judged = self.seen(self.fact())
        enrolments = self.frames["enrolment"].merge(judged, on="pair", suffixes=("", "_of_pair"))
        judged = judged.merge(self.booking(enrolments), on="pair", how="left")
        for name in ("open", "awaits", "cancelled", "paused"):
            judged[name] = judged[name].eq(True)
        judged["reason"] = self.reason(judged)
        reasons = (
            judged[judged["reason"] < len(REASONS)].groupby(["account", "reason"]).size().reset_index(name="count")
        )
        demand = judged[judged["reason"] == len(REASONS)]
        return pd.concat([self.enrolled(demand), self.upkeep(enrolments)], ignore_index=True), reasons

    def fact(self) -> Any:
        """All that is known about each pair."""
        held = self.frames["held"].merge(self.frames["requirement"], on="role", suffixes=("_held", ""))
        held["pair"] = held["person"].to_numpy(np.int64) * COURSES + held["course"]
        asked = pd.concat([frame[["pair", "level", "assigned_on"]] for frame in (held, self.frames["assignment"])])
        asked = asked.groupby("pair", sort=False).max()
        record = self.frames["record"]
        lasting = pd.DataFrame({"pair": record["pair"], "lasting": self.lasting(record)})
        lasting = lasting.groupby("pair", sort=False)["lasting"].max()
        booked = pd.Index(self.frames["enrolment"]["pair"].unique())
        pairs = asked.index.union(lasting.index, sort=False).union(booked, sort=False)
        fact = pd.DataFrame({"pair": pairs})
        fact["level"] = asked["level"].reindex(pairs, fill_value=-1).to_numpy()
        fact["asked_on"] = asked["assigned_on"].reindex(pairs, fill_value=NONE).to_numpy()
        fact["lasting"] = lasting.reindex(pairs, fill_value=-1).to_numpy()
        return fact

    def lasting(self, record: Any) -> Any:
        """A completion and its expiry in one number, ordered as rule 2 does; -1 for what does not count."""
        completed, course = record["completed_on"].to_numpy(), record["course"].to_numpy()
        months, length = self.course["months"][course], self.course["days"][course]
        until = np.full(len(record), NEVER, np.int64)
        by_days, by_months = length != NONE, months != NONE
        until[by_days] = completed[by_days] + length[by_days] + BASE
        until[by_months] = months_later(completed[by_months], months[by_months]) + BASE
        until[record["never"].to_numpy()] = NEVER
        written = record["expires_on"].to_numpy()
        until = np.where(written != NONE, written + BASE, until)
        counts = ~record["voided"].to_numpy() & (completed <= TODAY)
        return np.where(counts, until * (NEVER + 1) + completed + BASE, -1)

    def seen(self, fact: Any) -> Any:
        """What the settings and the person make of the facts."""
        pair, lasting = fact["pair"].to_numpy(), fact["lasting"].to_numpy()
        person, course = pair // COURSES, pair % COURSES
        until = lasting // (NEVER + 1)
        recorded, dated = lasting >= 0, (lasting >= 0) & (until < NEVER)
        completed = np.where(recorded, lasting % (NEVER + 1) - BASE, NONE)
        expires = np.where(dated, until - BASE, NONE)
        window = np.minimum(self.course["lead"][course], np.maximum(0, (expires - completed) // 2))
        left, asked_on = expires - TODAY, fact["asked_on"].to_numpy()
        since = self.course["since"][course]
        return fact.assign(
            person=person,
            course=course,
            account=self.course["account"][course],
            completed=completed,
            expires=expires,
            status=np.select([~recorded, ~dated, left < 0, left <= window], [0, 1, 3, 2], 1),
            person_enabled=self.person["enabled"][person] & ~np.isin(pair, self.frames["opt_out"]["pair"]),
            in_scope=(fact["level"].to_numpy() == 1) | self.course["optional"][course],
            in_audience=self.person["employee"][person] | self.course["everyone"][course],
            missing_enabled=self.course["missing"][course] & ((since == NONE) | (asked_on >= since)),
        )

    def booking(self, rows: Any) -> Any:
        """What the enrolments of each pair come to."""
        this = rows["cycle"].to_numpy() == iso(rows["completed"].to_numpy())
        status, ended = rows["status"], rows["ended_on"].to_numpy()
        asked_anew = (rows["completed"] == NONE) & (ended != NONE) & (ended < rows["asked_on"])
        refused = this & (status == "refused").to_numpy()
        waiting = rows.loc[this & (status == "completed"), ["pair", "enrolled_on"]]
        record = self.frames["record"][["pair", "completed_on"]]
        latest = record[record["pair"].isin(waiting["pair"])].groupby("pair")["completed_on"].max()
        awaits = waiting["pair"].map(latest).fillna(NONE) < waiting["enrolled_on"]
        ended_on = np.where(ended != NONE, ended, rows["enrolled_on"])
        found = (
            pd.DataFrame(
                {
                    "pair": rows["pair"],
                    "open": status.isin(OPEN),
                    "awaits": awaits.reindex(rows.index, fill_value=False),
                    "cancelled": this & (status == "cancelled") & (rows["ended_because"] == "requested") & ~asked_anew,
                    "attempt": this & status.isin(ENDED),
                    "refusals": refused,
                    "refused_on": np.where(refused, ended_on, NONE),
                }
            )
            .groupby("pair", as_index=False)
            .agg(
                {
                    "open": "any",
                    "awaits": "any",
                    "cancelled": "any",
                    "attempt": "sum",
                    "refusals": "sum",
                    "refused_on": "max",
                }
            )
        )
        pause = np.minimum(32, 2 ** np.clip(found["refusals"] - 1, 0, 5))
        return found.assign(paused=(found["refusals"] > 0) & (found["refused_on"] + pause > TODAY))

    def reason(self, seen: Any) -> Any:
        """The place of the first shut gate; their number where there is none."""
        course, person = seen["course"].to_numpy(), seen["person"].to_numpy()
        status, expires = seen["status"].to_numpy(), seen["expires"].to_numpy()
        late = (status == 3) & (expires < self.course["looked_back_to"][course])
        shut = [
            ~self.course["plan_active"][course], ~self.course["account_enabled"][course],
            ~self.course["active"][course], ~self.course["elearning"][course], ~self.course["enabled"][course],
            self.person["archived"][person], ~seen["person_enabled"].to_numpy(), seen["level"].to_numpy() < 0,
            ~seen["in_scope"].to_numpy(), ~seen["in_audience"].to_numpy(),
            (status == 0) & ~seen["missing_enabled"].to_numpy(), *(seen[name].to_numpy(bool) for name in
            ("open", "awaits", "cancelled", "paused")), ~self.person["reachable"][person], (status == 1) | late,
        ]  # fmt: skip
        return np.select(shut, range(len(shut)), len(shut))

    def enrolled(self, demand: Any) -> Any:
        """Who of the demand is paid for."""
        demand = demand.assign(
            cost=self.course["cost"][demand["course"]], first=demand["status"] == 0, second=demand["level"] != 1
        ).sort_values(["first", "second", "expires", "pair"])
        needed = demand.groupby("account")["cost"].cumsum()
        reserving = self.frames["enrolment"][self.frames["enrolment"]["status"].isin(["pending", "booked"])]["course"]
        accounts = self.frames["account"]
        reserved = np.bincount(
            self.course["account"][reserving], weights=self.course["cost"][reserving], minlength=len(accounts)
        )
        left = accounts["credits"].astype("float64").fillna(np.inf) - reserved
        paid = demand[(demand["cost"] == 0) | (needed <= left.to_numpy()[demand["account"]])]
        return pd.DataFrame(
            {
                "account": paid["account"],
                "type": "enrol",
                "person": paid["person"],
                "course": paid["course"],
                "cycle": iso(paid["completed"].to_numpy()),
                "attempt": paid["attempt"].fillna(0).astype(int),
                "because": np.array(TRIGGERS)[paid["status"]],
                "expires_on": paid["expires"],
                "credits": paid["cost"],
                "enrolment": None,
            }
        )

    def upkeep(self, rows: Any) -> Any:
        """Our bookings that are withdrawn, and those whose invitation is repeated."""
        rows = rows[rows["auto"] & (rows["status"] == "booked")]
        course, person = rows["course"].to_numpy(), rows["person"].to_numpy()
        holds = {
            "superseded": (rows["status_of_pair"] == 1) & (rows["cycle"] != iso(rows["completed"].to_numpy())),
            "person-archived": self.person["archived"][person],
            "no-longer-assigned": rows["level"] < 0,
            "course-archived": ~(self.course["active"][course] & self.course["elearning"][course]),
            "person-disabled": ~rows["person_enabled"],
            "course-disabled": ~self.course["enabled"][course],
            "out-of-audience": ~rows["in_audience"],
            "out-of-scope": ~rows["in_scope"],
        }
        because = np.select([it & self.course[cause][course] for cause, it in holds.items()], list(holds), "")
        acted = (because != "") | (~rows["invited"] & self.person["reachable"][person])
        rows, because = rows[acted], because[acted]
        return pd.DataFrame(
            {
                "account": rows["account"],
                "type": np.where(because == "", "invite", "cancel"),
                "person": rows["person"],
                "course": rows["course"],
                "because": because,
                "enrolment": rows["id"],
            }
        )

    def answer(self, decided: Any) -> Answer:
        actions, reasons = decided
        rows: list[tuple[Any, ...]] = []
        for account, type, person, course, cycle, attempt, because, expires, credits, enrolment in actions.itertuples(
            index=False
        ):
            if type == "enrol":
                on = None if expires == NONE else np.datetime64(int(expires), "D").item()
                rows.append((account, type, person, course, cycle, int(attempt), because, on, int(credits), None))
            else:
                rows.append((account, type, person, course, None, None, because or None, None, None, enrolment))
        counted = (
            (account, "reason", None, None, None, None, REASONS[reason], None, count, None)
            for account, reason, count in reasons.itertuples(index=False)
        )
        return told(self.names, (*rows, *counted))
