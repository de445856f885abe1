"""What went wrong with a chat model, in the languages of the interface: a reader is told it beside the answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rag.deadline import DeadlineError
from rag.errors import ModelError

# Most of another program's words that are shown.
_MOST_SHOWN = 200
_SAYS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "model": "model {name}",
        "at": "model {name} at {place}",
        "slow": "{model} was still writing after {whole_s:g} s: raise answer.timeout_s, or take another",
        "key": "{model} refuses the key: set {variable} in the environment",
        "unknown": "{model} is not known there: correct answer.model or answer.base_url",
        "busy": "{model} accepts no more for now (too many requests, or no credit left): ask again later",
        "broken": "{model} failed (HTTP {status}): ask again, or look at its log",
        "silent": "{model} said nothing for {timeout_s:g} s: look at its log, or raise answer.timeout_s",
        "stopped": "{model} stopped in the middle of its reply: ask again, or look at its log",
        "unreachable": "{model} cannot be reached: start it, or correct answer.base_url",
        "empty": "{model} gave no reply: check that answer.base_url is that of a chat model's server",
        "other": "{model} failed ({what}): ask again, or choose another answer.model",
    },
    "es": {
        "model": "el modelo {name}",
        "at": "el modelo {name} en {place}",
        "slow": "{model} seguía escribiendo a los {whole_s:g} s: aumente answer.timeout_s o elija otro",
        "key": "{model} rechaza la clave: ponga {variable} en el entorno",
        "unknown": "{model} no se conoce allí: corrija answer.model o answer.base_url",
        "busy": "{model} no acepta más por ahora (demasiadas peticiones, o sin crédito): pregunte más tarde",
        "broken": "{model} ha fallado (HTTP {status}): pregunte de nuevo o mire su registro",
        "silent": "{model} no ha dicho nada en {timeout_s:g} s: mire su registro o aumente answer.timeout_s",
        "stopped": "{model} se ha parado en mitad de su respuesta: pregunte de nuevo o mire su registro",
        "unreachable": "{model} no responde en esa dirección: póngalo en marcha o corrija answer.base_url",
        "empty": "{model} no ha dado respuesta: compruebe que answer.base_url es la de un servidor de modelos de chat",
        "other": "{model} ha fallado ({what}): pregunte de nuevo o elija otro answer.model",
    },
}


def failure(exc: Exception, *, name: str, place: str, timeout_s: float, whole_s: float) -> ModelError:
    """Return what an exception of a model's client means to a person.

    Args:
        exc: What was raised.
        name: The model's, with its provider ("openai:gpt-4o-mini").
        place: The address of its server, "" for the provider's own.
        timeout_s: How long it may say nothing.
        whole_s: How long it may write.
    """
    status = getattr(exc, "status_code", None)
    values = {"timeout_s": timeout_s, "whole_s": whole_s, "status": status, "what": shortened(exc)}
    return _told(_kind(exc, status=status), name=name, place=place, **values)


def stopped(*, name: str, place: str) -> ModelError:
    """Return that a model's reply has no end."""
    return _told("stopped", name=name, place=place)


def shortened(exc: Exception) -> str:
    """Return the kind of an exception and the beginning of its words, on one line."""
    words = " ".join(str(exc).split())
    return f"{type(exc).__name__}: {words[:_MOST_SHOWN]}" if words else type(exc).__name__


def _told(kind: str, *, name: str, place: str, **values: object) -> ModelError:
    variable = f"{name.partition(':')[0].upper()}_API_KEY"
    sentences = {}
    for language, says in _SAYS.items():
        model = says["at" if place else "model"].format(name=name, place=place)
        sentences[language] = says[kind].format(model=model, variable=variable, **values)
    return ModelError(sentences["en"], in_languages=sentences)


def _kind(exc: Exception, *, status: object) -> str:
    """Return a key of `_SAYS`."""
    kinds = " ".join(type(cause).__name__ for cause in _causes(exc))
    if isinstance(exc, DeadlineError):
        return "slow"
    if isinstance(status, int) and status >= 500:
        return "broken"
    by_status = {401: "key", 403: "key", 404: "unknown", 429: "busy"}
    if isinstance(status, int) and status in by_status:
        return by_status[status]
    if "Timeout" in kinds:
        return "silent"
    if "ProtocolError" in kinds or "ReadError" in kinds:
        return "stopped"
    if "Connect" in kinds:
        return "unreachable"
    return "empty" if "No generation chunks" in str(exc) else "other"


def _causes(exc: BaseException | None) -> Iterator[BaseException]:
    while exc is not None:
        yield exc
        exc = exc.__cause__ or exc.__context__
