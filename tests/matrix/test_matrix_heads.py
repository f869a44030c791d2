"""What the columns of a matrix are is told by its heads and its mapping; what neither tells is refused or listed."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrolpolicy import Account, Delivery, Employment, InvalidSnapshot, Level, OptOut, Validity, plan
from enrolpolicy.matrix import Cell, Faulty, Imported, Mapping, Sheet, load_mapping, read_matrix

DAY, LATER = date(2025, 1, 31), date(2026, 1, 31)


def read(*rows: tuple[Cell, ...], mapping: str = "", ragged: bool = False, **account: Any) -> Imported:
    sheet = Sheet(name="M", rows=rows, ragged=ragged)
    return read_matrix(sheet, account=account.get("account", "acme"), mapping=load_mapping(mapping))


def refusal(*rows: tuple[Cell, ...], mapping: str = "", account: Any = "acme") -> list[tuple[str, str]]:
    with pytest.raises(InvalidSnapshot) as caught:
        read(*rows, mapping=mapping, account=account)
    for problem in caught.value.problems:
        assert not problem.message.endswith(".")
    return [(problem.path, problem.code) for problem in caught.value.problems]


def unread(found: Imported) -> list[tuple[str, str]]:
    return [(row.place, row.code) for row in found.unread]


def records(found: Imported) -> list[tuple[str, str, date, date | None]]:
    return [(row.person, row.course, row.completed_on, row.expires_on) for row in found.snapshot.records]


class TestWhereTheHeadsAre:
    """The heads are the first row that names a column of people; titles above them are passed over."""

    def test_below_titles(self) -> None:
        found = read(("Training matrix",), (), ("Staff name", "Fire completed"), ("Ana", DAY))
        assert records(found) == [("ana", "fire", DAY, None)]

    def test_where_the_mapping_says(self) -> None:
        rows = (("Name", "Old"), ("Name", "Fire completed"), ("Ana", DAY))
        assert records(read(*rows, mapping="header_row = 2")) == [("ana", "fire", DAY, None)]
        assert refusal(*rows, mapping="header_row = 3") == [("M", "no-heads")]
        assert refusal(*rows, mapping="header_row = 9") == [("M", "no-heads")]

    def test_nowhere(self) -> None:
        assert refusal() == [("M", "empty")]
        assert refusal((None, " "), ()) == [("M", "empty")]
        assert refusal(("a", "b"), ("c", "d")) == [("M", "no-heads")]
        assert refusal(*[("x",)] * 30, ("Name", "Fire")) == [("M", "no-heads")]
        assert refusal(("Name", "E-mail"), ("Ana", "a@b.example")) == [("M!1", "no-courses")]

    def test_the_heads_once_more_are_passed_over(self) -> None:
        heads = ("Name", "Fire completed")
        assert unread(read(heads, ("Ana", DAY), heads, ("Bo", DAY))) == []


class TestPeople:
    """Whom a row is about is read from the usual heads, or from those the mapping names."""

    HEADS = ("Employee", "E-Mail Address", "Job Title(s)", "Employment Type", "Dept.", "Payroll No.", "Fire completed")

    def test_all_there_is(self) -> None:
        found = read(self.HEADS, ("Ana  Li", "ana@acme.example", "Welder\nFitter", "CIS", "North", 17.0, DAY))
        [person] = found.snapshot.personnel
        assert (person.id, person.name, person.email) == ("17", "Ana Li", "ana@acme.example")
        assert person.employment is Employment.SUBCONTRACTOR
        assert (person.division, [held.role for held in person.roles]) == ("North", ["welder", "fitter"])
        assert [(role.id, role.name) for role in found.snapshot.roles] == [("fitter", "Fitter"), ("welder", "Welder")]
        assert [row.code for row in found.assumed] == []

    def test_first_and_last_names(self) -> None:
        first = read(("First name", "Surname", "Fire completed"), ("Ana", "Li", DAY))
        second = read(("Name", "Surname", "Fire completed"), ("Ana", "Li", DAY))
        third = read(("Name", "First name", "Surname", "Fire completed"), ("Dr Ana Li", "Ana", "Li", DAY))
        assert [found.snapshot.personnel[0].name for found in (first, second, third)] == [
            "Ana Li",
            "Ana Li",
            "Dr Ana Li",
        ]

    def test_heads_the_mapping_names(self) -> None:
        mapping = '[columns]\nname = "wer"\nroles = "Name"'
        found = read(("Wer?", "Name", "Fire completed"), ("Ana", "Welder", DAY), mapping=mapping)
        [person] = found.snapshot.personnel
        assert (person.name, [held.role for held in person.roles]) == ("Ana", ["welder"])

    def test_several_columns_of_roles(self) -> None:
        found = read(("Name", "Job", "Trade", "Fire completed"), ("Ana", "Welder", "Welder; Fitter", DAY))
        assert [held.role for held in found.snapshot.personnel[0].roles] == ["welder", "fitter"]

    def test_two_columns_that_could_be_the_name(self) -> None:
        rows = (("Name", "Employee", "Fire completed"), ("Ana", "Bo", DAY))
        assert refusal(*rows) == [("M!B1", "two-columns")]
        assert read(*rows, mapping='ignore = ["Name"]').snapshot.personnel[0].name == "Bo"

    def test_two_of_one_name(self) -> None:
        heads = ("Name", "E-mail", "Fire completed")
        alike = read(heads, ("Bo Li", None, DAY), ("bo  LI", "b@acme.example", DAY), ("Cy", None, DAY))
        assert unread(alike) == [("M!A2", "same-name"), ("M!A3", "same-name")]
        assert [person.id for person in alike.snapshot.personnel] == ["cy"]
        told = read(heads, ("Bo Li", "a@acme.example", DAY), ("Bo Li", "B@acme.example", DAY))
        assert [person.id for person in told.snapshot.personnel] == ["a@acme.example", "b@acme.example"]
        twice = read(heads, ("Bo Li", "a@acme.example", DAY), ("Bo Li", "A@acme.example", DAY))
        assert [code for _, code in unread(twice)] == ["same-name"] * 2
        three = read(heads, *(("Bo Li", f"{box}@acme.example", DAY) for box in "aba"))
        assert [code for _, code in unread(three)] == ["same-name"] * 3

    def test_ids_are_everybody_s_own(self) -> None:
        heads = ("Name", "ID", "Fire completed")
        found = read(heads, ("Ana", "1", DAY), ("Bo", 1, DAY), ("Cy", None, DAY), ("Dee", "4", DAY), ("Dee", "5", DAY))
        assert unread(found) == [("M!B2", "same-id"), ("M!B3", "same-id"), ("M!B4", "no-id")]
        assert [person.id for person in found.snapshot.personnel] == ["4", "5"]

    def test_rows_that_are_nobody_s(self) -> None:
        heads = ("Name", "E-mail", "Fire completed")
        found = read(
            heads, (None, None, DAY), ("Key: red = late",), ("", " ", None), (Faulty("#REF!", "is"), None, DAY)
        )
        assert unread(found) == [("M!2", "no-name"), ("M!A3", "only-a-name"), ("M!A5", "faulty-cell")]
        assert found.snapshot.personnel == ()

    def test_a_column_of_names_alone_needs_no_more(self) -> None:
        found = read(("Name", "Fire completed"), ("Ana",), ("Bo", DAY))
        assert [person.id for person in found.snapshot.personnel] == ["ana", "bo"]

    @pytest.mark.parametrize("word", ["Employee", "STAFF ", "perm", "PAYE"])
    def test_employees(self, word: str) -> None:
        found = read(("Name", "Employment", "Fire completed"), ("Ana", word, DAY))
        assert found.snapshot.personnel[0].employment is Employment.EMPLOYEE

    def test_other_words_for_it(self) -> None:
        rows = (("Name", "Employment", "Fire completed"), ("Ana", "Limb (b)", DAY), ("Bo", "freelance", DAY))
        assert unread(read(*rows)) == [("M!B2", "unknown-employment"), ("M!B3", "unknown-employment")]
        found = read(*rows, mapping='[words]\nemployee = ["limb (B)"]\nsubcontractor = ["Freelance"]')
        assert [person.employment.value for person in found.snapshot.personnel] == ["employee", "subcontractor"]

    @given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), st.text(max_size=20))
    def test_any_name(self, name: str, email: str) -> None:
        found = read(("Name", "E-mail", "Fire completed"), (name, email, DAY))
        persons = found.snapshot.personnel
        assert len(persons) == 1 or {"M!2", "M!A2"} & {place for place, _ in unread(found)}
        assert all(person.name == " ".join(name.split()) for person in persons)


class TestCourses:
    """A column is of the course in its head; words such as `expiry` say what its dates are."""

    @pytest.mark.parametrize(
        "head",
        ["Fire Safety expiry", "Fire Safety (Expiry Date)", "Fire Safety – valid until", "EXPIRES: Fire Safety",
         "Fire Safety [renewal due]", "fire safety, Expires on"],
    )  # fmt: skip
    def test_words_in_heads(self, head: str) -> None:
        found = read(("Name", "Fire safety completed", head), ("Ana", DAY, LATER))
        assert records(found) == [("ana", "fire-safety", DAY, LATER)]

    def test_heads_of_two_rows(self) -> None:
        """A head merged over two columns reaches over both, and no further."""
        found = read(
            (None, "Fire", None, "First aid", None, None),
            ("Name", "Completed", "Expiry", "Completed", "Expiry", "Driving completed"),
            ("Ana", DAY, LATER, None, None, DAY),
        )
        assert records(found) == [("ana", "fire", DAY, LATER), ("ana", "driving", DAY, None)]
        assert refusal(("Fire",), ("Name", "Completed")) == [("M!B2", "course-unknown")]
        assert refusal((None, "Fire"), ("Name", "Fire done", "", "Expiry")) == [("M!D2", "course-unknown")]

    def test_a_bare_expiry_belongs_to_the_course_before_it(self) -> None:
        found = read(("Name", "Fire", "Expiry"), ("Ana", DAY, LATER), mapping='cells = "completed"')
        assert records(found) == [("ana", "fire", DAY, LATER)]

    def test_what_dates_are_has_to_be_said(self) -> None:
        rows = (("Name", "Fire", "Water"), ("Ana", DAY, None), ("Bo", "booked", "N/A"))
        found = read(*rows)
        assert unread(found) == [("M!B1", "kind-unknown"), ("M!C1", "kind-unknown"), ("M!B3", "not-a-date")]
        assert found.snapshot.records == ()
        assert len(read(*rows, mapping='cells = "completed"').snapshot.records) == 1
        said = '[[courses]]\nheader = "Fire"\ncells = "completed"\n[[courses]]\nheader = "water"\ncells = "expires"'
        assert unread(read(*rows, mapping=said)) == [("M!C1", "completion-unknown"), ("M!B3", "not-a-date")]

    def test_columns_named_one_by_one(self) -> None:
        mapping = '[[courses]]\nheader = "Fire"\nid = "f"\nname = "Fire!"\ncompleted = "F1"\nexpires = "F2"'
        found = read(("Name", "f1", "F2"), ("Ana", DAY, LATER), mapping=mapping)
        assert records(found) == [("ana", "f", DAY, LATER)]
        assert found.snapshot.courses[0].name == "Fire!"

    def test_the_same_course_twice(self) -> None:
        heads = ("Name", "Fire completed", "FIRE (completed)")
        assert refusal(heads) == [("M!C1", "two-columns")]
        assert refusal(("Name", "Fire", "fire"), mapping='cells = "expires"') == [("M!C1", "two-columns")]

    def test_courses_whose_words_give_one_id(self) -> None:
        rows = (("Name", "C completed", "C++ completed"), ("Ana", DAY, DAY))
        assert refusal(*rows) == [("M!C1", "duplicate-id")]
        assert read(*rows, mapping='[[courses]]\nheader = "C++"\nid = "cpp"').snapshot.courses[1].id == "cpp"

    def test_columns_about_something_else(self) -> None:
        found = read(
            ("Name", "Notes", "Shoe size", "Fire completed"), ("Ana", "x", 7, DAY), mapping='ignore = ["shoe SIZE"]'
        )
        assert unread(found) == []
        [aside] = [row for row in found.assumed if row.code == "columns-set-aside"]
        assert aside.about == ("Notes", "Shoe size")
        assert "`B Notes`, `C Shoe size`" in aside.message

    def test_columns_without_a_head(self) -> None:
        found = read(("Name", "Fire completed", None), ("Ana", DAY, "x", None, "y"), ("Bo", DAY, " "))
        assert unread(found) == [("M!C2", "no-head"), ("M!E2", "no-head")]

    def test_a_head_as_long_as_a_book(self) -> None:
        assert ("M!B1", "too-long") in refusal(("Name", "Fire" * 50_000))


class TestRecords:
    """A completion and an expiry make a record; an expiry alone makes one only where the validity leads back."""

    VALID = '[[courses]]\nheader = "Fire"\nvalidity = { months = 12 }'

    def test_an_expiry_alone(self) -> None:
        rows = (("Name", "Fire expiry"), ("Ana", LATER), ("Bo", None))
        assert unread(read(*rows)) == [("M!B1", "completion-unknown")]
        found = read(*rows, mapping=self.VALID)
        assert records(found) == [("ana", "fire", DAY, LATER)]
        [remark] = [row for row in found.assumed if row.code == "completion-reckoned"]
        assert remark.about == ("ana fire",)
        days = read(*rows, mapping=self.VALID.replace("months = 12", "days = 365"))
        assert records(days) == [("ana", "fire", DAY, LATER)]

    def test_an_expiry_beside_an_empty_completion(self) -> None:
        rows = (("Name", "Fire completed", "Fire expiry"), ("Ana", None, LATER))
        assert unread(read(*rows)) == [("M!C2", "completion-unknown")]
        assert records(read(*rows, mapping=self.VALID)) == [("ana", "fire", DAY, LATER)]

    def test_a_completion_alone(self) -> None:
        rows = (("Name", "Fire completed", "Fire expiry"), ("Ana", DAY, None))
        assert records(read(*rows)) == [("ana", "fire", DAY, None)]
        assert "validity-unknown" in {row.code for row in read(*rows).untold}
        assert "validity-unknown" not in {row.code for row in read(*rows, mapping=self.VALID).untold}

    def test_no_expiry(self) -> None:
        heads = ("Name", "Fire completed", "Fire expiry")
        found = read(heads, ("Ana", DAY, "Lifetime"), ("Bo", None, "no expiry"), ("Cy", "lifetime", None))
        assert [row.never_expires for row in found.snapshot.records] == [True]
        assert unread(found) == [("M!C3", "completion-unknown"), ("M!B4", "not-a-date")]
        assert "validity-unknown" not in {row.code for row in found.untold}

    def test_contradictions(self) -> None:
        heads = ("Name", "Fire completed", "Fire expiry")
        found = read(heads, ("Ana", DAY, "N/A"), ("Bo", "n/a", LATER), ("Cy", LATER, DAY), ("Di", DAY, DAY))
        assert unread(found) == [
            ("M!C2", "contradiction"), ("M!B3", "contradiction"), ("M!C4", "expiry-before-completion"),
        ]  # fmt: skip
        assert records(found) == [("di", "fire", DAY, DAY)]

    def test_half_of_a_training_is_none(self) -> None:
        found = read(
            ("Name", "Fire completed", "Fire expiry"), ("Ana", DAY, "soon"), ("Bo", "?", LATER), mapping=self.VALID
        )
        assert records(found) == []
        assert unread(found) == [("M!C2", "not-a-date"), ("M!B3", "not-a-date")]

    def test_words_of_one_s_own(self) -> None:
        mapping = '[words]\nnothing = ["Booked"]\nnot_asked = ["X"]\nnever_expires = ["∞"]'
        heads = ("Name", "Fire completed", "Fire expiry")
        found = read(heads, ("Ana", "booked", "x"), ("Bo", DAY, "∞"), mapping=mapping)
        assert unread(found) == []
        assert [row.never_expires for row in found.snapshot.records] == [True]

    def test_dates_far_off_and_cells_of_other_kinds(self) -> None:
        cells: list[Cell] = [
            date(1949, 12, 31),
            date(2101, 1, 1),
            True,
            45678,
            0.5,
            Faulty("#REF!", "is wrong"),
            "y" * 200_000,
        ]
        found = read(("Name", "Fire completed"), *((f"P{at}", cell) for at, cell in enumerate(cells)))
        assert [row.code for row in found.unread] == [
            "far-off-date", "far-off-date", "not-a-date", "bare-number", "bare-number", "faulty-cell", "too-long",
        ]  # fmt: skip
        assert max(len(row.value) for row in found.unread) == 500


class TestWhomItIsAskedOf:
    """Training is asked of those whose role asks for it; the mapping may add those with a date, or all but `N/A`."""

    ROLES = '[[roles]]\nname = "Welder"\nrequired = ["Fire"]\noptional = ["water"]\n'
    ROWS = (
        ("Name", "Role", "Fire completed", "Water completed"),
        ("Ana", "welder", DAY, None),
        ("Bo", "WELDER", "N/A", "n/a"),
        ("Cy", None, DAY, "N/A"),
    )

    def test_by_role(self) -> None:
        found = read(*self.ROWS, mapping=self.ROLES)
        [role] = found.snapshot.roles
        assert [(row.course, row.level) for row in role.requirements] == [
            ("fire", Level.REQUIRED), ("water", Level.OPTIONAL),
        ]  # fmt: skip
        assert found.snapshot.assignments == ()
        assert found.snapshot.opt_outs == (OptOut(person="bo", course="fire"), OptOut(person="bo", course="water"))
        assert "opted-out" in {row.code for row in found.assumed}

    @pytest.mark.parametrize(
        ("asked", "pairs"),
        [("roles", []), ("recorded", ["ana fire", "cy fire"]), ("unless-na", ["ana fire", "ana water", "cy fire"])],
    )
    def test_by_what_the_cells_say(self, asked: str, pairs: list[str]) -> None:
        found = read(*self.ROWS, mapping=f'asked = "{asked}"\n{self.ROLES}')
        assert [f"{row.person} {row.course}" for row in found.snapshot.assignments] == pairs

    def test_nobody_is_asked_unless_somebody_says_so(self) -> None:
        found = read(*self.ROWS)
        assert plan(found.snapshot, on=LATER).enrolments == ()
        assert {"requirements-unknown", "delivery-unknown", "auto-enrol-off", "no-email"} <= {
            r.code for r in found.untold
        }

    def test_roles_the_mapping_does_not_tell_of(self) -> None:
        found = read(*self.ROWS, ("Di", "Welder; Pilot", DAY, None), mapping=self.ROLES)
        assert unread(found) == [("M!B5", "unknown-role")]
        assert [held.role for held in found.snapshot.personnel[3].roles] == ["welder"]

    def test_all_told_leads_to_a_plan(self) -> None:
        mapping = (
            f"{self.ROLES}\n[[courses]]\nheader = 'Fire'\ndelivery = 'ihasco'\nauto_enrol = true\n"
            "validity = { months = 12 }\n[account]\nid = 'acme'\ncredits = 1\nmissing_since = 2026-01-01"
        )
        heads = ("Name", "E-mail", "Role", "ID", "Fire completed", "Water completed")
        found = read(heads, ("Ana", "ana@acme.example", "Welder", "7", DAY, None), mapping=mapping, account=None)
        assert found.snapshot.account.credits == 1
        assert found.snapshot.courses[0].delivery is Delivery.IHASCO
        assert found.snapshot.courses[0].validity == Validity(months=12)
        assert [(row.person, row.course) for row in plan(found.snapshot, on=date(2026, 1, 5)).enrolments] == [
            ("7", "fire")
        ]
        assert {row.code for row in found.untold} == {"delivery-unknown"}


class TestMappings:
    """A mapping is refused with every problem and its path, and never names what the sheet does not have."""

    ROWS = (("Name", "Fire completed", "Water completed"), ("Ana", DAY, DAY))

    @pytest.mark.parametrize(
        ("mapping", "path", "code"),
        [
            ("dates = ", "$", "not-toml"),
            ("dates = 'dym'", "$.dates", "invalid"),
            ("short_years = 20", "$", "invalid"),
            ("role_separator = ''", "$", "invalid"),
            ("header_row = 0", "$.header_row", "invalid"),
            ("heder_row = 1", "$.heder_row", "unknown-key"),
            ("[[courses]]\nname = 'x'", "$.courses[0].header", "missing"),
            ("[[courses]]\nheader = 'Fire'\nvalidity = { months = 1, days = 1 }", "$.courses[0].validity", "invalid"),
            ("[[courses]]\nheader = 'Fier'", "$.courses[0].header", "unknown-head"),
            ("[[courses]]\nheader = 'Fire'\nexpires = 'Fire exp'", "$.courses[0].expires", "unknown-head"),
            ("ignore = ['Notes']", "$.ignore[0]", "unknown-head"),
            ("[columns]\nemail = 'mail'", "$.columns.email", "unknown-head"),
            ("[[roles]]\nname = 'R'\nrequired = ['Fir']", "$.roles[0].required[0]", "unknown-course"),
            ("[[roles]]\nname = 'R'\n[[roles]]\nname = 'r'", "$.roles[1].id", "duplicate-id"),
            ("[account]\nid = 'other'", "$.account.id", "two-accounts"),
        ],
    )
    def test_problems(self, mapping: str, path: str, code: str) -> None:
        found = refusal(*self.ROWS, mapping=mapping)
        assert (path, code) in found

    def test_who_was_meant(self) -> None:
        with pytest.raises(InvalidSnapshot, match="did you mean `Fire`"):
            read(*self.ROWS, mapping="[[courses]]\nheader = 'Fier'")

    def test_no_account(self) -> None:
        assert refusal(*self.ROWS, account=None) == [("$.account", "missing")]
        assert read(*self.ROWS, account=Account(id="x", credits=2)).snapshot.account.credits == 2

    def test_not_text(self) -> None:
        with pytest.raises(InvalidSnapshot, match="not UTF-8"):
            load_mapping(b"\xff")
        assert load_mapping(b"\xef\xbb\xbfdates = 'iso'") == load_mapping("dates = 'iso'")

    @given(st.text(max_size=40))
    def test_any_text(self, text: str) -> None:
        try:
            assert isinstance(load_mapping(text), Mapping)
        except InvalidSnapshot as error:
            assert error.problems


CELLS: st.SearchStrategy[Cell] = st.one_of(
    st.none(),
    st.text(max_size=12),
    st.sampled_from(["Name", "E-mail", "Role", "ID", "Fire completed", "Fire expiry", "Expiry"]),
    st.sampled_from(["N/A", "03/04/2025", "lifetime", "-", "2025-01-31"]),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.dates(),
    st.builds(Faulty, st.text(max_size=5), st.just("is wrong")),
)  # fmt: skip


class TestWhateverStandsThere:
    """Any table of cells is read, or refused with a reason; nothing else ever comes out."""

    @given(st.lists(st.lists(CELLS, max_size=6), max_size=8), st.booleans())
    def test_any_cells(self, rows: list[list[Cell]], ragged: bool) -> None:
        heads: tuple[Cell, ...] = ("Name", "ID", "Fire completed", "Fire expiry", None, "Role")
        for table in (rows, [heads, *rows]):
            try:
                found = read(*map(tuple, table), ragged=ragged)
            except InvalidSnapshot as error:
                assert error.problems
            else:
                assert all(row.sheet == "M" and row.code and row.message for row in found.unread)
