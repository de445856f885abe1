"""Evidence to an answer that a chat model phrases: every sentence tied to the exact words it rests on, and checked."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import timedelta

from rag.citations import resolve, whole_markers
from rag.config import AnswerSettings
from rag.interfaces import ChatModel, TokenCounter
from rag.language import detect_language
from rag.leaning import leaned_on
from rag.prompts import UNKNOWN_MARK, NumberedPassage, build_prompt
from rag.reply import Written, reply_in, sentences_in
from rag.schema import Answer, Citation, Consultation, Evidence, Hit, Sentence, Statement, Support
from rag.verification import check, overlap, word_stems

# A reply longer than this for each sentence asked for has run away, and is read no further; what a model thinks aloud
# before it replies may be so many times as long.
_MAX_CHARACTERS = 400
_MAX_THINKING = 20
# Shorter replies do not tell their language.
_MIN_LANGUAGE_CHARACTERS = 40
# A second sentence of a passage is cited too when it has so many of the statement's words that the first lacks; a
# number counts as two more.
_SECOND = 3

_UNKNOWN = re.compile(UNKNOWN_MARK.replace("_", "[_ ]"))
_DECLINES = re.compile(
    r"\b(?:(?:los pasajes|el archivo|los art[íi]culos|el texto|las fuentes)(?: \w+)? no \w+"
    r"|no (?:hay|tengo|dispongo de|se (?:encuentra|proporciona|ofrece)) (?:\w+ )?(?:informaci[óo]n|datos)"
    r"|no (?:lo )?s[ée]\b|no (?:se )?(?:menciona|especifica)n?\b"
    r"|(?:the )?(?:passages?|archive|articles?|text|sources?) (?:do(?:es)?|did) ?(?:not|n['’]t)"
    r"|i (?:do not|don['’]t) know|no information|(?:is|are) not (?:mentioned|specified|stated))",
    re.IGNORECASE,
)
_YESTERDAY = re.compile(r"\b(?:ayer|anoche|yesterday|ontem|hier|gestern|ieri)\b", re.IGNORECASE)
_SAYS = {
    "es": {
        "declined": "El modelo no encontró la respuesta en los pasajes del archivo.",
        "unsupported": "Lo que escribió el modelo no lo sostienen los pasajes que cita, y no se muestra.",
        "empty": "No había pasajes que enseñar al modelo.",
        "silent": "El modelo no escribió nada.",
        "dangling": "El modelo citó pasajes que no existen ({numbers}); esas marcas se han quitado.",
        "cut": "La respuesta del modelo era demasiado larga y se ha cortado.",
        "foreign": "El modelo respondió en otro idioma que la pregunta, y no se muestra.",
    },
    "en": {
        "declined": "The model did not find the answer in the archive's passages.",
        "unsupported": "What the model wrote is not borne out by the passages it cites, and is not shown.",
        "empty": "There were no passages to show to the model.",
        "silent": "The model wrote nothing.",
        "dangling": "The model cited passages that do not exist ({numbers}); those marks were removed.",
        "cut": "The model's reply was too long and was cut.",
        "foreign": "The model replied in another language than the question, which is not shown.",
    },
}

DECLINED = frozenset(says["declined"] for says in _SAYS.values())
"""The reasons of an "unknown" that the model itself chose."""


@dataclass(frozen=True, slots=True)
class _Proof:
    """The exact words that a statement is tied to, and what the reader says of them, if it has read them."""

    hit: Hit
    sentence: Sentence
    score: float
    evidence: Evidence | None


@dataclass(frozen=True, slots=True)
class _Reading:
    """What sentences of a reply are read against; `seen` keeps what was found, since a stream is read many times."""

    passages: tuple[NumberedPassage, ...]
    language: str
    evidence: Mapping[tuple[str, int], Evidence]
    seen: dict[Written, tuple[tuple[_Proof, ...], Support]] = field(default_factory=dict)


def generate(
    consultation: Consultation, *, model: ChatModel, counter: TokenCounter, settings: AnswerSettings
) -> Iterator[Answer]:
    """Yield the answer as the model writes it (status "partial"), then the final answer.

    A snapshot has the finished sentences as statements, and behind them the one being written. Citations are numbered
    in the order they appear, each pointing at the sentence of the passage that bears the statement out best. Without a
    valid marker a statement is "unsupported". "unknown" is the final status when the model declines or nothing it
    wrote is supported; then no statement is kept, and `reason` says which. The reason of an "answered" is empty.

    Raises:
        ModelError: From the model, when it cannot be reached or stops in the middle. The snapshots given until then
            are the caller's to show or drop; the consultation still holds all evidence for an extractive answer.
    """
    began = time.perf_counter()
    prompt = build_prompt(
        consultation, counter=counter, context_tokens=settings.context_tokens, max_sentences=settings.max_statements
    )
    reading = _Reading(
        passages=prompt.passages,
        language=consultation.language,
        evidence={(item.hit.passage.id, item.sentence.start): item for item in consultation.evidence},
    )
    draft = replace(Answer.begun(consultation), model=model.name)
    most = _MAX_CHARACTERS * settings.max_statements
    written, reply, is_cut = "", "", False
    if prompt.passages:
        yield draft
        with closing(whole_markers(model.stream(prompt.messages))) as pieces:
            for piece in pieces:
                written += piece
                reply = reply_in(written)
                if is_cut := len(reply) > most or len(written) > most * _MAX_THINKING:
                    break
                yield _snapshot(draft, reply, reading)
    final = _final(draft, reply[:most], reading, is_cut=is_cut)
    yield replace(final, timings={**final.timings, "generate": time.perf_counter() - began})


def _snapshot(draft: Answer, reply: str, reading: _Reading) -> Answer:
    """Return the answer so far: the last sentence may go on, so it is shown but not yet judged."""
    *done, last = sentences_in(reply, reading.language) or [Written("", (), False)]
    snapshot = _with_statements(draft, done, reading)
    tail = "" if UNKNOWN_MARK.startswith(last.text) or _UNKNOWN.search(last.text) else last.text
    between = ("\n" if last.apart else " ") if snapshot.text and tail else ""
    return replace(snapshot, text=snapshot.text + between + tail)


def _final(draft: Answer, reply: str, reading: _Reading, *, is_cut: bool) -> Answer:
    written = sentences_in(reply, reading.language)
    if is_cut:
        written = written[:-1]
    answer = _with_statements(draft, written, reading)
    dangling = resolve(
        [number for sentence in written for number in sentence.numbers], passages=len(reading.passages)
    ).dangling
    notices = answer.notices
    if dangling:
        numbers = ", ".join(f"[{number}]" for number in dangling)
        notices += (_say(reading.language, "dangling").format(numbers=numbers),)
    if is_cut:
        notices += (_say(reading.language, "cut"),)
    answer = replace(answer, status="answered", notices=notices)
    why = _why_not(answer, reply, written, reading)
    if not why:
        return answer
    return replace(answer, text="", status="unknown", reason=_say(reading.language, why), statements=(), citations=())


def _why_not(answer: Answer, reply: str, written: Sequence[Written], reading: _Reading) -> str:
    """Return what is wrong with a reply as a whole, as a key of `_SAYS`; "" when it can stand."""
    if not reading.passages:
        return "empty"
    if not reply.strip():
        return "silent"
    is_foreign = _is_foreign(" ".join(sentence.text for sentence in written), reading.language)
    if any(_answers(statement) for statement in answer.statements):
        return "foreign" if is_foreign else ""
    if _UNKNOWN.search(reply) or any(_DECLINES.search(sentence.text) for sentence in written):
        return "declined"
    return "foreign" if is_foreign else "unsupported"


def _is_foreign(text: str, language: str) -> bool:
    if language == "und" or len(text) < _MIN_LANGUAGE_CHARACTERS:
        return False
    return detect_language(text, prior=(language,)) not in (language, "und")


def _answers(statement: Statement) -> bool:
    # "El texto no menciona a Francia" may be what an article says, and then its words bear it out.
    return statement.support == "supported" or (statement.support == "partly" and not _DECLINES.search(statement.text))


def _with_statements(draft: Answer, written: Sequence[Written], reading: _Reading) -> Answer:
    statements: list[Statement] = []
    citations: dict[tuple[str, int, int], Citation] = {}
    text = ""
    for sentence in written:
        if _UNKNOWN.search(sentence.text):
            continue
        proofs, support = _judged(sentence, reading)
        cited = tuple(_cite(proof, citations) for proof in proofs)
        score = max((proof.score for proof in proofs), default=0.0)
        statements.append(Statement(text=sentence.text, citations=cited, support=support, score=score))
        text += ("\n" if sentence.apart else " ") if text else ""
        text += sentence.text
        text += " " + "".join(f"[{citation.number}]" for citation in cited) if cited else ""
    return replace(draft, text=text, statements=tuple(statements), citations=tuple(citations.values()))


def _cite(proof: _Proof, citations: dict[tuple[str, int, int], Citation]) -> Citation:
    """Return the citation of some words, a new one with the next number if they were not cited yet."""
    article, sentence = proof.hit.article, proof.sentence
    key = (article.id, sentence.start, sentence.end)
    if key not in citations:
        citations[key] = Citation(
            number=len(citations) + 1,
            article=article,
            start=sentence.start,
            end=sentence.end,
            passage=proof.hit.passage,
            score=proof.score,
            context_start=leaned_on(proof.hit, sentence),
            spans=proof.evidence.spans if proof.evidence else (),
        )
    return citations[key]


def _judged(sentence: Written, reading: _Reading) -> tuple[tuple[_Proof, ...], Support]:
    if sentence not in reading.seen:
        found: dict[tuple[str, int], _Proof] = {}
        for number in resolve(sentence.numbers, passages=len(reading.passages)).valid:
            for proof in _proofs(sentence.text, reading.passages[number - 1], reading):
                found.setdefault((proof.hit.article.id, proof.sentence.start), proof)
        proofs = tuple(found.values())
        reading.seen[sentence] = (proofs, _support(sentence.text, proofs, reading.language))
    return reading.seen[sentence]


def _proofs(text: str, passage: NumberedPassage, reading: _Reading) -> list[_Proof]:
    """Return the one or two sentences of a passage that bear a statement out best, in the order of the article."""
    evidence = {
        sentence: reading.evidence.get((passage.hit.passage.id, sentence.start)) for sentence in passage.sentences
    }
    scores = {sentence: item.score if item else 0.0 for sentence, item in evidence.items()}
    # Between two languages words say little: there, the reader's score counts as much as they do.
    weight = 0.1 if passage.hit.passage.language in (reading.language, "und") else 1.0
    first = max(passage.sentences, key=lambda sentence: overlap(text, sentence.text) + weight * scores[sentence])
    chosen = [first]
    lacking = word_stems(text) - word_stems(first.text)
    others = [sentence for sentence in passage.sentences if sentence != first]
    if others:
        second = max(others, key=lambda sentence: _weight(lacking, sentence))
        if _weight(lacking, second) >= _SECOND:
            chosen.append(second)
    return [
        _Proof(passage.hit, sentence, scores[sentence] or overlap(text, sentence.text), evidence[sentence])
        for sentence in sorted(chosen, key=lambda sentence: sentence.start)
    ]


def _weight(terms: frozenset[str], sentence: Sentence) -> int:
    common = terms & word_stems(sentence.text)
    return len(common) + 2 * sum(term[0].isdigit() for term in common)


def _support(text: str, proofs: Sequence[_Proof], language: str) -> Support:
    """Return the best support that the proofs of one language give; proofs in several are not added up."""
    order: list[Support] = ["unsupported", "partly", "supported"]
    found: list[Support] = ["unsupported"]
    for cited_language in {proof.hit.passage.language for proof in proofs}:
        group = [proof for proof in proofs if proof.hit.passage.language == cited_language]
        context = [fact for proof in group for fact in _context(proof.hit)]
        cited = [proof.sentence.text for proof in group]
        found.append(check(text, cited, context=context, language=language, cited_language=cited_language))
    return max(found, key=order.index)


def _context(hit: Hit) -> list[str]:
    article = hit.article
    dates = []
    if article.published:
        dates.append(article.published.isoformat())
        # "Firmaron ayer" in the paper of the 16th lets the model write the 15th.
        if _YESTERDAY.search(hit.passage.text):
            dates.append((article.published - timedelta(days=1)).isoformat())
    return [article.title or "", article.source, *dates, hit.passage.text]


def _say(language: str, key: str) -> str:
    return _SAYS.get(language, _SAYS["en"])[key]
