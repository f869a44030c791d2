"""The adapters in memory sit their own exams: they are the reference that others are held against."""

from datetime import timedelta

import pytest
from attrs import evolve

from enrolpolicy.adapters.memory import STRONG
from enrolpolicy.ports import Charge, LmsCapabilities
from enrolpolicy.testing import (
    LmsContract,
    LmsHarness,
    MailerContract,
    MailerHarness,
    StoreContract,
    StoreHarness,
)
from enrolpolicy.testing.worlds import lms_harness, mailer_harness, store_harness

DAY = timedelta(days=1)
KINDS: dict[str, LmsCapabilities] = {
    "strong": STRONG,
    "keys-for-a-time": evolve(
        STRONG, keys_kept=DAY, refusals_final=False, latest_arrival=timedelta(hours=1), cancel_frees_key=True,
        charges=Charge.ON_START,
    ),
    "one-open": evolve(
        STRONG, keys_kept=None, one_open=True, refusals_final=False, sends_invitation=True, cancels_unstarted=False,
    ),
    "weak": evolve(STRONG, keys_kept=None, finds=False, refusals_final=False, cancels_unstarted=False),
}  # fmt: skip


class TestTheStoreInMemory(StoreContract):
    """The store in memory passes the exam of stores."""

    @pytest.fixture
    def harness(self) -> StoreHarness:
        return store_harness()


@pytest.mark.parametrize("kind", KINDS)
class TestTheLmsInMemory(LmsContract):
    """The LMS in memory passes the exam of LMSs, however strong or weak it is told to be."""

    @pytest.fixture
    def harness(self, kind: str) -> LmsHarness:
        return lms_harness(KINDS[kind])


@pytest.mark.parametrize("window", [None, DAY], ids=["no window", "a day"])
class TestTheMailerInMemory(MailerContract):
    """The mailer in memory passes the exam of mailers, with and without a window."""

    @pytest.fixture
    def harness(self, window: timedelta | None) -> MailerHarness:
        return mailer_harness(window)
