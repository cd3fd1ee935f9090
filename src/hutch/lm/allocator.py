"""Tell glibc to keep memory that was freed.

Every training step frees and asks again for the same activations. By default glibc hands blocks this large back
to the kernel and page-faults them in anew; for models under a million parameters that is half of the step.
"""

import ctypes
import sys

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3


def keep_freed_memory() -> bool:
    """Raise glibc's thresholds for this process; True where that worked, False on other C libraries."""
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    # Older glibc takes a threshold of 32 MB at most. Without it the others would do harm: they switch off the
    # adjustment that glibc makes by itself.
    if not (mallopt(M_MMAP_THRESHOLD, 1 << 30) or mallopt(M_MMAP_THRESHOLD, 32 << 20)):
        return False
    return bool(mallopt(M_TRIM_THRESHOLD, (1 << 31) - 1) and mallopt(M_TOP_PAD, 64 << 20))
