"""Follow-ups: what is lost where a question leans on the conversation before it, beside the same asked in full."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from eval.bootstrap import paired_difference
from eval.dataset import GOLD, Question
from eval.finding_ranking import Estimate
from eval.finding_report import Report, Target, plain, points, table
from eval.formats import read_questions
from eval.metrics import wilson
from eval.runner import Asked, Record, run

CONVERSATIONS = GOLD.with_name("conversations.jsonl")
ABOUT = (
    "Turns of conversations, as said with the history before them, and asked in full without it. First: the first\n"
    "statement rests on a supporting sentence; hit: a cited sentence contains an accepted answer (both of answerable\n"
    "turns); passed: answered whole, or rightly declined (of all). 95 % intervals: of losses over whole conversations\n"
    "(too narrow where they are few), of shares Wilson's."
)
MOST_LOST = 0.08
FIRST, HIT, PASSED = "first", "sentence_hit", "passed"
MEASURES = (FIRST, HIT, PASSED)
ALL = "all"


@dataclass(frozen=True, slots=True)
class Asking:
    """One turn: what each measure is worth as it was said and asked in full, 0 or 1; None where it does not apply."""

    question: Question
    said: dict[str, float | None]
    full: dict[str, float | None]


@dataclass(frozen=True, slots=True)
class Loss:
    """One measure over some turns: both means, and what is lost from `full` to `said`, positive where it is worse."""

    said: float
    full: float
    lost: Estimate


def measure(archive: Asked, *, splits: Sequence[str], progress: Callable[[int, int], None] | None = None) -> Report:
    """Return the report of the shipped conversations; the archive holds the sample articles.

    Raises:
        DatasetError: The file cannot be read.
    """
    found = ask_turns(archive, read_questions(CONVERSATIONS).questions, splits=splits, progress=progress)
    return conversation_report(found, splits=splits)


def ask_turns(
    archive: Asked,
    questions: Sequence[Question],
    *,
    splits: Sequence[str],
    progress: Callable[[int, int], None] | None = None,
) -> list[Asking]:
    """Return the turns of the splits, each asked twice: as said, and in full."""
    chosen = [question for question in questions if question.split in splits]
    alone = [replace(question, question=question.full, history=()) for question in chosen]
    records = run(archive, [*chosen, *alone], progress=progress).records
    said, full = records[: len(chosen)], records[len(chosen) :]
    return [
        Asking(question, _worth(leaning), _worth(whole))
        for question, leaning, whole in zip(chosen, said, full, strict=True)
    ]


def loss_of(turns: Sequence[Asking], measure: str) -> Loss | None:
    """Return a measure over the turns that it applies to, drawn by conversation; None if it applies to none."""
    pairs = [
        (one, other, turn.question.conversation or turn.question.qid)
        for turn in turns
        if (one := turn.said[measure]) is not None and (other := turn.full[measure]) is not None
    ]
    if not pairs:
        return None
    found = paired_difference([full - said for said, full, _ in pairs], groups=[name for *_, name in pairs])
    return Loss(
        said=sum(said for said, *_ in pairs) / len(pairs),
        full=sum(full for _, full, _ in pairs) / len(pairs),
        lost=Estimate(found.mean, found.interval, found.n),
    )


def conversation_report(turns: Sequence[Asking], *, splits: Sequence[str]) -> Report:
    """Return a table of each split by kind of turn, and whether little enough is lost."""
    tables, targets = [], []
    content: dict[str, Any] = {
        "turns": {turn.question.qid: {"said": turn.said, "full": turn.full} for turn in turns},
    }
    for split in splits:
        held = [turn for turn in turns if turn.question.split == split]
        kinds = dict.fromkeys(turn.question.type for turn in held)
        groups = {ALL: held} | {kind: [turn for turn in held if turn.question.type == kind] for kind in kinds}
        losses = {name: {of: loss_of(group, of) for of in MEASURES} for name, group in groups.items()}
        tables.append(_table(split, losses))
        targets += [
            Target(
                f"{of} of follow-ups, {split}: at most {100 * MOST_LOST:.0f} points lost",
                f"{points(loss.lost)} lost, n = {loss.lost.n}",
                loss.lost.mean <= MOST_LOST,
            )
            for of in (FIRST, HIT)
            if (loss := losses[ALL][of])
        ]
        content[split] = {
            name: {of: _plain(loss) for of, loss in measures.items() if loss} for name, measures in losses.items()
        }
    return Report("conversations", ABOUT, tuple(tables), tuple(targets), content)


def _worth(record: Record) -> dict[str, float | None]:
    return {
        FIRST: _rests_on_support(record) if record.question.answerable else None,
        HIT: record.scores[HIT].value,
        PASSED: record.scores[PASSED].value,
    }


def _rests_on_support(record: Record) -> float:
    """Return 1 if a citation of the first statement is a supporting sentence, else 0."""
    first = record.answer.statements[0].citations if record.answer.statements else ()
    numbers = {citation.number for citation in first}
    judged = zip(record.answer.citations, record.judgement.citations, strict=True)
    return float(any(citation.number in numbers and relevance == "supports" for citation, relevance in judged))


def _table(split: str, losses: dict[str, dict[str, Loss | None]]) -> str:
    heads = [
        split,
        "n",
        "first, said",
        "full",
        "lost, points",
        "hit, said",
        "full",
        "lost, points",
        "n",
        "passed",
        "full",
    ]
    lines = []
    for name, measures in losses.items():
        first, hit, passed = (measures[of] for of in MEASURES)
        lines.append([name, *_cells(first, count=True), *_cells(hit), *_cells(passed, count=True)[:-1]])
    return table(heads, lines)


def _cells(loss: Loss | None, *, count: bool = False) -> list[str]:
    if loss is None:
        return [*(["0"] if count else []), "-", "-", "-"]
    said = wilson(loss.said, loss.lost.n)
    told = [f"{loss.said:.3f} ({said.low:.2f}-{said.high:.2f})", f"{loss.full:.3f}", points(loss.lost)]
    return [*([str(loss.lost.n)] if count else []), *told]


def _plain(loss: Loss) -> dict[str, Any]:
    return {"said": round(loss.said, 6), "full": round(loss.full, 6), "lost": plain(loss.lost)}
