"""The retrieval chain, the LangChain faces of an archive, and chat models: the only home of LangChain.

LangChain traces to LangSmith only when the user asks for it (LANGSMITH_TRACING=true); nothing here turns it on.
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
import re
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Sequence
from contextlib import closing
from typing import Any, cast
from urllib.parse import urlsplit

from langchain_core.callbacks import AsyncCallbackManagerForRetrieverRun, CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import Runnable, RunnableGenerator, RunnableLambda, RunnableSequence

from rag.config import AnswerSettings
from rag.deadline import within
from rag.errors import ModelError
from rag.failures import failure, shortened, stopped
from rag.interfaces import ChatModel, Embedder, Message
from rag.question import Question, to_ask
from rag.schema import Answer, Consultation, Hit, Passage


def compose(
    *,
    consult: Sequence[tuple[str, Callable[[Any], Any]]],
    respond: Callable[[Consultation], Iterator[Answer]],
) -> Runnable[Question, Answer]:
    """Return the retrieval chain: a question, then the named steps of `consult` in turn, then the streaming answer.

    `invoke`, `batch` and `ainvoke` give the last answer, `stream` and `astream` every snapshot. A callback handler sees
    the steps by name: "ask", the names of `consult`, "answer", inside a run named "hemeroteca". When the chain
    streams, LangChain reports the start of a step when the one after it asks for input, so the starts come in reverse;
    the ends are in order.

    Args:
        consult: The first takes an `Ask`, the last gives a `Consultation`.
        respond: Yields snapshots, the final answer last.
    """
    steps: list[Runnable[Any, Any]] = [RunnableLambda(to_ask, name="ask")]
    steps += [RunnableLambda(step, name=name) for name, step in consult]
    return RunnableSequence(*steps, _answer_step(respond), name="hemeroteca")


def _answer_step(respond: Callable[[Consultation], Iterator[Answer]]) -> Runnable[Consultation, Answer]:
    def answer(consultations: Iterator[Consultation]) -> Iterator[Answer]:
        for consultation in consultations:
            yield from respond(consultation)

    async def answer_async(consultations: AsyncIterator[Consultation]) -> AsyncIterator[Answer]:
        async for consultation in consultations:
            snapshots = respond(consultation)
            # Each snapshot is made in a thread: a model that thinks does not stop the caller's event loop.
            while (snapshot := await asyncio.to_thread(next, snapshots, None)) is not None:
                yield snapshot

    return RunnableGenerator(answer, answer_async, name="answer")


class ArchiveRetriever(BaseRetriever):
    """An archive's search as a LangChain retriever; `invoke` also takes `k`, `since`, `until` and `outlets`."""

    search: Callable[..., list[Hit]]
    k: int = 10

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun, **limits: Any
    ) -> list[Document]:
        return [_to_document(hit) for hit in self.search(query, **{"k": self.k, **limits})]

    async def _aget_relevant_documents(
        self, query: str, *, run_manager: AsyncCallbackManagerForRetrieverRun, **limits: Any
    ) -> list[Document]:
        return await asyncio.to_thread(
            self._get_relevant_documents, query, run_manager=run_manager.get_sync(), **limits
        )


def as_retriever(search: Callable[..., list[Hit]], *, k: int) -> ArchiveRetriever:
    """Return a retriever of the `k` best passages as documents.

    A document's `page_content` is the passage, its `id` the passage's; `metadata` has article_id, title, outlet,
    published (ISO 8601 or None), language, url, start, end (code points of the article) and score.

    Args:
        search: Takes a question and `k=`, and gives hits, best first: `Archive.search`.
        k: Most documents a question gives.
    """
    return ArchiveRetriever(search=search, k=k)


def _to_document(hit: Hit) -> Document:
    article, passage = hit.article, hit.passage
    return Document(
        id=passage.id,
        page_content=passage.text,
        metadata={
            "article_id": article.id,
            "title": article.title,
            "outlet": article.outlet,
            "published": article.published.isoformat() if article.published else None,
            "language": article.language,
            "url": article.url,
            "start": passage.start,
            "end": passage.end,
            "score": hit.score,
        },
    )


class ArchiveEmbeddings(Embeddings):
    """An embedder of ours as LangChain embeddings."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Return the vectors of texts as passages, in order."""
        bare = [
            Passage(
                id="", article_id="", ordinal=0, start=0, end=len(text), text=text, language="und", embedded_text=text
            )
            for text in texts
        ]
        return [vectors.passage.tolist() for vectors in self._embedder.embed_passages(bare)]

    def embed_query(self, text: str) -> list[float]:
        """Return the vector of a question."""
        return cast("list[float]", self._embedder.embed_question(text).tolist())


