"""BENCHMARKS.md: what a measurement says, written so that each part can be measured again by itself. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

INTRODUCTION = """\
# Benchmarks

Written by `make bench` (`python -m eval.benchmark [PART...]` measures parts of it again). Ratios compare what was timed
in turn inside one run; a figure is the median of several rounds unless it says otherwise. Texts are public Spanish sets
that are not in the repository (CONTRIBUTING.md says where they are looked for)."""


@dataclass(frozen=True, slots=True)
class Goal:
    """What was hoped for, what was measured, in words, and whether that is enough."""

    what: str
    wanted: str
    measured: str
    met: bool


@dataclass(frozen=True, slots=True)
class Section:
    """What one part of the benchmark says: goals, then text and tables as Markdown."""

    title: str
    body: str
    goals: tuple[Goal, ...] = ()


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table; all columns but the first are set flush right.

    Raises:
        ValueError: A row has not as many cells as the header.
    """
    for row in rows:
        if len(row) != len(header):
            raise ValueError(f"row {list(row)} has {len(row)} cells, the header {len(header)}: give as many")
    rule = ["---", *["---:"] * (len(header) - 1)]
    cells = [header, rule, *[[cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]]
    return "\n".join("| " + " | ".join(row) + " |" for row in cells)


def machine_block(facts: Mapping[str, str]) -> str:
    """Return the page's lines on what it was measured with."""
    return "\n".join(f"- {name}: {value}" for name, value in facts.items())


def with_section(page: str, name: str, section: Section, *, machine: str, footer: str, order: Sequence[str]) -> str:
    """Return the page with one part's section put in, or in the place of its older one.

    Sections stand in the given order. What was measured on another machine, or with other packages, is left out: it
    could not be compared.

    Args:
        page: The page as it is, "" for none.
        name: The part's.
        section: What to say.
        machine: See `machine_block`.
        footer: How, when and of which code it was measured.
        order: The names of all parts.
    """
    kept = _sections(page) if _between(page, "machine") == machine else {}
    kept[name] = _written(section, footer)
    parts = [INTRODUCTION, "", *_marked("machine", machine)]
    for other in order:
        if other in kept:
            parts += ["", *_marked(f"part {other}", kept[other])]
    return "\n".join(parts) + "\n"


def megabytes(count: float) -> str:
    """Return a number of bytes in MB (10^6)."""
    return f"{count / 1e6:,.1f} MB"


def kilobytes(count: float) -> str:
    """Return a number of bytes in kB (10^3)."""
    return f"{count / 1e3:,.1f} kB"


def milliseconds(seconds: float) -> str:
    """Return a time in ms."""
    return f"{1000 * seconds:.1f} ms"


def _written(section: Section, footer: str) -> str:
    lines = [f"## {section.title}", ""]
    for goal in section.goals:
        met = "met" if goal.met else "NOT met"
        lines.append(f"- **{goal.what}: {goal.measured}** (goal {goal.wanted}: {met})")
    if section.goals:
        lines.append("")
    return "\n".join([*lines, section.body.strip(), "", f"<sub>{footer}</sub>"])


def _marked(name: str, text: str) -> list[str]:
    return [f"<!-- {name} -->", text, f"<!-- end of {name} -->"]


def _between(page: str, name: str) -> str | None:
    found = re.search(rf"<!-- {re.escape(name)} -->\n(.*?)\n<!-- end of {re.escape(name)} -->", page, re.DOTALL)
    return found[1] if found else None


def _sections(page: str) -> dict[str, str]:
    names = re.findall(r"^<!-- part (\S+) -->$", page, re.MULTILINE)
    return {name: text for name in names if (text := _between(page, f"part {name}")) is not None}
