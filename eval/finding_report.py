"""What a measurement of retrieval says to people and programs: tables, targets that are met or not, plain JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eval.finding_ranking import Estimate


@dataclass(frozen=True, slots=True)
class Target:
    """What was wanted, what came out, and whether that is enough; beyond `is_met` nothing is decided here."""

    wanted: str
    measured: str
    is_met: bool


@dataclass(frozen=True, slots=True)
class Report:
    """One suite's outcome: what it measures, its tables as text, its targets, and all numbers as plain JSON types."""

    name: str
    about: str
    tables: tuple[str, ...]
    targets: tuple[Target, ...]
    content: Mapping[str, Any]

    def text(self) -> str:
        """Return what is printed."""
        told = "\n".join(f"target: {item.wanted}\n  {verdict(item)}: {item.measured}" for item in self.targets)
        return "\n\n".join(filter(None, [f"## {self.name}\n{self.about}", *self.tables, told]))

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        targets = [{"wanted": item.wanted, "measured": item.measured, "met": item.is_met} for item in self.targets]
        return {"name": self.name, "about": self.about, "targets": targets, **self.content}


def verdict(target: Target) -> str:
    """Return whether a target is met, in words that are easily found."""
    return "met" if target.is_met else "NOT met"


def share(estimate: Estimate) -> str:
    """Return a share with its interval: "0.957 (.931-.979)"."""
    low, high = (_short(bound) for bound in (estimate.interval.low, estimate.interval.high))
    return f"{estimate.mean:.3f} ({low}-{high})"


def points(estimate: Estimate) -> str:
    """Return a difference of shares in points with its interval: "+2.4 (+0.9 to +4.1)"."""
    low, high = (100 * bound for bound in (estimate.interval.low, estimate.interval.high))
    return f"{_signed(100 * estimate.mean)} ({_signed(low)} to {_signed(high)})"


def table(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Return lines under their heads as aligned text, the first column to the left and the others to the right."""
    widths = [max(len(row[at]) for row in (heads, *lines)) for at in range(len(heads))]
    return "\n".join(
        "  ".join(
            f"{cell:<{width}}" if at == 0 else f"{cell:>{width}}"
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (heads, *lines)
    )


def plain(estimate: Estimate) -> dict[str, float | int]:
    """Return an estimate as plain JSON types."""
    return {
        "mean": round(estimate.mean, 6),
        "low": round(estimate.interval.low, 6),
        "high": round(estimate.interval.high, 6),
        "n": estimate.n,
    }


def _short(value: float) -> str:
    return "1" if value >= 0.9995 else f"{value:.3f}".removeprefix("0")


def _signed(value: float) -> str:
    # Minus nought is nought.
    return f"{round(value, 1) + 0.0:+.1f}"
