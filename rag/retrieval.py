"""Question to ranked hits: dense and word search, fused; the hits are read from one state of the truth."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from rag.fusion import fuse
from rag.interfaces import Candidate, Filters, Vector, VectorSearch, WordIndex
from rag.order import DIGITS, best_first
from rag.schema import Article, Hit, Passage

LoadPassages = Callable[[Sequence[str]], Mapping[str, tuple[Passage, Article]]]
LoadCandidates = Callable[[Sequence[str]], Mapping[str, Candidate]]
Choose = Callable[[Sequence[str], Mapping[str, Candidate]], Sequence[str]]
"""Picks the passages that are wanted out of ranked ids, best first, knowing what ranking knows of each."""
# Share of the nearest sentence: the one that answers may stand among others that speak of something else.
_BY_SENTENCE = 0.5


def retrieve(
    question: str,
    vector: Vector,
    *,
    language: str,
    vectors: VectorSearch,
    words: WordIndex,
    load_candidates: LoadCandidates,
    load_passages: LoadPassages,
    filters: Filters,
    candidates: int,
    k: int,
    dense_weight: float,
    spread: float | None,
    choose: Choose | None = None,
) -> list[Hit]:
    """Return the `k` best passages for a question, best first; fewer if fewer are held, or some just went.

    A passage is near to a question as a whole and by its nearest sentence: the two cosines are mixed. What an index
    finds that the truth no longer holds is left out, so a deleted article is never served. Cosines are computed
    exactly from the truth's vectors; equal scores are ordered by content, so the same articles give the same hits.

    Args:
        question: The words to search.
        vector: The question's vector, unit length.
        language: The question's language; word search looks only at passages written in it.
        vectors: Dense search.
        words: Word search.
        load_candidates: Gives what ranking needs by passage id, as the truth has it now.
        load_passages: Gives passages and their articles by passage id, as the truth has them now.
        filters: Dates and outlets.
        candidates: How many passages each of the two searches contributes.
        k: How many hits are wanted.
        dense_weight: Share of the dense score in fusion, 0 to 1.
        spread: What makes a difference of cosines large for the model, None if that is not known.
        choose: Picks among the ranked passages; None takes the first `k`.
    """
    # Both at once: neither library holds Python while it searches.
    with ThreadPoolExecutor(max_workers=1) as beside:
        dense = beside.submit(vectors.search, vector, k=candidates, filters=filters)
        word_found = words.search(question, language=language, k=candidates, filters=filters)
        dense_found = dense.result()
    ids = sorted({found.passage_id for found in (*dense_found, *word_found)})
    known = load_candidates(ids)
    cosines, likeness = _cosines(known, vector)
    word_scores = {found.passage_id: found.score for found in word_found if found.passage_id in cosines}
    fused = fuse(
        likeness,
        word_scores,
        languages={id_: candidate.language for id_, candidate in known.items()},
        language=language,
        dense_weight=dense_weight,
        spread=spread,
    )
    ranked = (choose(best_first(fused), known) if choose else best_first(fused))[:k]
    # Only these in full: the articles of all candidates cost more than both searches.
    held = load_passages(ranked)
    return [
        Hit(
            passage=held[passage_id][0],
            article=held[passage_id][1],
            score=fused[passage_id],
            cosine=cosines[passage_id],
            word_score=word_scores.get(passage_id, 0.0),
        )
        for passage_id in ranked
        if passage_id in held
    ]


def _cosines(known: Mapping[str, Candidate], vector: Vector) -> tuple[dict[str, float], dict[str, float]]:
    """Return for each candidate the passage's own cosine, and its cosine mixed with that of its nearest sentence."""
    cosines: dict[str, float] = {}
    likeness: dict[str, float] = {}
    for passage_id, candidate in known.items():
        if (cosine := candidate.cosine(vector)) is not None:
            nearest = float((candidate.sentences @ vector).max()) if len(candidate.sentences) else cosine
            cosines[passage_id] = cosine
            likeness[passage_id] = round(_BY_SENTENCE * nearest + (1 - _BY_SENTENCE) * cosine, DIGITS)
    # A passage may have words only for now: it stands with the farthest of the others.
    for found in (cosines, likeness):
        farthest = min(found.values(), default=0.0)
        found |= {passage_id: farthest for passage_id in known if passage_id not in found}
    return cosines, likeness
