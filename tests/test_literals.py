"""The words that an expression cannot match without."""

import pytest

from rag.dates import reading_of
from rag.literals import needed


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        (r"hace (?:dos|tres) semanas", {" semanas"}),
        (r"(?<!\w)(?:enero|febrero)(?!\w)", {"enero", "febrero"}),
        (r"(?:el\s+)?lunes", {"lunes"}),
        (r"(?:antes\s+de\s+)?(?:ayer|hoy)", {"ayer", "hoy"}),
        (r"(?:19|20)\d\d", {"19", "20"}),
        (r"[12]\d", {"1", "2"}),
        (r"(?:ayer)?\d+", set()),
        (r"(?:ayer|\d+)", set()),
        (r"(?:mes)+", {"mes"}),
        (r"[^a]\w*", set()),
    ],
)
def test_one_of_the_words_is_in_every_match(pattern: str, words: set[str]) -> None:
    assert needed(pattern) == words


@pytest.mark.parametrize("language", ["es", "en", "pt", "fr", "de", "ru", "zh"])
def test_a_grammar_has_no_rule_that_every_sentence_has_to_be_tried_with(language: str) -> None:
    reading = reading_of(language)
    assert reading is not None
    assert all(words for _, _, words in reading._rules)
