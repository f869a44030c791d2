"""What every store has to work out, as pure functions, so that no two do it differently."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from attrs import evolve

from enrolpolicy.model import Snapshot
from enrolpolicy.ports import Writes
from enrolpolicy.rows import RESERVING_ROWS, Letter, Row, enrolment_of


def of_people(register: Snapshot, people: Collection[str], rows: Sequence[Row]) -> Snapshot:
    """The register as a transaction sees it: all settings, courses and roles, and what concerns these people.

    `rows` are theirs; their enrolments are made from them.
    """
    return evolve(
        register,
        personnel=tuple(row for row in register.personnel if row.id in people),
        assignments=tuple(row for row in register.assignments if row.person in people),
        records=tuple(row for row in register.records if row.person in people),
        opt_outs=tuple(row for row in register.opt_outs if row.person in people),
        enrolments=tuple(map(enrolment_of, rows)),
    )


def spent(register: Snapshot, credits: int) -> Snapshot:
    """A register whose account has so many credits less, where they are metered."""
    if register.account.credits is None:
        return register
    return evolve(register, account=evolve(register.account, credits=register.account.credits - credits))


def unjournalled(rows: Mapping[str, Row], writes: Writes) -> bool:
    """Whether a row would move without its entries in the journal (S10).

    The entries of a row must lead, one after the other, from the status it has to the one it is to have.
    """
    moves: dict[str, list[tuple[object, object]]] = {}
    for entry in writes.entries:
        moves.setdefault(entry.key, []).append((entry.was, entry.now))
    written = {write.row.key: write.row for write in writes.rows}
    if not moves.keys() <= written.keys():
        return True
    for key, row in written.items():
        known = rows.get(key)
        at: object = known.status if known is not None else None
        for was, now in moves.get(key, ()):
            if was is not at:
                return True
            at = now
        if at is not row.status:
            return True
    return False


def broken(
    writes: Writes,
    *,
    account: str,
    rows: Mapping[str, Row],
    letters: Mapping[str, Letter],
    credits: int | None,
    reserved: int,
) -> str | None:
    """Which clause of `enrolpolicy.ports.Store` a transaction would break, as the reason it is refused for.

    `rows` and `letters` are at least those that are written, as they are now, and all open rows of their people;
    `credits` is the balance, `reserved` what all rows of the account reserve now. None: none is broken.
    """
    for write in writes.rows:
        known = rows.get(write.row.key)
        if write.row.account != account:
            return "other-account"
        if known is not None and write.fence is None:
            return "key"
        if (known.fence if known else None) != write.fence:
            return "fence"
    for sent in writes.letters:
        letter = letters.get(sent.letter.message_id)
        if (letter.fence if letter else None) != sent.fence:
            return "fence"
    if unjournalled(rows, writes):
        return "journal"
    written = {write.row.key: write.row for write in writes.rows}
    open_pairs = Counter((row.person, row.course) for row in ({**rows, **written}).values() if row.open)
    if any(open_pairs[row.person, row.course] > 1 for row in written.values()):
        return "open"
    more = sum(_reserving(row) - _reserving(rows.get(key)) for key, row in written.items())
    if credits is not None and more > 0 and reserved + more > credits - writes.spent:
        return "credits"
    return None


def _reserving(row: Row | None) -> int:
    return row.credits if row is not None and row.status in RESERVING_ROWS else 0
