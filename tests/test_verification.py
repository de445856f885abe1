from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path

import pytest

from rag.schema import Support
from rag.sentences import split_sentences
from rag.verification import check, overlap

SAMPLE = Path(__file__).parent.parent / "eval" / "data" / "sample.jsonl"

TREATY = "El acuerdo, firmado en Tirana el 19 de junio de 2024, reemplaza el tratado de 1961."
FIRE = "El incendio quemó 11.000 hectáreas y obligó a evacuar a tres pueblos de Zamora."
DENIED = "El ministro Pedro Ruiz dijo que no habrá elecciones anticipadas."


@pytest.mark.parametrize(
    ("statement", "cited", "support"),
    [
        (TREATY, [TREATY], "supported"),
        ("El acuerdo reemplaza el tratado de 1961.", [TREATY], "supported"),
        ("El acuerdo reemplaza los tratados de 1961 y 2000.", [TREATY], "unsupported"),
        ("El acuerdo firmado el 19 de julio reemplaza el tratado de 1961.", [TREATY], "unsupported"),
        ("El acuerdo firmado en Roma reemplaza el tratado de 1961.", [TREATY], "unsupported"),
        ("El acuerdo firmado en Tirana por Macron reemplaza el tratado.", [TREATY], "unsupported"),
        ("El acuerdo no reemplaza el tratado de 1961.", [TREATY], "partly"),
        ("El incendio quemó 11 mil hectáreas.", [FIRE], "supported"),
        ("El incendio quemó 11 000 hectáreas en Zamora.", [FIRE], "supported"),
        ("El incendio quemó 12.000 hectáreas.", [FIRE], "unsupported"),
        ("El incendio obligó a evacuar 3 pueblos.", [FIRE], "supported"),
        ("El incendio obligó a evacuar cuatro pueblos.", [FIRE], "unsupported"),
        ("El acuerdo reemplaza dos tratados.", [TREATY], "partly"),
        ("No habrá elecciones anticipadas.", [DENIED], "supported"),
        ("Habrá elecciones anticipadas.", [DENIED], "partly"),
        ("Sin embargo, el incendio quemó 11.000 hectáreas.", [FIRE], "supported"),
        ("Pedro Ruiz dijo que no habrá elecciones.", [DENIED], "supported"),
        ("Ana Ruiz dijo que no habrá elecciones.", [DENIED], "unsupported"),
        ("La primera ministra inauguró una escuela de música.", [TREATY], "unsupported"),
        ("El pacto suscrito en Tirana sustituye otro de 1961.", [TREATY], "partly"),
        ("El acuerdo reemplaza el tratado y quemó 11.000 hectáreas.", [TREATY, FIRE], "supported"),
        ("Firmaron acuerdos que reemplazan tratados.", [TREATY], "supported"),
        ("Sí.", [TREATY], "partly"),
        ("El acuerdo reemplaza el tratado de 1961.", [], "unsupported"),
        ("", [TREATY], "unsupported"),
    ],
    ids=str,
)
def test_statement_is_held_to_what_it_cites(statement: str, cited: list[str], support: Support) -> None:
    assert check(statement, cited, language="es", cited_language="es") == support


@pytest.mark.parametrize(
    ("statement", "around", "support"),
    [
        ("Pedro Ruiz dijo que no habrá elecciones anticipadas.", ["Compareció Pedro Ruiz."], "supported"),
        ("Según Eco, el ministro dijo que no habrá elecciones anticipadas.", ["Eco"], "supported"),
        ("El ministro dijo el 19 de junio que no habrá elecciones anticipadas.", ["2024-06-19"], "partly"),
        ("Pedro Ruiz dijo que no habrá elecciones anticipadas.", ["Otra cosa."], "unsupported"),
        ("El ministro condenó a la ONU por las elecciones.", ["Habló la ONU."], "partly"),
    ],
    ids=["name before", "outlet", "date of the article", "name nowhere", "name of another"],
)
def test_context_confirms_names_but_not_numbers(statement: str, around: list[str], support: Support) -> None:
    cited = ["El ministro dijo que no habrá elecciones anticipadas."]
    assert check(statement, cited, context=around, language="es", cited_language="es") == support


@pytest.mark.parametrize(
    ("statement", "cited", "support"),
    [
        ("La UE aprobó el reglamento.", "La Unión Europea aprobó el reglamento.", "supported"),
        ("La ONU pidió calma.", "La Organización de las Naciones Unidas pidió calma.", "supported"),
        ("Pidió calma a Estados Unidos.", "Pidió calma a EE. UU. y a otros.", "supported"),
        ("La OTAN pidió calma.", "La Organización de las Naciones Unidas pidió calma.", "partly"),
    ],
    ids=str,
)
def test_initials_stand_for_the_name(statement: str, cited: str, support: Support) -> None:
    found = check(statement, [cited], language="es", cited_language="es")
    assert (found == "supported") == (support == "supported")


@pytest.mark.parametrize(
    ("statement", "support"),
    [
        ("The agreement signed in Tirana in June 2024 replaces the 1961 treaty.", "supported"),
        ("The agreement signed in Tirana replaces the 1962 treaty.", "unsupported"),
        ("The agreement does not replace the treaty that was signed in Tirana in 1961.", "partly"),
        ("The agreement replaces an older treaty.", "partly"),
        ("According to John Smith, the agreement is bad.", "unsupported"),
        ("The deal with London replaces the 1961 treaty.", "partly"),
    ],
    ids=str,
)
def test_between_languages_numbers_and_names_decide(statement: str, support: Support) -> None:
    assert check(statement, [TREATY], language="en", cited_language="es") == support


def test_unknown_language_of_the_source_counts_as_the_statements() -> None:
    assert check("The treaty was signed in 1961.", ["The treaty was signed in 1961."], language="en") == "supported"


def test_german_nouns_are_not_taken_for_names() -> None:
    cited = ["Das Abkommen ersetzt den Vertrag von 1961."]
    assert check("Das Abkommen ersetzt den alten Vertrag.", cited, language="de", cited_language="de") == "supported"


def test_overlap_is_the_share_of_the_statements_words() -> None:
    assert overlap("acuerdo tratado lluvia 1961", TREATY) == 0.75
    assert overlap("", TREATY) == 0


@pytest.fixture(scope="module")
def sentences() -> list[tuple[str, str]]:
    """Every sentence of the sample articles with its language: six languages, some 400 sentences."""
    articles = [json.loads(line) for line in SAMPLE.read_text(encoding="utf-8").splitlines()]
    return [
        (sentence.text, article["language"])
        for article in articles
        for sentence in split_sentences(article["text"], language=article["language"])
    ]


def test_every_sentence_of_real_length_bears_itself_out(sentences: list[tuple[str, str]]) -> None:
    weak = [text for text, language in sentences if check(text, [text], language=language) != "supported"]
    assert len(sentences) > 300
    assert weak == []


def test_changed_number_is_nearly_always_caught(sentences: list[tuple[str, str]]) -> None:
    found = []
    for text, language in sentences:
        if number := re.search(r"\d+", text):
            changed = text[: number.start()] + str(int(number.group()) + 1) + text[number.end() :]
            found.append(check(changed, [text], language=language))
    # The changed number may stand elsewhere in the sentence.
    assert found.count("unsupported") >= 0.98 * len(found)


def test_sentence_is_hardly_ever_borne_out_by_another(sentences: list[tuple[str, str]]) -> None:
    found = [
        check(text, [other], language=language)
        for (text, language), (other, other_language) in pairwise(sentences)
        if language == other_language and text != other
    ]
    assert found.count("supported") <= 0.01 * len(found)
