from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from rag.chain import load_chat_model
from rag.config import AnswerSettings
from rag.errors import ModelError
from rag.generation import generate
from rag.interfaces import Message
from rag.prompts import UNKNOWN_MARK
from rag.schema import Answer, Article, Ask, Consultation, Evidence, Hit, Passage, Sentence
from rag.sentences import split_sentences
from tests.chat_contract import assert_grows, assert_sound
from tests.chat_server import ChatServer, Script


class WordCounter:
    """A token is a word between blanks."""

    def count(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]


class ScriptedModel:
    """Writes the pieces it was given, then fails if told to."""

    name = "scripted"

    def __init__(self, *pieces: str, failure: str = "") -> None:
        self.pieces = pieces
        self.failure = failure
        self.given = 0
        self.messages: Sequence[Message] = ()

    def stream(self, messages: Sequence[Message]) -> Iterator[str]:
        self.messages = messages
        for piece in self.pieces:
            self.given += 1
            yield piece
        if self.failure:
            raise ModelError(self.failure)


def make_hit(*sentences: str, outlet: str = "Eco", language: str = "es", published: date | None = None) -> Hit:
    lead = "Cabecera.\n"
    text = lead + " ".join(sentences)
    spans, at = [], len(lead)
    for sentence in sentences:
        spans.append(Sentence(at, at + len(sentence), sentence))
        at += len(sentence) + 1
    article = Article(id=outlet, text=text, outlet=outlet, published=published, language=language)
    passage = Passage(
        id=f"{outlet}-0",
        article_id=outlet,
        ordinal=0,
        start=len(lead),
        end=len(text),
        text=text[len(lead) :],
        language=language,
        embedded_text=text,
        sentences=tuple(spans),
    )
    return Hit(passage=passage, article=article, score=1.0, cosine=0.9)


SIGNED = "Los ministros firmaron el acuerdo en Tirana el 19 de junio."
REPLACES = "El acuerdo reemplaza el tratado de 1961."
COST = "El traslado costó 11.000 euros."
OPPOSED = "La oposición votó en contra. [1] dice la nota."
ENGLISH = "The agreement replaces the treaties of 1961 and 2000."
HITS = (
    make_hit(SIGNED, REPLACES, outlet="Eco"),
    make_hit(COST, outlet="Faro"),
    make_hit(OPPOSED, outlet="Norte"),
    make_hit(ENGLISH, outlet="Herald", language="en"),
)


def consultation(*hits: Hit, language: str = "es", question: str = "¿Qué reemplaza?") -> Consultation:
    evidence = tuple(Evidence(hit, hit.passage.sentences[-1], 0.8) for hit in hits)
    return Consultation(
        ask=Ask(question),
        question=question,
        language=language,
        hits=hits,
        evidence=evidence,
        probability=0.7,
        notices=("Antes.",),
    )


SETTINGS = AnswerSettings()


def snapshots_of(model: Any, given: Consultation | None = None, settings: AnswerSettings = SETTINGS) -> list[Answer]:
    given = consultation(*HITS) if given is None else given
    return list(generate(given, model=model, counter=WordCounter(), settings=settings))


def answer_of(*pieces: str, given: Consultation | None = None, settings: AnswerSettings = SETTINGS) -> Answer:
    return snapshots_of(ScriptedModel(*pieces), given, settings)[-1]


# ---- sentences, citations, support


def test_each_sentence_is_tied_to_the_words_it_rests_on() -> None:
    answer = answer_of("El traslado costó 11.000 euros [2]. El acuerdo reemplaza el tratado de 1961 [1].")
    assert_sound(answer)
    assert (answer.status, answer.model, answer.language) == ("answered", "scripted", "es")
    assert [(statement.text, statement.support) for statement in answer.statements] == [
        ("El traslado costó 11.000 euros.", "supported"),
        ("El acuerdo reemplaza el tratado de 1961.", "supported"),
    ]
    assert [statement.citations[0].quote for statement in answer.statements] == [COST, REPLACES]


def test_citations_are_renumbered_in_order_of_appearance() -> None:
    answer = answer_of("El traslado costó 11.000 euros [2]. El acuerdo reemplaza el tratado de 1961. [1]")
    assert answer.text == "El traslado costó 11.000 euros. [1] El acuerdo reemplaza el tratado de 1961. [2]"
    assert [citation.article.outlet for citation in answer.citations] == ["Faro", "Eco"]


def test_same_words_cited_twice_keep_one_number() -> None:
    answer = answer_of("El acuerdo reemplaza el tratado de 1961 [1]. Reemplaza el tratado de 1961 el acuerdo [1].")
    assert len(answer.citations) == 1
    assert answer.text.count("[1]") == 2


