"""All three ports in memory: the reference model that the exams hold other adapters against, and what tests run on.

Nothing here fails, forgets or waits; what a real one may do wrong is added around it (`enrolpolicy.testing`).
"""

from enrolpolicy.adapters.memory_lms import STRONG, MemoryLms
from enrolpolicy.adapters.memory_mailer import MemoryMailer
from enrolpolicy.adapters.memory_store import MemoryStore

__all__ = ["STRONG", "MemoryLms", "MemoryMailer", "MemoryStore"]
