"""The exam of an LMS: clauses L1 to L10, and how it answers (L0)."""

from enrolpolicy.testing.contract import Contract
from enrolpolicy.testing.lms.declaring import Declaring
from enrolpolicy.testing.lms.enrolling import Enrolling
from enrolpolicy.testing.lms.looking_up import LookingUp


class LmsContract(Enrolling, LookingUp, Declaring, Contract):
    """What every LMS adapter must do. Subclass it, and give it a fixture `harness`: an `LmsHarness`, new each time."""

    subject = "lms"
