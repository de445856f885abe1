"""How other languages say when: words that dateparser knows, in rules like ours (the only home of dateparser).

dateparser's own search takes "et mai" or "a deux jours" for dates and gives a day where a month was said, so its tables
are read and its search is not used. What they lack (last, next, since) is in `rag.dates_tongues`.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from typing import Any

from rag.dates_grammar import Grammar, Words, after_any, folded
from rag.dates_tongues import TONGUES, Tongue

_MONTHS = "january february march april may june july august september october november december".split()  # noqa: SIM905
_WEEKDAYS = "monday tuesday wednesday thursday friday saturday sunday".split()  # noqa: SIM905
_UNITS = ("week", "month", "year")
# Shorter names are words of their own: "mar", "sa", "do".
_SHORTEST = 4
# dateparser has these as days from today; they count from another day, or mean the morning.
_NOT_FROM_TODAY = frozenset({"endema", "sendema", "endema passat", "maña", "翌週", "翌年", "翌月", "翌日"})
_SHORT_MONTHS = frozenset({"mai", "mei", "maj", "май", "мая"})
# French "sept" is seven as well, Portuguese "segunda" the second.
_AMBIGUOUS = frozenset({"sept", "segunda", "terca", "quarta", "quinta", "sexta"})
# Looked for in the text as it is written.
_AS_WRITTEN = frozenset({"past", "future", "ahead"})
_SPACED_NUMBER = re.compile(r"\(\\d\+\+\[\.,\]\?\\d\*\+\)")


def grammar_of(language: str) -> Grammar | None:
    """Return the grammar of a language by its ISO 639-1 code; None if dateparser does not know it."""
    try:
        tables: Mapping[str, Any] = importlib.import_module(f"dateparser.data.date_translation_data.{language}").info
    except ImportError:
        return None
    if tables.get("no_word_spacing"):
        return _unspaced(tables)
    tongue = TONGUES.get(language)
    return _spaced(tables, _folded(tongue) if tongue else None)


def _folded(tongue: Tongue) -> Tongue:
    """Return what is matched on folded text folded itself: Russian й is an и with a sign."""
    patterns: dict[str, Any] = {
        field.name: folded(getattr(tongue, field.name))
        for field in fields(Tongue)
        if field.name not in _AS_WRITTEN and isinstance(getattr(tongue, field.name), str)
    }
    return replace(tongue, **patterns)


def _spaced(tables: Mapping[str, Any], tongue: Tongue | None) -> Grammar:
    words = _words(tables, tongue)
    of = rf"(?:(?:{tongue.of}) ?)?" if tongue and tongue.of else ""
    year = rf",? {of}<year>(?: года?| г\.)?"
    weekday = "(?:<weekday>,? )?"
    ordinal = r"(?:\.|er|º|ª|°)?"
    rules = [
        ("date", rf"{weekday}<day>{ordinal} {of}<month>{year}"),
        ("month", rf"<month>{year}"),
        ("iso", "<year>[-/]<first_number>[-/]<second_number>"),
        ("offset", "<offset>"),
        *((f"this {unit}", f"<which={unit}_phrase>") for unit in _UNITS if words[f"{unit}_phrase"]),
        *_ago_rules(tables),
    ]
    if tables.get("date_order") == "DMY":
        rules.append(("numeric_day_first", "<first_number>[-/.]<second_number>[-/.]<year>"))
    if tongue is None:
        return Grammar(words=words, rules=rules)
    return Grammar(
        words=words,
        rules=[*(("none", each) for each in filter(None, [tongue.never])), *rules, *_tongue_rules(tongue, of=of)],
        openers=[("since", tongue.since), ("until", tongue.until), ("before", tongue.earlier), ("after", tongue.later)],
        ranges=[tongue.between] if tongue.between[0] else [],
        past=tongue.past,
        future=tongue.future,
        ahead=tongue.ahead,
        names="small" if tongue.small_names else "any",
    )


def _tongue_rules(tongue: Tongue, *, of: str) -> list[tuple[str, str]]:
    """Return the rules of a language whose words for last, next and so on are known."""
    ordinal = r"(?:\.|er|º|ª|°)?"
    which = "<which> "
    places = "|".join(rf"(?<=\b{word}\s)" for word in tongue.before.split())
    weekday_place = after_any(tongue.before_weekday) if tongue.before_weekday else ""
    stretch = rf"(?:{tongue.stretches})[ -]?{of}"
    until = "(?: (?:al?|au|ao|bis(?: zum)?|ate|по) |\\s?[-–]\\s?)"
    between, joint = tongue.between
    both = [
        ("days", rf"(?:{between}) <day>{ordinal} (?:{joint}) <last_day>{ordinal} {of}<month>(?:,? {of}<year>)?"),
        ("months", rf"(?:{between}) <month> (?:{joint}) <last_month=month>(?:,? {of}<year>)?"),
        ("years", rf"(?:{between}) <year> (?:{joint}) <last_year>"),
        ("two_days", rf"<day>{ordinal} (?:{joint}) <last_day>{ordinal} {of}<month>(?:,? {of}<year>)?"),
    ]
    return [
        *(both if joint else ()),
        ("days", rf"<day>{ordinal}{until}<last_day>{ordinal} {of}<month>(?:,? {of}<year>)?"),
        ("months", rf"<month>{until}<last_month=month>(?:,? {of}<year>)?"),
        ("years", rf"<year>{until}<last_year>"),
        ("date", rf"(?:<weekday>,? )?(?:{which})?<day>{ordinal} {of}<month>(?: <which>)?"),
        ("date", rf"<day>{ordinal} {of}(?:{which})<month>"),
        ("weekday", rf"{which}<weekday>|{weekday_place}<weekday>(?: <which>)?"),
        ("unit", rf"{which}<unit>|<unit> <which>"),
        ("month", rf"{which}<month>|<month> <which>|(?:{places})<month>(?! <year>)"),
        ("month", rf"<part>[- ]{of}(?:{which})?<month>(?: <which>|,? {of}<year>)?"),
        ("part_of_unit", rf"<part>[- ]{of}(?:{which}<unit>|<unit> <which>)"),
        ("year", rf"(?:{places})<year>(?![-–]\w)(?! [^\W\d_]+(?:s|os|as|n|en|i)\b)(?: году?| года)?"),
        ("year", rf"<part>[- ]{of}<year>"),
        # "The first quarter of 2023" is not 2023.
        ("unresolved", rf"{stretch}(?:<month>(?:,? {of}<year>)?|<year>)"),
        *(("unresolved", each) for each in filter(None, [tongue.unresolved])),
    ]


def _unspaced(tables: Mapping[str, Any]) -> Grammar:
    """Return the grammar of Chinese or Japanese, which write no spaces."""
    words = _words(tables, None)
    # "Since", "until" and "before" may stand on either side.
    alone, open_after = "(?<![自从從至到])", "(?!以来|以來|以前|以后|以後|[前后後起来來至到~～-])"
    rules = [
        ("date", f"{alone}<year>年<month=number>月<day>[日号號]{open_after}"),
        ("date", f"{alone}<month=number>月<day>[日号號]{open_after}"),
        ("month", f"{alone}<year>年<month=number>月{open_after}"),
        ("year", f"{alone}<year>年(?!度|代|第|\\d|[上下]半|[底初末春夏秋冬]){open_after}"),
        ("unresolved", r"[自从從至到]?<year>年(?:\d+月)?(?:\d+[日号號])?"),
        ("iso", "<year>[-/]<first_number>[-/]<second_number>"),
        ("weekday_of_week", "<unit_which=week_phrase><weekday=day_of_week>"),
        ("offset", "<offset>"),
        *((f"this {unit}", f"<which={unit}_phrase>(?![末底初中上下])") for unit in _UNITS if words[f"{unit}_phrase"]),
        ("decade", "<decade>年代"),
    ]
    return Grammar(words=words, rules=rules, is_spaced=False)


def _words(tables: Mapping[str, Any], tongue: Tongue | None) -> Words:
    phrases = tables.get("relative-type", {})
    words: dict[str, dict[str, int | str]] = {
        "month": _numbered(tables, _MONTHS, start=1),
        "weekday": _numbered(tables, _WEEKDAYS, start=0),
        "day_of_week": {day: index for index, day in enumerate("一二三四五六日")},
        "offset": _phrases(phrases, "day"),
        "unit": {folded(word): unit for unit in _UNITS for word in tables.get(unit, ()) if len(word) >= _SHORTEST - 1},
        "number": {},
        "decade": {},
        "century": {},
        **{f"{unit}_phrase": _phrases(phrases, unit) for unit in _UNITS},
    }
    if tongue is not None:
        words["which"] = _meaning({-1: tongue.last, 0: tongue.this, 1: tongue.next})
        words["part"] = _meaning({"early": tongue.early, "mid": tongue.mid, "late": tongue.late})
        pairs = (pair.split("=") for pair in tongue.numbers.split())
        words["number"] = {folded(word): int(number) for word, number in pairs}
        offsets = (pair.split("=") for pair in tongue.offsets.split("|") if pair)
        words["offset"] |= {folded(phrase): int(days) for phrase, days in offsets}
    return words


def _numbered(tables: Mapping[str, Any], keys: Iterable[str], *, start: int) -> dict[str, int | str]:
    """Return the long names of months or days with their numbers."""
    return {
        name: number
        for number, key in enumerate(keys, start)
        for name in (folded(each) for each in tables.get(key, ()))
        if (len(name) >= _SHORTEST or name in _SHORT_MONTHS) and name not in _AMBIGUOUS
    }


def _phrases(phrases: Mapping[str, Iterable[str]], unit: str) -> dict[str, int | str]:
    """Return the phrases for this, the last and the next unit with their distance, shortened ones left out."""
    found: dict[str, int | str] = {}
    for key, said in phrases.items():
        told = re.fullmatch(rf"(in )?(\d+) {unit}(?: ago)?", key)
        if told and (told[1] or key.endswith("ago")):
            distance = int(told[2]) * (1 if told[1] else -1)
            found |= {folded(each): distance for each in said if "." not in each and _is_whole(folded(each))}
    return found


def _is_whole(phrase: str) -> bool:
    return phrase not in _NOT_FROM_TODAY and not re.search(
        r"\b(?:sem|sett|setm|сл|пр|эт|нед|след|г|pas|prox)\b", phrase
    )


def _ago_rules(tables: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the rules for "two days ago", of whole words only."""
    rules = []
    for unit in ("day", *_UNITS):
        for direction, kind in ((rf"\1 {unit} ago", "ago"), (rf"in \1 {unit}", "hence_if_future")):
            for said in tables.get("relative-type-regex", {}).get(direction, ()):
                pattern = folded(_SPACED_NUMBER.sub("<number>", said))
                unit_word = pattern.replace("<number>", "").split()[-1]
                if "\\" not in pattern and (len(unit_word) >= _SHORTEST - 1 or unit_word == "an"):
                    rules.append((f"{kind} {unit}", pattern))
    return rules


def _meaning(said: Mapping[Any, str]) -> dict[str, int | str]:
    return {folded(word): value for value, words in said.items() for word in words.split("|")}
