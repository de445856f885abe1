"""How fast articles come in, new ones and known ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eval.bench_page import Goal, Section, table
from eval.bench_plan import BenchmarkError, Plan
from eval.bench_texts import news_rows, sentence_rows, write_rows
from eval.measuring import median, timed

if TYPE_CHECKING:
    from rag.embedding import SentenceEmbedder
    from rag.interfaces import Embedder
    from rag.schema import Passage

NEWS = 300
SENTENCES = 10_000
RATIO, PADDING, AGAIN_PER_S = 0.9, 0.10, 2_000
_AGAIN_ROUNDS = 5


# ---- against the encoder alone


def ingest_part(plan: Plan) -> Section:
    """Return how long ingest takes, in turn with encoding the same texts alone."""
    from rag.config import EmbeddingSettings
    from rag.embedding import load_embedder

    articles = plan.part_of(NEWS)
    file = write_rows(plan.work / "news.jsonl", news_rows(plan.data, count=articles))
    embedder = load_embedder(EmbeddingSettings())
    passages = _passages_of(file, embedder, folder=plan.work / "cut")
    bare = [replace(passage, sentences=()) for passage in passages]
    embedder.embed_passages(passages[:32])
    seconds: dict[str, list[float]] = {"ingest": [], "all": [], "passages": []}
    padding = Padding()
    for number in range(plan.rounds):
        plan.say(f"ingest of {articles} articles and their encoding alone, round {number + 1} of {plan.rounds}")
        with padding_counted(embedder, padding):
            seconds["ingest"].append(_ingest_s(file, plan.work / f"ingest-{number}", embedder))
        seconds["all"].append(timed(partial(embedder.embed_passages, passages))[0])
        seconds["passages"].append(timed(partial(embedder.embed_passages, bare))[0])
    return _ingest_section(seconds, articles=articles, passages=passages, padding=padding)


def _ingest_section(
    seconds: dict[str, list[float]], *, articles: int, passages: list[Passage], padding: Padding
) -> Section:
    ratios = {name: _ratio(took, seconds["ingest"]) for name, took in seconds.items()}
    names = {
        "ingest": "ingest: read, clean, cut, keep, embed, index",
        "all": "all that ingest encodes, passages and sentences, alone and in one go",
        "passages": "the passages alone, without their sentences",
    }
    rows = [
        [
            names[name],
            f"{median(took):.1f}",
            f"{articles / median(took):.2f}",
            f"{len(passages) / median(took):.1f}",
            f"{ratios[name]:.2f}",
            f"{min(took):.1f}–{max(took):.1f}",
        ]
        for name, took in seconds.items()
    ]
    sentences = sum(len(passage.sentences) for passage in passages)
    header = ["what", "seconds", "articles/s", "passages/s", "share of ingest's time", "all rounds, s"]
    body = f"""\
{articles} articles of fakenews_es: {len(passages)} passages with {sentences} sentences. {len(seconds["all"])} rounds,
each of the three in turn; a share is the median of the rounds' own. Each sentence is encoded too, for a vector of its
own (DECISIONS.md): that is why encoding the passages alone takes less. A sentence that is a whole passage, or that
comes twice, is encoded once.

{table(header, rows)}

Padding, counted at the model's door during ingest: {padding.told}."""
    share = padding.share
    goals = (
        Goal(
            "Encoding alone takes this share of ingest's time",
            f"≥ {RATIO}",
            f"{ratios['all']:.2f}",
            ratios["all"] >= RATIO,
        ),
        Goal(
            "Padding, of all tokens that the model reads",
            f"< {PADDING:.0%}",
            "not counted" if share is None else f"{share:.1%}",
            share is not None and share < PADDING,
        ),
    )
    return Section("Ingest against encoding alone", body, goals)


@dataclass(slots=True)
class Padding:
    """Tokens that the model read: all of them, and those that were text."""

    read: int = 0
    text: int = 0

    @property
    def share(self) -> float | None:
        """Share of padding, 0 to 1; None when nothing was counted."""
        return 1 - self.text / self.read if self.read else None

    @property
    def told(self) -> str:
        """The count in words."""
        if self.share is None:
            return "it could not be counted, the embedder has no such door"
        return f"{self.read - self.text:,} of {self.read:,} tokens ({self.share:.1%})"


