"""The decision as one DuckDB query over the same tables, each row of policy in its place."""

import csv
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from enrolpolicy import Delivery, Level, Snapshot

TABLES = {
    "course": "id text, active bool, elearning bool, enabled bool, everyone bool, optional bool, lead int, "
    "months int, days int, cost int",
    "requirement": "role text, course text, level int",
    "held": "person text, role text, assigned_on date",
    "person": "id text, email text, employee bool, archived bool, enabled bool",
    "assignment": "person text, course text, level int, assigned_on date",
    "record": "person text, course text, completed_on date, expires_on date, never bool, voided bool",
    "enrolment": "id text, person text, course text, cycle text, auto bool, status text, enrolled_on date, "
    "invited bool, ended_on date, ended_because text",
    "opt_out": "person text, course text",
}

QUERY = r"""
with asked as (
    select person, course, max(level) as level, max(assigned_on) as asked_on
    from (
        select held.person, requirement.course, requirement.level, held.assigned_on
        from held join requirement using (role)
        union all by name
        select person, course, level, assigned_on from assignment
    ) group by all
),
lasting as (
    select person, course, max(struct_pack(
        forever := expires_on is null,
        expires_on := coalesce(expires_on, date '0001-01-01'),
        completed_on := completed_on
    )) as last
    from (
        select record.person, record.course, completed_on, case
            when record.expires_on is not null then record.expires_on
            when record.never then null
            when course.months is not null then (record.completed_on + to_months(course.months))::date
            when course.days is not null then record.completed_on + course.days
        end as expires_on
        from record join course on course.id = record.course
        where not voided and completed_on <= $today
    ) group by all
),
standing as (
    select person, course, last.completed_on, case when not last.forever then last.expires_on end as expires_on,
        strftime(last.completed_on, '%Y-%m-%d') as cycle
    from lasting
),
pair as (
    select person, course from asked union select person, course from record
    union select person, course from enrolment union select person, course from opt_out
),
seen as (
    select pair.person, pair.course, asked.level, asked.asked_on, standing.expires_on,
        coalesce(standing.cycle, 'first') as cycle, course.cost,
        case
            when standing.cycle is null then 'missing'
            when standing.expires_on is null then 'current'
            when standing.expires_on < $today then 'expired'
            when standing.expires_on - least(
                case when $custom then coalesce(course.lead, $lead, 30) else 30 end,
                greatest(0, (standing.expires_on - standing.completed_on) // 2)
            )::int <= $today then 'expiring'
            else 'current'
        end as status,
        not person.archived as person_active,
        person.enabled and opt_out.person is null as person_enabled,
        course.active and course.elearning as bookable,
        course.enabled as course_enabled,
        asked.level = 1 or course.optional as in_scope,
        person.employee or course.everyone as in_audience,
        regexp_full_match(coalesce(person.email, ''), '[^@\s]+@[^@\s.]+(\.[^@\s.]+)+') as reachable
    from pair
    join person on person.id = pair.person
    join course on course.id = pair.course
    left join asked on asked.person = pair.person and asked.course = pair.course
    left join standing on standing.person = pair.person and standing.course = pair.course
    left join opt_out on opt_out.person = pair.person and opt_out.course = pair.course
),
booking as (
    select seen.person, seen.course,
        bool_or(e.status in ('pending', 'booked', 'in-progress')) as open,
        bool_or(e.cycle = seen.cycle and e.status = 'completed' and not exists (
            select 1 from record
            where record.person = e.person and record.course = e.course and record.completed_on >= e.enrolled_on
        )) as awaiting,
        bool_or(e.cycle = seen.cycle and e.status = 'cancelled' and e.ended_because = 'requested' and (
            seen.cycle <> 'first' or seen.asked_on is null or e.ended_on is null or e.ended_on >= seen.asked_on
        )) as cancelled,
        count(*) filter (e.cycle = seen.cycle and e.status in ('completed', 'cancelled', 'refused')) as attempt,
        count(*) filter (e.cycle = seen.cycle and e.status = 'refused') as refusals,
        max(coalesce(e.ended_on, e.enrolled_on)) filter (e.cycle = seen.cycle and e.status = 'refused') as refused_on
    from seen join enrolment e on e.person = seen.person and e.course = seen.course
    group by all
),
demand as (
    select seen.*, coalesce(attempt, 0) as attempt,
        sum(cost) over (
            order by expires_on is not null desc, level = 1 desc, expires_on, seen.person, seen.course
            rows unbounded preceding
        ) as needed
    from seen left join booking on booking.person = seen.person and booking.course = seen.course
    where (status in ('expiring', 'missing') or (status = 'expired' and $today - expires_on <= $lookback))
        and $plan_active and $account_enabled and bookable and course_enabled and person_active and person_enabled
        and level is not null and in_scope and in_audience and reachable
        and (status <> 'missing' or ($missing and ($since is null or asked_on >= $since)))
        and not coalesce(open, false) and not coalesce(awaiting, false) and not coalesce(cancelled, false)
        and (coalesce(refusals, 0) = 0 or $today >= refused_on + least(32, 2 ** (refusals - 1))::int)
),
ours as (
    select seen.*, enrolment.id as enrolment, invited, case
        when 'superseded' in $causes and seen.status = 'current' and enrolment.cycle is distinct from seen.cycle
            then 'superseded'
        when 'person-archived' in $causes and not person_active then 'person-archived'
        when 'no-longer-assigned' in $causes and level is null then 'no-longer-assigned'
        when 'course-archived' in $causes and not bookable then 'course-archived'
        when 'person-disabled' in $causes and not person_enabled then 'person-disabled'
        when 'course-disabled' in $causes and not course_enabled then 'course-disabled'
        when 'out-of-audience' in $causes and not in_audience then 'out-of-audience'
        when 'out-of-scope' in $causes and not coalesce(in_scope, false) then 'out-of-scope'
    end as because
    from seen join enrolment on enrolment.person = seen.person and enrolment.course = seen.course
    where auto and enrolment.status = 'booked'
)
select 'enrol', person, course, cycle, attempt, status, strftime(expires_on, '%Y-%m-%d'), cost,
    'ep1-' || left(sha256(
        strlen($account) || ':' || $account || ',' || strlen(person) || ':' || person || ','
        || strlen(course) || ':' || course || ',' || strlen(cycle) || ':' || cycle || ','
        || strlen(attempt::text) || ':' || attempt || ','
    ), 40)
from demand
where cost = 0 or $credits is null or needed <= $credits - (
    select coalesce(sum(cost), 0) from enrolment join course on course.id = enrolment.course
    where enrolment.status in ('pending', 'booked')
)
union all
select 'cancel', person, course, enrolment, null, because, null, null, null from ours where because is not null
union all
select 'invite', person, course, enrolment, null, null, null, null, null
from ours where because is null and not invited and reachable
"""


