"""Rule 8: who may change what. Whatever the table does not allow is denied."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrolpolicy import Actor, Area, Permission, permits
from enrolpolicy.permissions import ALLOWED, denied

OWNER, ADMIN = Permission.ACCOUNT_OWNER, Permission.ACCOUNT_ADMIN
COURSES, PERSONNEL = Permission.ROLES_AND_COURSES_EDITOR, Permission.PERSONNEL_EDITOR
MATRIX = {
    Area.ACCOUNT: {OWNER, ADMIN},
    Area.COURSE: {OWNER, ADMIN, COURSES},
    Area.PERSON: {OWNER, ADMIN, PERSONNEL},
    Area.CANCELLING: {OWNER, ADMIN, PERSONNEL},
}
some_permissions = st.frozensets(st.sampled_from(sorted(Permission, key=lambda one: one.value)))
areas = st.sampled_from(list(Area))


def actor(*permissions: Permission, account: str = "acme", division: str | None = None, active: bool = True) -> Actor:
    held = frozenset(permissions)
    return Actor(id="ola", account=account, permissions=held, division=division, active=active)


class TestTheMatrix:
    """Cell by cell: each permission alone, in each area."""

    @pytest.mark.parametrize(("area", "permission"), list(itertools.product(Area, Permission)))
    def test_each_alone(self, area: Area, permission: Permission) -> None:
        assert permits(actor(permission), area, "acme") == (permission in MATRIX[area])

    def test_the_table_is_the_matrix(self) -> None:
        assert {area: set(allowed) for area, allowed in ALLOWED.items()} == MATRIX


class TestTheLaws:
    """Another account's users and inactive ones may nothing; more permissions never allow less."""

    @given(some_permissions, areas)
    def test_another_account(self, held: frozenset[Permission], area: Area) -> None:
        found = denied(actor(*held, account="other"), area, "acme")
        assert found is not None
        assert found.code == "other-account"

    @given(some_permissions, areas)
    def test_inactive(self, held: frozenset[Permission], area: Area) -> None:
        found = denied(actor(*held, active=False), area, "acme")
        assert found is not None
        assert found.code == "inactive"

    @given(some_permissions, st.sampled_from(list(Permission)), areas, st.sampled_from([None, "north"]))
    def test_one_more(self, held: frozenset[Permission], more: Permission, area: Area, division: str | None) -> None:
        before = permits(actor(*held, division=division), area, "acme")
        assert permits(actor(*held, more, division=division), area, "acme") >= before

    @given(some_permissions, areas)
    def test_account_settings_at_the_primary_division_only(self, held: frozenset[Permission], area: Area) -> None:
        here, there = actor(*held), actor(*held, division="north")
        assert permits(there, area, "acme") == (permits(here, area, "acme") and area is not Area.ACCOUNT)

    @given(some_permissions, areas, st.sampled_from(["acme", "other"]), st.booleans(), st.sampled_from([None, "north"]))
    def test_a_denial_says_why(
        self, held: frozenset[Permission], area: Area, account: str, active: bool, division: str | None
    ) -> None:
        who = actor(*held, account=account, active=active, division=division)
        found = denied(who, area, "acme")
        assert (found is None) == permits(who, area, "acme")
        if found is not None:
            assert (found.actor, found.area) == ("ola", area)
            assert "; " in found.sentence or "need one of" in found.sentence
            if found.code == "not-permitted":
                assert all(f"`{able.value}`" in found.sentence for able in MATRIX[area])
