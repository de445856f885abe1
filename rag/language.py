"""Which language a text is written in, also when the text is a question of three words."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

_CODES = """
aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en eo es
et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka kg ki kj
kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv
ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg sh si sk sl sm sn so sq sr ss st su sv sw ta te tg th
ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu
"""
ISO_639_1 = frozenset(_CODES.split())
"""All two-letter codes."""

# Function words without accents, as people type questions; a word counts less the more languages share it. Turkish
# "kim" (who) is left out: as a name it opens more questions.
_FUNCTION_WORDS = {
    "es": "el la los las lo un una unos unas del de al y o u e que quien quienes cual cuales como cuando cuanto"
    " cuantos cuanta cuantas donde por para con sin sobre entre desde hasta segun fue fueron es son era eran"
    " esta estan ha han hay habia se su sus le les pero mas muy ya en este ese hizo hace dijo tiene tienen"
    " hubo porque ante tras canto escribio salio",
    "en": "the of and to in is was were are did does do has have had what who whom whose which when where why how"
    " many much with from for by on at that this it its be been an as about after before or not will can there",
    "fr": "le la les des du de un une et est sont qui que quoi quel quelle quels quelles comment combien ou quand"
    " dans pourquoi sur pour par avec au aux il elle a ont ete etait ce cette ces son sa ses leur en ne pas"
    " plus selon l d",
    "pt": "o a os as do da dos das no na nos nas em um uma e que quem qual quais como quando quanto quantos quantas"
    " por onde para com sem foi foram sao esta estao ao aos pelo pela seu sua mais nao ja de se entre sobre"
    " tem era",
    "it": "il lo la i gli le un uno una di del della dei degli delle dello al alla nel nella e che chi cosa qual quale"
    " quali come quando quanto quanti quante dove perche per con su da dal dalla sono stato stata era ha hanno"
    " in si non piu",
    "de": "der die das den dem des ein eine einen einem einer und ist sind war waren wurde wurden wer was welche"
    " wie welcher welches wann wo warum mit von zu im in auf fur bei nach aus hat haben viele wieviel nicht"
    " als am an um",
    "nl": "de het een van en is zijn was waren wie wat welke hoe wanneer waar waarom met voor op in te bij aan uit"
    " heeft hebben werd door niet dat hoeveel over",
    "ca": "el la els les de del dels un una i que qui quin quina quins quines com quan quant quants on per amb va"
    " van es son era a al als en no mes seva seu aquest aquesta segons",
    "gl": "o a os as do da dos das no na en un unha e que quen cal cales como cando canto cantos onde por para con"
    " sen foi foron son esta ao pola polo seu sua mais non ten ou era nunha dunha",
    "ro": "si sau de la in pe cu din un o este sunt a fost cine ce care cum cand cat cati cate unde pentru al ale"
    " lui sa se nu mai prin au era",
    "da": "og er var hvad hvem hvilken hvilket hvilke hvordan hvornar hvor hvorfor af til med pa for den det en et"
    " de i som blev har ikke mange fra ved der",
    "no": "og er var hva hvem hvilken hvilket hvilke hvordan nar hvor hvorfor av til med pa for den det en et de i"
    " som ble har ikke mange fra ved",
    "sv": "och ar var vad vem vilken vilket vilka hur nar varfor av till med pa for den det en ett de i som blev"
    " har inte manga fran vid",
    "fi": "ja on oli mika mita kuka ketka missa milloin miten miksi kuinka monta mihin mista ovat olivat joka",
    "id": "yang dan di ke dari apa siapa kapan dimana mana bagaimana mengapa berapa adalah pada untuk dengan oleh"
    " dalam itu ini tahun apakah",
    "tr": "ve bir ne hangi nasil nerede zaman kac neden icin ile bu da de mi olan oldu kimdir nedir tarafindan",
    "pl": "i w z na do od jest sa byl byla bylo co kto jaki jaka jakie kiedy gdzie ile dlaczego jak przez za po nie"
    " sie",
    "cs": "a je se na v co kdo kdy kde jak ktery ktera ktere kolik byl byla bylo proc s z do od pro",
    "hu": "a az es van volt ki mi mikor hol hogyan miert melyik hany mennyi mit kit egy nem",
    "eu": "eta da zer nor non noiz nola zein zenbat ez du ziren zen zuen nork",
    "ru": "и в на не что кто где когда как какой какая какое какие каком сколько почему из по для был была было"
    " были это от",
    "uk": "і в на не що хто де коли як який яка яке які скільки чому з із по для був була було були це від та",
    "bg": "и в на не какво кой коя кое кои къде кога как колко защо от по за е беше са се с",
    "sr": "и у на не шта ко који која које где када како колико зашто из по за је био била су се",
    "sw": "na ya wa ni nini nani gani lini wapi kwa katika je ngapi cha la",
}
# Letters that (nearly) only one of the languages above writes; "¿" and "¡" open a Spanish question or cry.
_TELLING = {
    "¿": "es",
    "¡": "es",
    "ñ": "es",
    "ß": "de",
    "ã": "pt",
    "õ": "pt",
    "œ": "fr",
    "ł": "pl",
    "ő": "hu",
    "ğ": "tr",
    "ı": "tr",
}
# Of all letters; below a half, because names in Latin letters are often longer than the rest of a question.
_SHARE = 0.3
# One language writes the script, or nearly all that is written in it. A character of the first three is worth a word,
# and a few kana tell Japanese from Chinese.
_SCRIPTS = (
    ("ja", re.compile(r"[\u3040-\u30ff]"), 0.1),
    ("ko", re.compile(r"[\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3]"), 0.15),
    ("zh", re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]"), 0.15),
    # Vietnamese tone marks: Latin letters that nobody else writes.
    ("vi", re.compile(r"[\u1ea0-\u1ef9\u01a0\u01a1\u01af\u01b0]"), 0.06),
    ("th", re.compile(r"[\u0e00-\u0e7f]"), _SHARE),
    ("el", re.compile(r"[\u0370-\u03ff\u1f00-\u1fff]"), _SHARE),
    ("he", re.compile(r"[\u0590-\u05ff]"), _SHARE),
    ("km", re.compile(r"[\u1780-\u17ff]"), _SHARE),
    ("ka", re.compile(r"[\u10a0-\u10ff]"), _SHARE),
    ("hy", re.compile(r"[\u0530-\u058f]"), _SHARE),
    ("ta", re.compile(r"[\u0b80-\u0bff]"), _SHARE),
    ("te", re.compile(r"[\u0c00-\u0c7f]"), _SHARE),
)
# Scripts of several languages: the model tells which.
_SHARED_SCRIPTS = (
    (re.compile(r"[\u0400-\u04ff]"), ("ru", "uk", "bg", "sr", "mk", "be", "kk", "ky", "mn", "tg", "tt", "ba")),
    (re.compile(r"[\u0600-\u06ff]"), ("ar", "fa", "ur", "ps", "ku", "ug")),
    (re.compile(r"[\u0900-\u097f]"), ("hi", "mr", "ne", "sa")),
    (re.compile(r"[\u0980-\u09ff]"), ("bn", "as")),
)
_MERGED = {"arz": "ar", "ary": "ar", "wuu": "zh", "yue": "zh", "nn": "no", "nb": "no", "uzs": "uz", "sdh": "ku"}
_MORE_COMMON = "ar bg bn bs cy et fa ga hi hr is lt lv mk mr ms sk sl sq sr tl ur vi"
_COMMON = frozenset(_FUNCTION_WORDS) | frozenset(_MORE_COMMON.split())
_QUOTED = re.compile(r"[\"“«„][^\"”»\n]{1,120}[\"”»]")
_WORDS = re.compile(r"[^\W\d_]+")
_LETTER = re.compile(r"[^\W\d_]")

# In the model's unit (log-likelihood), so that they decide short texts and are nothing in long ones.
_WORD_BONUS = 5.0
_PRIOR_BONUS = 8.0
_SPANISH_BONUS = 6.0
_RARE_MALUS = 20.0
# Much smaller than the neighbour they are mistaken for.
_SMALL_MALUS = {"gl": 6.0, "ca": 4.0, "mk": 4.0, "sr": 4.0, "bg": 4.0}
_READ_CHARS = 4000
_OPENING_WORDS = 2
_OPENING_TIMES = 3.0
_TELLING_TIMES = 2.0
_COUNTED_WORDS = 40
_SHORT_WORDS = 12
_SURE = 3.0
_SURE_TIMES = 3.0


def detect_language(text: str, *, prior: Sequence[str] = ()) -> str:
    """Return the ISO 639-1 code of the language of `text`, "und" when it has no letters.

    Args:
        text: An article or a question; only its first 4,000 characters are read.
        prior: Languages that are likelier than others, which matters for a few words. Spanish always is.
    """
    text = text[:_READ_CHARS]
    letters = len(_LETTER.findall(text))
    if not letters:
        return "und"
    if language := _by_script(text, letters):
        return language
    allowed = next((codes for script, codes in _SHARED_SCRIPTS if _share(script, text, letters) > _SHARE), None)
    asked = _folded_words(_QUOTED.sub(" ", text))
    words = _word_scores(asked[:_COUNTED_WORDS], text)
    if allowed is None and len(asked) <= _SHORT_WORDS:
        language = _leader(words, asked)
        if not language and _is_plainly_spanish(text, words, prior):
            return "es"
        # A title or name in English stands in questions of every language; their own letters give them away.
        if language and (language != "en" or text.isascii()):
            return language
    scores = _model_scores(text)
    ranked = {
        code: score + _bonus(code, words, prior) for code, score in scores.items() if allowed is None or code in allowed
    }
    return max(ranked, key=lambda code: ranked[code])


def _share(script: re.Pattern[str], text: str, letters: int) -> float:
    return len(script.findall(text)) / letters


def _by_script(text: str, letters: int) -> str | None:
    return next((language for language, script, share in _SCRIPTS if _share(script, text, letters) > share), None)


@cache
def _word_weights() -> Mapping[str, Mapping[str, float]]:
    """Return for each function word the languages that have it, each with one share of its weight."""
    languages: dict[str, list[str]] = {}
    for language, words in _FUNCTION_WORDS.items():
        for word in dict.fromkeys(_folded_words(words)):
            languages.setdefault(word, []).append(language)
    return {word: dict.fromkeys(owners, 1 / len(owners)) for word, owners in languages.items()}


def _folded_words(text: str) -> list[str]:
    folded = "".join(c for c in unicodedata.normalize("NFD", text.casefold()) if not unicodedata.combining(c))
    return _WORDS.findall(folded)


def _word_scores(words: Sequence[str], text: str) -> dict[str, float]:
    """Return what function words and telling letters say for each language, in shares of a word."""
    scores: dict[str, float] = defaultdict(float)
    weights = _word_weights()
    for position, word in enumerate(words):
        # "quién canta all I want for Christmas is you": the language is that of the words that ask.
        times = _OPENING_TIMES if position < _OPENING_WORDS else 1.0
        for language, weight in weights.get(word, {}).items():
            scores[language] += weight * times
    for letter in _TELLING.keys() & set(text.casefold()):
        scores[_TELLING[letter]] += _TELLING_TIMES
    return scores


def _leader(scores: Mapping[str, float], words: Sequence[str]) -> str | None:
    """Return the language whose function words leave no doubt, without asking the model, which takes long to load."""
    ranked = sorted(scores, key=lambda code: -scores[code])
    if not ranked or scores[ranked[0]] < _SURE:
        return None
    next_most = scores[ranked[1]] if len(ranked) > 1 else 0.0
    owned = any(_word_weights().get(word, {}).keys() == {ranked[0]} for word in words)
    return ranked[0] if owned and scores[ranked[0]] >= _SURE_TIMES * next_most else None


def _is_plainly_spanish(text: str, scores: Mapping[str, float], prior: Sequence[str]) -> bool:
    """Whether a question opens with ¿ or ¡, and no word and no article of the archive speaks for a neighbour."""
    neighbours = {"gl", "ca", "eu"}
    return (
        ("¿" in text or "¡" in text)
        and scores.get("es", 0.0) > 0
        and scores["es"] >= max(scores.values())
        and not neighbours & {*prior, *(code for code, score in scores.items() if score >= scores["es"])}
    )


def _bonus(code: str, words: Mapping[str, float], prior: Sequence[str]) -> float:
    bonus = _WORD_BONUS * words.get(code, 0.0)
    if code in prior:
        bonus += _PRIOR_BONUS
    if code == "es":
        bonus += _SPANISH_BONUS
    return bonus - (_SMALL_MALUS.get(code, 0.0) if code in _COMMON else _RARE_MALUS)


def _model_scores(text: str) -> dict[str, float]:
    """Return the log-likelihood of each language, dialects counted for their language."""
    merged: dict[str, float] = {}
    for code, score in _model().rank(text):
        code = _MERGED.get(code, code)
        if code in ISO_639_1:
            merged[code] = max(score, merged.get(code, score))
    # A word that the model has nothing on scores the smallest float everywhere, where no bonus would count.
    return merged if len(set(merged.values())) > 1 else dict.fromkeys(merged, 0.0)


@cache
def _model() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE)
