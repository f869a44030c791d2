"""Memory that one block frees is there for the next."""

import numpy as np

_LARGE = 31 << 20
"""Just below the most that glibc learns from."""


def keep_what_is_freed() -> None:
    """Have the C library keep the arrays of a block for the next one.

    glibc hands memory back to the system beyond twice the largest piece that was ever freed, and a block frees some
    small pieces at once; taking them anew, page by page, costs a third of the whole time. So one large piece, which
    nobody touches, is taken and freed. Other C libraries learn nothing from it.
    """
    np.empty(_LARGE, dtype=np.uint8)
