"""Text that somebody typed or a model wrote, made fit to be searched and shown. Pure."""

from __future__ import annotations

import re

_HALF = re.compile(r"[\ud800-\udfff]")
# What a terminal would take for an order, its letters included.
_ESCAPE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
# Not the joiners (U+200C, U+200D): Persian is written with them, and emoji are made of them.
_UNSEEN = re.compile(
    r"[\u00ad\u200b\u200e\u200f\u061c\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\U000e0000-\U000e007f]"
)


def readable(text: str) -> str:
    """Return a text that any encoding of Unicode takes, without what a reader cannot see.

    Surrogate pairs become their character and lone halves U+FFFD; controls but tab and line feed become spaces;
    zero-width spaces, direction marks, soft hyphens and tags go. Never for articles, whose offsets count.
    """
    if _HALF.search(text):
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return _UNSEEN.sub("", _CONTROL.sub(" ", _ESCAPE.sub(" ", text.replace("\r\n", "\n"))))


def encodable(text: str) -> str:
    """Return a text with "?" for lone surrogates, which a reader's clipboard can hold but no file can."""
    return text.encode("utf-8", "replace").decode("utf-8")
