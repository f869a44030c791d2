"""The file of an `enrolpolicy.adapters.sqlite.SqliteStore`: its tables, and how an older one becomes a newer one.

What is promised of the rows is held by the file itself, whoever writes to it: a key is there once, a pair has one open
row, credits are not reserved beyond the balance, and the journal is only ever added to.
"""

from collections.abc import Iterable

from enrolpolicy.rows import OPEN_ROWS, RESERVING_ROWS, RowStatus

APPLICATION = 0x65706F6C
"""What tells our files from others': `epol`."""


def _one_of(column: str, statuses: Iterable[RowStatus]) -> str:
    """Whether a column holds one of these; for `IN`, SQLite would put its words into a table every time it asks."""
    words = sorted(f"'{status.value}'" for status in statuses)
    return f"({' OR '.join(f'{column} = {word}' for word in words)})"


_OLD_HELD, _NEW_HELD = (_one_of(f"{side}.status", RESERVING_ROWS) for side in ("OLD", "NEW"))
_OLD_COST, _NEW_COST = f"{_OLD_HELD} * OLD.credits", f"{_NEW_HELD} * NEW.credits"
_OWNED = 'position INTEGER PRIMARY KEY, account TEXT NOT NULL REFERENCES accounts("id")'

SETTINGS = (
    "timezone", "elearning_plan_active", "auto_enrol", "auto_enrol_missing", "missing_since", "custom_expiry",
    "lead_days", "expired_lookback_days", "expiring_soon_days", "spread_days", "withdraw_when", "guards",
)  # fmt: skip
"""The columns of an account that are its settings; its balance, and what is the store's own, are not."""

_REGISTER = (
    """CREATE TABLE accounts ("id" TEXT PRIMARY KEY, timezone TEXT NOT NULL, elearning_plan_active INTEGER NOT NULL,
    auto_enrol INTEGER NOT NULL, auto_enrol_missing INTEGER NOT NULL, missing_since TEXT,
    custom_expiry INTEGER NOT NULL, lead_days INTEGER, expired_lookback_days INTEGER NOT NULL,
    expiring_soon_days INTEGER NOT NULL, credits INTEGER, spread_days INTEGER NOT NULL,
    withdraw_when TEXT NOT NULL, guards TEXT NOT NULL, version INTEGER NOT NULL,
    reserved INTEGER NOT NULL DEFAULT 0, allowed INTEGER NOT NULL DEFAULT 0,
    last_night TEXT, run_by TEXT, run_until TEXT) WITHOUT ROWID""",
    f"""CREATE TABLE courses ({_OWNED}, "id" TEXT NOT NULL, name TEXT NOT NULL, delivery TEXT NOT NULL,
    archived INTEGER NOT NULL, auto_enrol INTEGER NOT NULL, audience TEXT NOT NULL, scope TEXT NOT NULL,
    lead_days INTEGER, validity TEXT, credit_cost INTEGER NOT NULL)""",
    "CREATE UNIQUE INDEX courses_id ON courses (account, id)",
    f'CREATE TABLE roles ({_OWNED}, "id" TEXT NOT NULL, name TEXT NOT NULL, requirements TEXT NOT NULL)',
    "CREATE UNIQUE INDEX roles_id ON roles (account, id)",
    f"""CREATE TABLE personnel ({_OWNED}, "id" TEXT NOT NULL, name TEXT NOT NULL, email TEXT,
    employment TEXT NOT NULL, archived INTEGER NOT NULL, auto_enrol INTEGER NOT NULL, roles TEXT NOT NULL,
    division TEXT)""",
    "CREATE UNIQUE INDEX personnel_id ON personnel (account, id)",
    f"""CREATE TABLE assignments ({_OWNED}, person TEXT NOT NULL, course TEXT NOT NULL, level TEXT NOT NULL,
    assigned_on TEXT)""",
    "CREATE INDEX assignments_person ON assignments (account, person)",
    f"""CREATE TABLE records ({_OWNED}, person TEXT NOT NULL, course TEXT NOT NULL, completed_on TEXT NOT NULL,
    expires_on TEXT, never_expires INTEGER NOT NULL, voided INTEGER NOT NULL)""",
    "CREATE INDEX records_person ON records (account, person)",
    # What is read once for many transactions is read again when it has changed, by whatever means.
    *(
        f"""CREATE TRIGGER {table}_{verb} AFTER {verb} ON {table} BEGIN
        UPDATE accounts SET version = version + 1 WHERE id = {side}.account; END"""
        for table in ("courses", "roles")
        for verb, side in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD"))
    ),
    f"""CREATE TRIGGER accounts_settings AFTER UPDATE OF {", ".join(SETTINGS)} ON accounts BEGIN
    UPDATE accounts SET version = version + 1 WHERE id = NEW.id; END""",
    f"CREATE TABLE opt_outs ({_OWNED}, person TEXT NOT NULL, course TEXT NOT NULL)",
    "CREATE INDEX opt_outs_person ON opt_outs (account, person)",
)

