"""SQLite: the straight query, with dates as numbers, which it is quick at; in memory, indexed, analysed."""

import sqlite3
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from duckdb_query import ACTIONS, DECIDED, REASONS
from enrolpolicy.dates import add_months
from registers import ON
from rivals.answers import Answer, Names, told
from rivals.keyed import TABLES

NEVER = 4_194_303
TODAY = ON.toordinal()
KEYS = {
    "account": "key", "course": "key", "person": "key", "requirement": "role, course", "held": "person, role",
    "assignment": "person, course", "record": "person, course", "enrolment": "person, course",
    "opt_out": "person, course",
}  # fmt: skip
CAUSES = (
    ("superseded", "seen.status = 'current' and enrolment.cycle is not seen.cycle"),
    ("person-archived", "not person_active"),
    ("no-longer-assigned", "level is null"),
    ("course-archived", "not (course_active and elearning)"),
    ("person-disabled", "not person_enabled"),
    ("course-disabled", "not course_enabled"),
    ("out-of-audience", "not in_audience"),
    ("out-of-scope", "not in_scope"),
)
CYCLE = "coalesce(iso.text, 'first')"
# `calendar` has the day so many months after each that occurs, `iso` how a day is written: month arithmetic in SQL
# would take SQLite longer than all the rest.
JUDGED = f"""
with asked as materialized (
    select person, course, max(level) as level, max(assigned_on) as asked_on from (
        select held.person, requirement.course, requirement.level, held.assigned_on from held
        join requirement on requirement.role = held.role
        union all select person, course, level, assigned_on from assignment
    ) group by person, course
),
lasting as materialized (
    select record.person, record.course, max(coalesce(
        record.expires_on,
        case when record.never then {NEVER} end,
        calendar.later, record.completed_on + course.days, {NEVER}
    ) * {NEVER + 1} + completed_on) as lasting
    from record join course on course.key = record.course
    left join calendar on calendar.months = course.months and calendar.day = record.completed_on
    where not voided and completed_on <= {TODAY} group by record.person, record.course
),
pair as (
    select person, course from asked union select person, course from record union select person, course from enrolment
),
known as (
    select pair.person, pair.course, level, asked_on, lasting % {NEVER + 1} as completed_on,
        nullif(lasting / {NEVER + 1}, {NEVER}) as expires_on
    from pair
    left join asked on asked.person = pair.person and asked.course = pair.course
    left join lasting on lasting.person = pair.person and lasting.course = pair.course
),
seen as materialized (
    select known.person, known.course, course.account, level, asked_on, expires_on, {CYCLE} as cycle, course.cost,
        case
            when completed_on is null then 'missing'
            when expires_on is null then 'current'
            when expires_on < {TODAY} then 'expired'
            when expires_on - min(
                case when account.custom then coalesce(course.lead, account.lead, 30) else 30 end,
                max(0, (expires_on - completed_on) / 2)
            ) <= {TODAY} then 'expiring'
            else 'current'
        end as status,
        account.plan_active, account.enabled as account_enabled, course.active as course_active, course.elearning,
        course.enabled as course_enabled, not person.archived as person_active,
        person.enabled and opt_out.person is null as person_enabled,
        coalesce(level = 1, 0) or course.optional as in_scope,
        person.employee or course.everyone as in_audience,
        account.missing and (account.since is null or coalesce(asked_on >= account.since, 0)) as missing_enabled,
        {TODAY} - account.lookback as looked_back_to, person.reachable
    from known
    join person on person.key = known.person
    join course on course.key = known.course
    join account on account.key = course.account
    left join opt_out on opt_out.person = known.person and opt_out.course = known.course
    left join iso on iso.day = known.completed_on
),
booking as materialized (
    select seen.person, seen.course,
        max(e.status in ('pending', 'booked', 'in-progress')) as open,
        max(e.cycle = seen.cycle and e.status = 'completed' and not exists (
            select 1 from record
            where record.person = e.person and record.course = e.course and record.completed_on >= e.enrolled_on
        )) as awaiting,
        max(e.cycle = seen.cycle and e.status = 'cancelled' and e.ended_because = 'requested' and (
            seen.cycle <> 'first' or seen.asked_on is null or e.ended_on is null or e.ended_on >= seen.asked_on
        )) as cancelled,
        total(e.cycle = seen.cycle and e.status in ('completed', 'cancelled', 'refused')) as attempt,
        total(e.cycle = seen.cycle and e.status = 'refused') as refusals,
        max(case when e.cycle = seen.cycle and e.status = 'refused' then coalesce(e.ended_on, e.enrolled_on) end)
            as refused_on
    from enrolment e join seen on e.person = seen.person and e.course = seen.course
    group by seen.person, seen.course
),
judged as materialized (
    select seen.*, cast(coalesce(attempt, 0) as integer) as attempt, case
        when not plan_active then 'plan-active'
        when not account_enabled then 'account-enabled'
        when not course_active then 'course-active'
        when not elearning then 'course-elearning'
        when not course_enabled then 'course-enabled'
        when not person_active then 'person-active'
        when not person_enabled then 'person-enabled'
        when level is null then 'assigned'
        when not in_scope then 'in-scope'
        when not in_audience then 'in-audience'
        when status = 'missing' and not missing_enabled then 'missing-enabled'
        when open then 'not-enrolled'
        when awaiting then 'completion-recorded'
        when cancelled then 'not-cancelled'
        when refusals > 0 and {TODAY} < refused_on + min(32, 1 << min(5, cast(refusals as integer) - 1))
            then 'not-refused'
        when not reachable then 'reachable'
        when status = 'current' or (status = 'expired' and expires_on < looked_back_to) then 'no-trigger'
    end as reason
    from seen left join booking on booking.person = seen.person and booking.course = seen.course
),
ours as (
    select seen.*, enrolment.id as enrolment, invited, case
        {" ".join(f"when {holds} and causes like '%|{cause}|%' then '{cause}'" for cause, holds in CAUSES)}
    end as because
    from enrolment
    join seen on enrolment.person = seen.person and enrolment.course = seen.course
    join account on account.key = seen.account
    where auto and enrolment.status = 'booked'
),
"""


