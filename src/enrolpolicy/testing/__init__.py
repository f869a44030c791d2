"""Exams for anybody's store, LMS and mailer, and what hosts' own tests need; with the extra `testing`.

The three contracts are pytest classes. Subclass one, give it a fixture `harness`, and let pytest run it:

    class TestMyLms(LmsContract):
        @pytest.fixture
        def harness(self) -> LmsHarness: ...

`python -m enrolpolicy.testing` prints the laws.
"""

try:
    import hypothesis as _hypothesis  # noqa: F401 - asked for here, so that what is missing is said once
    import pytest
except ImportError as _missing:
    raise ImportError(
        f"the exams need `{_missing.name}`, which is not installed; run: pip install 'enrolpolicy[testing]'"
    ) from None

# The laws are plain asserts, and a failure is to show what was compared.
pytest.register_assert_rewrite(
    "enrolpolicy.testing.lms",
    "enrolpolicy.testing.store",
    "enrolpolicy.testing.mailer",
    "enrolpolicy.testing.examining",
)

from enrolpolicy.testing.chaos import EVERY_FAULT, Chaos, Crash, Fault  # noqa: E402 - after what rewrites them
from enrolpolicy.testing.contract import Law, Result, Unsupported, examine, laws_of  # noqa: E402
from enrolpolicy.testing.harness import (  # noqa: E402
    LmsHarness,
    MailerHarness,
    Mishap,
    Received,
    Reply,
    Seen,
    StoreHarness,
)
from enrolpolicy.testing.lms import LmsContract  # noqa: E402
from enrolpolicy.testing.mailer import MailerContract  # noqa: E402
from enrolpolicy.testing.store import StoreContract  # noqa: E402

CONTRACTS = (StoreContract, LmsContract, MailerContract)
"""The three exams."""

__all__ = [
    "CONTRACTS",
    "EVERY_FAULT",
    "Chaos",
    "Crash",
    "Fault",
    "Law",
    "LmsContract",
    "LmsHarness",
    "MailerContract",
    "MailerHarness",
    "Mishap",
    "Received",
    "Reply",
    "Result",
    "Seen",
    "StoreContract",
    "StoreHarness",
    "Unsupported",
    "examine",
    "laws_of",
]
