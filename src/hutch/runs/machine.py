"""What a result was obtained on: the machine by its class, the software, the revision of the code."""

import os
import platform
import subprocess
from pathlib import Path


def usable_cores() -> int:
    """Cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def vector_unit() -> str:
    """The widest vector instructions that the processor names, for example "AVX2"."""
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="ignore")
    except OSError:
        return ""
    names = (("amx_bf16", "AMX"), ("avx512_bf16", "AVX512-BF16"), ("avx512f", "AVX512"), ("avx2", "AVX2"))
    return next((name for flag, name in names if flag in flags), "")


def machine_class() -> str:
    """One line that a reader elsewhere can place: architecture, cores, vector unit. No names of hosts."""
    parts = [platform.machine(), f"{usable_cores()} cores", vector_unit(), platform.system()]
    return ", ".join(part for part in parts if part)


def git_revision() -> str | None:
    """The commit of the code that runs, "+" behind it where files differ; None outside a checkout."""
    here = Path(__file__).resolve().parent

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", "-C", str(here), *arguments], capture_output=True, text=True, check=True, timeout=10
        ).stdout.strip()

    try:
        # Installed inside somebody else's repository, this file is not theirs and neither is its revision.
        git("ls-files", "--error-unmatch", __file__)
        changed = git("status", "--porcelain", "--untracked-files=no", "--", str(here.parent))
        return git("rev-parse", "--short=12", "HEAD") + ("+" if changed else "")
    except (OSError, subprocess.SubprocessError):
        return None


def peak_memory_mb() -> float:
    """Largest resident set of this process or of any child that has ended, in MB (10⁶ bytes)."""
    import resource

    unit = 1 if platform.system() == "Darwin" else 1024
    used = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return max(used) * unit / 1e6
