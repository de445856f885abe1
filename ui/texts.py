"""What the interface says: one `Texts` record a language, with the same fields in each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Texts:
    """Every word of the interface in one language; `{name}` places are filled with `str.format`."""

    code: str
    sample_label: str
    sample_note: str
    holdings: str
    language_label: str

    question_label: str
    question_placeholder: str
    ask: str
    stop: str
    new_conversation: str
    examples: str
    conversation: str
    you_asked: str

    filters: str
    since: str
    until: str
    date_placeholder: str
    outlets: str
    bad_date: str
    dates_reversed: str
    limited_by: str
    remove_limit: str
    from_day: str
    until_day: str
    title_example: str
    sample_examples: tuple[str, ...]

    welcome_title: str
    welcome: str
    no_articles_title: str
    no_articles: str
    evidence: str
    evidence_empty: str

    searching: str
    reading: str
    answered: str
    unknown: str
    stopped: str
    confidence: str
    confidence_words: tuple[str, str, str]
    took: str
    extractive: str
    written_by: str
    partly: str
    unsupported: str
    copy_answer: str
    copied: str
    download: str
    see_evidence: str
    back_to_answer: str

    citation: str
    cited_in: str
    nearest: str
    nearest_note: str
    no_nearest: str
    whole_article: str
    cut_article: str
    no_date: str
    unknown_language: str
    article: str
    score: str
    similarity: str
    open_source: str
    also_printed: str
    also_told: str
    same_text: str
    same_event: str
    sources: str

    failed: str
    failed_model: str
    failed_archive: str

    months: tuple[str, ...]
    date_order: str
    decimal: str
    percent: str
    languages: Mapping[str, str]


ES = Texts(
    code="es",
    sample_label="Archivo de muestra: artículos inventados",
    sample_note="Los artículos, los medios y los sucesos de este archivo son inventados, para probar el programa.",
    holdings="Artículos en el archivo: {articles}",
    language_label="Idioma de la interfaz",
    question_label="Su pregunta",
    question_placeholder="Escriba una pregunta…",
    ask="Preguntar",
    stop="Detener",
    new_conversation="Conversación nueva",
    examples="Pruebe con una de estas preguntas",
    conversation="Conversación",
    you_asked="Su pregunta:",
    filters="Limitar por fecha o medio",
    since="Desde (incluido)",
    until="Hasta (incluido)",
    date_placeholder="AAAA-MM-DD",
    outlets="Medios (ninguno elegido: todos)",
    bad_date="«{value}» no es una fecha: escríbala como 2024-06-19 o déjela en blanco.",
    dates_reversed="La fecha inicial ({since}) es posterior a la final ({until}): cámbielas de sitio.",
    limited_by="Limitado por la pregunta",
    remove_limit="Quitar «{words}» y preguntar de nuevo",
    from_day="desde el {day}",
    until_day="hasta el {day}",
    title_example="¿Qué se sabe de «{title}»?",
    sample_examples=(
        "¿Qué tratados sustituye el acuerdo entre Valdoria y Carmania?",
        "¿Cuánto pagó Halden Peak por el Deportivo Ribanova?",
        "¿Cuántos heridos hubo en los choques del puerto?",
        "¿Qué robaron en el museo de Brezal?",
    ),
    welcome_title="Pregunte lo que quiera saber",
    welcome=(
        "Hemeroteca busca en los artículos de este archivo y responde con frases que se pueden comprobar: cada número "
        "entre corchetes lleva a las palabras exactas del artículo, con su medio y su fecha. Si el archivo no lo sabe, "
        "lo dice."
    ),
    no_articles_title="El archivo está vacío",
    no_articles=(
        "Todavía no hay artículos en los que buscar. Cierre este programa (Ctrl-C en su terminal), añada archivos "
        ".txt, .md o .jsonl con «hemeroteca ingest CARPETA --archive {folder}» y vuelva a abrirlo."
    ),
    evidence="Pruebas",
    evidence_empty="Aquí aparecerán los pasajes en que se apoya la respuesta, con las palabras citadas resaltadas.",
    searching="Buscando en el archivo…",
    reading="Leyendo los pasajes más cercanos ({passages})…",
    answered="Respondido con el archivo",
    unknown="El archivo no lo sabe",
    stopped="Respuesta detenida",
    confidence="confianza {word} ({percent})",
    confidence_words=("baja", "media", "alta"),
    took="en {seconds} s",
    extractive="con frases de los propios artículos",
    written_by="redactado por {model}",
    partly="apoyo parcial",
    unsupported="sin apoyo en el archivo",
    copy_answer="Copiar con fuentes",
    copied="Copiado",
    download="Descargar",
    see_evidence="Ver pruebas",
    back_to_answer="Volver a la respuesta",
    citation="Cita {number}",
    cited_in="Cita {number}: {source}, {date}",
    nearest="Lo más cercano",
    nearest_note="Estos pasajes son lo que más se parece a la pregunta. No son una respuesta.",
    no_nearest="Ningún pasaje del archivo se parece a la pregunta.",
    whole_article="Ver el artículo entero",
    cut_article="El artículo es muy largo: se muestra la parte que rodea la cita.",
    no_date="sin fecha",
    unknown_language="idioma desconocido",
    article="artículo {id}",
    score="puntuación {score}",
    similarity="parecido {score}",
    open_source="Abrir el original",
    also_printed="Las mismas palabras en: {outlets}",
    also_told="El mismo hecho en: {outlets}",
    same_text="El mismo texto",
    same_event="El mismo hecho",
    sources="Fuentes",
    failed="No se ha podido responder: un fallo inesperado, cuyos detalles están en la terminal del programa.",
    failed_model=(
        "No se ha podido responder porque el modelo no contesta; compruebe que está en marcha (los detalles están en "
        "la terminal) y vuelva a preguntar."
    ),
    failed_archive="No se ha podido leer el archivo; los detalles están en la terminal del programa.",
    months=(
        "enero",
        "febrero",
        "marzo",
        "abril",
        "mayo",
        "junio",
        "julio",
        "agosto",
        "septiembre",
        "octubre",
        "noviembre",
        "diciembre",
    ),
    date_order="{day} de {month} de {year}",
    decimal=",",
    percent="{number}\u00a0%",
    languages={
        "ar": "árabe",
        "ca": "catalán",
        "de": "alemán",
        "en": "inglés",
        "es": "español",
        "eu": "euskera",
        "fr": "francés",
        "gl": "gallego",
        "he": "hebreo",
        "it": "italiano",
        "ja": "japonés",
        "nl": "neerlandés",
        "pl": "polaco",
        "pt": "portugués",
        "ro": "rumano",
        "ru": "ruso",
        "tr": "turco",
        "uk": "ucraniano",
        "zh": "chino",
    },
)

EN = Texts(
    code="en",
    sample_label="Sample archive: invented articles",
    sample_note="The articles, outlets and events of this archive are invented; they are here to try the program.",
    holdings="Articles in the archive: {articles}",
    language_label="Interface language",
    question_label="Your question",
    question_placeholder="Type a question…",
    ask="Ask",
    stop="Stop",
    new_conversation="New conversation",
    examples="Try one of these questions",
    conversation="Conversation",
    you_asked="Your question:",
    filters="Limit by date or outlet",
    since="From (inclusive)",
    until="To (inclusive)",
    date_placeholder="YYYY-MM-DD",
    outlets="Outlets (none chosen: all)",
    bad_date="“{value}” is not a date: write it like 2024-06-19 or leave it empty.",
    dates_reversed="The first date ({since}) is later than the last one ({until}): swap them.",
    limited_by="Limited by the question",
    remove_limit="Remove “{words}” and ask again",
    from_day="from {day}",
    until_day="until {day}",
    title_example="What is known about “{title}”?",
    sample_examples=(
        "Which treaties does the agreement between Valdoria and Carmania replace?",
        "How much did Halden Peak pay for Deportivo Ribanova?",
        "How many people were injured in the clashes at the port?",
        "What was stolen from the museum of Brezal?",
    ),
    welcome_title="Ask what you want to know",
    welcome=(
        "Hemeroteca searches the articles of this archive and answers with sentences that can be checked: each number "
        "in brackets leads to the exact words of the article, with its outlet and date. When the archive does not "
        "know, it says so."
    ),
    no_articles_title="The archive is empty",
    no_articles=(
        "There are no articles to search yet. End this program (Ctrl-C in its terminal), add .txt, .md or .jsonl files "
        "with “hemeroteca ingest FOLDER --archive {folder}” and start it again."
    ),
    evidence="Evidence",
    evidence_empty="The passages that the answer rests on will appear here, with the quoted words highlighted.",
    searching="Searching the archive…",
    reading="Reading the nearest passages ({passages})…",
    answered="Answered from the archive",
    unknown="The archive does not know",
    stopped="Answer stopped",
    confidence="{word} confidence ({percent})",
    confidence_words=("low", "medium", "high"),
    took="in {seconds} s",
    extractive="in the articles' own sentences",
    written_by="written by {model}",
    partly="partly supported",
    unsupported="not supported by the archive",
    copy_answer="Copy with sources",
    copied="Copied",
    download="Download",
    see_evidence="See evidence",
    back_to_answer="Back to the answer",
    citation="Citation {number}",
    cited_in="Citation {number}: {source}, {date}",
    nearest="Nearest passages",
    nearest_note="These passages are the closest to the question. They are not an answer.",
    no_nearest="No passage of the archive comes close to the question.",
    whole_article="Show the whole article",
    cut_article="The article is very long: only the part around the citation is shown.",
    no_date="no date",
    unknown_language="unknown language",
    article="article {id}",
    score="score {score}",
    similarity="similarity {score}",
    open_source="Open the original",
    also_printed="The same words in: {outlets}",
    also_told="The same event in: {outlets}",
    same_text="The same text",
    same_event="The same event",
    sources="Sources",
    failed="The question could not be answered: an unexpected failure, whose details are in the program's terminal.",
    failed_model=(
        "The question could not be answered because the model does not respond; check that it is running (details are "
        "in the terminal) and ask again."
    ),
    failed_archive="The archive could not be read; details are in the program's terminal.",
    months=(
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ),
    date_order="{day} {month} {year}",
    decimal=".",
    percent="{number}%",
    languages={
        "ar": "Arabic",
        "ca": "Catalan",
        "de": "German",
        "en": "English",
        "es": "Spanish",
        "eu": "Basque",
        "fr": "French",
        "gl": "Galician",
        "he": "Hebrew",
        "it": "Italian",
        "ja": "Japanese",
        "nl": "Dutch",
        "pl": "Polish",
        "pt": "Portuguese",
        "ro": "Romanian",
        "ru": "Russian",
        "tr": "Turkish",
        "uk": "Ukrainian",
        "zh": "Chinese",
    },
)

TEXTS: Mapping[str, Texts] = {"es": ES, "en": EN}
"""Every interface language by its ISO 639-1 code."""

LANGUAGE_CHOICES = (("Español", "es"), ("English", "en"))


def texts_for(language: str) -> Texts:
    """Return the texts of a language, Spanish for one that the interface does not speak."""
    return TEXTS.get(language, ES)


def date_text(day: date | None, texts: Texts) -> str:
    """Return a date in words, or the words for "no date"."""
    if day is None:
        return texts.no_date
    return texts.date_order.format(day=day.day, month=texts.months[day.month - 1], year=day.year)


def number_text(number: float, texts: Texts, *, digits: int = 2) -> str:
    """Return a number with the language's decimal sign."""
    return f"{number:.{digits}f}".replace(".", texts.decimal)


def confidence_text(confidence: float, texts: Texts) -> str:
    """Return a probability, 0 to 1, in words with its percentage."""
    word = texts.confidence_words[(confidence >= 0.55) + (confidence >= 0.8)]
    # No estimate is certain, whatever it rounds to.
    percent = texts.percent.format(number=min(99, max(1, round(100 * confidence))))
    return texts.confidence.format(word=word, percent=percent)


def language_text(code: str, texts: Texts) -> str:
    """Return a language's name for its ISO 639-1 code; the code itself where no name is known."""
    if code == "und":
        return texts.unknown_language
    return texts.languages.get(code, code)
