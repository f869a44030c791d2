"""The tables with every reference a number: what a platform's own database would hold, and the bulk engine's columns.

Persons and courses are numbered through all accounts, by account and id; what needs no date is settled (whether an
address is usable, on which local day somebody was enrolled); rows of a person stand together.
"""

from pathlib import Path

import duckdb

# Everybody in these estates lives in UTC. The library takes control characters out of addresses, too; here are none.
TABLES = {
    "account": """
        select (row_number() over (order by account) - 1)::int as key, account as id,
            elearning_plan_active as plan_active, auto_enrol as enabled, auto_enrol_missing as missing,
            missing_since as since, custom_expiry as custom, lead_days as lead, expired_lookback_days as lookback,
            credits, withdraw_when as causes
        from '{tables}/accounts.parquet' order by key""",
    "course": """
        select (row_number() over (order by account.key, c.id) - 1)::int as key, account.key as account, c.id,
            not archived as active, delivery in ('ihasco', 'scorm') as elearning, auto_enrol as enabled,
            audience = 'everyone' as everyone, scope <> 'required' as optional, lead_days as lead,
            validity_months as months, validity_days as days, credit_cost as cost
        from '{tables}/courses.parquet' c join account on account.id = c.account order by key""",
    "person": r"""
        select (row_number() over (order by account.key, p.id) - 1)::int as key, account.key as account, p.id,
            employment = 'employee' as employee, archived, auto_enrol as enabled,
            regexp_full_match(coalesce(email, ''), '[^@\s]+@[^@\s.]+(\.[^@\s.]+)+') as reachable
        from '{tables}/personnel.parquet' p join account on account.id = p.account order by key""",
    "role": """
        select (row_number() over (order by account, id) - 1)::int as key, account, id
        from '{tables}/roles.parquet' order by key""",
    "requirement": """
        select role.key as role, course.key as course, (level = 'required')::tinyint as level
        from '{tables}/requirements.parquet' r
        join role on (role.account, role.id) = (r.account, r.role)
        join account on account.id = r.account
        join course on (course.account, course.id) = (account.key, r.course) order by all""",
    "held": """
        select person.key as person, role.key as role, assigned_on
        from '{tables}/held_roles.parquet' h join account on account.id = h.account
        join person on (person.account, person.id) = (account.key, h.person)
        join role on (role.account, role.id) = (h.account, h.role) order by person""",
    "assignment": """
        select person.key as person, course.key as course, (level = 'required')::tinyint as level, assigned_on
        from '{tables}/assignments.parquet' a join account on account.id = a.account
        join person on (person.account, person.id) = (account.key, a.person)
        join course on (course.account, course.id) = (account.key, a.course) order by person""",
    "record": """
        select person.key as person, course.key as course, completed_on, expires_on, never_expires as never, voided
        from '{tables}/records.parquet' r join account on account.id = r.account
        join person on (person.account, person.id) = (account.key, r.person)
        join course on (course.account, course.id) = (account.key, r.course) order by person, course""",
    "enrolment": """
        select e.id, person.key as person, course.key as course, cycle, origin = 'auto' as auto, status,
            enrolled_at::date as enrolled_on, invited_at is not null as invited, ended_on, ended_because
        from '{tables}/enrolments.parquet' e join account on account.id = e.account
        join person on (person.account, person.id) = (account.key, e.person)
        join course on (course.account, course.id) = (account.key, e.course) order by person, course, e.id""",
    "opt_out": """
        select distinct person.key as person, course.key as course
        from '{tables}/opt_outs.parquet' o join account on account.id = o.account
        join person on (person.account, person.id) = (account.key, o.person)
        join course on (course.account, course.id) = (account.key, o.course) order by person""",
}


def write(tables: Path, keyed: Path) -> None:
    """The keyed tables as files, each of which an engine loads in its own way."""
    keyed.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        for name, query in TABLES.items():
            connection.execute(f"create table {name} as {query.format(tables=tables)}")
            connection.execute(f"copy {name} to '{keyed}/{name}.parquet'")
