from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.cleaning import clean, restored
from rag.schema import Removal

REPORT = "El presidente firmó el acuerdo este miércoles, informó la agencia EFE."
BOILERPLATE = [
    "You must be logged in to post a comment Login",
    "TODOS LOS DERECHOS RESERVADOS © Copyright ANSA",
    "Te puede interesar: otra cosa",
    "📹 Video pic.twitter.com/0ZKUMXmdp0— Ana (@ana) November 29, 2024",
    "📹 Video en otro idioma",
    "(EFE)",
    "Con datos de Europa Press",
    REPORT,
    f"{REPORT} Con datos de Europa Press",
    "Publicidad",
    "",
    "  ",
]


@given(st.lists(st.one_of(st.sampled_from(BOILERPLATE), st.text(max_size=40)), max_size=12).map("\n".join))
def test_removals_put_back_give_the_text_as_published(text: str) -> None:
    cleaned = clean(text)
    assert restored(cleaned.text, cleaned.removed) == text
    for removal in cleaned.removed:
        assert text[removal.start : removal.start + len(removal.text)] == removal.text != ""
    assert [removal.start for removal in cleaned.removed] == sorted(removal.start for removal in cleaned.removed)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("You must be logged in to post a comment Login", "login prompt"),
        ("Lo siento, debes estar conectado para publicar un comentario.", "login prompt"),
        ("Inicia sesión para comentar", "login prompt"),
        ("Deja una respuesta Cancelar la respuesta", "login prompt"),
        ("Vous devez être connecté pour publier un commentaire", "login prompt"),
        ("TODOS LOS DERECHOS RESERVADOS © Copyright ANSA", "copyright notice"),
        ("© 2024 El Faro. Todos los derechos reservados.", "copyright notice"),
        ("Copyright © 2024 The Harbour Post", "copyright notice"),
        ("The Harbour Post | All rights reserved", "copyright notice"),
        ("Lea también: El puerto reabre", "reading suggestion"),
        ("Te puede interesar El puerto reabre", "reading suggestion"),
        ("➡️ Lee también | El puerto reabre", "reading suggestion"),
        ("Leia também: o porto reabre", "reading suggestion"),
        ("Read more: port reopens", "reading suggestion"),
        ("Noticias relacionadas", "reading suggestion"),
        ("Síguenos en Facebook y Twitter", "invitation to follow"),
        ("¡Síguenos en nuestras redes sociales!", "invitation to follow"),
        ("Follow us on X", "invitation to follow"),
        ("Suscríbete a nuestro boletín de noticias", "invitation to subscribe"),
        ("Únete a nuestro canal de WhatsApp", "invitation to subscribe"),
        ("Sign up for our daily newsletter", "invitation to subscribe"),
        ("Compartir en Facebook | Twitter | WhatsApp", "share buttons"),
        ("Comparte esta noticia", "share buttons"),
        ("Share", "share buttons"),
        ("Utilizamos cookies propias y de terceros para mejorar nuestros servicios.", "cookie notice"),
        ("Accept all cookies", "cookie notice"),
        ("PUBLICIDAD", "advertisement"),
        ("- Publicidad -", "advertisement"),
        ("Derechos de autor de la imagen Getty Images", "image credit"),
    ],
    ids=lambda value: value[:40],
)
def test_line_that_is_no_article_is_cut(line: str, reason: str) -> None:
    cleaned = clean(f"{REPORT}\n{line}\n{REPORT}")
    assert cleaned.text == f"{REPORT}\n{REPORT}"
    assert cleaned.removed == (Removal(f"{line}\n", reason, len(REPORT) + 1),)


@pytest.mark.parametrize(
    "line",
    [
        "Los vecinos deben iniciar sesión en la web municipal para comentar el plan, dijo el alcalde.",
        "La ley del copyright de 2019 se debate en Bruselas.",
        "El juez recordó que todos los derechos reservados por la Constitución siguen en vigor.",
        "Facebook y Twitter cerrarán sus oficinas",
        "Facebook",
        "La empresa admitió que utiliza cookies para seguir a sus usuarios.",
        "Leer más en la escuela: el plan del ministerio",
        "La publicidad cayó un 3 %.",
        "Con datos de Europa Press y otras fuentes, el ministro presentó el informe.",
        "El acuerdo, según datos de Europa Press",
        "La alcaldesa escribió en Twitter: pic.twitter.com/abc es falso, y lo borró.",
        "Sigue el paro en los puertos del norte",
        "Compartir vivienda es ya la norma entre los jóvenes",
        "Mira también dimitió tras el escándalo, según fuentes del partido.",
        "Lee también prometió reabrir el puerto",
        "Te puede interesar el cargo, le dijo el alcalde.",
        'Votó por la "Alianza Popular" (AP).',
        "Su testimonio prescinde de todo comentario:",
        "© significa derechos de autor y lo usan los editores desde hace más de cien años en todos los países del"
        " mundo, aunque no siempre con el mismo alcance legal, según explicó la catedrática en la conferencia.",
    ],
    ids=lambda value: value[:40],
)
def test_reporting_is_never_cut(line: str) -> None:
    text = f"{REPORT}\n{line}\n{REPORT}\n{REPORT}"
    assert clean(text).text == text


