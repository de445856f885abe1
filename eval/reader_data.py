"""What the reader learns from: a question, a passage of whole sentences, and where in it the answer is, if it is.

Passages are cut from the paragraphs of the sets as an archive cuts its articles, in many lengths. For every question
that is answered there are passages that do not answer it, and each draw is decided by the seed and the question alone.
"""

from __future__ import annotations

import random
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from eval.reader_features import QUESTION_TOKENS
from eval.reader_followups import FollowUp, followed
from eval.reader_mining import Mined
from eval.reader_negatives import Draw, mined_passage, near_miss, other_question, other_subject, without_answer
from eval.reader_passages import MOST_TOKENS, CountTokens, Example, Paragraphs, cut
from eval.reader_sets import PARALLEL, Question, Sets, Text

# How often each answered question is drawn: Spanish and what is near it, and what was written by hand, more often.
DRAWS: Mapping[str, float] = {
    "squad_dev_mt_es": 2.0, "squad_es_dist": 4.0, "piaf_fr": 1.0, "faquad_pt": 2.0, "squad_it_dev": 0.6,
    "squad_dev_mt_da": 0.35, "squad2_dev_mt_id": 0.3, "squad2_dev_half_en": 1.0, "squad_train_part_en": 1.0,
    "squadshifts_wiki_en": 0.8, "qed_nq_en": 0.8, "tydiqa_goldp": 0.8, "idk_mrc_id": 0.4, "afriqa_pivot_en_fr": 0.4,
    "covid_qa_en": 0.4, "norquad_no": 0.5, "arcd_ar": 1.0, "cmrc2018_zh": 0.7, "mlqa_dev_de": 2.0,
    "iapp_wiki_th": 0.4, "jaquad_ja": 0.08, "qamr_en": 0.1,
}  # fmt: skip
# How often a question without an answer is drawn.
DRAWS_UNANSWERABLE: Mapping[str, float] = {
    "squad_dev_mt_es": 1.5, "squad2_dev_half_en": 0.7, "squad_dev_mt_da": 0.3, "squad2_dev_mt_id": 0.2,
    "idk_mrc_id": 0.5, "squad_train_part_en": 0.7,
}  # fmt: skip
# Of a question and a passage in two languages: the passages' language, and how many draws a question with an answer.
CROSSED: Mapping[str, float] = {
    "squad_dev_mt_es": 1.6, "squad_it_dev": 0.3, "squad_dev_mt_da": 0.15, "squad2_dev_mt_id": 0.15,
    "squad2_dev_half_en": 1.2,
}  # fmt: skip


# How a passage that does not answer is made, by weight; and how many there are of each question that is answered.
_WAYS = {mined_passage: 55, near_miss: 25, without_answer: 8, other_question: 12}
_WAYS_FOLLOWING = {mined_passage: 55, near_miss: 25, without_answer: 8, other_subject: 12}
NEGATIVES = 1.2
# Of the questions of a conversation: how many come after one about something else.
_CHANGES = 0.15


def examples(
    sets: Sets,
    mined: Mined,
    *,
    side: str,
    seed: int,
    count: CountTokens,
    negatives: float = NEGATIVES,
    longest: int = MOST_TOKENS,
    following: float = 0.0,
    near: float = 1.0,
) -> Iterator[Example]:
    """Yield the examples of one side of the split, those of a question together.

    Args:
        sets: All questions, also those of the other side.
        mined: Paragraphs that do not answer a question, of the same side.
        side: "train" or "validation".
        seed: Decides, with the question, all that is left open.
        count: Lengths of texts in tokens.
        negatives: Passages that do not answer, to each question that is answered, on average.
        longest: Tokens of a passage at most.
        following: Share of the questions that are asked in a conversation, after another one.
        near: How much oftener than by default questions come over what is on their subject and does not answer.
    """
    paragraphs = Paragraphs(sets.texts, count, longest=longest)
    translations: dict[str, list[Question]] = defaultdict(list)
    for question in sets.questions:
        if question.source in (*PARALLEL, "squad2_dev_half_en"):
            translations[question.key].append(question)
    others: dict[str, list[str]] = defaultdict(list)
    beside: dict[str, list[str]] = defaultdict(list)
    for question in sets.questions:
        others[question.source].append(question.question)
        beside[question.pid].append(question.question)
    for question in sets.questions:
        if sets.side(question) != side:
            continue
        rng = random.Random(f"{seed} {question.source} {question.key} {question.pid}")
        draws = DRAWS if question.answers else DRAWS_UNANSWERABLE
        often = draws.get(question.source, 0) * (1.0 if question.answers else near)
        wordings = [question] * _times(often, rng)
        foreign = [one for one in translations.get(question.key, ()) if one.language != question.language]
        if foreign and question.answers:
            # English is what is asked most besides Spanish.
            weights = [{"en": 8, "es": 4}.get(one.language, 1) for one in foreign]
            wordings += rng.choices(foreign, weights, k=_times(CROSSED.get(question.source, 0), rng))
        for wording in wordings:
            known = others[wording.source]
            follows = None
            if following and rng.random() < following:
                follows = _following(wording, beside[wording.pid], others=known, count=count, rng=rng)
            yield from _drawn(
                question,
                wording,
                paragraphs,
                mined=mined,
                others=known,
                negatives=negatives,
                near=near,
                rng=rng,
                follows=follows,
            )


