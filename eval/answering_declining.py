"""Declining: does the probability tell questions that the archive answers from those that it does not?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from eval.answering_sentence import is_right
from eval.answering_sets import JudgedQuestion, read_ancora, read_answers, read_nomiracl, read_world
from eval.finding_archives import OpenArchive, add_documents
from eval.finding_sets import Document, Topic, read_ntrex, read_xquad
from eval.probabilities import Guess
from rag.archive import Archive
from rag.response import least_confidence
from rag.schema import Answer

WORLD_PER_SET = 500
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back to one question: the probability, and whether the first cited sentence has the answer."""

    probability: float
    subject: str = ""
    is_right: bool = False


@dataclass(frozen=True, slots=True)
class DecliningResult:
    """Replies to questions that the archive answers, to the same without their articles, and to others, by set.

    `nomiracl` are guesses by what was searched: "ten" its own ten passages, "all" those of every question. `threshold`
    is the probability from which this archive answers; `reader` who judged.
    """

    answerable: Sequence[Reply]
    removed: Sequence[Reply]
    world: Mapping[str, Sequence[Reply]]
    nomiracl: Mapping[str, Sequence[Guess]]
    threshold: float
    reader: str

    @property
    def paired(self) -> list[Guess]:
        """The answerable questions and the same without their articles; those of a page are drawn together."""
        return [
            Guess(reply.probability, is_so, reply.subject)
            for is_so, replies in ((True, self.answerable), (False, self.removed))
            for reply in replies
        ]


def measure(
    data: Path, *, open_archive: OpenArchive, seed: int = 1, progress: Callable[[int, int], None] | None = None
) -> DecliningResult:
    """Return the replies to the public sets: XQuAD among news, questions on the world, and NoMIRACL, all in Spanish."""
    held = read_xquad(data, "es")
    return measure_declining(
        held.documents,
        held.topics,
        answers=read_answers(data, "es"),
        others=[*read_ntrex(data, "es"), *read_ancora(data)],
        world=read_world(data, per_set=WORLD_PER_SET, seed=seed),
        judged=read_nomiracl(data),
        open_archive=open_archive,
        progress=progress,
    )


def measure_declining(
    documents: Sequence[Document],
    topics: Sequence[Topic],
    *,
    answers: Mapping[str, Sequence[str]],
    others: Sequence[Document],
    world: Mapping[str, Sequence[str]],
    judged: Sequence[JudgedQuestion],
    open_archive: OpenArchive,
    progress: Callable[[int, int], None] | None = None,
) -> DecliningResult:
    """Return what came back to every question.

    Args:
        documents: What answers the topics; those of one subject go together when they are taken out.
        topics: Questions.
        answers: Their answers by key.
        others: Documents that answer none of them.
        world: Questions that nothing answers, by set.
        judged: Questions with passages of their own.
        open_archive: Makes an archive of documents.
        progress: Called with (questions asked, questions to ask).
    """
    steps = _Steps(2 * len(topics) + sum(map(len, world.values())) + 2 * len(judged), progress)
    with open_archive([*documents, *others]) as archive:
        asking = _answering_all(archive)
        answerable = [_reply(topic, asking.ask(topic.question), answers) for topic in steps.over(topics)]
        elsewhere = {
            name: [Reply(asking.ask(question).confidence) for question in steps.over(questions)]
            for name, questions in world.items()
        }
        removed = list(_without_their_articles(archive, asking, documents, topics, steps=steps))
        reader = asking.ask(topics[0].question).reader
        threshold = least_confidence(archive.settings.answer, reader=reader)
    return DecliningResult(
        answerable=answerable,
        removed=removed,
        world=elsewhere,
        nomiracl=_nomiracl(judged, open_archive=open_archive, steps=steps) if judged else {},
        threshold=threshold,
        reader=reader,
    )


class _Steps:
    """Tells how far a measurement is."""

    def __init__(self, total: int, progress: Callable[[int, int], None] | None) -> None:
        self._done, self._total, self._progress = 0, total, progress

    def over(self, items: Sequence[T]) -> Iterator[T]:
        for item in items:
            yield item
            self._done += 1
            if self._progress:
                self._progress(self._done, self._total)


def _answering_all(archive: Archive) -> Archive:
    """Return the archive answering whatever the probability, so that any threshold can be looked at afterwards."""
    settings = archive.settings
    return archive.with_settings(replace(settings, answer=replace(settings.answer, min_confidence=0.0)))


def _reply(topic: Topic, answer: Answer, answers: Mapping[str, Sequence[str]]) -> Reply:
    has_it = any(is_right(citation, topic, answers[topic.key]) for citation in answer.citations[:1])
    return Reply(answer.confidence, topic.subject, is_right=has_it)


def _without_their_articles(
    archive: Archive, asking: Archive, documents: Sequence[Document], topics: Sequence[Topic], *, steps: _Steps
) -> Iterator[Reply]:
    """Yield the replies to all topics, subject after subject, while the subject's documents are out of the archive."""
    by_subject: dict[str, list[Topic]] = defaultdict(list)
    for topic in topics:
        by_subject[topic.subject].append(topic)
    for subject, group in by_subject.items():
        gone = [document for document in documents if document.subject == subject]
        for document in gone:
            archive.delete(archive.article(document.id).id)
        for topic in steps.over(group):
            yield Reply(asking.ask(topic.question).confidence, subject)
        add_documents(archive, gone)


def _nomiracl(judged: Sequence[JudgedQuestion], *, open_archive: OpenArchive, steps: _Steps) -> dict[str, list[Guess]]:
    everything = list(dict.fromkeys(passage for question in judged for passage in question.passages))
    with open_archive(everything) as archive:
        among_all = [
            Guess(archive.ask(question.question).confidence, question.is_answerable) for question in steps.over(judged)
        ]
    among_ten = []
    with open_archive([]) as archive:
        for question in steps.over(judged):
            add_documents(archive, question.passages)
            among_ten.append(Guess(archive.ask(question.question).confidence, question.is_answerable))
            for article in archive.articles():
                archive.delete(article.id)
    return {"ten": among_ten, "all": among_all}
