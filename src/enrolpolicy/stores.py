"""What every store has to work out, as pure functions, so that no two do it differently."""

from collections.abc import Collection, Mapping, Sequence

from attrs import evolve

from enrolpolicy.model import Snapshot
from enrolpolicy.ports import Writes
from enrolpolicy.rows import Row, enrolment_of


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
