"""What a page adds to an article is cut out, and every cut is recorded with its place.

A line goes only when it matches as a whole, so that no sentence of reporting is lost; a credit to a news agency at the
end of a line goes alone and is kept as the article's agency.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from rag.schema import Removal


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A text without boilerplate, what was cut in order of place, and the agencies credited ("AFP, EFE")."""

    text: str
    removed: tuple[Removal, ...] = ()
    agency: str | None = None


@dataclass(frozen=True, slots=True)
class _Cut:
    start: int
    end: int
    reason: str


_AGENCIES = {
    name.casefold(): name
    for name in (
        *("ACN", "Adnkronos", "Agerpres", "Agência Brasil", "AFP", "Anadolu", "ANSA", "AP", "Associated Press", "BTA"),
        *("Bloomberg", "CNA", "CTK", "DPA", "EFE", "Europa Press", "France-Presse", "Interfax", "KCNA", "Kyodo"),
        *("Lusa", "MTI", "Notimex", "PAP", "Prensa Latina", "Press Association", "PTI", "Reuters", "RIA"),
        *("RIA Novosti", "SDA", "Sputnik", "TASS", "Télam", "The Canadian Press", "UPI", "Xinhua", "Yonhap"),
    )
}
_AGENCY = "|".join(re.escape(name) for name in sorted(_AGENCIES, key=len, reverse=True))
# Nothing here may match a blank that the part before may match as well: the time would double with every name.
_AGENCY_PREFIX = r"(?:(?:la|las|the|a|da|de)\s+)?(?:(?:agencias?|agency|agência|agenzia|agence)\s*)?(?:de noticias\s+)?"
_ONE_AGENCY = rf"{_AGENCY_PREFIX}(?:{_AGENCY})"
_AGENCY_LIST = rf"{_ONE_AGENCY}(?:\s*(?:,|/|\by\b|\be\b|\band\b|\bet\b|\bund\b|-)\s*{_ONE_AGENCY})*"
_AGENCY_NAMES = re.compile(rf"(?<!\w)(?:{_AGENCY})(?!\w)", re.IGNORECASE)
_CREDIT_LEAD = (
    r"(?:Con (?:datos|informaci[oó]n|informaciones|reportes?|material|despachos) (?:de|del)|"
    r"With (?:information|reporting|files) from|Com informa[cç][oõ]es d[aeo]s?|Avec|Con informazioni (?:di|da)|"
    r"Mit Material von|Fuentes?:|Source:|Quelle:)"
)
_NAME = r"(?:(?:El|La|Los|Las)\s)?[A-ZÁÉÍÓÚÑ][\w.&-]*(?:\s(?:de|del|con|y|la|[A-ZÁÉÍÓÚÑ0-9][\w.&-]*)){0,5}"
# After a sentence that ended, or alone on its line; known agencies in any case, other names only when capitalised.
_SENTENCE_BEFORE = r"(?:^|(?<=[.!?…])|(?<=[.!?…][\"”»)]))\s*"
_CREDITS = (
    re.compile(rf"{_SENTENCE_BEFORE}\(?(?i:{_CREDIT_LEAD}\s+(?P<names>{_AGENCY_LIST}))\)?\s*(?:\.\s*)?$"),
    re.compile(rf"{_SENTENCE_BEFORE}\((?i:(?P<names>{_AGENCY_LIST}))\)\s*(?:\.\s*)?$"),
    re.compile(rf"^\s*(?i:(?P<names>{_AGENCY_LIST}))\s*(?:\.\s*)?$"),
)
_OTHER_CREDIT = re.compile(rf"{_SENTENCE_BEFORE}\(?Con informaci[oó]n de (?P<names>{_NAME})\)?\s*(?:\.\s*)?$")
_DATELINE = re.compile(rf"^[^\n]{{0,100}}\((?P<names>{_AGENCY_LIST})\)\s*(?:[.:]\s*)?[-–—]", re.IGNORECASE)


def _any(*phrases: str) -> str:
    return f"(?:{'|'.join(phrases)})"


