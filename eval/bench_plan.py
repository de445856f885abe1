"""How a benchmark runs: its folders, how much of everything, and trials in processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.errors import HemerotecaError

ROOT = Path(__file__).parent.parent
OURS = "eval.bench_trial"
_TRIAL_S = 3 * 3600


class BenchmarkError(HemerotecaError):
    """Something that the benchmark needs is not there, or a measured run failed."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What all parts need to know.

    `data` holds the public sets, `cache` is kept between runs, `work` is empty and removed at the end; `share`, 0 to 1,
    is how much of everything is measured (below 1 is a rehearsal); `say` is told what takes long.
    """

    data: Path
    cache: Path
    work: Path
    rounds: int
    share: float
    say: Callable[[str], None]

    def part_of(self, count: int) -> int:
        """Return so many, or fewer in a rehearsal."""
        return max(2, round(count * self.share))


def clean_environment() -> dict[str, str]:
    """Return the environment without what would change the defaults: thread counts, and settings of ours."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.endswith("_NUM_THREADS")
        and not (name.startswith("HEMEROTECA_") and name not in ("HEMEROTECA_DATA", "HEMEROTECA_CACHE"))
    } | {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "true", "ANONYMIZED_TELEMETRY": "False"}


def run_trial(job: Mapping[str, Any], *, python: Path | None = None, module: str = OURS) -> dict[str, Any]:
    """Return the figures of a job, done by a process of its own.

    Args:
        job: See `eval.bench_trial`.
        python: The interpreter; None for this one.
        module: What does the job.

    Raises:
        BenchmarkError: The process failed.
    """
    done = subprocess.run(  # noqa: S603 - our own modules
        [str(python or sys.executable), "-m", module],
        input=json.dumps(dict(job)),
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=ROOT,
        env=clean_environment(),
        timeout=_TRIAL_S,
        check=False,
    )
    if done.returncode != 0:
        why = "\n".join(done.stderr.strip().splitlines()[-15:])
        raise BenchmarkError(f"a trial of {module} ({job['do']}) ended with status {done.returncode}:\n{why}")
    figures: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return figures
