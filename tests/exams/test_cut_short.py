"""An exam cannot be cut short in silence: laws stand, skips are told, and what is missing is said."""

import subprocess
import sys

import pytest

from enrolpolicy.testing import CONTRACTS, LmsContract, LmsHarness, Unsupported, laws_of
from enrolpolicy.testing.contract import Contract, law, tampered
from enrolpolicy.testing.worlds import lms_harness

L5 = "test_l5_cancelling"


def exam(**changes: object) -> type[Contract]:
    """An exam of an LMS some of whose methods are others."""
    return type("TestMine", (LmsContract,), changes)


class TestLawsStand:
    """A law that is deleted, or replaced without a strict `xfail` that gives its reason, ends the exam."""

    def test_an_exam_as_it_is(self) -> None:
        assert tampered(exam()) == []

    def test_a_law_that_was_replaced(self) -> None:
        with pytest.raises(TypeError, match=rf"`TestMine` is no exam any more: law L5 \(`{L5}`\)"):
            exam(**{L5: lambda self, harness: None})

    def test_a_law_that_was_taken_out(self) -> None:
        with pytest.raises(TypeError, match="law L5 "):
            exam(**{L5: None})

    @pytest.mark.parametrize(
        ("mark", "stands"),
        [
            (pytest.mark.xfail(strict=True, reason="the vendor deletes"), True),
            (pytest.mark.xfail(strict=True), False),
            (pytest.mark.xfail(reason="the vendor deletes"), False),
            (pytest.mark.skip(reason="the vendor deletes"), False),
        ],
    )
    def test_a_law_that_is_expected_to_fail(self, mark: pytest.MarkDecorator, stands: bool) -> None:
        def replaced(self: LmsContract, harness: LmsHarness) -> None:
            raise AssertionError

        if stands:
            exam(**{L5: mark(replaced)})
        else:
            with pytest.raises(TypeError, match="xfail"):
                exam(**{L5: mark(replaced)})

    def test_a_law_that_is_taken_out_of_the_contract_itself(self, monkeypatch: pytest.MonkeyPatch) -> None:
        mine = exam()
        part = next(part for part in LmsContract.__mro__ if L5 in vars(part))
        monkeypatch.delattr(part, L5)
        with pytest.raises(AssertionError):
            Contract.test_every_law_stands(mine())


class TestTheLaws:
    """Every law has an id of its own, a sentence, and a test that bears its id; every clause has at least one."""

    @pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.subject)
    def test_they_are_numbered(self, contract: type[Contract]) -> None:
        laws = laws_of(contract)
        assert len({one.id for one in laws}) == len(laws)
        for one in laws:
            assert one.test.startswith(f"test_{one.id.lower()}_")
            assert one.sentence.endswith(".")

    @pytest.mark.parametrize(("contract", "clauses"), list(zip(CONTRACTS, (10, 10, 4), strict=True)))
    def test_every_clause_has_one(self, contract: type[Contract], clauses: int) -> None:
        letter = contract.subject[0].upper()
        assert {f"{letter}{number}" for number in range(clauses + 1)} <= {one.id for one in laws_of(contract)}

    def test_they_can_be_read(self) -> None:
        done = subprocess.run([sys.executable, "-m", "enrolpolicy.testing"], capture_output=True, text=True, check=True)
        for contract in CONTRACTS:
            for one in laws_of(contract):
                assert f"  {one.id:5} {one.sentence}" in done.stdout


class TestWithoutTheExtra:
    """Without the extra, importing the exams fails with one sentence that names it."""

    @pytest.mark.parametrize("missing", ["pytest", "hypothesis"])
    def test_it_is_said(self, missing: str) -> None:
        code = f"import sys; sys.modules[{missing!r}] = None; import enrolpolicy.testing"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        sentence = f"the exams need `{missing}`, which is not installed; run: pip install 'enrolpolicy[testing]'"
        assert done.stderr.strip().endswith(sentence)
        assert done.returncode == 1


class TestWhatIsSkipped:
    """A law is skipped for want of a capability or of a control, by its id; whatever else is skipped fails."""

    def test_for_want_of_a_control(self) -> None:
        bare = LmsHarness(lms=lms_harness().lms, peek=tuple)
        with pytest.raises(pytest.skip.Exception, match="L7c not examined: this harness has no `charged`"):
            LmsContract().test_l7c_when_it_charges(bare)
        with pytest.raises(Unsupported):
            bare.learner_starts("k1")

    def test_for_want_of_a_capability(self) -> None:
        with pytest.raises(pytest.skip.Exception, match="L1g not applicable: needs one open enrolment"):
            LmsContract().test_l1g_one_open_whatever_the_key(lms_harness())

    def test_for_no_reason_that_counts(self) -> None:
        @law("X1")
        def test_x1(self: Contract, harness: object) -> None:
            pytest.skip("no server today")

        with pytest.raises(AssertionError, match="X1 was skipped, and no capability explains it: no server today"):
            test_x1(LmsContract(), None)


EXAM = """
import pytest
from enrolpolicy.testing import MailerContract
from enrolpolicy.testing.worlds import mailer_harness

class TestMine(MailerContract):
    @pytest.fixture
    def harness(self):
        {fixture}

    @pytest.mark.xfail(strict=True, reason="the vendor has no window")
    def test_m1_accepted(self, harness):
        assert not harness
"""


class TestTheClosingTable:
    """After the tests a table says for each exam how many laws it passed, and which were not applicable."""

    def test_it_counts(self, pytester: pytest.Pytester) -> None:
        pytester.makepyfile(EXAM.format(fixture="return mailer_harness()"))
        ran = pytester.runpytest_inprocess("-p", "enrolpolicy.testing.plugin")
        ran.assert_outcomes(passed=16, skipped=2, xfailed=1)
        ran.stdout.fnmatch_lines(
            [
                "*TestMine (mailer, 18 laws): 15 passed, 1 expected to fail, 2 not applicable",
                "*expected to fail: M1",
                "*not applicable: M2b, M2c",
            ]
        )

    def test_a_fixture_that_skips_fails(self, pytester: pytest.Pytester) -> None:
        pytester.makepyfile(EXAM.format(fixture='pytest.skip("no server today")'))
        ran = pytester.runpytest_inprocess("-p", "enrolpolicy.testing.plugin")
        assert ran.ret == 1
        ran.stdout.fnmatch_lines(["*M1b was skipped before it began, and no capability explains it"])
