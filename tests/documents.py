"""Snapshots worth planning; they ship with the library, for hosts' tests (`enrolpolicy.testing.strategies`)."""

from enrolpolicy.testing._documents import CAUSES, near_ready, near_ready_rows, ready

__all__ = ["CAUSES", "near_ready", "near_ready_rows", "ready"]
