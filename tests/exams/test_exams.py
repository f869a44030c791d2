"""The exams are themselves examined: with adapters broken in one way each, and with exams cut short."""

from collections.abc import Callable
from typing import Any

import pytest
from broken import Mutant
from lms_mutants import LMS_MUTANTS
from mailer_mutants import MAILER_MUTANTS
from store_mutants import STORE_MUTANTS

from enrolpolicy.testing import CONTRACTS, LmsContract, MailerContract, StoreContract, examine, laws_of
from enrolpolicy.testing.contract import Contract

MUTANTS: dict[type[Contract], tuple[Mutant, ...]] = {
    StoreContract: STORE_MUTANTS,
    LmsContract: LMS_MUTANTS,
    MailerContract: MAILER_MUTANTS,
}
EACH = [
    pytest.param(contract, mutant, id=f"{contract.subject}: {mutant.wrong}")
    for contract, mutants in MUTANTS.items()
    for mutant in mutants
]


def failing(contract: type[Contract], made: Callable[[], Any]) -> set[str]:
    """The laws that a port does not pass."""
    return {result.law.id for result in examine(contract, made) if result.outcome == "failed"}


class TestBrokenAdapters:
    """For every law there is an adapter that breaks it by the smallest change, and the law notices; the others hold."""

    @pytest.mark.parametrize(("contract", "mutant"), EACH)
    def test_just_the_laws_meant_fail(self, contract: type[Contract], mutant: Mutant) -> None:
        assert failing(contract, mutant.made) == mutant.broken

    @pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.subject)
    def test_every_law_has_a_mutant(self, contract: type[Contract]) -> None:
        broken = set().union(*(mutant.broken for mutant in MUTANTS[contract]))
        assert {law.id for law in laws_of(contract)} == broken