def test_statement_over_two_sentences_cites_both() -> None:
    answer = answer_of("Los ministros firmaron en Tirana el acuerdo que reemplaza el tratado de 1961 [1].")
    assert [citation.quote for citation in answer.citations] == [SIGNED, REPLACES]
    assert answer.statements[0].support == "supported"


@pytest.mark.parametrize(
    ("reply", "outlets"),
    [
        ("El traslado costó 11.000 euros [2][1].", {"Faro", "Eco"}),
        ("El traslado costó 11.000 euros [1, 2].", {"Faro", "Eco"}),
        ("El traslado costó 11.000 euros [1-2].", {"Faro", "Eco"}),
        ("El traslado costó 11.000 euros 【2】.", {"Faro"}),
        ("[2] El traslado costó 11.000 euros.", {"Faro"}),
        ("- **El traslado** costó 11.000 euros [2].", {"Faro"}),
        ("1. El traslado costó 11.000 euros [2].", {"Faro"}),
        ("<think>¿Será [1]? No.</think>El traslado costó 11.000 euros [2].", {"Faro"}),
    ],
    ids=str,
)
def test_markers_are_understood_however_written(reply: str, outlets: set[str]) -> None:
    answer = answer_of(reply)
    assert_sound(answer)
    assert answer.statements[0].text == "El traslado costó 11.000 euros."
    assert {citation.article.outlet for citation in answer.citations} == outlets


def test_sentence_without_a_marker_is_kept_and_marked_unsupported() -> None:
    answer = answer_of("El traslado costó 11.000 euros [2]. Todos quedaron contentos.")
    assert_sound(answer)
    assert [statement.support for statement in answer.statements] == ["supported", "unsupported"]
    assert answer.text.endswith("Todos quedaron contentos.")
    assert answer.status == "answered"


def test_invented_number_is_marked_unsupported_with_its_citation_to_look_at() -> None:
    answer = answer_of("El acuerdo reemplaza el tratado de 1961 [1]. El traslado costó 99.000 euros [2].")
    assert [statement.support for statement in answer.statements] == ["supported", "unsupported"]
    assert answer.statements[1].citations[0].quote == COST


def test_dangling_number_is_taken_out_and_reported() -> None:
    answer = answer_of("El traslado costó 11.000 euros [2][9]. Llovió [12].")
    assert_sound(answer)
    assert [len(statement.citations) for statement in answer.statements] == [1, 0]
    assert answer.notices == (
        "Antes.",
        "El modelo citó pasajes que no existen ([9], [12]); esas marcas se han quitado.",
    )


def test_marker_inside_an_article_is_no_citation() -> None:
    answer = answer_of("La oposición votó en contra [3].")
    assert_sound(answer)
    assert [citation.article.outlet for citation in answer.citations] == ["Norte"]
    assert answer.citations[0].quote == OPPOSED


def test_answer_in_another_language_than_the_source_is_held_to_numbers_and_names() -> None:
    given = consultation(*HITS, language="es")
    answer = answer_of("El acuerdo reemplaza los tratados de 1961 y 2000 [4]. Son los de 1961 y 2001 [4].", given=given)
    assert [statement.support for statement in answer.statements] == ["supported", "unsupported"]
    assert answer.citations[0].quote == ENGLISH


@pytest.mark.parametrize(
    ("statement", "support"),
    [
        ("El acuerdo se firmó el 15 de mayo de 2024 [1].", "partly"),
        ("El acuerdo se firmó el 14 de mayo de 2024 [1].", "unsupported"),
    ],
    ids=["yesterday", "another day"],
)
def test_date_worked_out_from_the_articles_own_is_partly_supported(statement: str, support: str) -> None:
    given = consultation(
        make_hit("El acuerdo se firmó ayer.", published=date(2024, 5, 16)), make_hit(COST, outlet="Faro")
    )
    answer = answer_of("El traslado costó 11.000 euros [2]. " + statement, given=given)
    assert answer.statements[1].support == support


@pytest.mark.parametrize(
    "reply",
    [
        "El traslado costó 11.000 euros en contra [2]. Los ministros firmaron el acuerdo [1].",
        "El traslado costó 11.000 euros en contra. [2] Los ministros firmaron el acuerdo. [1]",
        "El traslado recorrió 312 km [2]. Los ministros firmaron el acuerdo [1].",
    ],
    ids=["before the stop", "after the stop", "abbreviation"],
)
def test_marker_ends_its_sentence_where_the_splitter_sees_no_end(reply: str) -> None:
    assert [len(statement.citations) for statement in answer_of(reply).statements] == [1, 1]


