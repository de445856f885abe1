"""What a text that is put as a question really asks. Pure."""

from __future__ import annotations

from rag.sentences import split_sentences

# Words from which on a vector of the whole says little of the one sentence that asks.
LONG = 40
_ASKS = ("?", "？", "؟")
_ASKS_IN_GREEK = (*_ASKS, ";")


def what_is_asked(text: str, *, language: str) -> str:
    """Return the sentences of a long text that ask something; a short text, or one that asks nothing, as it is.

    Args:
        text: As a reader typed it.
        language: The text's, as ISO 639-1.
    """
    if len(text.split()) <= LONG:
        return text
    marks = _ASKS_IN_GREEK if language == "el" else _ASKS
    asking = [
        sentence.text
        for sentence in split_sentences(text, language=language)
        if sentence.text.rstrip(" »”\"')").endswith(marks)
    ]
    return " ".join(asking) or text
