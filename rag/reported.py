"""Questions for what was reported, not for one fact: "¿Qué pasó en junio de 2024?", "Cuéntame lo del volcán". Pure.

A reader that looks for the words that answer finds none for them: all that is told of the subject, or within the days
and outlets asked for, is the answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from rag.schema import Article, Evidence, Hit, Passage
from rag.terms import content_terms, term_set

# What asks for it, by language; of each the words for news come last, since without a subject they mean the newest.
_PAST = r"(?:(?:ha|han|hab[ií]a|est[aá]) )?"
_FORMS: Final = {
    "es": (
        rf"qu[eé] {_PAST}(?:pas(?:[oó]|ado|ando|aba)|(?:ocurr|suced)(?:i[oó]|e|ido|iendo)|acontec\w+)",
        r"qu[eé] (?:hubo|fue de|ha sido de|es de|se (?:sabe|cuenta|dice))",
        r"(?:cu[eé]nt[ae]|h[aá]bl[ae]|res[uú]m[ae])(?:me|nos)|resum(?:e|ir|en)|ponme al (?:d[ií]a|corriente)",
        r"de qu[eé] (?:va|trata)",
        r"c[oó]mo (?:(?:ha )?(?:acab|termin|qued|evolucion)(?:[oó]|ado)|sigue|va(?! a\b)|ha ido)",
        r"noticias|novedades|titulares|actualidad|[uú]ltima hora|qu[eé] hay de nuevo",
    ),
    "en": (
        r"what(?:['’]s| is| has| was)? (?:happen\w*|been happening|going on|(?:is )?(?:known|reported))",
        r"tell me about|summar\w+|overview|recap|how did .* end",
        r"news|headlines|what(?:['’]s| is) (?:the latest|new)",
    ),
    "fr": (
        r"que (?:s['’]est[- ]il|sait[- ]on)|qu['’]est[- ](?:il arrivé|ce qui s['’]est passé)",
        r"racont\w+|résum\w+|parle\w*[- ]moi",
        r"nouvelles|actualités|quoi de neuf",
    ),
    "pt": (
        r"o que (?:aconteceu|houve|se passou|se sabe|ocorreu)|como (?:acabou|terminou)",
        r"(?:cont|fal)[ae]-me|resum[aeo]",
        r"notícias|novidades|o que há de novo",
    ),
    "de": (
        r"was (?:ist|war|geschah|passierte|gibt es|weiß man)|erzähl\w*|zusammenfass\w*|fasse?",
        r"nachrichten|neuigkeiten|was gibt(?: es|['’]s) neues",
    ),
    "it": (r"(?:che )?cos['’]?a? (?:è|si) (?:successo|accaduto|sa)|raccont\w+|riassum\w+", r"notizie|novità"),
    "ru": (r"что (?:случилось|произошло|известно|происходит)|расскаж\w+", r"новости"),
}
# Asks for it if no subject is named, and else for a fact: "¿Qué dijo El Faro?", "¿Qué dijo el alcalde del puente?".
_SAYS: Final = re.compile(
    r"\bqu[eé] (?:hay(?! que\b)|cuentan?|dicen?|dijo|dijeron|publican?|public[oó]|publicaron|inform[oó])\b"
    r"|\bwhat (?:did|does|do)\b.*\b(?:report|publish|say)\b|\bo que (?:disse|publicou)\b|\bque dit\b",
    re.IGNORECASE,
)
_HAPPENED: Final = re.compile(
    rf"\bqu[eé] {_PAST}(?:pas(?:[oó]|ado|ando)|ocurr(?:i[oó]|ido)|sucedi(?:[oó]|do)|hubo)\b"
    r"|\bwhat(?: has)? (?:happened|been happening)\b"
    r"|\bque s['’]est[- ]il passé\b|\bqu['’]est[- ]ce qui s['’]est passé\b"
    r"|\bo que (?:aconteceu|houve|se passou|ocorreu)\b|\bwas (?:ist .*(?:passiert|geschehen)|geschah|passierte)\b"
    r"|\bcos['’]?a? è (?:successo|accaduto)\b|\bчто (?:случилось|произошло)\b|发生了什么",
    re.IGNORECASE,
)


def _any_of(forms: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(rf"\b(?:{form})\b" for form in forms), re.IGNORECASE)


_ASKS: Final = {language: _any_of(forms[:-1]) for language, forms in _FORMS.items()}
_ASKS_ANY: Final = re.compile("|".join(each.pattern for each in _ASKS.values()) + "|发生了什么", re.IGNORECASE)
_NEWS: Final = re.compile(_any_of(forms[-1] for forms in _FORMS.values()).pattern + "|新闻", re.IGNORECASE)
# Beside these, "noticias" is what a fact is asked about.
_OTHER: Final = re.compile(
    r"\b(?:qui[eé]n(?:es)?|cu[aá]nt[oa]s?|cu[aá]ndo|d[oó]nde|por qu[eé]|who|when|where|why|how"
    r"|combien|qui|quand|où|pourquoi"
    r"|quem|quant[oa]s?|quando|onde|wer|wann|wo|warum|wie|chi|dove|perch[eé])\b"
    r"|\bqu[eé] (?!noticias|novedades|titulares|hay|h[aá]|pas|ocurr|suced)\w+",
    re.IGNORECASE,
)
_MORE: Final = re.compile(r"\b(?:más|mas|more|else|plus|mais|mehr|weitere|altre)\b", re.IGNORECASE)
# Stems of words that ask, and name no subject.
_ASKING: Final = frozenset(
    content_terms(
        """
        pasó pasado pasando pasa pasaba ocurrió ocurre ocurrido sucedió sucede sucedido acontecido hubo hay sabe cuenta
        cuente cuéntame cuéntenos háblame hábleme resume resúmeme resumir resumen ponme corriente noticias noticia
        novedades titulares actualidad última hora trata acabó terminó quedó sigue evolucionó ha han habido publicó
        publicado publica publicaron informó informa contó artículos artículo prensa medios diario periódico todo algo
        cosas favor dame dadme muéstrame muestra enseña hola buenos buenas días tardes sabes importante interesante
        destacado mundo reciente recientes nuevo querría quiero saber podría
        puedes gustaría decir dijo dice dijeron dicen cuentan ver explica
        happened happening happen known report reported reports published publish news latest headlines summary
        summarize summarise overview recap show give hello new tell did does say
        says said going articles stories please end ended
        passé arrivé sait raconte résume parle nouvelles actualités quoi neuf
        há novo aconteceu passou houve ocorreu publicou conte conta fale fala resuma novidades notícias acabou terminou
        passiert geschehen geschah passierte los gibt weiß man erzähl nachrichten neuigkeiten fasse zusammen vom
        bekannt neues
        successo accaduto racconta riassumi notizie novità
        случилось произошло известно происходит расскажи расскажите новости 发生了什么 新闻
        """
    )
)


def asks_what_was_reported(question: str, *, language: str) -> bool:
    """Whether a question asks, by its form, what happened or what is known.

    Args:
        question: Without what limits it.
        language: ISO 639-1; of a language that nobody knows here the forms of all count.
    """
    asks = _ASKS.get(language, _ASKS_ANY)
    return asks.search(_NEWS.sub(" ", question)) is not None or asks_for_news(question)


def asks_for_all(question: str, *, names_outlet: bool) -> bool:
    """Whether a question without a subject asks for all that was reported: what happened, the news, what outlets said.

    "¿Cómo acabó?" and "¿Qué dijo?" leave out what they are about.

    Args:
        question: Without what limits it.
        names_outlet: Whether it limits itself to an outlet.
    """
    return (
        asks_for_news(question)
        or _HAPPENED.search(question) is not None
        or (names_outlet and _SAYS.search(question) is not None)
    )


def asks_for_news(question: str) -> bool:
    """Whether a question asks for news by that name, and not who tells them."""
    return _NEWS.search(question) is not None and _OTHER.search(question) is None


def asks_for_more(question: str) -> bool:
    """Whether a question asks for more of what was told: "¿Hay más noticias?"."""
    return _MORE.search(question) is not None


def subject(question: str) -> frozenset[str]:
    """Return the stems of what a question is about; empty if it only asks what happened."""
    return frozenset(content_terms(question)) - _ASKING


def told_of(evidence: Sequence[Evidence], wanted: frozenset[str]) -> tuple[Evidence, ...]:
    """Return, of each article with a passage that has all the wanted words, one sentence of it: its first, or the best.

    An article begins with what happened. They keep their order, and have the first one's score: none answers better
    than another.

    Args:
        evidence: Best first.
        wanted: Stems, as `subject` gives them; at least one.
    """
    best: dict[str, Evidence] = {}
    for item in evidence:
        if item.hit.article.id not in best and wanted <= term_set(item.hit.passage.embedded_text):
            best[item.hit.article.id] = item
    score = next(iter(best.values())).score if best else 0.0
    return tuple(replace(_beginning(item), score=score) for item in best.values())


def _beginning(item: Evidence) -> Evidence:
    passage = item.hit.passage
    return replace(item, sentence=passage.sentences[0], spans=()) if not passage.ordinal else item


def openings(passages: Sequence[tuple[Passage, Article]]) -> tuple[Evidence, ...]:
    """Return the first sentence with a word of each of some passages as evidence that nothing stands against."""
    found = []
    for passage, article in passages:
        first = next((each for each in passage.sentences if any(map(str.isalpha, each.text))), None)
        if first is not None:
            found.append(Evidence(Hit(passage, article, score=1.0, cosine=0.0, word_score=0.0), first, score=1.0))
    return tuple(found)