def test_marker_after_an_abbreviation_in_a_sentence_ends_nothing() -> None:
    answer = answer_of("El traslado costó 11.000 euros [2]. La sede en EE. UU. [2] costó lo mismo [2].")
    assert answer.statements[1].text == "La sede en EE. UU. costó lo mismo."


def test_repeated_sentence_is_said_once() -> None:
    answer = answer_of("El traslado costó 11.000 euros [2]. " * 5)
    assert len(answer.statements) == 1


def test_lines_stay_lines() -> None:
    answer = answer_of("El traslado costó 11.000 euros [2].\nEl acuerdo reemplaza el tratado de 1961 [1].")
    assert answer.text == "El traslado costó 11.000 euros. [1]\nEl acuerdo reemplaza el tratado de 1961. [2]"


TRUE = """El acuerdo reemplaza el Tratado de Amistad y Socorro de 1961 [1]. Según La Gaceta de Almoral, deja sin efecto
los acuerdos de 1961 y 2000 [2]. Lo firmaron Marek Olászy y Danilo Kéfer el 15 de mayo de 2024 en Kelmar [1]. El
Parlamento de Carmania lo ratificó por unanimidad el 7 de noviembre [3]. El Senado de Valdoria votó a favor con 91 votos
y 14 en contra [3]. Lusterra protestó y llamó a consultas al embajador Tibor Hánsel [4]. Enviará 1200 agentes a la
frontera de 312 km [4]. Estados Unidos mostró preocupación pero no tomó medidas [4]. La ministra Katja Rőnn viajó a
Carmania durante dos días [2]."""
FALSE = """El acuerdo reemplaza el Tratado de Amistad de 1971 [1]. Lo firmó Danilo Kéfer en Orsava el 15 de mayo [1]. El
Senado votó con 14 votos a favor y 95 en contra [3]. Estados Unidos tomó medidas contra Valdoria [4]. La ONU condenó el
pacto [4]. La ministra viajó a Rusia [2]. El Gobierno subió el precio del pan [1]."""


@pytest.fixture(scope="module")
def treaty() -> Consultation:
    """The first four articles of the sample, on one treaty, each as one passage."""
    sample = Path(__file__).parent.parent / "eval" / "data" / "sample.jsonl"
    hits = []
    for line in sample.read_text(encoding="utf-8").splitlines()[:4]:
        row = json.loads(line)
        sentences = [sentence.text for sentence in split_sentences(row["text"], language="es")]
        hits.append(make_hit(*sentences, outlet=row["outlet"], published=date.fromisoformat(row["published"])))
    return consultation(*hits)


@pytest.mark.parametrize(
    ("reply", "count", "never"),
    [(TRUE, 9, "unsupported"), (FALSE, 7, "supported")],
    ids=["true", "false"],
)
def test_free_wording_is_told_from_invention(treaty: Consultation, reply: str, count: int, never: str) -> None:
    answer = answer_of(reply.replace("\n", " "), given=treaty, settings=AnswerSettings(context_tokens=9000))
    assert len(answer.statements) == count
    assert [statement.text for statement in answer.statements if statement.support == never] == []


# ---- declining


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (UNKNOWN_MARK, "no encontró la respuesta"),
        (f"{UNKNOWN_MARK}.", "no encontró la respuesta"),
        ("Los pasajes no mencionan el precio.", "no encontró la respuesta"),
        ("No hay información sobre eso [1].", "no encontró la respuesta"),
        ("No lo sé.", "no encontró la respuesta"),
        ("The passages do not say who signed the agreement [1].", "no encontró la respuesta"),
        ("El volcán entró en erupción [2].", "no lo sostienen los pasajes"),
        ("El traslado costó 99.000 euros [2].", "no lo sostienen los pasajes"),
        ("Todo fue bien.", "no lo sostienen los pasajes"),
        ("", "no escribió nada"),
    ],
    ids=str,
)
def test_reply_that_nothing_supports_is_unknown_with_its_reason(reply: str, reason: str) -> None:
    answer = answer_of(*([reply] if reply else []))
    assert_sound(answer)
    assert (answer.status, answer.text) == ("unknown", "")
    assert reason in answer.reason
    assert answer.hits == HITS


def test_article_that_says_that_something_is_not_said_is_an_answer() -> None:
    given = consultation(make_hit("El texto no menciona las armas nucleares."))
    assert answer_of("El texto no menciona las armas nucleares [1].", given=given).status == "answered"


