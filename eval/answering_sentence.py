"""The sentence that is cited first: does it have the answer, also across languages and among look-alikes?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from eval.answering_sets import read_answers
from eval.finding_archives import OpenArchive, add_documents
from eval.finding_ranking import Estimate, estimated
from eval.finding_report import Report, plain, share, table
from eval.finding_sets import Document, Topic, read_hard_distractors, read_xquad
from eval.metrics import exact_match, token_f1
from rag.archive import Archive
from rag.response import least_confidence
from rag.schema import Answer, Citation

ABOUT = (
    "Questions of XQuAD on its Spanish passages, alone and among hard distractors (passages of the same pages, and\n"
    "news); every one is answered, whatever the probability. First: the first cited sentence has the answer and is of\n"
    "the right passage; passage: it is of that passage (recall@1 after reading); any text: it has the answer's words,\n"
    "wherever it stands; of two: one of the first two statements is right; answered: the probability would be enough.\n"
    "F1 and EM: of the first words that are marked as the answer in that sentence, where the reader marks any. Beside\n"
    "the reader of the settings the one that nobody trained. 95 % intervals over pages."
)
LANGUAGES = ("es", "en", "zh")
UNTRAINED = "sentences"
ALONE, AMONG = "alone", "among distractors"
FIRST_CITED, RIGHT_PASSAGE, ANY_TEXT, OF_TWO, ANSWERED = "first", "passage", "any text", "of two", "answered"
F1, EM = "F1", "EM"
MEASURES = (FIRST_CITED, RIGHT_PASSAGE, ANY_TEXT, OF_TWO, ANSWERED, F1, EM)
_ANSWERS_IN = "es"


@dataclass(frozen=True, slots=True)
class Cited:
    """What was cited for some questions: each measure by question, 0 to 1; `subjects` are drawn whole.

    F1 and EM are not among the measures where the reader marked nothing.
    """

    passages: int
    reader: str
    subjects: tuple[str, ...]
    values: Mapping[str, tuple[float, ...]]

    def estimate(self, measure: str) -> Estimate:
        """Return the mean of a measure."""
        return estimated(self.values[measure], subjects=self.subjects)


SentenceResult = Mapping[tuple[str, str, str], Cited]
"""What was cited, by where ("alone", "among distractors"), by the language of the questions, and by reader."""


def measure(
    data: Path, *, open_archive: OpenArchive, progress: Callable[[int, int], None] | None = None
) -> SentenceResult:
    """Return what is cited for the public questions in each language."""
    held = read_xquad(data, "es")
    return measure_sentences(
        held.documents,
        {language: held.asked_in(read_xquad(data, language)) for language in LANGUAGES},
        answers=read_answers(data, "es"),
        distractors=read_hard_distractors(data),
        open_archive=open_archive,
        progress=progress,
    )


def measure_sentences(
    documents: Sequence[Document],
    asked: Mapping[str, Sequence[Topic]],
    *,
    answers: Mapping[str, Sequence[str]],
    distractors: Sequence[Document],
    open_archive: OpenArchive,
    progress: Callable[[int, int], None] | None = None,
) -> SentenceResult:
    """Return what is cited for the questions, before and after the distractors come in, and what without training.

    Args:
        documents: What answers.
        asked: The questions, by language.
        answers: By key, as they stand in the documents.
        distractors: What is added.
        open_archive: Makes an archive of documents.
        progress: Called with (rounds of questions asked, rounds to ask).
    """
    found: dict[tuple[str, str, str], Cited] = {}
    done = 0
    with open_archive(documents) as archive:
        readers = list(dict.fromkeys([archive.settings.reading.reader, UNTRAINED]))
        for where, added in ((ALONE, ()), (AMONG, distractors)):
            add_documents(archive, added)
            for language, topics in asked.items():
                for reader in readers:
                    cited = _cited(archive, topics, answers=answers, reader=reader)
                    # By who read it in the end: the trained reader may not be there.
                    found[where, language, cited.reader] = cited
                    done += 1
                    if progress:
                        progress(done, 2 * len(asked) * len(readers))
    return found


def sentence_report(result: SentenceResult) -> Report:
    """Return one table, and the numbers."""
    lines = [
        [
            f"{where}: {language} on es ({cited.passages:,} passages), {cited.reader}",
            str(len(cited.subjects)),
            *(share(cited.estimate(measure)) if measure in cited.values else "-" for measure in MEASURES),
        ]
        for (where, language, _), cited in result.items()
    ]
    content = {
        "cited": [
            {"where": where, "asked": language, "passages": cited.passages, "reader": cited.reader}
            | {measure: plain(cited.estimate(measure)) for measure in cited.values}
            for (where, language, _), cited in result.items()
        ],
    }
    return Report("answer-sentence", ABOUT, (table(["questions", "n", *MEASURES], lines),), (), content)


def _cited(archive: Archive, topics: Sequence[Topic], *, answers: Mapping[str, Sequence[str]], reader: str) -> Cited:
    settings = archive.settings
    asking = archive.with_settings(
        replace(
            settings,
            answer=replace(settings.answer, min_confidence=0.0),
            reading=replace(settings.reading, reader=reader),
        )
    )
    # All at once is faster, and an embedder that remembers has them from then on.
    archive.embedder.embed_questions([topic.question for topic in topics])
    replies = [asking.ask(topic.question) for topic in topics]
    reader = replies[0].reader if replies else reader
    floor = least_confidence(settings.answer, reader=reader)
    worth = [_worth(topic, answer, answers[topic.key]) for topic, answer in zip(topics, replies, strict=True)]
    values = {
        measure: tuple(each[measure] for each in worth) for measure in (FIRST_CITED, RIGHT_PASSAGE, ANY_TEXT, OF_TWO)
    }
    values[ANSWERED] = tuple(float(answer.confidence >= floor) for answer in replies)
    if any(citation.spans for answer in replies for citation in answer.citations):
        values |= {measure: tuple(each[measure] for each in worth) for measure in (F1, EM)}
    return Cited(archive.counts().passages, reader, tuple(topic.subject for topic in topics), values)


def _worth(topic: Topic, answer: Answer, texts: Sequence[str]) -> dict[str, float]:
    first = answer.citations[:1]
    either = [citation for statement in answer.statements[:2] for citation in statement.citations]
    marked = [citation.article.text[slice(*citation.spans[0])] for citation in first if citation.spans]
    return {
        FIRST_CITED: float(any(is_right(citation, topic, texts) for citation in first)),
        RIGHT_PASSAGE: float(any(citation.article.given_id == topic.document for citation in first)),
        ANY_TEXT: float(any(_has(citation, texts) for citation in first)),
        OF_TWO: float(any(is_right(citation, topic, texts) for citation in either)),
        F1: max((token_f1(words, text, language=_ANSWERS_IN) for words in marked for text in texts), default=0.0),
        EM: max((exact_match(words, text, language=_ANSWERS_IN) for words in marked for text in texts), default=0.0),
    }


def is_right(citation: Citation, topic: Topic, texts: Sequence[str]) -> bool:
    """Whether a cited sentence is of the topic's document and has one of the answer's texts."""
    return citation.article.given_id == topic.document and _has(citation, texts)


def _has(citation: Citation, texts: Sequence[str]) -> bool:
    return any(text in citation.quote for text in texts)
