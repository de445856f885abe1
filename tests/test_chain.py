from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.runnables import Runnable, RunnableLambda

from rag.chain import as_embeddings, as_retriever, compose
from rag.interfaces import PassageVectors, Vector, Vectors
from rag.question import to_ask
from rag.schema import Answer, Article, Ask, Consultation, Hit, Passage, Turn

TEXT = "El tratado se firmó en Tirana. Sustituye al de 1961."
ARTICLE = Article(
    id="a1",
    text=TEXT,
    title="Tratado",
    outlet="El Diario",
    published=date(2024, 6, 19),
    language="es",
    url="https://example.org/a1",
)
PASSAGE = Passage(
    id="a1-0",
    article_id="a1",
    ordinal=0,
    start=0,
    end=len(TEXT),
    text=TEXT,
    language="es",
    embedded_text="Tratado. " + TEXT,
)
HIT = Hit(passage=PASSAGE, article=ARTICLE, score=0.9, cosine=0.88)


def retrieve(ask: Ask) -> Consultation:
    return Consultation(ask=ask, question=ask.question, language="es", hits=(HIT,))


def read(consultation: Consultation) -> Consultation:
    return replace(consultation, probability=0.5)


def respond(consultation: Consultation) -> Iterator[Answer]:
    partial = Answer(question=consultation.question, text="", status="partial", hits=consultation.hits)
    yield partial
    yield replace(partial, text="El")
    yield replace(partial, text="El tratado.", status="answered", confidence=consultation.probability)


@pytest.fixture
def chain() -> Runnable[Any, Answer]:
    return compose(consult=[("retrieve", retrieve), ("read", read)], respond=respond)


