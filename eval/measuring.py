"""What measurements have in common: percentiles, peak memory, bytes on disk. Standard library only.

Also the other interpreter of `eval.recipe` imports it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which a share (0 to 1) of the values lies, between two of them by a straight line.

    Raises:
        ValueError: There are no values.
    """
    if not values:
        raise ValueError("there are no values: measure something first")
    ordered = sorted(values)
    at = share * (len(ordered) - 1)
    below = int(at)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (at - below) * (ordered[above] - ordered[below])


def median(values: Sequence[float]) -> float:
    """Return the median.

    Raises:
        ValueError: There are no values.
    """
    return percentile(values, 0.5)


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """Return how many seconds the work took, and what it gave."""
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result


def peak_memory() -> int | None:
    """Return the most bytes of memory that this process has held at once, None where the system does not tell."""
    if (told := _told_by_linux("VmHWM")) is not None:
        return told
    try:
        import resource
    except ImportError:
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform.startswith("darwin") else most * 1024


def memory() -> int | None:
    """Return the bytes of memory that this process holds now, None where the system does not tell."""
    return _told_by_linux("VmRSS")


def _told_by_linux(name: str) -> int | None:
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) * 1024
    return None


def bytes_in(place: Path) -> int:
    """Return the bytes of a file, or of all files in a folder; 0 where there is none."""
    if place.is_dir():
        return sum(file.stat().st_size for file in place.rglob("*") if file.is_file())
    return place.stat().st_size if place.is_file() else 0


def archive_bytes(folder: Path) -> dict[str, int]:
    """Return the bytes of an archive by part: "truth" (the database with its log), "vectors", "words"."""
    return {
        "truth": sum(bytes_in(file) for file in folder.glob("archive.db*")),
        "vectors": bytes_in(folder / "vectors"),
        "words": bytes_in(folder / "words"),
    }