def as_embeddings(embedder: Embedder) -> Embeddings:
    """Return the embedder as LangChain `Embeddings`; documents and questions get their own prefixes."""
    return ArchiveEmbeddings(embedder)


# A whole reply may take so many times as long as one silence: a server that drips words must end as well.
_WHOLE_REPLY = 3


class LangChainChatModel:
    """A LangChain chat model as our `ChatModel`: text comes out, and every failure is a `ModelError`."""

    def __init__(self, model: BaseChatModel, *, name: str, place: str = "", timeout_s: float = 60.0) -> None:
        self._model = model
        self._name = name
        self._place = place
        self._timeout_s = timeout_s

    @property
    def name(self) -> str:
        """The model as the settings name it."""
        return self._name

    def stream(self, messages: Sequence[Message]) -> Iterator[str]:
        """Yield the reply as it is written.

        Raises:
            ModelError: The model cannot be reached, refuses, is silent or writes for too long, or stops in the middle.
        """
        ended, whole_s = False, _WHOLE_REPLY * self._timeout_s
        try:
            chunks = self._model.stream([{"role": message.role, "content": message.content} for message in messages])
            with closing(within(cast("Generator[AIMessageChunk, None, None]", chunks), seconds=whole_s)) as drawn:
                for chunk in drawn:
                    ended = ended or _says_end(chunk)
                    if text := str(chunk.text):
                        yield text
        except Exception as exc:
            raise failure(exc, name=self._name, place=self._place, timeout_s=self._timeout_s, whole_s=whole_s) from exc
        if not ended and self._name.startswith(("openai:", "ollama:")):
            raise stopped(name=self._name, place=self._place)


def load_chat_model(settings: AnswerSettings) -> ChatModel:
    """Return the chat model that `answer.model` names, as `init_chat_model` takes it ("openai:gpt-4o-mini").

    Nothing is sent yet. Keys come from the environment only (OPENAI_API_KEY and so on); a server on this machine
    needs none. `answer.timeout_s` bounds each silence; a whole reply may take three times as long.

    Raises:
        ModelError: The model's package is not installed, its provider is unknown, or a key is missing.
    """
    name = settings.model
    provider, _, bare = name.partition(":")
    try:
        from langchain.chat_models import init_chat_model

        model = init_chat_model(name, **_model_options(provider, bare, settings))
    except ImportError as exc:
        package = f"langchain-{provider.replace('_', '-')}"
        install = f"'hemeroteca[{provider}]'" if provider in ("openai", "ollama") else package
        raise ModelError(f"model {name} needs {package}: pip install {install}") from exc
    except Exception as exc:
        raise ModelError(_refusal(exc, name=name, provider=provider)) from exc
    return LangChainChatModel(model, name=name, place=settings.base_url or "", timeout_s=settings.timeout_s)


def _model_options(provider: str, bare: str, settings: AnswerSettings) -> dict[str, Any]:
    options: dict[str, Any] = {}
    # Reasoning models refuse any temperature but their own.
    if not re.match(r"o\d|gpt-5", bare):
        options["temperature"] = 0
    if settings.base_url:
        options["base_url"] = settings.base_url
    here = _is_loopback(settings.base_url)
    if provider == "ollama":
        options["client_kwargs"] = {"timeout": settings.timeout_s, "trust_env": not here}
        return options
    options |= {"timeout": settings.timeout_s, "max_retries": 1}
    if provider == "openai" and here:
        import httpx

        # What is asked of this machine must not leave it through a proxy that the environment names.
        options["http_client"] = httpx.Client(trust_env=False)
        if not os.environ.get("OPENAI_API_KEY"):
            options["api_key"] = "no key"
    return options


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _refusal(exc: Exception, *, name: str, provider: str) -> str:
    if "provider" in str(exc).lower():
        return (
            f"answer.model {name!r} names no provider that LangChain knows: "
            'write provider:name, for example "openai:gpt-4o-mini" or "ollama:llama3.2"'
        )
    if "api_key" in str(exc).lower():
        return (
            f"model {name} needs a key: set {provider.upper()}_API_KEY in the environment "
            "(to any text if the server asks for none)"
        )
    return f"model {name} cannot be loaded ({shortened(exc)}): correct answer.model"


def _says_end(chunk: AIMessageChunk) -> bool:
    # OpenAI says "finish_reason" (its Responses API "status"), Ollama "done_reason".
    return any(chunk.response_metadata.get(key) for key in ("finish_reason", "done_reason", "status"))