class Follower(BaseCallbackHandler):
    """Writes down which named step started and ended with what."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.ended: list[tuple[str, Any]] = []
        self._names: dict[UUID, str] = {}

    def on_chain_start(self, serialized: Any, inputs: Any, *, run_id: UUID, **kwargs: Any) -> None:
        self._names[run_id] = kwargs["name"]
        self.started.append(kwargs["name"])

    def on_chain_end(self, outputs: Any, *, run_id: UUID, **kwargs: Any) -> None:
        self.ended.append((self._names[run_id], outputs))


ORDER = ["ask", "retrieve", "read", "answer", "hemeroteca"]


def test_invoke_gives_the_last_answer_and_shows_every_step(chain: Runnable[Any, Answer]) -> None:
    follower = Follower()
    answer = chain.invoke("¿Qué sustituye?", {"callbacks": [follower]})
    assert (answer.text, answer.status, answer.confidence) == ("El tratado.", "answered", 0.5)
    assert follower.started == ["hemeroteca", "ask", "retrieve", "read", "answer"]
    outputs = dict(follower.ended)
    assert [name for name, _ in follower.ended] == ORDER
    assert outputs["ask"] == Ask("¿Qué sustituye?")
    assert outputs["retrieve"].hits == (HIT,)
    assert outputs["read"].probability == 0.5
    assert outputs["answer"] == outputs["hemeroteca"] == answer


def test_stream_gives_every_snapshot_and_folds_them_into_the_last(chain: Runnable[Any, Answer]) -> None:
    follower = Follower()
    snapshots = list(chain.stream({"question": "¿Qué?"}, {"callbacks": [follower]}))
    assert [(snapshot.text, snapshot.status) for snapshot in snapshots] == [
        ("", "partial"),
        ("El", "partial"),
        ("El tratado.", "answered"),
    ]
    assert snapshots[0].hits == (HIT,)
    assert [name for name, _ in follower.ended] == ORDER
    assert dict(follower.ended)["hemeroteca"] == snapshots[-1]


def test_first_snapshot_comes_before_the_answer_is_finished() -> None:
    released = threading.Event()

    def waiting(consultation: Consultation) -> Iterator[Answer]:
        yield Answer(question=consultation.question, text="", status="partial")
        assert released.wait(5)
        yield Answer(question=consultation.question, text="Fin.", status="answered")

    stream = compose(consult=[("retrieve", retrieve)], respond=waiting).stream("¿Qué?")
    assert next(stream).status == "partial"
    released.set()
    assert next(stream).text == "Fin."


def test_batch_answers_in_the_order_of_the_questions(chain: Runnable[Any, Answer]) -> None:
    answers = chain.batch(["uno", {"question": "dos"}, Ask("tres")])
    assert [answer.question for answer in answers] == ["uno", "dos", "tres"]
    assert {answer.status for answer in answers} == {"answered"}


def test_ainvoke_and_astream_give_what_invoke_and_stream_give(chain: Runnable[Any, Answer]) -> None:
    async def ask() -> tuple[Answer, list[Answer], list[str]]:
        follower = Follower()
        answer = await chain.ainvoke("¿Qué?", {"callbacks": [follower]})
        snapshots = [snapshot async for snapshot in chain.astream("¿Qué?")]
        return answer, snapshots, [name for name, _ in follower.ended]

    answer, snapshots, ended = asyncio.run(ask())
    assert answer == chain.invoke("¿Qué?")
    assert snapshots == list(chain.stream("¿Qué?"))
    assert ended == ORDER


def test_async_answer_leaves_the_event_loop_free() -> None:
    def slow(consultation: Consultation) -> Iterator[Answer]:
        time.sleep(0.2)
        yield Answer(question=consultation.question, text="Fin.", status="answered")

    async def ask() -> int:
        question = asyncio.create_task(compose(consult=[("retrieve", retrieve)], respond=slow).ainvoke("¿Qué?"))
        ticks = 0
        while not question.done():
            await asyncio.sleep(0.01)
            ticks += 1
        return ticks

    assert asyncio.run(ask()) > 5


def test_chain_composes_with_users_own_steps(chain: Runnable[Any, Answer]) -> None:
    assert (chain | RunnableLambda(lambda answer: answer.text.upper())).invoke("¿Qué?") == "EL TRATADO."


def test_chain_shows_its_graph_and_schema(chain: Runnable[Any, Answer]) -> None:
    names = [node.name for node in chain.get_graph().nodes.values()]
    assert [name for name in names if name in ORDER] == ["ask", "retrieve", "read", "answer"]


def test_failure_in_a_step_reaches_the_caller_and_the_handler() -> None:
    class Mourner(BaseCallbackHandler):
        failed: str = ""

        def on_chain_error(self, error: BaseException, **kwargs: Any) -> None:
            self.failed = self.failed or str(error)

    def broken(ask: Ask) -> Consultation:
        raise LookupError(ask.question)

    mourner = Mourner()
    with pytest.raises(LookupError, match="roto"):
        compose(consult=[("retrieve", broken)], respond=respond).invoke("roto", {"callbacks": [mourner]})
    assert mourner.failed == "roto"


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("¿Qué?", Ask("¿Qué?")),
        (Ask("¿Qué?", outlets=("A",)), Ask("¿Qué?", outlets=("A",))),
        ({"question": "¿Qué?"}, Ask("¿Qué?")),
        (
            {"question": "¿Y?", "history": [("¿Qué?", "Eso.")], "since": "2024-06-01", "until": None},
            Ask("¿Y?", history=(Turn("¿Qué?", "Eso."),), since=date(2024, 6, 1)),
        ),
        (
            {"question": "¿Y?", "history": [Turn("a", "b")], "until": date(2024, 6, 2), "outlets": ["A", "B"]},
            Ask("¿Y?", history=(Turn("a", "b"),), until=date(2024, 6, 2), outlets=("A", "B")),
        ),
    ],
    ids=["text", "ask", "mapping", "pairs and ISO dates", "turns and dates"],
)
def test_question_becomes_an_ask(question: Any, expected: Ask) -> None:
    assert to_ask(question) == expected


@pytest.mark.parametrize("question", [{}, {"question": 3}, {"question": "¿Qué?", "outlet": "A"}], ids=str)
def test_question_of_another_shape_is_refused(question: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="it needs 'question'"):
        to_ask(question)


def search(question: str, *, k: int = 10, outlets: tuple[str, ...] = ()) -> list[Hit]:
    return [] if outlets and "El Diario" not in outlets else [HIT] * min(k, 3)


def test_retriever_gives_documents_with_their_source() -> None:
    documents = as_retriever(search, k=1).invoke("tratado")
    assert len(documents) == 1
    assert documents[0].id == "a1-0"
    assert documents[0].page_content == TEXT
    assert documents[0].metadata == {
        "article_id": "a1",
        "title": "Tratado",
        "outlet": "El Diario",
        "published": "2024-06-19",
        "language": "es",
        "url": "https://example.org/a1",
        "start": 0,
        "end": len(TEXT),
        "score": 0.9,
    }


def test_retriever_takes_limits_at_the_call_sync_and_async() -> None:
    retriever = as_retriever(search, k=1)
    assert len(retriever.invoke("tratado", k=2)) == 2
    assert retriever.invoke("tratado", outlets=("Otro",)) == []
    assert len(asyncio.run(retriever.ainvoke("tratado", k=2))) == 2


class LengthEmbedder:
    """Vectors that tell the kind and length of what was embedded: [1, length] questions, [2, length] passages."""

    dim = 2
    max_tokens = 512

    @property
    def fingerprint(self) -> dict[str, str]:
        return {"model": "length"}

    def count(self, texts: Any) -> list[int]:
        return [len(text.split()) for text in texts]

    def embed_question(self, text: str) -> Vector:
        return np.array([1, len(text)], dtype=np.float32)

    def embed_questions(self, texts: Any) -> Vectors:
        return np.stack([self.embed_question(text) for text in texts])

    def embed_passages(self, passages: Any) -> list[PassageVectors]:
        return [
            PassageVectors(
                np.array([2, len(passage.embedded_text)], dtype=np.float32), np.zeros((0, 2), dtype=np.float32)
            )
            for passage in passages
        ]


def test_embeddings_keep_questions_and_passages_apart() -> None:
    embeddings = as_embeddings(LengthEmbedder())
    assert embeddings.embed_query("abc") == [1.0, 3.0]
    assert embeddings.embed_documents(["a", "abcd"]) == [[2.0, 1.0], [2.0, 4.0]]
    assert embeddings.embed_documents([]) == []
    assert asyncio.run(embeddings.aembed_query("abc")) == [1.0, 3.0]


def test_nothing_is_traced_unless_the_user_asks_for_it() -> None:
    script = (
        "from langchain_core.callbacks import CallbackManager\n"
        "from langchain_core.tracers import LangChainTracer\n"
        "import rag.chain\n"
        "print(any(isinstance(h, LangChainTracer) for h in CallbackManager.configure().handlers))"
    )
    environ = {key: value for key, value in os.environ.items() if not key.startswith(("LANGSMITH_", "LANGCHAIN_"))}
    done = subprocess.run([sys.executable, "-c", script], env=environ, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
