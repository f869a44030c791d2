"""The adapters in memory sit their own exams: they are the reference that others are held against."""

from datetime import timedelta

import pytest
from attrs import evolve

from enrolpolicy.adapters.memory import STRONG, MemoryLms
from enrolpolicy.ports import Booking, Cancelled, Charge, Done, LmsCapabilities, Order, Progress
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


class TestWhatTheExamCannotSee:
    """Where cancelled keys are forgotten, so is the enrolment under its name; without keys, the latest one is found."""

    ORDER = Order(key="k", account="acme", person="ana", course="fire", cycle="first", attempt=0)

    def test_forgotten(self) -> None:
        lms = MemoryLms(evolve(STRONG, cancel_frees_key=True))
        said = lms.enrol(self.ORDER)
        assert isinstance(said, Done)
        cancelled = [lms.cancel_if_not_started(said.value.ref) for _ in range(2)]
        assert cancelled == [Done(Cancelled.CANCELLED), Done(Cancelled.NOT_FOUND)]
        assert lms.find("k") == Done(None)

    def test_the_latest(self) -> None:
        lms = MemoryLms(evolve(STRONG, keys_kept=None))
        for _ in range(2):
            last = lms.enrol(self.ORDER)
        assert isinstance(last, Done)
        assert lms.find("k") == Done(Booking(ref=last.value.ref, progress=Progress.NOT_STARTED))


@pytest.mark.parametrize("window", [None, DAY], ids=["no window", "a day"])
class TestTheMailerInMemory(MailerContract):
    """The mailer in memory passes the exam of mailers, with and without a window."""

    @pytest.fixture
    def harness(self, window: timedelta | None) -> MailerHarness:
        return mailer_harness(window)
