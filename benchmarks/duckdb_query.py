"""The decision as one DuckDB query over the same tables, each row of policy in its place."""

import csv
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from enrolpolicy import Delivery, Level, Snapshot
from enrolpolicy.candidate import usable

TABLES = {
    "account": "key text, id text, plan_active bool, enabled bool, missing bool, since date, custom bool, lead int, "
    "lookback int, credits int, causes text[]",
    "course": "key text, account text, id text, active bool, elearning bool, enabled bool, everyone bool, "
    "optional bool, lead int, months int, days int, cost int",
    "requirement": "role text, course text, level int",
    "held": "person text, role text, assigned_on date",
    "person": "key text, account text, id text, employee bool, archived bool, enabled bool, reachable bool",
    "assignment": "person text, course text, level int, assigned_on date",
    "record": "person text, course text, completed_on date, expires_on date, never bool, voided bool",
    "enrolment": "id text, person text, course text, cycle text, auto bool, status text, enrolled_on date, "
    "invited bool, ended_on date, ended_because text",
    "opt_out": "person text, course text",
}
"""Rows refer to each other by key, which is an id, or in an estate of many accounts a number in the order of ids."""

JUDGED = r"""
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
        from record join course on course.key = record.course
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
    union select person, course from enrolment
),
seen as (
    select pair.person, pair.course, course.account, asked.level, asked.asked_on, standing.expires_on,
        coalesce(standing.cycle, 'first') as cycle, course.cost,
        case
            when standing.cycle is null then 'missing'
            when standing.expires_on is null then 'current'
            when standing.expires_on < $today then 'expired'
            when standing.expires_on - least(
                case when account.custom then coalesce(course.lead, account.lead, 30) else 30 end,
                greatest(0, (standing.expires_on - standing.completed_on) // 2)
            )::int <= $today then 'expiring'
            else 'current'
        end as status,
        account.plan_active,
        account.enabled as account_enabled,
        course.active as course_active,
        course.elearning,
        course.enabled as course_enabled,
        not person.archived as person_active,
        person.enabled and opt_out.person is null as person_enabled,
        coalesce(asked.level = 1 or course.optional, course.optional) as in_scope,
        person.employee or course.everyone as in_audience,
        account.missing and (account.since is null or coalesce(asked_on >= account.since, false)) as missing_enabled,
        $today - account.lookback as looked_back_to,
        person.reachable
    from pair
    join person on person.key = pair.person
    join course on course.key = pair.course
    join account on account.key = course.account
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
judged as (
    select seen.*, coalesce(attempt, 0) as attempt, case
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
        when refusals > 0 and $today < refused_on + least(32, 2 ** (refusals - 1))::int then 'not-refused'
        when not reachable then 'reachable'
        when status = 'current' or (status = 'expired' and expires_on < looked_back_to) then 'no-trigger'
    end as reason
    from seen left join booking on booking.person = seen.person and booking.course = seen.course
),
ours as (
    select seen.*, enrolment.id as enrolment, invited, case
        when list_contains(account.causes, 'superseded') and seen.status = 'current'
            and enrolment.cycle is distinct from seen.cycle then 'superseded'
        when list_contains(account.causes, 'person-archived') and not person_active then 'person-archived'
        when list_contains(account.causes, 'no-longer-assigned') and level is null then 'no-longer-assigned'
        when list_contains(account.causes, 'course-archived') and not (course_active and elearning)
            then 'course-archived'
        when list_contains(account.causes, 'person-disabled') and not person_enabled then 'person-disabled'
        when list_contains(account.causes, 'course-disabled') and not course_enabled then 'course-disabled'
        when list_contains(account.causes, 'out-of-audience') and not in_audience then 'out-of-audience'
        when list_contains(account.causes, 'out-of-scope') and not in_scope then 'out-of-scope'
    end as because
    from seen
    join enrolment on enrolment.person = seen.person and enrolment.course = seen.course
    join account on account.key = seen.account
    where auto and enrolment.status = 'booked'
),
"""
"""Every pair of the register with its first reason, and every booking of ours with what withdraws it."""

ACTIONS = r"""
demand as (
    select *, sum(cost) over (
        partition by account
        order by expires_on is not null desc, level = 1 desc, expires_on, person, course
        rows unbounded preceding
    ) as needed
    from judged where reason is null
),
reserved as (
    select course.account, sum(cost) as cost from enrolment join course on course.key = enrolment.course
    where enrolment.status in ('pending', 'booked') group by all
),
action as (
    select demand.account, 'enrol' as type, demand.person, demand.course, cycle, attempt, status as because,
        expires_on, demand.cost as credits, null as enrolment
    from demand
    join account on account.key = demand.account
    left join reserved on reserved.account = demand.account
    where demand.cost = 0 or account.credits is null or needed <= account.credits - coalesce(reserved.cost, 0)
    union all
    select account, 'cancel', person, course, null, null, because, null, null, enrolment
    from ours where because is not null
    union all
    select account, 'invite', person, course, null, null, null, null, null, enrolment
    from ours where because is null and not invited and reachable
)
"""

DECIDED = r"""
select account, type, person, course, cycle, attempt, because, expires_on, credits, enrolment from action
"""
"""The actions, of people and courses by key."""

REASONS = r"""
union all
select account, 'reason', null, null, null, null, reason, null, count(*), null
from judged where reason is not null group by account, reason
"""
"""Beside those, how many of each account are left out for what."""

TOLD = r"""
select account.id as account, type, person.id as person, course.id as course, cycle, attempt, because, expires_on,
    action.credits, case when type = 'enrol' then 'ep1-' || left(sha256(
        strlen(account.id) || ':' || account.id || ',' || strlen(person.id) || ':' || person.id || ','
        || strlen(course.id) || ':' || course.id || ',' || strlen(cycle) || ':' || cycle || ','
        || strlen(attempt::text) || ':' || attempt || ','
    ), 40) end as key, enrolment
from action
join account on account.key = action.account
join person on person.key = action.person
join course on course.key = action.course
"""
"""The actions by id, and the keys of enrolments."""


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
    account = snapshot.account
    if table == "account":
        yield (
            account.id, account.id, account.elearning_plan_active, account.auto_enrol, account.auto_enrol_missing,
            account.missing_since, account.custom_expiry, account.lead_days, account.expired_lookback_days,
            account.credits, f"[{', '.join(cause.value for cause in account.withdraw_when)}]",
        )  # fmt: skip
    elif table == "course":
        for course in snapshot.courses:
            length = course.validity
            yield (
                course.id, account.id, course.id, not course.archived,
                course.delivery in (Delivery.IHASCO, Delivery.SCORM), course.auto_enrol,
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
            yield (
                person.id, account.id, person.id, employee, person.archived, person.auto_enrol, usable(person.email),
            )  # fmt: skip
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


def actions(connection: duckdb.DuckDBPyConnection, on: date) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = connection.execute(JUDGED + ACTIONS + TOLD, {"today": on}).fetchall()
    return rows
