"""One open archive answered from with several settings, as the commands of several terminals do."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest import ingest
from rag import fingerprint
from rag.archive import Archive
from rag.config import EmbeddingSettings, load_settings
from rag.errors import FingerprintError
from rag.interfaces import Embedder
from tests.hashed_embedder import HashedEmbedder

WHERE = "¿En qué ciudad se firmó la alianza entre Valdoria y Carmania?"


def test_an_open_archive_answers_by_other_settings_and_keeps_its_own(sample_archive: Archive) -> None:
    certain = sample_archive.with_settings(load_settings(arguments={"answer.min_confidence": 1.0}))
    assert certain.ask(WHERE).status == "unknown"
    assert sample_archive.ask(WHERE).status == "answered"
    assert certain.articles() == sample_archive.articles()


def test_closing_an_archive_with_other_settings_leaves_it_open(sample_archive: Archive) -> None:
    with sample_archive.with_settings(load_settings()) as other:
        assert other.search(WHERE, k=1)
    assert sample_archive.search(WHERE, k=1)


def test_settings_that_shape_vectors_must_be_the_same(tmp_path: Path) -> None:
    with Archive.open(tmp_path / "new", settings=load_settings(), create=True) as archive:
        for key, value in (("embedding.model", "another/model"), ("ingest.passage_tokens", 64)):
            with pytest.raises(FingerprintError, match=f"the settings give '{value}'"):
                archive.with_settings(load_settings(arguments={key: value}))


def test_the_engine_that_made_an_archives_vectors_is_kept_unless_another_is_asked_for(
    tmp_path: Path, embedder: Embedder
) -> None:
    exact = HashedEmbedder()
    exact.fingerprint = {"model": "bundled", "engine": "sentence-transformers"}
    (tmp_path / "row.jsonl").write_text('{"title": "Un título", "text": "El puerto abrió ayer."}', encoding="utf-8")
    with Archive.open(tmp_path / "old", create=True, embedder=exact) as archive:
        ingest(archive, [tmp_path / "row.jsonl"])
        known = archive.check().fingerprint
    assert fingerprint.embedding_settings(EmbeddingSettings(), known).engine == "torch"
    assert fingerprint.embedding_settings(EmbeddingSettings(), embedder.fingerprint).engine == "auto"
    assert fingerprint.embedding_settings(EmbeddingSettings(), None).engine == "auto"
    assert fingerprint.embedding_settings(EmbeddingSettings(engine="int8"), known).engine == "int8"
    message = r"engine 'sentence-transformers', the settings give 'onnxruntime': set embedding.engine to .auto."
    with pytest.raises(FingerprintError, match=message):
        Archive.open(tmp_path / "old", settings=load_settings(arguments={"embedding.engine": "int8"}))