_NETWORKS = _any(
    *("facebook", "twitter", "x", "instagram", "telegram", "whatsapp", "youtube", "tiktok"),
    *("linkedin", "threads", "bluesky", "google news"),
)
_COMMENT = r"(?:coment|comment|kommentar|kommentieren)\w*"
_RIGHTS = _any(
    *("todos los derechos reservados", "reservados todos los derechos", "tots els drets reservats"),
    *("all rights reserved", "tous droits reserves", "alle rechte vorbehalten", "todos os direitos reservados"),
    *("tutti i diritti (?:sono )?riservati", "riproduzione riservata", "все права защищены"),
    "prohibida (?:la|su) reproduccion(?: total o parcial)?",
)
_ALSO = _any(
    *("(?:tambien )?(?:te|le|os|les) (?:puede|podria) interesar(?: tambien)?", "quizas? (?:te|le) interese"),
    *("(?:lea|lee|vea|mira|ve|escucha|consulta) tambien", "te recomendamos(?: leer)?", "et pot interessar"),
    *("llegeix tambe", "read also", "also read", "see also", "you may also like", "(?:a )?lire aussi", "a voir aussi"),
    *("leia tambem", "veja tambem", "leggi anche", "lesen sie auch", "lees ook", "читаите также"),
)
_MORE = _any(
    *("leer mas", "lee mas", "ver mas", "seguir leyendo", "sigue leyendo", "continua leyendo", "mas informacion"),
    *("noticias? relacionadas?", "notas? relacionadas?", "articulos? relacionados?", "relacionad[oa]s?", "read more"),
    *("continue reading", "related(?: articles?| stor(?:y|ies))?", "more on this story", "lire la suite", "leia mais"),
    *("saiba mais", "mehr zum thema", "weiterlesen", "leggi tutto"),
)
_FOLLOW = _any("siguenos", "siga-nos", "follow us", "suivez-nous", "seguici", "folgen sie uns", "segueix-nos")
_SUBSCRIBE = _any(
    *("suscribete", "suscribase", "suscribirse", "unete", "subscribe", "sign up", "abonnez-vous", "inscrivez-vous"),
    *("inscreva-se", "iscriviti", "abonnieren sie", "subscriu-te"),
)
_SUBSCRIBED = _any(
    *("canal", "channel", "boletin(?:es)?", "newsletters?", "lettre", "infolettre", "noticias", "news", "updates"),
    *("alertas", "alerts", "aqui", "here", "now", "ahora", "gratis", "whatsapp", "telegram", "youtube"),
)
_SHARE_WORDS = _any(
    *("compartir?", "compartelo", "comparte", "share", "tweet", "tuitear", "twittear", "partager", "condividi"),
    *("teilen", "compartilhar", "compartilhe", "enviar", "imprimir", "print", "e-?mail", "correo", "copiar enlace"),
    *("copy link", "guardar", "pinterest", "reddit", "messenger", "en", "on", "por", "via", "sur", "no", "su", "auf"),
    *("this", "esta", "este", "cet", "esto", "articulo", "article", "story", "noticia", "nota", "post", "pagina"),
    _NETWORKS,
)
_SITE_USES = _any(
    *("este sitio(?: web)?", "esta (?:pagina )?web", "esta pagina", "utilizamos", "usamos", "we use"),
    *("this (?:web)?site uses", "nous utilisons", "ce site utilise", "wir verwenden", "diese (?:web)?site verwendet"),
    *("utilizziamo", "questo sito utilizza"),
)
_ADVERTISEMENT = _any(
    *("publicidad", "advertisement", "publicite", "werbung", "pubblicita", "publicidade", "scroll to continue"),
    "story continues below(?: advertisement)?",
)
# Each is held against a whole line without case, accents and the marks around it.
_LINE_RULES: tuple[tuple[str, str], ...] = (
    ("login prompt", rf"(?:you )?(?:must|need to|have to) be (?:logged|signed) in\b.{{0,40}}{_COMMENT}.{{0,20}}"),
    ("login prompt", rf"(?:please )?(?:log|sign) in to (?:post |leave |add )?(?:a )?(?:{_COMMENT}|reply).{{0,20}}"),
    (
        "login prompt",
        r"(?:lo siento,? )?(?:debes?|tienes que|necesitas)? ?(?:inici[ae]r?|estar|registra(?:rse|rte|te)|acceder)\b"
        rf".{{0,40}}(?:para|antes de) .{{0,30}}{_COMMENT}.{{0,20}}",
    ),
    (
        "login prompt",
        rf"(?:vous devez|devi|du musst|sie mussen|voce precisa|e preciso|has d'|heu d').{{0,60}}{_COMMENT}",
    ),
    (
        "login prompt",
        r"(?:deja|dejar|leave|post) (?:un|una|a) (?:comentario|respuesta|comment|reply)"
        r"(?: (?:cancelar(?: la)? respuesta|cancel reply))?",
    ),
    ("copyright notice", rf"(?:.{{0,60}}[|.,–-] ?)?{_RIGHTS}.{{0,100}}"),
    ("copyright notice", r"(?:©|\(c\) ?(?:copyright|\d{4})|copyright ?(?:©|\(c\)|\d{4}|by )).{0,120}"),
    ("copyright notice", r".{0,60}© ?(?:copyright )?\d{4}.{0,60}"),
    ("reading suggestion", rf"[^\w]*{_ALSO}(?: ?[:>»|→-].{{0,200}})?"),
    ("reading suggestion", rf"[^\w]*{_MORE}(?: ?[:>»|→].{{0,200}})?"),
    (
        "invitation to follow",
        rf"{_FOLLOW}\b(?:.{{0,80}}\b(?:{_NETWORKS}|redes(?: soci\w+)?|social media|reseaux sociaux)\b.{{0,60}})?",
    ),
    ("invitation to subscribe", rf"{_SUBSCRIBE}\b(?:.{{0,140}}\b{_SUBSCRIBED}\b.{{0,60}})?"),
    ("invitation to subscribe", r"recib[ae] .{0,80}\b(?:boletin|newsletter|correo|whatsapp)\b.{0,40}"),
    ("share buttons", rf"(?:{_SHARE_WORDS}(?:[\s,|/•·]+|$)){{1,14}}"),
    ("cookie notice", rf"{_SITE_USES}\b.{{0,80}}\bcookies?\b.{{0,250}}"),
    (
        "cookie notice",
        r"(?:aceptar|acepto|accept|rechazar|reject|politica de|gestionar|configurar|manage)(?: todas)?(?: las)?"
        r"(?: all)? cookies",
    ),
    ("advertisement", rf"[^\w]*{_ADVERTISEMENT}[^\w]*"),
    (
        "image credit",
        r"(?:derechos de autor de la imagen|fuente de la imagen|image (?:copyright|source)).{0,80}|getty images",
    ),
)
_COMPILED_RULES = tuple((reason, re.compile(pattern)) for reason, pattern in _LINE_RULES)
# Without a colon it must end unlike a sentence.
_LOOSE_SUGGESTION = re.compile(r"[^\w]*(?:(?:tambien )?(?:te|le|os|les) puede interesar|you may also like) .{1,160}")
_SHARE_VERB = re.compile(r"compart|share|tweet|tuitear|twittear|partager|condividi|teilen")
_MAX_LINE_CHARS = 400
_MAX_CREDIT_CHARS = 400

