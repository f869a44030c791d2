"""The garbage collector, kept still while a register is looked up.

Looking up makes hundreds of thousands of small tables that last as long as the work does and never form a cycle. The
collector would walk through all of them several times, and through the register, for nothing: a fifth of a night's
planning. Nothing else of the interpreter is touched, and what was switched off before stays off.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_at_rest() -> Iterator[None]:
    """Collect no garbage for a while; several threads may, and the last one out leaves the collector as it was."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