_ROWS = (
    # `beside` is 0, but for open rows that a register had beside another open one of the pair: those are taken over as
    # they are, numbered, and no further one is let in.
    f"""CREATE TABLE rows ("key" TEXT NOT NULL, account TEXT NOT NULL REFERENCES accounts("id"), person TEXT NOT NULL,
    course TEXT NOT NULL, cycle TEXT, attempt INTEGER NOT NULL, origin TEXT NOT NULL, status TEXT NOT NULL,
    because TEXT, credits INTEGER NOT NULL CHECK (credits >= 0), fence INTEGER NOT NULL, lease_until TEXT, sent_at TEXT,
    asked_at TEXT, ref TEXT, enrolled_at TEXT NOT NULL, invited_at TEXT, ended_on TEXT, ended_at TEXT,
    ended_because TEXT, beside INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (account, "key"), CHECK {_one_of("status", RowStatus)})""",
    "CREATE INDEX rows_person ON rows (account, person)",
    f"CREATE UNIQUE INDEX rows_one_open ON rows (account, person, course, beside) WHERE {_one_of('status', OPEN_ROWS)}",
    "CREATE INDEX rows_unfinished ON rows (account) WHERE status IN ('pending', 'held', 'cancelling')",
    "CREATE INDEX rows_ended ON rows (account) WHERE status IN ('cancelled', 'refused') AND ended_at IS NOT NULL",
    f"""CREATE TRIGGER rows_reserve AFTER INSERT ON rows WHEN {_NEW_HELD} BEGIN
    UPDATE accounts SET reserved = reserved + NEW.credits WHERE id = NEW.account; END""",
    f"""CREATE TRIGGER rows_reserve_again AFTER UPDATE OF status, credits ON rows WHEN {_OLD_COST} <> {_NEW_COST} BEGIN
    UPDATE accounts SET reserved = reserved - {_OLD_COST} + {_NEW_COST} WHERE id = NEW.account; END""",
    f"""CREATE TRIGGER rows_give_back AFTER DELETE ON rows WHEN {_OLD_HELD} BEGIN
    UPDATE accounts SET reserved = reserved - OLD.credits WHERE id = OLD.account; END""",
    # One that only a register has brought may go with it.
    """CREATE TRIGGER rows_stay BEFORE DELETE ON rows
    WHEN EXISTS (SELECT TRUE FROM journal WHERE account = OLD.account AND key = OLD.key) BEGIN
    SELECT RAISE(ABORT, 'what was moved is never deleted'); END""",
    # `allowed` is what was reserved at the end of the last transaction that changed it; only that end is looked at.
    """CREATE TRIGGER accounts_credits BEFORE UPDATE OF allowed ON accounts
    WHEN NEW.credits IS NOT NULL AND NEW.allowed > OLD.allowed AND NEW.allowed > NEW.credits BEGIN
    SELECT RAISE(ABORT, 'credits'); END""",
    """CREATE TABLE letters (position INTEGER PRIMARY KEY, message_id TEXT NOT NULL,
    account TEXT NOT NULL REFERENCES accounts("id"), "key" TEXT NOT NULL, person TEXT NOT NULL,
    recipient TEXT NOT NULL, content BLOB NOT NULL, status TEXT NOT NULL, tries INTEGER NOT NULL,
    fence INTEGER NOT NULL, lease_until TEXT, due_at TEXT, detail TEXT)""",
    "CREATE UNIQUE INDEX letters_id ON letters (account, message_id)",
    "CREATE INDEX letters_key ON letters (account, key)",
    "CREATE INDEX letters_pending ON letters (account) WHERE status = 'pending'",
    "CREATE TABLE settings (digest TEXT PRIMARY KEY, content TEXT NOT NULL) WITHOUT ROWID",
    """CREATE TABLE journal (position INTEGER PRIMARY KEY, account TEXT NOT NULL REFERENCES accounts("id"),
    "key" TEXT NOT NULL, person TEXT NOT NULL, course TEXT NOT NULL, was TEXT, now TEXT NOT NULL, because TEXT NOT NULL,
    actor TEXT NOT NULL, "on" TEXT NOT NULL, "at" TEXT NOT NULL, policy_version TEXT NOT NULL,
    settings TEXT NOT NULL REFERENCES settings (digest))""",
    "CREATE INDEX journal_person ON journal (account, person)",
    "CREATE INDEX journal_key ON journal (account, key)",
    *(
        f"""CREATE TRIGGER {table}_stays_{verb} BEFORE {verb} ON {table} BEGIN
        SELECT RAISE(ABORT, 'the {table} is only ever added to'); END"""
        for table in ("journal", "settings")
        for verb in ("UPDATE", "DELETE")
    ),
)

STEPS: tuple[tuple[str, ...], ...] = ((*_REGISTER, *_ROWS),)
"""What makes each version of the schema from the one before; a file's `user_version` counts those it has been through.

A step that has been released is never changed: the next one is added.
"""