def test_reason_speaks_the_language_of_the_answer() -> None:
    given = consultation(*HITS, language="en")
    assert answer_of(UNKNOWN_MARK, given=given).reason.startswith("The model did not find")
    assert answer_of(UNKNOWN_MARK, given=consultation(*HITS, language="pt")).reason.startswith("The model did not")


def test_unknown_mark_beside_a_supported_sentence_is_left_out() -> None:
    answer = answer_of(f"El traslado costó 11.000 euros [2]. {UNKNOWN_MARK}.")
    assert answer.status == "answered"
    assert answer.text == "El traslado costó 11.000 euros. [1]"


def test_without_passages_the_model_is_not_asked() -> None:
    model = ScriptedModel("Algo [1].")
    answers = snapshots_of(model, consultation())
    assert [answer.status for answer in answers] == ["unknown"]
    assert model.given == 0


# ---- the stream


def test_snapshots_grow_and_never_show_half_a_marker() -> None:
    reply = "El traslado costó 11.000 euros [2]. El acuerdo reemplaza el tratado de 1961 【1】."
    answers = snapshots_of(ScriptedModel(*reply))
    assert_grows(answers)
    assert answers[0].text == ""
    assert answers[0].hits == HITS
    for answer in answers[:-1]:
        unmarked = answer.text.replace("[1]", "")
        assert "[" not in unmarked
        assert "【" not in unmarked
    lengths = [len(answer.text) for answer in answers]
    assert all(later >= earlier - 1 for earlier, later in pairwise(lengths))
    assert answers[-1].text == "El traslado costó 11.000 euros. [1] El acuerdo reemplaza el tratado de 1961. [2]"


def test_finished_sentences_are_judged_while_the_next_is_written() -> None:
    answers = snapshots_of(ScriptedModel("El traslado costó 11.000 euros [2]. ", "El acu", "erdo"))
    assert [statement.support for statement in answers[-2].statements] == ["supported"]
    assert answers[-2].text == "El traslado costó 11.000 euros. [1] El acuerdo"


def test_unknown_mark_is_never_shown() -> None:
    answers = snapshots_of(ScriptedModel(*UNKNOWN_MARK))
    assert {answer.text for answer in answers} == {""}


def test_runaway_reply_is_cut_and_says_so() -> None:
    model = ScriptedModel(*(f"El traslado {number} costó 11.000 euros [2]. " for number in range(1000)))
    answer = snapshots_of(model, settings=AnswerSettings(max_statements=2))[-1]
    assert_sound(answer)
    assert model.given < 30
    assert answer.notices[-1] == "La respuesta del modelo era demasiado larga y se ha cortado."


def test_failure_in_the_middle_reaches_the_caller_after_what_came_before() -> None:
    stream = generate(
        consultation(*HITS),
        model=ScriptedModel("El traslado costó ", failure="model x stopped"),
        counter=WordCounter(),
        settings=SETTINGS,
    )
    assert [next(stream).text, next(stream).text] == ["", "El traslado costó"]
    with pytest.raises(ModelError, match="model x stopped"):
        next(stream)


# ---- the real adapter, against a scripted server


GOOD = ("El traslado costó 11.000", " euros [2]. El acuerdo", " reemplaza el tratado de 1961 [1].")
SCRIPTS = {
    "good": Script(GOOD),
    "half": Script(("El traslado costó 11.000 euros [", "2", "]. El acuerdo reemplaza el tratado de 1961 [1", "].")),
    "wide": Script(("El traslado costó 11.000 euros 【2】.",)),
    "dangling": Script(("El traslado costó 11.000 euros [9].",)),
    "quiet": Script(("El traslado costó",), cut="quiet"),
    "torn": Script(("El traslado costó",), cut="torn"),
    "broken": Script(status=500),
    "strict": Script(status=401),
    "busy": Script(status=429),
    "short": Script(status=400, message="maximum context length is 2048 tokens"),
    "slow": Script(GOOD, silence_s=5),
}


@pytest.fixture(scope="module")
def server() -> Iterator[ChatServer]:
    with ChatServer(SCRIPTS) as running:
        yield running


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_API_BASE", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)


def ask(server: ChatServer, model: str, *, timeout_s: float = 10.0) -> list[Answer]:
    settings = AnswerSettings(model=f"openai:{model}", base_url=server.base_url, timeout_s=timeout_s)
    return snapshots_of(load_chat_model(settings), settings=settings)


