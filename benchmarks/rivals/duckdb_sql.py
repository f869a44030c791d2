"""DuckDB, three ways: the straight query, the same made fast, and one that looks only at what can act.

The straight one is `duckdb_query`, shared with the plain benchmark. The fast one groups all that is known about a pair
once, with completion and expiry in one number; the pruned one drops every pair that a setting, the person or the course
has settled before it looks at a record, and counts nobody who is left out.
"""

from pathlib import Path
from typing import Any

import duckdb

from duckdb_query import ACTIONS, DECIDED, JUDGED, REASONS
from registers import ON
from rivals.answers import Answer, Names, told
from rivals.keyed import TABLES

# A completion and its expiry in one number, ordered as rule 2 does: never, then the latest, then completed last.
LASTING = """
    (case
        when record.expires_on is not null then record.expires_on - date '0001-01-01'
        when record.never or (course.months is null and course.days is null) then 4194303
        when course.months is not null
            then (record.completed_on + to_months(course.months))::date - date '0001-01-01'
        else record.completed_on + course.days - date '0001-01-01'
    end)::bigint * 4194304 + (record.completed_on - date '0001-01-01')
"""
# What is the same for everybody on a course.
SETTING = """
setting as (
    select course.key as course, course.account, cost, everyone, optional, course.enabled as course_enabled,
        active as course_active, elearning, plan_active, account.enabled as account_enabled,
        missing, since, case when custom then coalesce(course.lead, account.lead, 30) else 30 end as lead,
        $today - lookback as looked_back_to
    from course join account on account.key = course.account
),
"""
SEEN = """
    select person, course, account, level, asked_on, expires_on, completed_on, cost,
        case
            when completed_on is null then 'missing'
            when expires_on is null then 'current'
            when expires_on < $today then 'expired'
            when expires_on - least(lead, greatest(0, (expires_on - completed_on) // 2))::int <= $today
                then 'expiring'
            else 'current'
        end as status,
        plan_active, account_enabled, course_active, elearning, course_enabled, not archived as person_active,
        enabled and out is null as person_enabled, (level is not null and level = 1) or optional as in_scope,
        employee or everyone as in_audience, reachable,
        missing and (since is null or (asked_on is not null and asked_on >= since)) as missing_enabled, looked_back_to
    from (
        select fact.*, setting.* exclude (course), employee, archived, person.enabled, reachable, opt_out.person as out,
            case when lasting is not null and lasting // 4194304 < 4194303
                then date '0001-01-01' + (lasting // 4194304)::int end as expires_on,
            case when lasting is not null then date '0001-01-01' + (lasting % 4194304)::int end as completed_on
        from {fact} fact
        join setting on setting.course = fact.course
        join person on person.key = fact.person
        left join opt_out on opt_out.person = fact.person and opt_out.course = fact.course
    )
"""
BOOKING = """
booking as (
    select person, course, bool_or(status in ('pending', 'booked', 'in-progress')) as open,
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
        select enrolment.*, known.completed_on, known.asked_on,
            coalesce(cycle = coalesce(strftime(known.completed_on, '%Y-%m-%d'), 'first'), false) as this
        from enrolment join {known} known on known.person = enrolment.person and known.course = enrolment.course
    ) e
    group by all
),
"""
PAUSED = "refusals > 0 and $today < refused_on + least(32, 2 ** (refusals - 1))::int"
OURS = """
ours as (
    select known.account, known.person, known.course, known.reachable, enrolment.id as enrolment, invited, case
        when list_contains(causes, 'superseded') and known.status = 'current'
            and cycle is distinct from strftime(known.completed_on, '%Y-%m-%d') then 'superseded'
        when list_contains(causes, 'person-archived') and not person_active then 'person-archived'
        when list_contains(causes, 'no-longer-assigned') and level is null then 'no-longer-assigned'
        when list_contains(causes, 'course-archived') and not (course_active and elearning) then 'course-archived'
        when list_contains(causes, 'person-disabled') and not person_enabled then 'person-disabled'
        when list_contains(causes, 'course-disabled') and not course_enabled then 'course-disabled'
        when list_contains(causes, 'out-of-audience') and not in_audience then 'out-of-audience'
        when list_contains(causes, 'out-of-scope') and not in_scope then 'out-of-scope'
    end as because
    from known
    join enrolment on known.person = enrolment.person and known.course = enrolment.course
    join account on account.key = known.account
    where auto and enrolment.status = 'booked'
),
"""
JUDGED_ONCE = f"""
with {SETTING}
fact as (
    select person, course, max(level) as level, max(asked_on) as asked_on, max(lasting) as lasting
    from (
        select person, course, level, assigned_on as asked_on, null::bigint as lasting
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
known as ({SEEN.format(fact="(select * from fact semi join enrolment using (person, course))")}),
{BOOKING.format(known="known")}
judged as (
    select seen.person, seen.course, account, level, expires_on, cost, status, coalesce(attempt, 0) as attempt,
        coalesce(strftime(completed_on, '%Y-%m-%d'), 'first') as cycle, case
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
    from ({SEEN.format(fact="fact")}) seen
    left join booking on booking.person = seen.person and booking.course = seen.course
),
{OURS}
"""
# A booking of ours is looked at whatever the settings, for it may have to be withdrawn.
PRUNED = f"""
with {SETTING}
open_to as (
    select person.key as person, employee from person join account on account.key = person.account
    where not archived and person.enabled and reachable and plan_active and account.enabled
),
open_for as (
    select course, everyone, optional from setting
    where plan_active and account_enabled and course_active and elearning and course_enabled
),
mine as (
    select distinct person, course from enrolment where auto and status = 'booked'
),
wanted as (
    select person, course, max(level) as level, max(asked_on) as asked_on
    from (
        select person, course, level, assigned_on as asked_on
        from held semi join open_to using (person) join (
            select requirement.* from requirement semi join open_for using (course)
        ) using (role)
        union all
        select person, course, level, assigned_on from assignment
    )
    join open_to using (person) join open_for using (course)
    where employee or everyone
    group by person, course
    having max(level) = 1 or bool_or(optional)
),
lasting as (
    select person, record.course, max({LASTING}) as lasting
    from record join course on course.key = record.course
    semi join (
        select person, course from wanted union all select person, course from mine
    ) looked_at on looked_at.person = record.person and looked_at.course = record.course
    where not voided and completed_on <= $today
    group by person, record.course
),
due as (
    select * from ({SEEN.format(fact="(select * from wanted left join lasting using (person, course))")})
    where person_enabled and (
        status = 'expiring' or (status = 'missing' and missing_enabled)
        or (status = 'expired' and expires_on >= looked_back_to)
    )
),
{BOOKING.format(known="due")}
judged as (
    select due.*, coalesce(attempt, 0) as attempt, coalesce(strftime(completed_on, '%Y-%m-%d'), 'first') as cycle,
        null as reason
    from due left join booking on booking.person = due.person and booking.course = due.course
    where open is null or not (open or awaiting or cancelled or coalesce({PAUSED}, false))
),
asked as (
    select person, course, max(level) as level, max(asked_on) as asked_on
    from (
        select person, course, level, assigned_on as asked_on from held
        semi join mine using (person) join requirement using (role)
        union all
        select person, course, level, assigned_on from assignment
    ) semi join mine using (person, course) group by person, course
),
own as (from mine left join asked using (person, course) left join lasting using (person, course)),
known as ({SEEN.format(fact="own")}),
{OURS}
"""


class _DuckDB:
    """One of the queries, over the keyed tables in memory."""

    QUERY = ""

    def load(self, tables: Path, keyed: Path) -> None:
        self.names = Names(keyed)
        self.connection = duckdb.connect()
        for name in TABLES:
            self.connection.execute(f"create table {name} as from '{keyed}/{name}.parquet'")

    def decide(self) -> Any:
        return self.connection.sql(self.QUERY, params={"today": ON}).to_arrow_table()

    def answer(self, decided: Any) -> Answer:
        return told(self.names, zip(*(column.to_pylist() for column in decided.columns), strict=True))


class Straight(_DuckDB):
    QUERY = JUDGED + ACTIONS + DECIDED + REASONS


class Optimised(_DuckDB):
    QUERY = JUDGED_ONCE + ACTIONS + DECIDED + REASONS


class Pruned(_DuckDB):
    QUERY = PRUNED + ACTIONS + DECIDED
