"""The rows of a matrix: who they are about.

Somebody is known by the id the matrix gives them; where it has no ids, by their name, which then must be theirs alone,
or come with an address that is. Two people are never taken for one, and nobody is left out unsaid.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import final

from attrs import field, frozen

from enrolpolicy.candidate import usable
from enrolpolicy.matrix.cells import LONGEST, Cell, Faulty, Sheet, Unread, letters, text_of
from enrolpolicy.matrix.heads import Heads
from enrolpolicy.matrix.mapping import MappedRole, Mapping
from enrolpolicy.matrix.words import EMPLOYEE, MEANINGS, SUBCONTRACTOR, Meaning, head_key, key
from enrolpolicy.model import Employment, HeldRole, Person, Role


@final
@frozen(kw_only=True)
class Row:
    """A row about somebody: its index, and who that is; None where that was not understood, which `unread` says."""

    index: int
    person: Person | None
    employment_said: bool = True


@final
@frozen(kw_only=True)
class People:
    """The rows with somebody in them, in their order, the roles they name, and what was not understood."""

    rows: tuple[Row, ...]
    roles: tuple[Role, ...]
    unread: tuple[Unread, ...]


@final
@frozen(kw_only=True)
class _Draft:
    """Somebody, before it is known that nobody else is called the same."""

    index: int
    name: str
    id: str | None
    email: str | None
    employment: Employment | None
    employment_said: bool
    division: str | None
    roles: tuple[str, ...]
    unread: tuple[Unread, ...] = field(default=())
    sound: bool = True


def slug(text: str) -> str:
    """An id made of words.

    >>> slug("Zoë O'Brien"), slug("Working at Height (Level 2)")
    ('zoë-o-brien', 'working-at-height-level-2')
    """
    return "-".join(re.findall(r"[^\W_]+", key(text)))[:255].rstrip("-")


def people_of(sheet: Sheet, heads: Heads, mapping: Mapping) -> People:
    """Who the rows are about."""
    reader = _Reader(sheet=sheet, heads=heads, mapping=mapping)
    drafts: list[_Draft] = []
    unread: list[Unread] = []
    for index in range(heads.row + 1, len(sheet.rows)):
        found = reader.draft(index)
        if isinstance(found, Unread):
            unread.append(found)
        elif found is not None:
            drafts.append(found)
            unread += found.unread
    twins = dict(reader.twins(drafts))
    unread += twins.values()
    shared = _shared_names(drafts)
    rows = tuple(reader.row(draft, drafts_with_name=shared, twin=draft.index in twins) for draft in drafts)
    return People(rows=rows, roles=reader.roles(drafts), unread=tuple(unread))


def _shared_names(drafts: Sequence[_Draft]) -> frozenset[str]:
    counts = Counter(slug(draft.name) for draft in drafts)
    return frozenset(name for name, count in counts.items() if count > 1)


@final
@frozen(kw_only=True)
class _Reader:
    """A sheet, and what is known about it."""

    sheet: Sheet
    heads: Heads
    mapping: Mapping

    # A row

    def draft(self, index: int) -> _Draft | Unread | None:
        """Who a row is about; None where it holds nothing, or the heads once more."""
        cells = self.sheet.rows[index]
        texts = tuple(text_of(cell) for cell in cells)
        if not any(texts) or texts == self.heads.texts:
            return None
        if self.sheet.ragged and (len(cells) < len(self.heads.texts) or any(texts[len(self.heads.texts) :])):
            return self._unread(index, None, "ragged-row", texts[0], _ragged(len(cells), len(self.heads.texts)))
        name, unread = self._name(index)
        if not name:
            unread = [self._unread(index, None, "no-name", next(filter(None, texts)), _NO_NAME)]
        elif sum(map(bool, texts)) == 1 and len(self.heads.fields) > 1:
            return self._unread(index, self._name_column, "only-a-name", name, _ONLY_A_NAME)
        return self._described(index, name, unread)

    def _described(self, index: int, name: str, unread: list[Unread]) -> _Draft:
        sound = not unread
        email, wrong = self._email(index)
        unread += wrong
        employment, said, wrong = self._employment(index)
        unread += wrong
        id, wrong = self._id(index)
        unread += wrong
        sound = sound and employment is not None and not wrong
        roles, wrong = self._roles(index)
        unread += wrong
        division, wrong = self._division(index)
        unread += wrong
        return _Draft(
            index=index, name=name, id=id, email=email, employment=employment, employment_said=said,
            division=division, roles=roles, unread=tuple(unread), sound=sound,
        )  # fmt: skip

    @property
    def _name_column(self) -> int:
        return next(self.heads.fields[field][0] for field in ("name", "first_name") if field in self.heads.fields)

    def _name(self, index: int) -> tuple[str, list[Unread]]:
        fields = self.heads.fields
        first = "first_name" if "first_name" in fields and "name" not in fields else "name"
        parts = [first, "last_name"] if first != "name" or "first_name" not in fields else [first]
        name = " ".join(filter(None, (self._text(index, part) for part in parts)))
        cell = self._cell(index, first)
        if isinstance(cell, Faulty):
            return name, [self._unread(index, self._name_column, "faulty-cell", name, cell.why)]
        nameless = name and "id" not in fields and not slug(name)
        if nameless or len(name) > LONGEST or not name.replace("\u200c", "").replace("\u200d", "").isprintable():
            return name, [self._unread(index, self._name_column, "bad-text", name, _BAD_TEXT)]
        return name, []

    def _email(self, index: int) -> tuple[str | None, list[Unread]]:
        text = self._text(index, "email")
        if self._means_nothing(text):
            return None, []
        if usable(text) and len(text) <= LONGEST:
            return text, []
        message = "is no address an invitation can be sent to; correct it, or leave the cell empty"
        return None, [self._unread(index, self.heads.fields["email"][0], "not-an-address", text, message)]

    def _employment(self, index: int) -> tuple[Employment | None, bool, list[Unread]]:
        text = self._text(index, "employment")
        if self._means_nothing(text):
            return Employment.EMPLOYEE, False, []
        word = key(text)
        if word in EMPLOYEE or word in map(key, self.mapping.words.employee):
            return Employment.EMPLOYEE, True, []
        if word in SUBCONTRACTOR or word in map(key, self.mapping.words.subcontractor):
            return Employment.SUBCONTRACTOR, True, []
        column = self.heads.fields["employment"][0]
        return None, True, [self._unread(index, column, "unknown-employment", text, _UNKNOWN_EMPLOYMENT)]

    def _id(self, index: int) -> tuple[str | None, list[Unread]]:
        if "id" not in self.heads.fields:
            return None, []
        text, column = self._text(index, "id"), self.heads.fields["id"][0]
        if isinstance(self._cell(index, "id"), Faulty) or self._means_nothing(text):
            return None, [self._unread(index, column, "no-id", text, _NO_ID)]
        if len(text) > 255 or not text.isprintable():
            return None, [self._unread(index, column, "bad-text", text, _BAD_TEXT)]
        return text, []

    def _roles(self, index: int) -> tuple[tuple[str, ...], list[Unread]]:
        found: dict[str, str] = {}
        unread = []
        for column in self.heads.fields.get("roles", ()):
            cell = self.sheet.at(index, column)
            if isinstance(cell, Faulty):
                unread.append(self._unread(index, column, "faulty-cell", cell.shown, cell.why))
                continue
            parts = str(cell).replace("\n", self.mapping.role_separator) if isinstance(cell, str) else text_of(cell)
            for part in parts.split(self.mapping.role_separator):
                name = " ".join(part.split())
                if self._means_nothing(name):
                    continue
                if not self._role_known(name):
                    unread.append(self._unread(index, column, "unknown-role", name, _UNKNOWN_ROLE))
                else:
                    found.setdefault(head_key(name), name)
        return tuple(found.values()), unread

    def _division(self, index: int) -> tuple[str | None, list[Unread]]:
        cell = self._cell(index, "division")
        if isinstance(cell, Faulty):
            column = self.heads.fields["division"][0]
            return None, [self._unread(index, column, "faulty-cell", cell.shown, cell.why)]
        return text_of(cell) or None, []

    def _role_known(self, name: str) -> bool:
        if self.mapping.roles:
            return self._mapped_role(name) is not None
        return bool(slug(name)) and len(name) <= LONGEST and name.isprintable()

    def _mapped_role(self, name: str) -> MappedRole | None:
        return next((role for role in self.mapping.roles if head_key(role.name) == head_key(name)), None)

    def _role_id(self, name: str) -> str:
        mapped = self._mapped_role(name)
        return (mapped.id if mapped else None) or slug(name)

    def _means_nothing(self, text: str) -> bool:
        word = key(text)
        return MEANINGS.get(word) in (Meaning.NOTHING, Meaning.NOT_ASKED) or word in map(
            key, self.mapping.words.nothing
        )

    # Cells

    def _cell(self, index: int, field: str) -> Cell:
        columns = self.heads.fields.get(field)
        return self.sheet.at(index, columns[0]) if columns else None

    def _text(self, index: int, field: str) -> str:
        return text_of(self._cell(index, field))

    def _unread(self, index: int, column: int | None, code: str, value: str, message: str) -> Unread:
        return Unread(
            sheet=self.sheet.name,
            row=index + 1,
            column=None if column is None else letters(column),
            code=code,
            value=value[:LONGEST],
            message=message,
        )

    # All rows

    def twins(self, drafts: Sequence[_Draft]) -> Iterator[tuple[int, Unread]]:
        """The rows that cannot be told from another."""
        with_ids = "id" in self.heads.fields
        groups: dict[str, list[_Draft]] = {}
        for draft in drafts:
            if draft.id is not None if with_ids else draft.name:
                groups.setdefault(draft.id or slug(draft.name), []).append(draft)
        for group in groups.values():
            if len(group) > 1 and (with_ids or not _told_apart(group)):
                rows = ", ".join(str(draft.index + 1) for draft in group[:5])
                column = self.heads.fields["id"][0] if with_ids else self._name_column
                code, message = ("same-id", _SAME_ID) if with_ids else ("same-name", _SAME_NAME)
                for draft in group:
                    value = draft.id or draft.name
                    yield draft.index, self._unread(draft.index, column, code, value, message.format(rows))

    def row(self, draft: _Draft, *, drafts_with_name: frozenset[str], twin: bool) -> Row:
        """A row, with the person it is about."""
        name = slug(draft.name)
        id = draft.id or (key(draft.email or "") if name in drafts_with_name else name) or name
        if twin or not draft.sound or draft.employment is None or not id:
            return Row(index=draft.index, person=None)
        person = Person(
            id=id,
            name=draft.name,
            email=draft.email,
            employment=draft.employment,
            division=draft.division,
            roles=tuple(HeldRole(role=self._role_id(name)) for name in draft.roles),
        )
        return Row(index=draft.index, person=person, employment_said=draft.employment_said)

    def roles(self, drafts: Sequence[_Draft]) -> tuple[Role, ...]:
        """The roles the mapping tells of; where it tells of none, those the rows name."""
        found = {self._role_id(name): name for draft in reversed(drafts) for name in reversed(draft.roles)}
        if self.mapping.roles:
            found = {self._role_id(role.name): role.name for role in self.mapping.roles}
        return tuple(Role(id=id, name=name) for id, name in sorted(found.items()))


def _told_apart(group: Sequence[_Draft]) -> bool:
    addresses = {key(draft.email) for draft in group if draft.email is not None}
    return len(addresses) == len(group)


def _ragged(cells: int, heads: int) -> str:
    return (
        f"has {cells} cells under {heads} heads, so that they may have shifted; "
        "put text with separators in it into quotation marks, or fill the row up"
    )


_NO_NAME = "holds something, and no name; say who it is about, or empty the row"
_ONLY_A_NAME = "is all there is in this row; if it is a person, give an address, a role or an id, else remove it"
_BAD_TEXT = "has no letters, too many of them, or some that cannot be printed; type it anew"
_UNKNOWN_EMPLOYMENT = (
    "does not say whether the person is an employee or a sub-contractor, so they are left out; "
    "write one of the two, or say `words.employee` or `words.subcontractor` in a mapping"
)
_NO_ID = "is no id, while others have one, so the person is left out; give them theirs"
_UNKNOWN_ROLE = "is not a role that the mapping tells of; add it there under `roles`, or correct the cell"
_SAME_ID = "is the id of rows {}, which are left out; give each person their own"
_SAME_NAME = "is the name of rows {}, and no id or address tells them apart, so they are left out; add one"