class Straight:
    QUERY = JUDGED + ACTIONS.replace(" group by all", " group by course.account") + DECIDED + REASONS

    def load(self, tables: Path, keyed: Path) -> None:
        self.names = Names(keyed)
        self.connection = connection = sqlite3.connect(":memory:")
        for name in TABLES:
            table = pq.read_table(keyed / f"{name}.parquet")
            connection.execute(f"create table {name} ({', '.join(table.column_names)})")
            columns = [_values(table.column(one)) for one in table.column_names]
            marks = ", ".join("?" * len(columns))
            connection.executemany(f"insert into {name} values ({marks})", zip(*columns, strict=True))
            if name in KEYS:
                connection.execute(f"create index {name}_key on {name} ({KEYS[name]})")
        connection.execute("create table calendar (months, day, later, primary key (months, day)) without rowid")
        connection.execute("create table iso (day integer primary key, text)")
        lengths = [row[0] for row in connection.execute("select distinct months from course where months is not null")]
        for (day,) in connection.execute("select distinct completed_on from record").fetchall():
            connection.execute("insert into iso values (?, ?)", (day, date.fromordinal(day).isoformat()))
            for length in lengths:
                later = add_months(date.fromordinal(day), length)
                connection.execute("insert into calendar values (?, ?, ?)", (length, day, later and later.toordinal()))
        connection.execute("analyze")

    def decide(self) -> list[tuple[Any, ...]]:
        return self.connection.execute(self.QUERY).fetchall()

    def answer(self, decided: list[tuple[Any, ...]]) -> Answer:
        rows = ((*row[:7], date.fromordinal(row[7]) if row[7] else None, *row[8:]) for row in decided)
        return told(self.names, rows)


def _values(column: Any) -> list[Any]:
    values: list[Any] = column.to_pylist()
    if pa.types.is_date(column.type):
        return [value and value.toordinal() for value in values]
    if pa.types.is_list(column.type):
        return ["".join(f"|{one}|" for one in value) for value in values]
    return values
