from dataclasses import replace
from datetime import date

import pytest

from ingest.metadata import article_id, canonical_url, title_of, to_article, valid_language
from ingest.readers import Draft
from rag.errors import SourceError

BODY = "El puerto de Vigo reabrió este lunes tras la huelga de los estibadores, según la autoridad portuaria."
DRAFT = Draft(text=BODY, place="/a/b.txt")


def test_draft_becomes_an_article() -> None:
    draft = replace(DRAFT, title="El puerto reabre", outlet="El Faro", published=date(2024, 6, 19), author="Ana")
    article = to_article(draft)
    assert (article.text, article.title, article.outlet) == (BODY, "El puerto reabre", "El Faro")
    assert (article.language, article.author, article.places) == ("es", "Ana", ("/a/b.txt",))
    assert len(article.id) == 16
    assert len(article.content_hash) == 64


def test_headline_in_the_first_line_is_the_title_and_stays_in_the_text() -> None:
    article = to_article(replace(DRAFT, text=f"El puerto de Vigo reabre\n\n{BODY}"))
    assert article.title == "El puerto de Vigo reabre"
    assert article.text == f"El puerto de Vigo reabre\n\n{BODY}"


@pytest.mark.parametrize(
    ("text", "title"),
    [
        (f"El puerto reabre tras la huelga\n{BODY}", "El puerto reabre tras la huelga"),
        (f"¿Reabre el puerto?\n{BODY}", "¿Reabre el puerto?"),
        (f"El puerto reabre.\n{BODY}", None),
        (f"Nacional\n{BODY}", None),
        (f"El puerto reabre tras la huelga\nDos palabras.\n{BODY}", None),
        (BODY, None),
        (
            "中国与巴西签署贸易协定\n中国与巴西周三在北京签署了一项新的贸易协定，涵盖农业和能源。",
            "中国与巴西签署贸易协定",
        ),
        ("", None),
    ],
    ids=lambda value: str(value)[:30],
)
def test_title_is_taken_only_from_a_headline(text: str, title: str | None) -> None:
    assert title_of(text) == title


def test_credit_becomes_the_agency_unless_one_is_given() -> None:
    credited = replace(DRAFT, text=f"{BODY} Con datos de Europa Press")
    assert to_article(credited).agency == "Europa Press"
    assert to_article(replace(credited, agency="EFE")).agency == "EFE"


@pytest.mark.parametrize("text", ["Publicidad", "…", "You must be logged in to post a comment Login"], ids=str)
def test_nothing_but_boilerplate_is_an_error(text: str) -> None:
    with pytest.raises(SourceError, match="holds no text of an article"):
        to_article(replace(DRAFT, text=text))


def test_nothing_but_the_title_is_an_error() -> None:
    with pytest.raises(SourceError, match="holds nothing but its title 'El puerto'"):
        to_article(replace(DRAFT, text="# El puerto\n", title="El puerto"))


def test_identity_is_the_url_then_the_id_then_the_place() -> None:
    by_url = replace(DRAFT, url="https://faro.es/a", given_id="1")
    by_id = replace(DRAFT, given_id="1", outlet="El Faro")
    same_url = replace(by_url, given_id="2", place="/c", text=f"{BODY} Más.", url="http://Faro.es/a/?utm_source=x#top")
    assert to_article(by_url).id == to_article(same_url).id
    assert to_article(by_id).id == to_article(replace(by_id, place="/c", text=f"{BODY} Más.")).id
    assert to_article(DRAFT).id == to_article(replace(DRAFT, text=f"{BODY} Más.")).id
    assert len({to_article(draft).id for draft in (by_url, by_id, DRAFT, replace(DRAFT, place="/c"))}) == 4


def test_row_without_url_and_id_is_its_text() -> None:
    row = replace(DRAFT, place="/r.jsonl line 1", line=1)
    assert to_article(row).id == to_article(replace(row, place="/r.jsonl line 9", line=9)).id
    assert to_article(row).id != to_article(replace(row, text=f"{BODY} Más.")).id


def test_content_hash_follows_what_is_shown_and_not_the_place() -> None:
    article = to_article(DRAFT)
    assert to_article(replace(DRAFT, place="/c")).content_hash == article.content_hash
    for change in ({"title": "Otro"}, {"outlet": "X"}, {"published": date(2024, 1, 1)}, {"text": f"{BODY} Más."}):
        assert to_article(replace(DRAFT, **change)).content_hash != article.content_hash


def test_row_of_another_outlet_or_day_is_another_print() -> None:
    row = replace(DRAFT, place="/r.jsonl line 1", line=1, outlet="El Faro", published=date(2024, 6, 19))
    others = [replace(row, outlet="La Ría"), replace(row, published=date(2024, 6, 20))]
    assert len({to_article(draft).id for draft in (row, *others)}) == 3


def test_row_that_differs_in_white_space_only_is_the_same() -> None:
    row = replace(DRAFT, place="/r.jsonl line 1", line=1)
    assert to_article(replace(row, text=BODY.replace(" ", "  "))).id == to_article(row).id
    assert to_article(replace(row, text=BODY.upper())).id != to_article(row).id


@pytest.mark.parametrize(
    "draft",
    [
        DRAFT,
        replace(DRAFT, url="https://faro.es/a"),
        replace(DRAFT, given_id="1"),
        replace(DRAFT, text=f"{BODY}\nPublicidad", place="/r.jsonl line 1", line=1),
    ],
    ids=["file", "address", "id", "row"],
)
def test_id_is_told_before_the_article_is_made(draft: Draft) -> None:
    assert article_id(draft) == to_article(draft).id


def test_another_spelling_of_the_address_is_no_change() -> None:
    first, second = (replace(DRAFT, url=f"https://faro.es/a{end}") for end in ("", "?utm_source=x"))
    assert to_article(first).content_hash == to_article(second).content_hash


@pytest.mark.parametrize(
    ("given", "code"),
    [("es", "es"), ("es-MX", "es"), ("PT_br", "pt"), ("spanish", None), ("xx", None), ("", None), (None, None)],
)
def test_language_codes_are_held_to_iso_639_1(given: str | None, code: str | None) -> None:
    assert valid_language(given) == code


def test_language_that_is_no_code_is_detected() -> None:
    assert to_article(replace(DRAFT, language="español")).language == "es"


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("http://Faro.es:80/a/?utm_source=x&id=2&fbclid=y#top", "https://faro.es/a?id=2"),
        ("http://faro.es/#!/noticias/una", "https://faro.es#!/noticias/una"),
        ("http://faro.es/app/#/noticias/una", "https://faro.es/app#/noticias/una"),
        ("https://faro.es:8443/A", "https://faro.es:8443/A"),
        ("https://user:pw@faro.es/", "https://faro.es"),
    ],
    ids=str,
)
def test_addresses_of_one_page_have_one_spelling(url: str, canonical: str) -> None:
    assert canonical_url(url) == canonical


def test_equal_ids_of_two_outlets_or_files_are_two_articles() -> None:
    first, second = replace(DRAFT, given_id="1", outlet="El Faro"), replace(DRAFT, given_id="1", outlet="La Ría")
    assert to_article(first).id != to_article(second).id
    assert to_article(replace(first, place="/elsewhere")).id == to_article(first).id
    row, other_row = (replace(DRAFT, given_id="1", place=f"/{file} line 3", line=3) for file in ("a", "b"))
    assert to_article(row).id != to_article(other_row).id
    assert to_article(row).id == to_article(replace(row, place="/a line 9", line=9)).id
