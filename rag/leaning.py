"""Whether a sentence leans on the one before it: "Según él…", "Además…", "She said…". Pure.

Only how a sentence begins is looked at, language by language; one of another language never leans. To be shown one
sentence too many costs a reader little.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.schema import Hit, Sentence

MOST = 2
"""Sentences shown before one that leans, since the first of them may lean as well."""

_OPENING = r"^[\s«»“”\"'‘’¿¡(\[—–-]*"
# "Este miércoles" and "this week" say when, not what.
_NOT_TIME = {
    "es": r"(?!\s+(?:\w+\s+)?(?:lunes|martes|miércoles|jueves|viernes|sábado|domingo|semana|mes|año|día|mañana|tarde"
    r"|noche|madrugada|mediodía|verano|invierno|otoño|primavera|siglo|curso|trimestre|semestre|enero|febrero|marzo"
    r"|abril|mayo|junio|julio|agosto|se[pt]+iembre|octubre|noviembre|diciembre)\b)",
    "en": r"(?!\s+(?:\w+\s+)?(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day|week|weekend|month|year|morning|afternoon"
    r"|evening|night|summer|winter|spring|autumn|fall|century|season)\b)",
    "fr": r"(?!\s+(?:lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|semaine|mois|année|matin|soir|nuit|été)\b)",
    "pt": r"(?!\s+(?:segunda|terça|quarta|quinta|sexta|sábado|domingo|semana|mês|ano|manhã|tarde|noite)\b)",
    "de": r"(?!\s+(?:\w+tag|woche|monat|jahr|morgen|abend|nacht)\b)",
    "it": r"(?!\s+(?:lunedì|martedì|mercoledì|giovedì|venerdì|sabato|domenica|settimana|mese|anno|mattina|sera)\b)",
}
_SAID = (
    r"añadió|agregó|dijo|explicó|señaló|aseguró|subrayó|indicó|recordó|afirmó|sostuvo|destacó|insistió|concluyó|apuntó"
    r"|reiteró|precisó|detalló|comentó|admitió|reconoció"
)
_BEGINNINGS = {
    "es": r"él|ella|ellos|ellas|ello|eso|esto|aquello|ambos|ambas|les?|asimismo|además|también|tampoco|pero|aun así"
    r"|sin embargo|no obstante|en cambio|en consecuencia|en este sentido|en ese sentido|de hecho|de este modo"
    r"|de esta (?:forma|manera)|de ahí|por (?:su parte|ello|eso|esto|tanto|lo tanto|(?:esta|esa) razón|este motivo)"
    r"|a su vez|al respecto|mientras tanto|entonces|así|luego|después|posteriormente"
    r"|(?:tras|para|con|pese a|a pesar de) (?:ello|eso|esto)"
    rf"|según (?:él|ella|ellos|ellas|est[eao]s?|es[eao]s?|{_SAID}|añade|explica|dice)|{_SAID}"
    r"|(?:est[ea]s?|estos|es[ea]s?|esos|aquell[ao]s?|aquel|dich[ao]s?|tal(?:es)?)<not time>"
    # Without a subject of its own: "Es el precio que…", "Temen que…".
    r"|(?:es|son)(?-i:(?!\s+[A-ZÁÉÍÓÚÑ]))|era|eran|fue|fueron|será|serán|sería|serían"
    r"|(?!(?:para|hasta|desde|hay|donde|parece|ya|ahora|siempre|sin|con|en|aunque|la|una|ninguna|nada|antes)\b)"
    r"\w+[aeóén]\s+que"
    r"|lo(?!\s+(?:que|cual|cierto|más|menos|mejor|peor|importante|únic|primer|últim|de|del|demás|anterior)\w*\b)",
    "en": r"he|she|they|it|him|his|her|hers|their|theirs|its|both|such|however|moreover|furthermore|also|but|and|so"
    r"|then|therefore|thus|meanwhile|instead|nevertheless|nonetheless|still|yet|besides|likewise|similarly"
    r"|in addition|in contrast|in turn|as a result|for (?:this|that) reason|after (?:this|that)|even so"
    r"|according to (?:him|her|them|it)|th(?:is|at|ese|ose)<not time>",
    "fr": r"c['’](?:est|était|étaient)"
    r"|il|elle|ils|elles|celui-ci|celle-ci|ceux-ci|cela|ceci|leurs?|cependant|toutefois|mais|de plus|en outre"
    r"|par ailleurs|ainsi|aussi|pourtant|en revanche|selon (?:lui|elle|eux|elles)|(?:ce|cet|cette|ces)<not time>",
    "pt": r"é|são|era|eram|foi|foram|será"
    r"|ele|ela|eles|elas|isso|isto|aquilo|ambos|ambas|além disso|no entanto|porém|contudo|mas|também|assim"
    r"|por isso|por sua vez|segundo (?:ele|ela|eles|elas)|(?:est[ea]s?|ess[ea]s?)<not time>",
    "de": r"er|sie|ihm|ihr|ihre|sein|seine|dies|dabei|außerdem|zudem|jedoch|allerdings|aber|dennoch|trotzdem"
    r"|deshalb|daher|danach|dagegen|(?:ihm|ihr|ihnen) zufolge|(?:diese[rsmn]?|jene[rsmn]?)<not time>",
    "it": r"è|sono|era|erano|fu|furono|sarà"
    r"|lui|lei|egli|ella|essi|esse|loro|ciò|entrambi|entrambe|inoltre|tuttavia|però|ma|anche|così|quindi|invece"
    r"|secondo (?:lui|lei|loro)|(?:quest[oaei]|quell[oaei])<not time>",
}
_LEANS = {
    language: re.compile(
        rf"{_OPENING}(?:{words.replace('<not time>', _NOT_TIME[language])})(?!\w)",
        re.IGNORECASE,
    )
    for language, words in _BEGINNINGS.items()
}


def leans(text: str, *, language: str) -> bool:
    """Whether a sentence begins with a pronoun or connector that points at what stands before it."""
    pattern = _LEANS.get(language)
    return pattern is not None and pattern.match(text) is not None


def context_start(sentences: Sequence[Sentence], index: int, *, language: str) -> int:
    """Return where to begin reading so that a sentence is understood: its own start if it does not lean.

    Args:
        sentences: Those of the text, in order.
        index: Which of them.
        language: Theirs.
    """
    first = index
    while first > max(index - MOST, 0) and leans(sentences[first].text, language=language):
        first -= 1
    return sentences[first].start


def leaned_on(hit: Hit, sentence: Sentence) -> int | None:
    """Return where to begin reading for a sentence of a hit's passage that leans, None for one that stands alone."""
    sentences = (*(hit.before.sentences if hit.before else ()), *hit.passage.sentences)
    if sentence not in sentences:
        return None
    start = context_start(sentences, sentences.index(sentence), language=hit.passage.language)
    return start if start < sentence.start else None
