"""What every store has to work out, as pure functions, so that no two do it differently."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from operator import attrgetter, itemgetter
from typing import Any, final

from attrs import evolve, frozen

from enrolpolicy.model import Snapshot
from enrolpolicy.ports import Writes
from enrolpolicy.rows import RESERVING_ROWS, Letter, Row, enrolment_of, row_of

_Placed = tuple[int, Any]
"""A row, and its place in its table."""


@final
@frozen(eq=False)
class ByPerson:
    """A register whose people, and what is theirs, are found without walking through all of it."""

    settings: Snapshot
    _theirs: Mapping[str, Mapping[str, Sequence[_Placed]]]

    def of(self, people: Collection[str], rows: Sequence[Row]) -> Snapshot:
        """The register as a transaction sees it: all settings, courses and roles, and what concerns these people.

        `rows` are theirs; their enrolments are made from them.
        """
        about: dict[str, Any] = {
            table: tuple([row for _, row in sorted(_of_all(by_person, people), key=_place)])
            for table, by_person in self._theirs.items()
        }
        return evolve(self.settings, enrolments=tuple(map(enrolment_of, rows)), **about)


def by_person(register: Snapshot) -> ByPerson:
    """Look a register up by person; its enrolments are left out."""
    theirs: dict[str, dict[str, list[_Placed]]] = {table: {} for table in _WHOSE}
    for table, whose in _WHOSE.items():
        for place, row in enumerate(getattr(register, table)):
            theirs[table].setdefault(whose(row), []).append((place, row))
    return ByPerson(Snapshot(account=register.account, courses=register.courses, roles=register.roles), theirs)


_place = itemgetter(0)


def _of_all(by_person: Mapping[str, Sequence[_Placed]], people: Collection[str]) -> list[_Placed]:
    return [row for person in set(people) for row in by_person.get(person, ())]


_of_person = attrgetter("person")
_WHOSE: dict[str, Callable[[Any], str]] = {
    "personnel": attrgetter("id"),
    "assignments": _of_person,
    "records": _of_person,
    "opt_outs": _of_person,
}


@final
@frozen(kw_only=True)
class Told:
    """What a register, or a newer state of one, says about rows: those that are so now, and those that are gone."""

    rows: tuple[Row, ...]
    gone: frozenset[str]


def told(register: Snapshot, known: Mapping[str, Row], moved: Collection[str]) -> Told:
    """Which rows follow a register that is taken over: all that no run has moved, up to going when it has them no more.

    `known` are the account's rows as they are, `moved` the keys that stand in its journal.
    """
    costs = {course.id: course.credit_cost for course in register.courses}
    rows = [
        row_of(enrolment, account=register.account.id, credits=costs.get(enrolment.course, 0))
        for enrolment in register.enrolments
        if enrolment.id not in moved
    ]
    return Told(
        rows=tuple([_still_invited(row, known.get(row.key)) for row in rows]),
        gone=frozenset(known.keys() - moved - {row.key for row in rows}),
    )


def _still_invited(row: Row, before: Row | None) -> Row:
    """A row with the invitation that was sent to it, of which its register need not know."""
    return row if row.invited_at or before is None else evolve(row, invited_at=before.invited_at)


GONE = "gone"
"""Why a letter is dropped whose row went with the register."""


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
    if not _accounts(writes) <= {account}:
        return "other-account"
    for write in writes.rows:
        known = rows.get(write.row.key)
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


def _accounts(writes: Writes) -> set[str]:
    rows = {write.row.account for write in writes.rows}
    return rows | {write.letter.account for write in writes.letters} | {entry.account for entry in writes.entries}


def _reserving(row: Row | None) -> int:
    return row.credits if row is not None and row.status in RESERVING_ROWS else 0
