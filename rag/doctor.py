"""What an examination of an archive finds: whether the truth is whole, and whether both indexes equal it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from rag.articles import Articles
from rag.errors import ArchiveError
from rag.interfaces import Audit, VectorIndex, WordIndex
from rag.schema import Passage

# Articles examined at once: memory stays flat.
_AT_ONCE = 500
_LISTED = 3


@dataclass(frozen=True, slots=True)
class Checkup:
    """What was found; `is_sound` when nothing is wrong. Passages that wait for vectors are no fault.

    `truth` says in sentences what is wrong with the articles themselves, which no index can mend; `made_anew` names the
    indexes that had to be made anew when this process opened the archive.
    """

    articles: int
    passages: int
    without_vectors: int
    truth: tuple[str, ...]
    vectors: Audit
    words: Audit
    fingerprint: Mapping[str, str]
    made_anew: tuple[str, ...] = ()

    @property
    def is_sound(self) -> bool:
        """Whether all articles are whole, all passages found by id and words, and those with a vector by that."""
        return not self.findings()

    def findings(self) -> list[str]:
        """Return what is wrong, a sentence each."""
        found = list(self.truth)
        found += [f"the {name} was missing or damaged, and was made anew when it was opened" for name in self.made_anew]
        for name, audit in (("vector index", self.vectors), ("word index", self.words)):
            for ids, what in (
                (audit.missing, "are missing in"),
                (audit.orphaned, "are of no article, but in"),
                (audit.different, "are not as the articles say in"),
                (audit.unfindable, "are there, but not found by what they hold, in"),
            ):
                if ids:
                    found.append(f"{_counted(ids)} {what} the {name}: `hemeroteca rebuild` makes it anew")
        return found


def examine(
    truth: Articles,
    *,
    vectors: VectorIndex,
    words: WordIndex,
    fingerprint: Mapping[str, str],
) -> Checkup:
    """Return what is wrong with an archive; nothing is changed, and nothing may be written meanwhile.

    Args:
        truth: The articles.
        vectors: Caught up with the truth.
        words: Caught up with the truth.
        fingerprint: What made the vectors.
    """
    counts, ids = truth.counts(), truth.ids()
    seen = _passages_seen(truth, ids, dim=int(fingerprint.get("dim", 0)))
    sound = [id_ for id_ in ids if id_ not in seen.damaged]
    audits = [_of_sound(index.audit(truth, sound), damaged=seen.damaged) for index in (vectors, words)]
    return Checkup(
        articles=counts.articles,
        passages=counts.passages,
        without_vectors=counts.without_vectors,
        truth=(*truth.faults(), *seen.faults),
        vectors=audits[0],
        words=audits[1],
        fingerprint=fingerprint,
    )


@dataclass(frozen=True, slots=True)
class _Seen:
    """What reading every article gave: sentences on what is wrong, and the ids of articles that cannot be read."""

    faults: tuple[str, ...]
    damaged: frozenset[str]


def _passages_seen(truth: Articles, ids: Sequence[str], *, dim: int) -> _Seen:
    faults: list[str] = []
    damaged: set[str] = set()
    outside: list[str] = []
    unusable: list[str] = []
    for at in range(0, len(ids), _AT_ONCE):
        some = ids[at : at + _AT_ONCE]
        articles, passages = truth.articles_by_id(some), truth.passages_of(some)
        for id_ in (id_ for id_ in some if id_ not in articles):
            damaged.add(id_)
            faults += _reason(truth, id_)
        of_sound = [passage for passage in passages if passage.article_id in articles]
        outside += [passage.id for passage in of_sound if not _lies_in(passage, articles[passage.article_id].text)]
        unusable += truth.unusable_vectors(of_sound, dim=dim)
    if outside:
        faults.append(f"{_counted(outside)} do not lie within their articles: ingest these again")
    if unusable:
        faults.append(f"{_counted(unusable)} have vectors that are none: ingest these articles into a new archive")
    return _Seen(tuple(faults), frozenset(damaged))


def _reason(truth: Articles, article_id: str) -> list[str]:
    try:
        truth.article(article_id)
    except ArchiveError as exc:
        return [str(exc)]
    return []


def _of_sound(audit: Audit, *, damaged: Collection[str]) -> Audit:
    """Return an audit without what the index still holds of articles that cannot be read, which are told apart."""
    of_damaged = {id_ for id_ in audit.orphaned if id_.rpartition("-")[0] in damaged}
    return replace(audit, orphaned=tuple(id_ for id_ in audit.orphaned if id_ not in of_damaged))


def _lies_in(passage: Passage, text: str) -> bool:
    edges = [passage.start, *(edge for each in passage.sentences for edge in (each.start, each.end)), passage.end]
    return edges == sorted(edges) and text[passage.start : passage.end] == passage.text != ""


def _counted(ids: Sequence[str]) -> str:
    listed = ", ".join(ids[:_LISTED]) + (", …" if len(ids) > _LISTED else "")
    return f"{len(ids)} passages ({listed})"