@pytest.mark.parametrize(
    ("ending", "agency"),
    [
        (" Con datos de Europa Press", "Europa Press"),
        (" Con información de EFE.", "EFE"),
        (" (Con información de AFP y Reuters)", "AFP, Reuters"),
        (" (EFE)", "EFE"),
        ("\nEFE", "EFE"),
        ("\nAgencia Xinhua", "Xinhua"),
        ("\nFuente: agencia AFP", "AFP"),
        ("\nCon información de El Financiero", "El Financiero"),
        (" (Reuters)\nPublicidad", "Reuters"),
    ],
    ids=repr,
)
def test_credit_at_the_end_becomes_the_agency(ending: str, agency: str) -> None:
    cleaned = clean(f"{REPORT}\n{REPORT}{ending}")
    assert cleaned.text.rstrip() == f"{REPORT}\n{REPORT}"
    assert cleaned.agency == agency
    assert cleaned.removed[0].reason == "agency credit"


def test_dateline_names_the_agency_and_stays() -> None:
    text = f"Washington, 3 jun (EFE).- {REPORT}"
    assert clean(text).agency == "EFE"
    assert clean(text).text == text


@pytest.mark.parametrize(
    "text",
    [
        "EFE" + ", EFE" * 1_000 + " x",
        f"{REPORT} (EFE" + ", agencia EFE" * 1_000 + " x",
        f"Vigo (EFE{', EFE' * 1_000} x",
        "Con datos de EFE" + " y EFE" * 50 + " x",
        "EFE" + " " * 20_000 + "x",
        "Vigo (EFE)" + " " * 20_000 + "x",
    ],
    ids=["names alone", "after a report", "dateline", "short line", "blanks", "blanks in a dateline"],
)
def test_long_row_of_agencies_that_is_no_credit_ends(text: str) -> None:
    # No clock: with a blank that two parts of the pattern could match, 30 names alone took longer than anybody waits.
    assert clean(text).text == text


def test_credit_at_the_end_of_a_long_line_is_cut() -> None:
    line = " ".join([REPORT] * 50)
    assert clean(f"{line} Con datos de Europa Press").text == line


def test_long_line_that_only_ends_with_an_agency_is_no_credit() -> None:
    line = "x" * 396 + " EFE"
    assert clean(f"{REPORT}\n{line}").text == f"{REPORT}\n{line}"


def test_agency_that_is_only_quoted_is_no_credit() -> None:
    assert clean(REPORT).agency is None


def test_embedded_post_goes_with_the_line_before_that_opens_with_its_emoji() -> None:
    post = "📹 Primera línea.\n📹 Second line. pic.twitter.com/0ZKUMXmdp0— Ana (@ana) November 29, 2024\n"
    cleaned = clean(f"{REPORT}\n{post}{REPORT}")
    assert cleaned.text == f"{REPORT}\n{REPORT}"
    assert cleaned.removed == (Removal(post, "embedded post", len(REPORT) + 1),)


@pytest.mark.parametrize(
    ("number", "cut", "agency", "ending"),
    [
        (0, [" Con datos de Europa Press"], "Europa Press", "así como el apoyo de China a la industria militar rusa."),
        (1, [], None, "proyectiles de artillería a Rusia para su guerra en Ucrania."),
        (
            2,
            ["\nYou must be logged in to post a comment Login"],
            None,
            "asistencia en el desarrollo de tecnología de misiles y satélites.",
        ),
        (
            3,
            [
                "📹 🇷🇺🇰🇵 Rusya Savunma Bakanı Andrei Belousov resmi bir ziyaret için Kuzey Kore'ye geldi.\n"
                "📹🇷🇺🇰🇵 Russian Defence Minister Andrey Belousov arrives in North Korea for an official visit. "
                "pic.twitter.com/0ZKUMXmdp0— Mete Sohtaoğlu (@metesohtaoglu) November 29, 2024\n"
            ],
            None,
            "especialmente en regiones conflictivas como Ucrania y el este asiático.",
        ),
        (
            4,
            ["\nTODOS LOS DERECHOS RESERVADOS © Copyright ANSA"],
            "ANSA",
            "una cumbre con Putin en una base aeroespacial.",
        ),
    ],
    ids=["000", "001", "002", "003", "004"],
)
def test_seed_articles_lose_exactly_what_is_no_article(
    number: int, cut: list[str], agency: str | None, ending: str, data_folder: Path
) -> None:
    text = sorted((data_folder / "seeds").glob("*.txt"))[number].read_text(encoding="utf-8")
    cleaned = clean(text)
    assert [removal.text for removal in cleaned.removed] == cut
    assert cleaned.agency == agency
    assert cleaned.text.endswith(ending)
    assert len(cleaned.text) == len(text) - sum(map(len, cut))
