"""Polars, twice: all pairs with their reasons, and only what can act. Lazy, so that its optimiser sees the whole.

A pair is one number, which is what Polars groups and joins fastest; what belongs to a course or a person is fetched by
row, for keys are row numbers.
"""

from pathlib import Path
from typing import Any

import polars as pl

from registers import ON
from rivals.answers import Answer, Names, told
from rivals.keyed import TABLES

COURSES = 1 << 24  # more than there are
NEVER = 4_194_303
BASE = 1_000_000  # so that no day counts less than nothing
OPEN = ["pending", "booked", "in-progress"]
ENDED = ["completed", "cancelled", "refused"]
TRIGGERS = ["missing", "current", "expiring", "expired"]
REASONS = [
    "plan-active", "account-enabled", "course-active", "course-elearning", "course-enabled", "person-active",
    "person-enabled", "assigned", "in-scope", "in-audience", "missing-enabled", "not-enrolled", "completion-recorded",
    "not-cancelled", "not-refused", "reachable", "no-trigger",
]  # fmt: skip
TODAY = (ON - ON.replace(1970, 1, 1)).days

col, lit = pl.col, pl.lit


def pair() -> pl.Expr:
    return (col("person").cast(pl.Int64) * COURSES + col("course")).alias("pair")


def day(name: str) -> pl.Expr:
    return col(name).to_physical()


