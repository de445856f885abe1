"""Languages in balance: does a question find what was written in other languages too, also beside much Spanish?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from eval.finding_archives import OpenArchive, add_documents
from eval.finding_ranking import DENSE, PASSAGES, PRODUCT, Estimate, articles, baselines, estimated, widely
from eval.finding_report import Report, Target, plain, points, share, table
from eval.finding_sets import Document, drawn, half, read_ntrex, read_paragraphs, read_train
from rag.archive import Archive

ABOUT = (
    "An archive holds the same articles in several languages. A question is found in all of them: what share of its\n"
    "versions in other languages stand among the first ten articles, alone and after Spanish paragraphs were added?\n"
    "The version in the question's own language, which holds its very words, is not counted. 95 % intervals over\n"
    "articles."
)
LANGUAGES = ("es", "en", "pt", "fr", "de", "ru", "zh", "ar")
FIRST = 10
MOST_LOST = 0.03
ADDED = 5000
_TRAIN_SETS = ("squad_dev_mt_es", "squad_it_dev", "squad_dev_mt_da", "squad2_dev_mt_id")
_PER_SUBJECT, _MOST = 8, 250


@dataclass(frozen=True, slots=True)
class Twin:
    """A question, and the documents that hold its subject, by language."""

    question: str
    language: str
    subject: str
    documents: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Found:
    """For each question the languages of its twins among the first ten articles, without and with what was added."""

    before: Mapping[str, tuple[frozenset[str], ...]]
    after: Mapping[str, tuple[frozenset[str], ...]]


@dataclass(frozen=True, slots=True)
class BalanceResult:
    """What was found of each question's twins, by system; `added` counts the documents that came in between."""

    twins: tuple[Twin, ...]
    found: Found
    added: int

    def shares(self, system: str, *, language: str = "", after: bool = False) -> list[float]:
        """Return of each question (in one language, "" for all) the share of its foreign twins that was found."""
        found = (self.found.after if after else self.found.before)[system]
        return [
            len(seen - {twin.language}) / (len(twin.documents) - (twin.language in twin.documents))
            for twin, seen in zip(self.twins, found, strict=True)
            if language in ("", twin.language)
        ]

    def estimate(self, system: str, *, language: str = "", after: bool = False) -> Estimate:
        """Return the mean share of foreign twins found."""
        return estimated(self.shares(system, language=language, after=after), subjects=self._subjects(language))

    def loss(self, system: str, *, language: str = "") -> Estimate:
        """Return what the added documents cost, question by question."""
        before, after = (self.shares(system, language=language, after=later) for later in (False, True))
        lost = [first - last for first, last in zip(before, after, strict=True)]
        return estimated(lost, subjects=self._subjects(language))

    def share_of(self, system: str, *, asked: str, held: str, after: bool = False) -> float:
        """Return how often the version in one language is found by questions in another."""
        found = (self.found.after if after else self.found.before)[system]
        seen = [held in languages for twin, languages in zip(self.twins, found, strict=True) if twin.language == asked]
        return sum(seen) / len(seen)

    def _subjects(self, language: str) -> list[str]:
        return [twin.subject for twin in self.twins if language in ("", twin.language)]


def measure_balance(
    documents: Sequence[Document],
    twins: Sequence[Twin],
    *,
    added: Sequence[Document],
    open_archive: OpenArchive,
    progress: Callable[[int, int], None] | None = None,
) -> BalanceResult:
    """Return which twins are found among the first ten articles.

    Args:
        documents: All versions of the articles.
        twins: The questions.
        added: Documents that come in before all is asked a second time.
        open_archive: Makes an archive of documents.
        progress: Called with (times asked, 2).
    """
    states = []
    with open_archive(documents) as archive:
        for more in ((), added):
            add_documents(archive, more)
            states.append(_found(archive, twins))
            if progress:
                progress(len(states), 2)
    return BalanceResult(tuple(twins), Found(*states), added=len(added))


def _found(archive: Archive, twins: Sequence[Twin]) -> dict[str, tuple[frozenset[str], ...]]:
    archive.embedder.embed_questions([twin.question for twin in twins])
    found: dict[str, list[frozenset[str]]] = defaultdict(list)
    for twin in twins:
        ranked = {
            PRODUCT: articles(archive.search(twin.question, k=PASSAGES)),
            DENSE: baselines(widely(archive, twin.question))[DENSE],
        }
        for system, ranking in ranked.items():
            first = set(ranking[:FIRST])
            found[system].append(frozenset(name for name, document in twin.documents.items() if document in first))
    return {system: tuple(seen) for system, seen in found.items()}


