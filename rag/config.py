"""Settings: defaults < hemeroteca.toml < HEMEROTECA_* < arguments, read once at the edge, validated, frozen."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from rag.errors import ConfigError

READERS = ("auto", "trained", "sentences")
DEFAULT_FILE = "hemeroteca.toml"
PREFIX = "HEMEROTECA_"
# Environment variables of ours that are not settings.
RESERVED = frozenset({"HEMEROTECA_DATA", "HEMEROTECA_CACHE", "HEMEROTECA_SCREENSHOTS"})


@dataclass(frozen=True, slots=True)
class EmbeddingSettings:
    """What makes the vectors. `model` is "bundled", or a sentence-transformers name or folder.

    `engine` is of the bundled model: "int8" is fast, "torch" exact; "auto" is what made the archive's vectors, int8 in
    a new archive.
    """

    model: str = "bundled"
    engine: str = "auto"
    question_prefix: str = "query: "
    passage_prefix: str = "passage: "


@dataclass(frozen=True, slots=True)
class IngestSettings:
    """How articles come in. `passage_tokens` counts tokens of the embedder's own tokenizer."""

    passage_tokens: int = 160
    max_article_mb: float = 10.0


@dataclass(frozen=True, slots=True)
class RetrievalSettings:
    """How passages are found. `dense_weight`, 0 to 1: 1 leaves the words out, 0 all but the words.

    `per_article` is how many passages of one article, its copies included, stand in a result at most.
    """

    candidates: int = 50
    passages: int = 10
    dense_weight: float = 0.65
    per_article: int = 2


@dataclass(frozen=True, slots=True)
class ReadingSettings:
    """Who reads what was found. `reader` is "sentences", which was not trained, "trained", or "auto".

    "auto" is the trained one where its weights are there and the bundled model made the vectors: with another model it
    would have to be loaded beside that one, and has not been measured. Should the weights not be of use, "sentences"
    goes on for both.
    """

    reader: str = "auto"


@dataclass(frozen=True, slots=True)
class AnswerSettings:
    """How answers are made. `model` is "extractive", or "provider:name" as LangChain's `init_chat_model` takes it.

    `min_confidence` is the probability, 0 to 1, below which the archive says that it does not know; unset means the
    calibrated default. `context_tokens` is the budget for the passages that a chat model is shown.
    """

    model: str = "extractive"
    base_url: str = ""
    max_statements: int = 5
    min_confidence: float | None = None
    context_tokens: int = 3000
    timeout_s: float = 60.0


