"""How fast it is: `python -m eval.benchmark [PART...]` measures, each part of BENCHMARKS.md by itself."""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from importlib import metadata
from pathlib import Path

from eval.bench_page import Section, machine_block, with_section
from eval.bench_plan import ROOT, BenchmarkError, Plan, clean_environment
from rag.errors import HemerotecaError

PAGE = ROOT / "BENCHMARKS.md"
_REHEARSAL = 0.05
_PACKAGES = (
    *("torch", "transformers", "sentence-transformers", "tokenizers", "numpy", "chromadb", "tantivy", "sqlalchemy"),
    *("langchain-core", "sentencex"),
)
# In the order of the page, the quick ones first.
PARTS = {
    "startup": "imports and `hemeroteca --help` (seconds)",
    "again": "ingest of articles that did not change (a minute or two)",
    "disk": "bytes on disk (half a minute)",
    "question": "a question at 10,000 passages (a minute; the first time several)",
    "reader": "the trained reader (minutes)",
    "scale": "opening and asking at 1,000 to 50,000 passages (a minute; the first time many)",
    "large": "a question to 182,478 passages with real vectors (minutes; the first time an hour and more)",
    "ingest": "ingest against encoding alone (10 to 20 minutes)",
    "memory": "peak memory of ingest (10 minutes)",
    "recipe": "beside the LangChain recipe (15 to 30 minutes; the first time an installation of 2 GB)",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure the parts asked for, write the page after each, and return the exit status."""
    options = _options(arguments)
    # Before anything loads torch: the product runs with its libraries' own thread counts, and so does this.
    kept = clean_environment()
    for name in set(os.environ) - kept.keys():
        del os.environ[name]
    os.environ.update(kept)
    try:
        for name in options.parts or PARTS:
            _measure(name, options)
    except HemerotecaError as exc:
        print(f"benchmark: {exc}", file=sys.stderr)
        return 2
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m eval.benchmark",
        description="Measure speed, memory and size, and write them into BENCHMARKS.md.",
        epilog="parts: " + "; ".join(f"{name}: {what}" for name, what in PARTS.items()),
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help="what to measure; all by default")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of what is measured in turn (default: 3)")
    parser.add_argument(
        "--rehearsal", action="store_true", help="a twentieth of everything, to see that it runs; only printed"
    )
    parser.add_argument("--output", type=Path, default=PAGE, help="the page to write into (default: BENCHMARKS.md)")
    options = parser.parse_args(arguments)
    if unknown := [name for name in options.parts if name not in PARTS]:
        parser.error(f"{unknown[0]!r} is no part: take {', '.join(PARTS)}")
    if options.rounds < 1:
        parser.error(f"--rounds {options.rounds}: give 1 or more")
    return options


def _part(name: str) -> Callable[[Plan], Section]:
    from eval import bench_asking, bench_ingest, bench_large, bench_reader, bench_recipe, bench_size

    return {
        "startup": bench_asking.startup_part,
        "again": bench_ingest.again_part,
        "disk": bench_size.disk_part,
        "question": bench_asking.question_part,
        "reader": bench_reader.reader_part,
        "scale": bench_asking.scale_part,
        "large": bench_large.large_part,
        "ingest": bench_ingest.ingest_part,
        "memory": bench_size.memory_part,
        "recipe": bench_recipe.recipe_part,
    }[name]


def _measure(name: str, options: argparse.Namespace) -> None:
    from rag.wheels import cache_folder

    data = os.environ.get("HEMEROTECA_DATA")
    if not data and name != "startup":
        raise BenchmarkError("HEMEROTECA_DATA is not set: it names the folder that holds data/ with the public sets")
    began, footer = time.perf_counter(), _footer(name)
    cache = cache_folder() / "benchmark"
    cache.mkdir(parents=True, exist_ok=True)
    # Beside the archives of users, not in a folder that may be kept in memory.
    with tempfile.TemporaryDirectory(prefix="work-", dir=cache, ignore_cleanup_errors=True) as work:
        plan = Plan(
            data=Path(data or ""),
            cache=cache,
            work=Path(work),
            rounds=1 if options.rehearsal else options.rounds,
            share=_REHEARSAL if options.rehearsal else 1.0,
            say=lambda what: print(f"{name}: {what}", file=sys.stderr, flush=True),
        )
        section = _part(name)(plan)
    footer += f", {_load()} when it ended · took {time.perf_counter() - began:,.0f} s"
    if options.rehearsal:
        print(f"## {section.title} (rehearsal)\n\n{section.body}\n")
        return
    page = options.output.read_text(encoding="utf-8") if options.output.exists() else ""
    page = with_section(page, name, section, machine=machine_block(_facts()), footer=footer, order=list(PARTS))
    options.output.write_text(page, encoding="utf-8")
    print(f"{name}: written to {options.output}", file=sys.stderr)


def _facts() -> dict[str, str]:
    from rag.bundled import NAME, WEIGHTS

    return {
        "Machine": f"{_processor()}, {os.cpu_count()} CPUs, {_memory()}",
        "System": f"{platform.system()} {platform.release()} ({platform.machine()})",
        "Python": platform.python_version(),
        "Packages": ", ".join(f"{name} {_version(name)}" for name in _PACKAGES),
        "Model": f"{NAME} (weights {WEIGHTS.sha256[:12]}), embedding.engine auto, threads as the libraries choose",
    }


def _footer(name: str) -> str:
    when = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")
    return f"`python -m eval.benchmark {name}` · {when} · {_commit()} · load average {_load()} when it began"


def _load() -> str:
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"


def _commit() -> str:
    try:
        commit = _git("rev-parse", "--short", "HEAD")
        changed = _git("status", "--porcelain", "--untracked-files=no", "--", "rag", "ingest", "eval")
    except (OSError, subprocess.CalledProcessError):
        return f"version {_version('hemeroteca')}"
    return f"commit {commit}" + (" with uncommitted changes" if changed else "")


def _git(*arguments: str) -> str:
    done = subprocess.run(  # noqa: S603 - constants of this module
        ["git", *arguments],  # noqa: S607 - whichever git the user has
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _processor() -> str:
    described = Path("/proc/cpuinfo")
    if described.exists():
        for line in described.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown processor"


def _memory() -> str:
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return "memory unknown"
    return f"{total / 1e9:.0f} GB of memory"


if __name__ == "__main__":
    sys.exit(main())