_MONTH = r"(?:[A-Z][a-zé]{2,9}\.? \d{1,2}, \d{4}|\d{1,2} (?:de )?[A-Za-zéû]{3,12}\.?,? (?:de )?\d{4})"
_POST_END = re.compile(rf"(?:pic\.twitter\.com/\w+|[—–-] ?[^\n]{{1,80}}\(@\w{{1,30}}\) {_MONTH})\s*$")


def clean(text: str) -> Cleaned:
    """Return the article's own words, what was cut from between them, and the agency that the text credits.

    Args:
        text: As published, with line feeds as line ends; the removals' offsets count in it.
    """
    lines = _lines_of(text)
    cuts = {index: reason for index, (start, end) in enumerate(lines) if (reason := _reason(text[start:end]))}
    cuts |= dict.fromkeys(_post_lines([text[start:end] for start, end in lines]), "embedded post")
    agencies = [name for index in cuts for name in _agencies_in(text[slice(*lines[index])], cuts[index])]
    if dateline := _DATELINE.match(text):
        agencies += _named(dateline["names"])
    inline: list[_Cut] = []
    kept = [index for index, (start, end) in enumerate(lines) if index not in cuts and text[start:end].strip()]
    for index in kept:
        start, end = lines[index]
        if credit := _credit(text[start:end], last=index in kept[-2:]):
            agencies += _named(credit["names"]) or [credit["names"]]
            if text[start : start + credit.start()].strip():
                inline.append(_Cut(start + credit.start(), start + credit.end(), "agency credit"))
            else:
                cuts[index] = "agency credit"
    # A line goes with its line end, so that no empty line stays behind.
    whole = [_Cut(lines[index][0], min(lines[index][1] + 1, len(text)), cuts[index]) for index in cuts]
    merged = _merged(sorted([*whole, *inline], key=lambda cut: cut.start), text)
    removed = tuple(Removal(text[cut.start : cut.end], cut.reason, cut.start) for cut in merged)
    return Cleaned(_without(text, merged), removed, ", ".join(dict.fromkeys(agencies)) or None)