def database(snapshot: Snapshot, directory: Path) -> duckdb.DuckDBPyConnection:
    """The snapshot's tables, in memory; what takes a time zone is settled here."""
    connection = duckdb.connect()
    for table, columns in TABLES.items():
        path = directory / f"{table}.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(_rows(snapshot, table))
        connection.execute(f"create table {table} ({columns})")
        connection.execute(f"copy {table} from '{path}' (header false, nullstr '\\N')")
    return connection


def _rows(snapshot: Snapshot, table: str) -> Iterable[Iterable[object]]:
    return (["\\N" if value is None else value for value in row] for row in _values(snapshot, table))


def _values(snapshot: Snapshot, table: str) -> Iterable[tuple[Any, ...]]:
    required = {Level.REQUIRED: 1, Level.OPTIONAL: 0}
    if table == "course":
        for course in snapshot.courses:
            length = course.validity
            yield (
                course.id, not course.archived, course.delivery in (Delivery.IHASCO, Delivery.SCORM), course.auto_enrol,
                course.audience.value == "everyone", course.scope.value != "required", course.lead_days,
                length and length.months, length and length.days, course.credit_cost,
            )  # fmt: skip
    elif table == "requirement":
        for role in snapshot.roles:
            for row in role.requirements:
                yield role.id, row.course, required[row.level]
    elif table == "held":
        for person in snapshot.personnel:
            for held in person.roles:
                yield person.id, held.role, held.assigned_on
    elif table == "person":
        for person in snapshot.personnel:
            employee = person.employment.value == "employee"
            yield person.id, person.email, employee, person.archived, person.auto_enrol
    elif table == "assignment":
        for asked in snapshot.assignments:
            yield asked.person, asked.course, required[asked.level], asked.assigned_on
    elif table == "record":
        for record in snapshot.records:
            yield (
                record.person, record.course, record.completed_on, record.expires_on, record.never_expires,
                record.voided,
            )  # fmt: skip
    elif table == "enrolment":
        for it in snapshot.enrolments:
            yield (
                it.id, it.person, it.course, it.cycle, it.origin.value == "auto", it.status.value,
                it.enrolled_at.date(), it.invited_at is not None, it.ended_on, it.ended_because,
            )  # fmt: skip
    else:
        for out in snapshot.opt_outs:
            yield out.person, out.course


def actions(connection: duckdb.DuckDBPyConnection, snapshot: Snapshot, on: date) -> list[tuple[Any, ...]]:
    account = snapshot.account
    parameters = {
        "today": on,
        "account": account.id,
        "custom": account.custom_expiry,
        "lead": account.lead_days,
        "lookback": account.expired_lookback_days,
        "plan_active": account.elearning_plan_active,
        "account_enabled": account.auto_enrol,
        "missing": account.auto_enrol_missing,
        "since": account.missing_since,
        "credits": account.credits,
        "causes": [cause.value for cause in account.withdraw_when],
    }
    rows: list[tuple[Any, ...]] = connection.execute(QUERY, parameters).fetchall()
    return rows
