"""DuckDB, three ways: the straight query, the same made fast, and one that looks only at what can act.

The straight one is `duckdb_query`, shared with the plain benchmark. The fast one groups everything that is known about
a pair once, by numbers; the pruned one drops every pair that a setting, the person or the course has settled before it
looks at a record, and counts nobody who is left out.
"""

from pathlib import Path
from typing import Any

import duckdb

from duckdb_query import ACTIONS, JUDGED, REASONS
from registers import ON
from rivals.answers import Answer, told
from rivals.keyed import TABLES

# A completion and its expiry in one number, which orders them as rule 2 does: never, then the latest, then completed last.
LASTING = """
    (case
        when record.expires_on is not null then record.expires_on - date '0001-01-01'
        when record.never or (course.months is null and course.days is null) then 4194303
        when course.months is not null
            then (record.completed_on + to_months(course.months))::date - date '0001-01-01'
        else record.completed_on + course.days - date '0001-01-01'
    end)::bigint * 4194304 + (record.completed_on - date '0001-01-01')
"""
UNPACKED = """
    case when lasting is not null and lasting // 4194304 < 4194303
        then date '0001-01-01' + (lasting // 4194304)::int end as expires_on,
    case when lasting is not null then date '0001-01-01' + (lasting % 4194304)::int end as completed_on
"""
# What is the same for everybody on a course.
SETTINGS = """
setting as (
    select course.key as course, course.account, cost, months, days, elearning, everyone, optional,
        active as course_active, course.enabled as course_enabled,
        plan_active, account.enabled as account_enabled, missing, causes,
        coalesce(since, date '0001-01-01') as since, since is null as whenever,
        case when custom then coalesce(course.lead, account.lead, 30) else 30 end as lead,
        $today - lookback as looked_back_to
    from course join account on account.key = course.account
),
"""
SEEN = f"""
    select person, course, account, level, asked_on, expires_on, cost,
        case
            when completed_on is null then 'missing'
            when expires_on is null then 'current'
            when expires_on < $today then 'expired'
            when expires_on - least(lead, greatest(0, (expires_on - completed_on) // 2))::int <= $today
                then 'expiring'
            else 'current'
        end as status,
        completed_on, plan_active, account_enabled, course_active, elearning, course_enabled, causes,
        person_active, person_enabled, coalesce(level = 1, false) or optional as in_scope, in_audience,
        missing and (whenever or coalesce(asked_on >= since, false)) as missing_enabled, looked_back_to, reachable
    from (
        select fact.*, {UNPACKED}, setting.* exclude (course),
            not person.archived as person_active,
            person.enabled and opt_out.person is null as person_enabled,
            person.employee or setting.everyone as in_audience, person.reachable
        from fact
        join setting on setting.course = fact.course
        join person on person.key = fact.person
        left join opt_out on opt_out.person = fact.person and opt_out.course = fact.course
    )
"""
BOOKING = """
booking as (
    select person, course,
        bool_or(open) as open,
        bool_or(this and status = 'completed' and not exists (
            select 1 from record
            where record.person = e.person and record.course = e.course and record.completed_on >= e.enrolled_on
        )) as awaiting,
        bool_or(this and status = 'cancelled' and ended_because = 'requested' and (
            completed_on is not null or asked_on is null or ended_on is null or ended_on >= asked_on
        )) as cancelled,
        count(*) filter (this and status in ('completed', 'cancelled', 'refused')) as attempt,
        count(*) filter (this and status = 'refused') as refusals,
        max(coalesce(ended_on, enrolled_on)) filter (this and status = 'refused') as refused_on
    from (
        select enrolment.*, seen.completed_on, seen.asked_on,
            enrolment.status in ('pending', 'booked', 'in-progress') as open,
            coalesce(cycle = coalesce(strftime(seen.completed_on, '%Y-%m-%d'), 'first'), false) as this
        from enrolment join seen on seen.person = enrolment.person and seen.course = enrolment.course
    ) e
    group by all
),
"""
PAUSED = "refusals > 0 and $today < refused_on + least(32, 2 ** (refusals - 1))::int"
OURS = """
ours as (
    select seen.*, enrolment.id as enrolment, invited, list_filter([
        case when seen.status = 'current' and cycle is distinct from strftime(seen.completed_on, '%Y-%m-%d')
            then 'superseded' end,
        case when not person_active then 'person-archived' end,
        case when level is null then 'no-longer-assigned' end,
        case when not (course_active and elearning) then 'course-archived' end,
        case when not person_enabled then 'person-disabled' end,
        case when not course_enabled then 'course-disabled' end,
        case when not in_audience then 'out-of-audience' end,
        case when not in_scope then 'out-of-scope' end
    ], lambda cause: cause is not null and list_contains(causes, cause))[1] as because
    from enrolment join seen on seen.person = enrolment.person and seen.course = enrolment.course
    where auto and enrolment.status = 'booked'
),
"""
JUDGED_ONCE = f"""
with {SETTINGS}
fact as (
    select person, course, max(level) as level, max(asked_on) as asked_on, max(lasting) as lasting
    from (
        select held.person, requirement.course, requirement.level, held.assigned_on as asked_on,
            null::bigint as lasting
        from held join requirement using (role)
        union all
        select person, course, level, assigned_on, null from assignment
        union all
        select person, course, null, null, null from enrolment
        union all
        select person, record.course, null, null,
            case when not voided and completed_on <= $today then {LASTING} end
        from record join course on course.key = record.course
    ) group by person, course
),
seen as ({SEEN}),
{BOOKING}
judged as (
    select seen.*, coalesce(strftime(completed_on, '%Y-%m-%d'), 'first') as cycle, coalesce(attempt, 0) as attempt,
        case
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
            when {PAUSED} then 'not-refused'
            when not reachable then 'reachable'
            when status = 'current' or (status = 'expired' and expires_on < looked_back_to) then 'no-trigger'
        end as reason
    from seen left join booking on booking.person = seen.person and booking.course = seen.course
),
{OURS}
"""
# A booking's own pair is looked at whatever the settings, for it may have to be withdrawn.
PRUNED = f"""
with {SETTINGS}
open_to as (
    select key as person, employee from person where not archived and enabled and reachable
),
asked as (
    select person, course, max(level) as level, max(asked_on) as asked_on
    from (
        select held.person, requirement.course, requirement.level, held.assigned_on as asked_on
        from held join requirement using (role)
        union all
        select person, course, level, assigned_on from assignment
    )
    join setting using (course) join open_to using (person)
    where plan_active and account_enabled and course_active and elearning and course_enabled
        and (employee or everyone)
    group by person, course
),
wanted as (
    select person, course, level, asked_on from asked join setting using (course) where level = 1 or optional
    union all
    select person, course, max(level), max(asked_on) from (
        select held.person, requirement.course, requirement.level, held.assigned_on as asked_on
        from ours_booked join held using (person) join requirement using (role)
        where requirement.course = ours_booked.course
        union all
        select person, course, level, assigned_on from assignment semi join ours_booked using (person, course)
        union all
        select person, course, null, null from ours_booked
    ) group by person, course
),
"""


class _DuckDB:
    """One of the queries, over the keyed tables in memory."""

    QUERY = ""

    def load(self, tables: Path, keyed: Path) -> None:
        self.connection = duckdb.connect()
        for name in TABLES:
            self.connection.execute(f"create table {name} as from '{keyed}/{name}.parquet'")

    def decide(self) -> Any:
        return self.connection.execute(self.QUERY, {"today": ON}).to_arrow_table()

    def answer(self, decided: Any) -> Answer:
        return told(tuple(row.values()) for row in decided.to_pylist())


class Straight(_DuckDB):
    QUERY = JUDGED + ACTIONS + REASONS


class Optimised(_DuckDB):
    QUERY = JUDGED_ONCE + ACTIONS + REASONS