def measure_public(
    data: Path, *, open_archive: OpenArchive, progress: Callable[[int, int], None] | None = None
) -> BalanceResult:
    """Return the balance of NTREX: its articles in eight languages, asked by their first sentence in each."""
    held = {language: read_ntrex(data, language) for language in LANGUAGES}
    versions: dict[str, dict[str, Document]] = defaultdict(dict)
    for language, documents in held.items():
        for document in documents:
            versions[document.subject][language] = document
    twins = [
        Twin(
            question=document.text.split("\n", 1)[0],
            language=language,
            subject=subject,
            documents={name: version.id for name, version in by_language.items()},
        )
        for subject, by_language in versions.items()
        for language, document in by_language.items()
    ]
    return measure_balance(
        [document for documents in held.values() for document in documents],
        twins,
        added=read_paragraphs(data, count=ADDED, seed=1),
        open_archive=open_archive,
        progress=progress,
    )


def measure_train(
    data: Path,
    *,
    open_archive: OpenArchive,
    split: str = "all",
    seed: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> BalanceResult:
    """Return the balance to choose on: passages of the translations of SQuAD, asked by questions that all of them have.

    Documents are the passages that these questions are about and those of the same pages.
    """
    read = [read_train(data, name) for name in _TRAIN_SETS]
    by_key = [{topic.key: topic for topic in each.topics} for each in read]
    common = [topic for topic in read[0].topics if all(topic.key in topics for topics in by_key)]
    chosen = drawn(common, split=split, per_subject=_PER_SUBJECT, most=_MOST, seed=seed)
    twins = [
        Twin(
            question=topics[topic.key].question,
            language=each.language,
            subject=topic.subject,
            documents={other.language: others[topic.key].document for other, others in zip(read, by_key, strict=True)},
        )
        for topic in chosen
        for each, topics in zip(read, by_key, strict=True)
    ]
    return measure_balance(
        [
            document
            for each in read
            for document in each.documents
            if split == "all" or half(document.subject, seed=seed) == split
        ],
        twins,
        added=read_paragraphs(data, count=ADDED, seed=seed),
        open_archive=open_archive,
        progress=progress,
    )


def balance_report(result: BalanceResult) -> Report:
    """Return a table by the question's language, one of each pair of languages, and whether few enough are lost."""
    asked = tuple(dict.fromkeys(twin.language for twin in result.twins))
    lines = [
        [
            f"asked in {name or 'all of them'}",
            str(result.estimate(PRODUCT, language=name).n),
            *(
                cell
                for system in (PRODUCT, DENSE)
                for cell in (
                    share(result.estimate(system, language=name)),
                    share(result.estimate(system, language=name, after=True)),
                )
            ),
            points(result.loss(PRODUCT, language=name)),
        ]
        for name in (*asked, "")
    ]
    heads = ["foreign versions in the first ten", "n", "product", f"with {result.added:,} more", "dense", "with them"]
    held = tuple(dict.fromkeys(language for twin in result.twins for language in twin.documents))
    matrix = [
        [f"asked in {name}", *(f"{result.share_of(PRODUCT, asked=name, held=other, after=True):.2f}" for other in held)]
        for name in asked
    ]
    content = {
        "added": result.added,
        "asked": {name or "all": _to_dict(result, name) for name in (*asked, "")},
        "pairs": {
            name: {other: result.share_of(PRODUCT, asked=name, held=other, after=True) for other in held}
            for name in asked
        },
    }
    tables = (table([*heads, "lost, points"], lines), table(["product, with them: versions in", *held], matrix))
    return Report("balance", ABOUT, tables, tuple(_targets(result)), content)


def _targets(result: BalanceResult) -> list[Target]:
    targets = []
    for name, told in (("es", "Spanish questions"), ("", "questions in all languages")):
        lost = result.loss(PRODUCT, language=name)
        wanted = (
            f"{told}: {result.added:,} Spanish paragraphs cost at most {100 * MOST_LOST:.0f} points of foreign versions"
        )
        targets.append(Target(wanted, f"{points(lost)} lost", lost.mean <= MOST_LOST))
    return targets


def _to_dict(result: BalanceResult, language: str) -> dict[str, object]:
    return {
        system: {
            "before": plain(result.estimate(system, language=language)),
            "after": plain(result.estimate(system, language=language, after=True)),
            "lost": plain(result.loss(system, language=language)),
        }
        for system in (PRODUCT, DENSE)
    }
