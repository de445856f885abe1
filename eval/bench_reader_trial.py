"""One measured run of the trained reader in a process of its own: `python -m eval.bench_reader_trial < job.json`."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from eval.measuring import memory, timed
from rag import consultation, cross_encoder
from rag.archive import Archive
from rag.companions import with_copies
from rag.config import load_settings
from rag.cross_encoder import CrossEncoder
from rag.cross_reading import READ, CrossReader
from rag.interfaces import PassageLogits
from rag.parts import Parts
from rag.question import understand
from rag.reading import SentenceReader
from rag.schema import Ask, Hit

_WARM_UP = 5


class _Counted:
    """A model, and how many passages and tokens it has read."""

    def __init__(self, model: CrossEncoder) -> None:
        self.passages = self.tokens = 0
        self._model = model

    def read(self, question: str, hits: Sequence[Hit], *, context: str = "") -> list[PassageLogits]:
        # The same passages are read twice here, and each time counts.
        self._model.forget()
        found = self._model.read(question, hits, context=context)
        self.passages += len(hits)
        self.tokens += sum(len(each.starts) for each in found)
        return found


def main() -> None:
    """Do the job that standard input names and print the figures as one line of JSON."""
    print(json.dumps(read_job(json.load(sys.stdin))))


def read_job(job: dict[str, Any]) -> dict[str, Any]:
    """Return what reading costs for each question: seconds, CPU seconds, passages and tokens."""
    import torch

    from ingest import ingest

    folder = Path(job["archive"])
    settings = load_settings(arguments={"reading.reader": "trained"})
    with Archive.open(folder, settings=settings, create=True) as archive:
        if not archive.counts().articles:
            ingest(archive, [job["articles"]])
        _ = archive.embedder
        # Made once, so that its graph is there; and not kept for the archives that follow.
        _ = archive._holdings.trained_reader
        cross_encoder._loaded.clear()
    with Archive.open(folder, settings=settings) as archive:
        _ = archive.embedder
        before = memory()
        load_s, trained = timed(lambda: archive._holdings.trained_reader)
        load_bytes = None if before is None else (memory() or before) - before
        if trained.model is None:
            raise RuntimeError(trained.why)
        model = _Counted(trained.model)
        reader = CrossReader(model, sentences=SentenceReader(load_sentence_vectors=archive._truth.sentence_vectors_of))
        questions = [*job["questions"][:_WARM_UP], *job["questions"]]
        asked = [_asked(question, archive._parts, model, reader) for question in questions][_WARM_UP:]
    return {
        "load_s": load_s,
        "load_bytes": load_bytes,
        "most": READ,
        "threads": torch.get_num_threads(),
        **{name: [one[name] for one in asked] for name in asked[0]},
    }


def _asked(question: str, parts: Parts, model: _Counted, reader: CrossReader) -> dict[str, float]:
    """Return what the best passages cost when all are read, and the reading step of the question."""
    understood = understand(Ask(question), parts=parts)
    hits = with_copies(consultation.retrieve_all(understood, parts=parts).hits[0])
    before, began = model.tokens, time.process_time()
    whole_s, _ = timed(partial(model.read, question, hits[:READ]))
    whole_cpu_s, tokens = time.process_time() - began, model.tokens - before
    before = model.passages
    step = partial(
        reader.read, question, hits, language=understood.language, question_vector=understood.versions[0].read_vector
    )
    step_s, _ = timed(step)
    return {
        "tokens": tokens,
        "whole_s": whole_s,
        "whole_cpu_s": whole_cpu_s,
        "passages": model.passages - before,
        "step_s": step_s,
    }


if __name__ == "__main__":
    main()