def _times(mean: float, rng: random.Random) -> int:
    return int(mean) + (rng.random() < mean % 1)


def _following(
    question: Question, beside: Sequence[str], *, others: Sequence[str], count: CountTokens, rng: random.Random
) -> FollowUp | None:
    """Return a question as it follows another one; None where there is none, or both are longer than what is read."""
    earlier = [one for one in beside if one != question.question]
    if rng.random() < _CHANGES:
        made = FollowUp(rng.choice(others), question.question, leans=False)
    elif earlier:
        made = followed(earlier, question.question, language=question.language, rng=rng)
    else:
        return None
    return made if count([made.text])[0] <= QUESTION_TOKENS else None


def _drawn(
    question: Question,
    wording: Question,
    paragraphs: Paragraphs,
    *,
    mined: Mined,
    others: Sequence[str],
    negatives: float,
    near: float,
    rng: random.Random,
    follows: FollowUp | None,
) -> Iterator[Example]:
    """Yield one example of the question as worded, and passages that do not answer it."""
    asked = follows.text if follows else wording.question
    made = replace(question, question=_as_typed(asked, rng), language=wording.language)
    positive = _answering(made, paragraphs, rng) if question.answers else _unanswering(made, paragraphs, rng)
    if positive is None:
        return
    yield replace(positive, kind="given" if question.answers else "unanswerable")
    if not question.answers:
        return
    leaning = follows.now if follows and follows.leans else ""
    draw = Draw(made, positive, paragraphs, mined=mined, others=others, rng=rng, leaning=leaning)
    ways = _WAYS_FOLLOWING if follows else _WAYS
    weights = [weight * (1.0 if way is mined_passage else near) for way, weight in ways.items()]
    for way in rng.choices(tuple(ways), weights, k=_times(negatives, rng)):
        negative = way(draw) or mined_passage(draw)
        if negative is not None:
            yield negative


def _answering(question: Question, paragraphs: Paragraphs, rng: random.Random) -> Example | None:
    spans, counts = paragraphs.sentences(question.pid)
    start, end = rng.choice(question.answers)
    holding = [at for at, (a, b) in enumerate(spans) if a < end and b > start]
    if not holding or sum(counts[holding[0] : holding[-1] + 1]) > paragraphs.longest:
        return None
    window = paragraphs.around(question.pid, holding[0], holding[-1], rng=rng)
    return cut(question, paragraphs, question.pid, window, rng=rng)


def _unanswering(question: Question, paragraphs: Paragraphs, rng: random.Random) -> Example | None:
    if not paragraphs.sentences(question.pid)[0]:
        return None
    at = paragraphs.nearest(question.pid, question.question)
    return cut(question, paragraphs, question.pid, paragraphs.around(question.pid, at, at, rng=rng), rng=rng)


def _as_typed(question: str, rng: random.Random) -> str:
    """Return a question as people type it: now and then in lower case, without accents or marks, or with a slip."""
    if rng.random() < 0.06:
        question = question.lower()
    if rng.random() < 0.06:
        bare = "".join(sign for sign in unicodedata.normalize("NFD", question) if not "\u0300" <= sign <= "\u036f")
        question = unicodedata.normalize("NFC", bare)
    if rng.random() < 0.1:
        question = question.strip("¿?؟？ ")
    if rng.random() < 0.04 and len(question) > 12:
        at = rng.randrange(1, len(question) - 2)
        question = question[:at] + question[at + 1] + question[at] + question[at + 2 :]
    return question


def over(example: Example, text: Text, *, count: CountTokens, rng: random.Random) -> Example:
    """Return the question of an example over a passage of another paragraph, which is said not to answer it."""
    question = Question(example.key, example.source, example.question_language, example.question, "", ())
    paragraphs = Paragraphs({text.pid: text, "": replace(text, pid="", subject=example.subject)}, count)
    at = paragraphs.nearest(text.pid, example.question)
    window = paragraphs.around(text.pid, at, at, rng=rng)
    return replace(cut(question, paragraphs, text.pid, window, rng=rng), kind="mined")