class _Polars:
    def load(self, tables: Path, keyed: Path) -> None:
        self.names = Names(keyed)
        frames = {name: pl.read_parquet(keyed / f"{name}.parquet") for name in TABLES}
        self.accounts, self.courses, self.people = frames["account"], frames["course"], frames["person"]
        self.months = sorted(set(self.courses["months"].drop_nulls()))
        self.lazy = {name: frame.lazy() for name, frame in frames.items()}
        account = self.accounts.select(
            account=col("key"), plan_active="plan_active", account_enabled="enabled", missing="missing",
            since=day("since"), custom="custom", own="lead", looked_back_to=TODAY - col("lookback"), causes="causes",
        )  # fmt: skip
        self.courses = self.courses.join(account, on="account", how="left", maintain_order="left").with_columns(
            lead=pl.when("custom").then(pl.coalesce("lead", "own", lit(30))).otherwise(30)
        )

    def of_course(self, name: str) -> pl.Expr:
        return lit(self.courses[name]).gather(col("course"))

    def of_person(self, name: str) -> pl.Expr:
        return lit(self.people[name]).gather(col("person"))

    def asked(self) -> pl.LazyFrame:
        by_role = self.lazy["held"].join(self.lazy["requirement"], on="role")
        return pl.concat([frame.select("person", "course", "level", "assigned_on") for frame in (by_role, self.own())])

    def own(self) -> pl.LazyFrame:
        return self.lazy["assignment"]

    def lasting(self) -> pl.Expr:
        """A completion and its expiry in one number, ordered as rule 2 does."""
        completed = col("completed_on")
        months = self.of_course("months")
        derived = completed.to_physical() + self.of_course("days")
        for length in self.months:
            derived = (
                pl.when(months == length).then(completed.dt.offset_by(f"{length}mo").to_physical()).otherwise(derived)
            )
        until = pl.coalesce(day("expires_on"), pl.when(~col("never")).then(derived)) + BASE
        return until.fill_null(NEVER).cast(pl.Int64) * (NEVER + 1) + completed.to_physical() + BASE

    def seen(self, fact: pl.LazyFrame) -> pl.LazyFrame:
        """What the settings and the person make of the facts of some pairs."""
        until, completed = col("lasting") // (NEVER + 1), (col("lasting") % (NEVER + 1) - BASE).cast(pl.Int32)
        left = col("expires") - TODAY
        window = pl.min_horizontal(self.of_course("lead"), ((col("expires") - col("completed")) // 2).clip(0))
        return (
            fact.with_columns(
                person=(col("pair") // COURSES).cast(pl.Int32), course=(col("pair") % COURSES).cast(pl.Int32)
            )
            .with_columns(
                account=self.of_course("account"),
                completed=completed,
                expires=pl.when(until < NEVER).then((until - BASE).cast(pl.Int32)),
                person_enabled=self.of_person("enabled")
                & ~col("pair").is_in(lit(self.lazy["opt_out"].select(pair()).collect()["pair"]).implode()),
                in_scope=(col("level") == 1).fill_null(value=False) | self.of_course("optional"),
                in_audience=self.of_person("employee") | self.of_course("everyone"),
            )
            .with_columns(
                status=pl.when(col("completed").is_null())
                .then(0)
                .when(col("expires").is_null())
                .then(1)
                .when(left < 0)
                .then(3)
                .when(left <= window)
                .then(2)
                .otherwise(1),
                missing_enabled=self.of_course("missing")
                & (
                    self.of_course("since").is_null()
                    | (day("asked_on") >= self.of_course("since")).fill_null(value=False)
                ),
                late=(col("expires") < self.of_course("looked_back_to")).fill_null(value=False),
            )
        )

    def booking(self, known: pl.LazyFrame) -> pl.LazyFrame:
        """What the enrolments of some pairs come to."""
        rows = (
            self.lazy["enrolment"].with_columns(pair()).join(known.select("pair", "completed", "asked_on"), on="pair")
        )
        cycle = col("completed").cast(pl.Date).dt.to_string("%Y-%m-%d").fill_null("first")
        this = (col("cycle") == cycle).fill_null(value=False)
        waiting = rows.filter(this, col("status") == "completed").select("pair", "enrolled_on")
        latest = self.lazy["record"].select("completed_on", pair()).join(waiting, on="pair")
        arrived = latest.filter(col("completed_on") >= col("enrolled_on")).select("pair", "enrolled_on").unique()
        awaiting = waiting.join(arrived, on=["pair", "enrolled_on"], how="anti").select("pair", awaits=True).unique()
        asked_anew = col("completed").is_null() & (col("ended_on") < col("asked_on")).fill_null(value=False)
        refused = this & (col("status") == "refused")
        found = rows.group_by("pair").agg(
            open=col("status").is_in(OPEN).any(),
            cancelled=(
                this & (col("status") == "cancelled") & (col("ended_because") == "requested") & ~asked_anew
            ).any(),
            attempt=(this & col("status").is_in(ENDED)).sum(),
            refusals=refused.sum().cast(pl.Int32),
            refused_on=pl.coalesce(day("ended_on"), day("enrolled_on")).filter(refused).max(),
        )
        pause = pl.min_horizontal(lit(32), lit(2) ** (col("refusals") - 1).clip(0, 5))
        return found.join(awaiting, on="pair", how="left").with_columns(
            paused=(col("refusals") > 0) & (col("refused_on") + pause > TODAY), awaits=col("awaits").is_not_null()
        )

    def enrolled(self, demand: pl.LazyFrame) -> pl.LazyFrame:
        """Who of the demand is paid for."""
        reserved = (
            self.lazy["enrolment"]
            .filter(col("status").is_in(["pending", "booked"]))
            .select(account=self.of_course("account"), reserved=self.of_course("cost"))
            .group_by("account")
            .agg(col("reserved").sum())
        )
        balance = self.lazy["account"].select(account="key", credits="credits").join(reserved, on="account", how="left")
        return (
            demand.with_columns(cost=self.of_course("cost"))
            .sort(col("status") == 0, col("level") != 1, "expires", "pair")
            .with_columns(needed=col("cost").cum_sum().over("account"))
            .join(balance, on="account", how="left")
            .filter(
                (col("cost") == 0)
                | col("credits").is_null()
                | (col("needed") <= col("credits") - col("reserved").fill_null(0))
            )
            .select(
                "account",
                lit("enrol").alias("type"),
                "person",
                "course",
                col("completed").cast(pl.Date).dt.to_string("%Y-%m-%d").fill_null("first").alias("cycle"),
                col("attempt").fill_null(0).cast(pl.Int32),
                lit(pl.Series(TRIGGERS)).gather("status").alias("because"),
                col("expires").cast(pl.Date).alias("expires_on"),
                col("cost").alias("credits"),
                lit(None, pl.String).alias("enrolment"),
            )
        )

    def upkeep(self, known: pl.LazyFrame) -> pl.LazyFrame:
        """Our bookings that are withdrawn, and those whose invitation is repeated."""
        mine = self.lazy["enrolment"].filter(col("auto"), col("status") == "booked").with_columns(pair())
        rows = mine.select("pair", "id", "cycle", "invited").join(known, on="pair")
        cycle = col("completed").cast(pl.Date).dt.to_string("%Y-%m-%d")
        causes = {
            "superseded": (col("status") == 1) & col("cycle").ne_missing(cycle),
            "person-archived": self.of_person("archived"),
            "no-longer-assigned": col("level").is_null(),
            "course-archived": ~(self.of_course("active") & self.of_course("elearning")),
            "person-disabled": ~col("person_enabled"),
            "course-disabled": ~self.of_course("enabled"),
            "out-of-audience": ~col("in_audience"),
            "out-of-scope": ~col("in_scope"),
        }
        chosen = self.of_course("causes")
        because = pl.coalesce(
            *(pl.when(holds & chosen.list.contains(cause)).then(lit(cause)) for cause, holds in causes.items())
        )
        return (
            rows.with_columns(because=because)
            .filter(col("because").is_not_null() | (~col("invited") & self.of_person("reachable")))
            .select(
                "account",
                pl.when(col("because").is_null()).then(lit("invite")).otherwise(lit("cancel")).alias("type"),
                "person",
                "course",
                lit(None, pl.String).alias("cycle"),
                lit(None, pl.Int32).alias("attempt"),
                "because",
                lit(None, pl.Date).alias("expires_on"),
                lit(None, pl.Int32).alias("credits"),
                col("id").alias("enrolment"),
            )
        )


class Full(_Polars):
    def decide(self) -> Any:
        asked = self.asked().select(
            pair(), col("level"), asked_on="assigned_on", lasting=lit(None, pl.Int64)
        )  # fmt: skip
        nothing = {"level": lit(None, pl.Int8), "asked_on": lit(None, pl.Date)}
        counts = ~col("voided") & (day("completed_on") <= TODAY)
        records = self.lazy["record"].select(pair(), **nothing, lasting=pl.when(counts).then(self.lasting()))
        booked = self.lazy["enrolment"].select(pair(), **nothing, lasting=lit(None, pl.Int64))
        # What is used more than once is collected: left to itself, Polars works it out anew each time.
        fact = pl.concat([asked, records, booked]).group_by("pair").agg(pl.all().max()).collect().lazy()
        known = self.seen(fact.join(booked.select("pair").unique(), on="pair", how="semi")).collect().lazy()
        shut = (
            ~self.of_course("plan_active"),
            ~self.of_course("account_enabled"),
            ~self.of_course("active"),
            ~self.of_course("elearning"),
            ~self.of_course("enabled"),
            self.of_person("archived"),
            ~col("person_enabled"),
            col("level").is_null(),
            ~col("in_scope"),
            ~col("in_audience"),
            (col("status") == 0) & ~col("missing_enabled"),
            col("open").fill_null(value=False),
            col("awaits").fill_null(value=False),
            col("cancelled").fill_null(value=False),
            col("paused").fill_null(value=False),
            ~self.of_person("reachable"),
            (col("status") == 1) | ((col("status") == 3) & col("late")),
        )
        reason = pl.coalesce(*(pl.when(holds).then(lit(place, pl.UInt8)) for place, holds in enumerate(shut)))
        judged = (
            self.seen(fact)
            .join(self.booking(known), on="pair", how="left")
            .select(
                "account",
                "pair",
                "person",
                "course",
                "level",
                "completed",
                "expires",
                "status",
                "attempt",
                reason=reason,
            )
            .collect()
            .lazy()
        )
        reasons = judged.filter(col("reason").is_not_null()).group_by("account", "reason").len()
        actions = self.enrolled(judged.filter(col("reason").is_null()))
        return pl.collect_all([pl.concat([actions, self.upkeep(known)]), reasons])

    def answer(self, decided: Any) -> Answer:
        actions, reasons = decided
        counted = (
            (account, "reason", None, None, None, None, REASONS[reason], None, count, None)
            for account, reason, count in reasons.iter_rows()
        )
        return told(self.names, (*actions.iter_rows(), *counted))


class Pruned(_Polars):
    def decide(self) -> Any:
        able = ~self.of_person("archived") & self.of_person("enabled") & self.of_person("reachable")
        bookable = self.courses.lazy().filter(
            col("plan_active"), col("account_enabled"), col("active"), col("elearning"), col("enabled")
        )
        open_for = bookable.select(course="key")
        asked_of = (
            self.lazy["held"]
            .filter(able)
            .join(self.lazy["requirement"].join(open_for, on="course", how="semi"), on="role")
        )
        own = self.own().filter(able).join(open_for, on="course", how="semi")
        wanted = (
            pl.concat([frame.select("person", "course", "level", "assigned_on") for frame in (asked_of, own)])
            .filter(self.of_person("employee") | self.of_course("everyone"))
            .select(pair(), "level", "assigned_on", optional=self.of_course("optional"))
            .group_by("pair")
            .agg(level=col("level").max(), asked_on=col("assigned_on").max(), optional=col("optional").first())
            .filter((col("level") == 1) | col("optional"))
            .drop("optional")
            .collect()
            .lazy()
        )
        mine = self.lazy["enrolment"].filter(col("auto"), col("status") == "booked").select(pair()).unique()
        looked_at = pl.concat([wanted.select("pair"), mine])
        lasting = (
            self.lazy["record"]
            .filter(~col("voided"), day("completed_on") <= TODAY)
            .with_columns(pair())
            .join(looked_at, on="pair", how="semi")
            .select("pair", lasting=self.lasting())
            .group_by("pair")
            .agg(col("lasting").max())
            .collect()
            .lazy()
        )
        due = (
            self.seen(wanted.join(lasting, on="pair", how="left"))
            .filter(
                col("person_enabled"),
                (col("status") == 2)
                | ((col("status") == 0) & col("missing_enabled"))
                | ((col("status") == 3) & ~col("late")),
            )
            .collect()
            .lazy()
        )
        in_the_way = pl.any_horizontal("open", "awaits", "cancelled", "paused")
        demand = due.join(self.booking(due), on="pair", how="left").filter(in_the_way.fill_null(value=False).not_())
        asked = (
            self.asked()
            .select(pair(), "level", "assigned_on")
            .join(mine, on="pair", how="semi")
            .group_by("pair")
            .agg(level=col("level").max(), asked_on=col("assigned_on").max())
        )
        known = self.seen(mine.join(asked, on="pair", how="left").join(lasting, on="pair", how="left"))
        return pl.concat([self.enrolled(demand), self.upkeep(known)]).collect()

    def answer(self, decided: Any) -> Answer:
        return told(self.names, decided.iter_rows())