@contextmanager
def padding_counted(embedder: SentenceEmbedder, padding: Padding) -> Iterator[None]:
    """Count in `padding` what the model is handed inside the block, in place of what was counted before."""
    padding.read = padding.text = 0

    def count(_: Any, arguments: tuple[Any, ...]) -> None:
        mask = arguments[0]["attention_mask"]
        padding.read += mask.numel()
        padding.text += int(mask.sum())

    # Only the module itself sees every batch as it is, however the embedder makes them.
    hook = getattr(getattr(embedder, "_model", None), "register_forward_pre_hook", None)
    handle = hook(count) if hook else None
    try:
        yield
    finally:
        if handle:
            handle.remove()


def _ratio(parts: list[float], wholes: list[float]) -> float:
    return median([part / whole for part, whole in zip(parts, wholes, strict=True)])


def _passages_of(file: Path, embedder: Embedder, *, folder: Path) -> list[Passage]:
    """Return the passages that ingest makes of the articles, without embedding them."""
    from eval.made_up import MadeUpEmbedder
    from ingest import ingest
    from rag.archive import Archive
    from rag.articles import open_articles
    from rag.config import Settings

    with Archive.open(folder, settings=Settings(), create=True, embedder=MadeUpEmbedder(embedder)) as archive:
        ingest(archive, [file])
    truth = open_articles(folder)
    try:
        return truth.passages_of(truth.ids())
    finally:
        truth.close()


def _ingest_s(file: Path, folder: Path, embedder: Embedder) -> float:
    from ingest import ingest
    from rag.archive import Archive
    from rag.config import Settings

    with Archive.open(folder, settings=Settings(), create=True, embedder=embedder) as archive:
        return timed(partial(ingest, archive, [file]))[0]


# ---- again, with nothing changed


def again_part(plan: Plan) -> Section:
    """Return how fast an ingest passes over articles that it knows."""
    news = news_rows(plan.data, count=plan.part_of(NEWS))
    sentences = sentence_rows(plan.data, count=plan.part_of(SENTENCES))
    rows, rates = [], []
    for name, articles in (("articles of fakenews_es", news), ("articles of one sentence", sentences)):
        plan.say(f"ingest of {len(articles)} {name}, again and again")
        file = write_rows(plan.work / f"again-{len(articles)}.jsonl", articles)
        opened, going = _again_s(file, plan.work / f"again-{len(articles)}", count=len(articles))
        rates.append(len(articles) / median(going))
        rows.append(
            [
                f"{len(articles):,} {name}",
                f"{median(going):.3f}",
                f"{rates[-1]:,.0f}",
                f"{median(opened):.3f}",
                f"{len(articles) / median(opened):,.0f}",
            ]
        )
    header = ["what", "seconds", "articles/s", "seconds with opening the archive", "articles/s with opening"]
    body = f"""\
`ingest` of a JSONL file of which the archive holds every row as it is: no row is cleaned, cut or embedded again. Median
of {_AGAIN_ROUNDS} rounds. The archive's vectors are made up, which makes no difference here: none is read or made.

{table(header, rows)}"""
    goal = Goal(
        "Unchanged articles a second, the slower of the two",
        f"≥ {AGAIN_PER_S:,}",
        f"{min(rates):,.0f}",
        min(rates) >= AGAIN_PER_S,
    )
    return Section("Unchanged articles again", body, (goal,))


def _again_s(file: Path, folder: Path, *, count: int) -> tuple[list[float], list[float]]:
    """Return the seconds of an ingest with opening the archive, and in the open archive, of every round."""
    from eval.made_up import SETTINGS, MadeUpEmbedder
    from ingest import ingest
    from rag.archive import Archive

    embedder = MadeUpEmbedder()
    with Archive.open(folder, settings=SETTINGS, create=True, embedder=embedder) as archive:
        ingest(archive, [file])
    opened, going = [], []
    for _ in range(_AGAIN_ROUNDS):
        opening_s, archive = timed(partial(Archive.open, folder, settings=SETTINGS, embedder=embedder))
        with archive:
            first_s, summary = timed(partial(ingest, archive, [file]))
            if summary.unchanged != count:
                raise BenchmarkError(f"of {count} unchanged articles {summary.unchanged} were known as they are")
            opened.append(opening_s + first_s)
            going.append(timed(partial(ingest, archive, [file]))[0])
    return opened, going