@dataclass(frozen=True, slots=True)
class WebSettings:
    """Where the chat listens and how it speaks. `language` is "es" or "en"."""

    host: str = "127.0.0.1"
    port: int = 7860
    language: str = "es"


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings; `origins` tells for each key ("answer.model") where its value came from."""

    embedding: EmbeddingSettings = EmbeddingSettings()
    ingest: IngestSettings = IngestSettings()
    retrieval: RetrievalSettings = RetrievalSettings()
    reading: ReadingSettings = ReadingSettings()
    answer: AnswerSettings = AnswerSettings()
    web: WebSettings = WebSettings()
    origins: Mapping[str, str] = field(default_factory=dict)

    def items(self) -> list[tuple[str, Any, str]]:
        """Return (key, value, origin) of every setting, in the order they are declared."""
        return [
            (key, getattr(getattr(self, key.split(".")[0]), key.split(".")[1]), self.origins.get(key, "default"))
            for key in KEYS
        ]


KEYS: dict[str, str] = {
    f"{section.name}.{setting.name}": str(setting.type)
    for section in fields(Settings)
    if is_dataclass(section.default)
    for setting in fields(section.default)
}
"""Every key with the name of its type."""


def load_settings(
    path: Path | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    arguments: Mapping[str, Any] | None = None,
) -> Settings:
    """Return the effective settings.

    Args:
        path: A TOML file that must exist; None reads `hemeroteca.toml` of the working directory if there is one.
        environ: Environment variables; those that begin with HEMEROTECA_ are read. None means none.
        arguments: Values by key ("answer.model") that win over everything; None values are passed over.

    Raises:
        ConfigError: A key is unknown, a value has another type or range than the setting, or the file is not TOML.
    """
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for origin, found in (
        *_from_file(path),
        *_from_environ(environ or {}),
        ("argument", {key: value for key, value in (arguments or {}).items() if value is not None}),
    ):
        for key, value in found.items():
            values[key] = _checked(key, value, origin)
            origins[key] = origin
    settings = Settings(origins=origins)
    for key, value in values.items():
        section, name = key.split(".")
        settings = replace(settings, **{section: replace(getattr(settings, section), **{name: value})})
    return settings


def _from_file(path: Path | None) -> list[tuple[str, dict[str, Any]]]:
    if path is None:
        path = Path(DEFAULT_FILE)
        if not path.is_file():
            return []
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise ConfigError(f"settings file {path} cannot be read ({exc.strerror}): check the path") from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise ConfigError(f"settings file {path} is not TOML ({exc}): correct it") from exc
    found: dict[str, Any] = {}
    for section, content in table.items():
        if isinstance(content, dict):
            found |= {f"{section}.{name}": value for name, value in content.items()}
        else:
            found[section] = content
    return [(f"file {path}", found)]


def _from_environ(environ: Mapping[str, str]) -> list[tuple[str, dict[str, Any]]]:
    found = []
    known = {PREFIX + key.replace(".", "_").upper(): key for key in KEYS}
    for variable in sorted(environ):
        if variable.startswith(PREFIX) and variable not in RESERVED:
            key = known.get(variable)
            if key is None:
                raise ConfigError(f"environment variable {variable} is no setting{_nearest(variable, known)}")
            found.append((f"environment {variable}", {key: environ[variable]}))
    return found


def _checked(key: str, value: Any, origin: str) -> Any:
    if key not in KEYS:
        raise ConfigError(f"{key} in {origin} is no setting{_nearest(key, KEYS)}")
    wanted = KEYS[key]
    try:
        converted = _converted(value, wanted)
    except ValueError as exc:
        raise ConfigError(f"{key} = {value!r} in {origin} is not {_TYPES[wanted]}: correct it") from exc
    allowed = _ALLOWED.get(key)
    if allowed and not allowed[0](converted):
        raise ConfigError(f"{key} = {value!r} in {origin} is out of range: it must be {allowed[1]}")
    return converted


def _converted(value: Any, wanted: str) -> Any:
    if isinstance(value, bool):
        raise ValueError(value)
    if wanted == "str":
        if not isinstance(value, str):
            raise ValueError(value)
        return value
    if wanted == "int":
        if isinstance(value, float):
            raise ValueError(value)
        return int(value)
    if wanted == "float | None" and value in ("", "default"):
        return None
    return float(value)


def _nearest(key: str, known: Mapping[str, str]) -> str:
    near = difflib.get_close_matches(key, list(known), n=1, cutoff=0.0)
    return f": did you mean {near[0]}?" if near else ""


_TYPES = {"str": "a text", "int": "a whole number", "float": "a number", "float | None": 'a number or "default"'}
_ALLOWED: dict[str, tuple[Any, str]] = {
    "answer.model": (lambda value: bool(value.strip()), '"extractive" or "provider:name"'),
    "embedding.engine": (lambda value: value in ("auto", "int8", "torch"), '"auto", "int8" or "torch"'),
    "ingest.passage_tokens": (lambda value: 32 <= value <= 8192, "32 to 8192 tokens"),
    "ingest.max_article_mb": (lambda value: value > 0, "more than 0"),
    "retrieval.candidates": (lambda value: 1 <= value <= 1000, "1 to 1000"),
    "retrieval.passages": (lambda value: 1 <= value <= 100, "1 to 100"),
    "retrieval.per_article": (lambda value: 1 <= value <= 1000, "1 to 1000"),
    "retrieval.dense_weight": (lambda value: 0 <= value <= 1, "0 to 1"),
    "reading.reader": (lambda value: value in READERS, '"auto", "trained" or "sentences"'),
    "answer.max_statements": (lambda value: 1 <= value <= 20, "1 to 20"),
    "answer.min_confidence": (lambda value: value is None or 0 <= value <= 1, "0 to 1"),
    "answer.context_tokens": (lambda value: value >= 200, "200 or more"),
    "answer.timeout_s": (lambda value: value > 0, "more than 0"),
    "web.port": (lambda value: 1 <= value <= 65535, "1 to 65535"),
    "web.language": (lambda value: value in ("es", "en"), '"es" or "en"'),
}