def restored(text: str, removed: Sequence[Removal]) -> str:
    """Return the text as published: every removal put back at its offset."""
    for removal in sorted(removed, key=lambda removal: removal.start):
        text = text[: removal.start] + removal.text + text[removal.start :]
    return text


def _lines_of(text: str) -> list[tuple[int, int]]:
    spans, start = [], 0
    for line in text.split("\n"):
        spans.append((start, start + len(line)))
        start += len(line) + 1
    return spans


def _reason(line: str) -> str | None:
    """Return why a line is no part of the article, None when it may be one."""
    if len(line) > _MAX_LINE_CHARS:
        return None
    plain = _plain(line)
    if not plain:
        return None
    for reason, rule in _COMPILED_RULES:
        if rule.fullmatch(plain):
            # "Facebook y X" may be a heading: a row of buttons has a verb.
            if reason == "share buttons" and not _SHARE_VERB.search(plain):
                continue
            return reason
    if _LOOSE_SUGGESTION.fullmatch(plain) and not line.rstrip().endswith((".", "…")):
        return "reading suggestion"
    return None


def _plain(line: str) -> str:
    folded = unicodedata.normalize("NFD", line.casefold())
    return " ".join("".join(char for char in folded if not unicodedata.combining(char)).split()).strip(" !¡.…")


def _post_lines(lines: Sequence[str]) -> list[int]:
    """Return which lines are an embedded post: its last one, and those before it that open with the same emoji."""
    found = []
    for index, line in enumerate(lines):
        if not _POST_END.search(line):
            continue
        found.append(index)
        emoji = line.strip()[:1]
        before = index - 1
        while emoji and before >= 0 and unicodedata.category(emoji) == "So" and lines[before].strip().startswith(emoji):
            found.append(before)
            before -= 1
    return found


def _credit(line: str, *, last: bool) -> re.Match[str] | None:
    """Return the credit that ends `line`; one to somebody unknown counts only among the `last` lines."""
    start = max(0, len(line.rstrip()) - _MAX_CREDIT_CHARS)
    for pattern in _CREDITS:
        if match := pattern.search(line, start):
            return match
    return _OTHER_CREDIT.search(line, start) if last else None


def _agencies_in(line: str, reason: str) -> list[str]:
    return _named(line) if reason == "copyright notice" else []


def _named(names: str) -> list[str]:
    return [_AGENCIES[match[0].casefold()] for match in _AGENCY_NAMES.finditer(names)]


def _merged(cuts: Sequence[_Cut], text: str) -> list[_Cut]:
    """Join neighbours with one reason; a cut at the text's end takes the white space before it along."""
    merged: list[_Cut] = []
    for cut in cuts:
        if merged and merged[-1].end == cut.start and merged[-1].reason == cut.reason:
            merged[-1] = _Cut(merged[-1].start, cut.end, cut.reason)
        else:
            merged.append(cut)
    if merged and not text[merged[-1].end :].strip():
        last = merged[-1]
        floor = merged[-2].end if len(merged) > 1 else 0
        start = max(floor, len(text[: last.start].rstrip()))
        merged[-1] = _Cut(start, len(text), last.reason)
    return merged


def _without(text: str, cuts: Sequence[_Cut]) -> str:
    kept, start = [], 0
    for cut in cuts:
        kept.append(text[start : cut.start])
        start = cut.end
    return "".join([*kept, text[start:]])