def test_real_adapter_streams_a_good_answer(server: ChatServer) -> None:
    answers = ask(server, "good")
    assert_sound(answers[-1])
    assert answers[-1].text == "El traslado costó 11.000 euros. [1] El acuerdo reemplaza el tratado de 1961. [2]"
    assert answers[-1].model == "openai:good"
    assert [answer.text for answer in answers[:2]] == ["", "El traslado costó 11.000"]


def test_request_carries_rules_passages_and_no_temperature_but_zero(server: ChatServer) -> None:
    ask(server, "good")
    request = server.requests[-1]
    assert (request["stream"], request["temperature"]) == (True, 0)
    assert [message["role"] for message in request["messages"]] == ["system", "user"]
    assert '<passage number="2" outlet="Faro">' in request["messages"][1]["content"]


@pytest.mark.parametrize("model", ["half", "wide", "dangling"])
def test_real_adapter_gives_sound_answers_to_odd_markers(server: ChatServer, model: str) -> None:
    answers = ask(server, model)
    assert_sound(answers[-1])
    assert all("[2" not in answer.text for answer in answers[:-1])


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("quiet", "model openai:quiet at http://127.0.0.1:.* stopped in the middle of its reply: ask again"),
        ("torn", "stopped in the middle of its reply"),
        ("broken", r"failed \(HTTP 500\): ask again, or look at its log"),
        ("strict", "refuses the key: set OPENAI_API_KEY in the environment"),
        ("busy", "accepts no more for now"),
        ("missing", "is not known there: correct answer.model or answer.base_url"),
        ("short", "maximum context length is 2048 tokens"),
    ],
)
def test_failing_server_is_a_model_error_that_says_what_to_do(server: ChatServer, model: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        ask(server, model)


def test_silent_server_is_given_up_after_the_timeout(server: ChatServer) -> None:
    with pytest.raises(ModelError, match=r"said nothing for 0.3 s: look at its log, or raise answer.timeout_s"):
        ask(server, "slow", timeout_s=0.3)


def test_server_that_is_not_there_is_a_model_error() -> None:
    settings = AnswerSettings(model="openai:any", base_url="http://127.0.0.1:9/v1", timeout_s=2)
    with pytest.raises(ModelError, match=r"cannot be reached: start it, or correct answer\.base_url"):
        snapshots_of(load_chat_model(settings))


def test_what_was_written_before_the_failure_was_given(server: ChatServer) -> None:
    settings = AnswerSettings(model="openai:torn", base_url=server.base_url)
    stream = generate(consultation(*HITS), model=load_chat_model(settings), counter=WordCounter(), settings=settings)
    seen: list[str] = []
    with pytest.raises(ModelError):
        seen.extend(answer.text for answer in stream)
    assert seen == ["", "El traslado costó"]


def test_loopback_server_needs_no_key_and_gets_a_set_one(server: ChatServer, monkeypatch: pytest.MonkeyPatch) -> None:
    ask(server, "good")
    assert server.keys[-1] == "Bearer no key"
    monkeypatch.setenv("OPENAI_API_KEY", "from-environment")
    ask(server, "good")
    assert server.keys[-1] == "Bearer from-environment"


def test_request_to_this_machine_goes_past_the_environments_proxy(
    server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    assert ask(server, "good")[-1].status == "answered"


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("openai:gpt-4o-mini", "model openai:gpt-4o-mini needs a key: set OPENAI_API_KEY in the environment"),
        ("nobody:model", "names no provider that LangChain knows: write provider:name"),
        ("whatever", "names no provider that LangChain knows"),
        ("mistralai:small", "model mistralai:small needs langchain-mistralai: pip install langchain-mistralai"),
    ],
)
def test_model_that_cannot_be_loaded_says_what_is_missing(model: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        load_chat_model(AnswerSettings(model=model))


def test_missing_extra_is_named() -> None:
    script = (
        "import sys; sys.modules['langchain_openai'] = None\n"
        "from rag.chain import load_chat_model; from rag.config import AnswerSettings\n"
        "from rag.errors import ModelError\n"
        "try: load_chat_model(AnswerSettings(model='openai:x'))\n"
        "except ModelError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "model openai:x needs langchain-openai: pip install 'hemeroteca[openai]'"


def test_ollama_that_is_not_running_is_a_model_error() -> None:
    settings = AnswerSettings(model="ollama:llama3.2", base_url="http://127.0.0.1:9", timeout_s=2)
    with pytest.raises(ModelError, match=r"model ollama:llama3\.2 at http://127\.0\.0\.1:9 cannot be reached"):
        snapshots_of(load_chat_model(settings))
