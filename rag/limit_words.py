"""How a question asks for what was reported, by whom and when: words of each language, folded. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Asking:
    """The words of one language as patterns on text in small letters without accents.

    `news` are names of what is published; `happened` asks openly what happened, `published` what was written,
    whoever wrote it. `according` stands right before a source, `says` are verbs of a source, before or after it;
    `article` may stand between, as may `kind` ("la agencia"). `within` stands before a source in which something was
    published. `attached` ties a date to the word before it, `joined` one source to the next; `without` takes a source
    away; `when` asks for the day itself.
    """

    news: str
    happened: str
    published: str
    according: str
    says: str
    article: str
    kind: str
    within: str
    attached: str
    joined: str
    without: str
    when: str
    # What else an outlet makes: in general these are works of others too.
    works: str = r"(?!)"
    # Before a date that is an attribute of what follows: "the 2019 election".
    attributive: str = r"(?!)"


ASKING: Mapping[str, Asking] = {
    "es": Asking(
        news=r"noticias?|novedades|articulos?|cronicas?|reportajes?|titulares?|cobertura|hay de nuevo",
        works=r"informaciones|informacion|notas?|portadas?|edicion(?:es)?|entrevistas?|editoriales|publicaciones",
        happened=r"(?:que|cosas?|algo|lo que)(?: mas| no)? (?:se )?(?:ha |han |habia |hubo )?(?:paso|pasado|pasaba|pasa"
        r"|ocurrio|ocurrido|ocurria|ocurre|sucedio|sucedido|sucedia|sucede|acontecio|hubo)|lo (?:ocurrido|sucedido)"
        r"|que hay de nuevo|que novedades|acontecimientos|sucesos",
        published=r"(?:que|como|cuanto|lo que) (?:mas |cosas )?se (?:ha |habia |han )?(?:escrib\w+|escrito|public\w+"
        r"|dijo|dicho|decia|cont[oa]\w*|inform\w+|habl\w+|coment\w+|titul\w+|dice|cuenta|supo|sabia)|lo publicado"
        r"|la prensa|los periodicos|los diarios|los medios|la hemeroteca",
        according=r"segun|de acuerdo con|conforme a|en palabras de|citando a|a juicio de|siempre segun",
        says=r"dij\w+|dic(?:e|en|ho)|decia\w*|public\w+|cont(?:o|aron|aba|aban|ado)|cuentan?|inform\w+|escrib\w+|escrito"
        r"|relat\w+|report\w+|destac\w+|titul\w+|asegur\w+|afirm\w+|sostuv\w+|sostien\w+|habl\w+|coment\w+|recog\w+"
        r"|revel\w+|explic\w+|narr\w+|avanz\w+|adelant\w+|apunt\w+|señal\w+|difund\w+|cubri\w*|cubre|trat(?:o|aron)"
        r"|opin\w+|denunci\w+|(?:salio|salieron|sale|aparecio|aparece|lei|leyo|leer) en",
        article="el|la|los|las",
        kind="la agencia|el diario|el periodico|la revista|la cadena|el medio|la emisora|la web|agencia|diario",
        within="en|de|del|por",
        attached="de|del",
        joined="y|e|o|u|ni|como",
        without="excepto|salvo|menos|sin|quitando|ademas de|aparte de|fuera de|no sean? de|que no",
        when=r"cuando|que dia|en que (?:fecha|año|mes|dia)|desde cuando|hasta cuando",
    ),
    "en": Asking(
        news=r"news|stor(?:y|ies)|articles?|coverage|headlines?|clippings|what(?:[’']s| is) new",
        works="reports?|reporting|pieces?|editorials?|editions?|items?",
        happened=r"what(?:[’']s| is| was| has| had| have)?(?: been)?(?: else)? (?:happen(?:ed|ing|s)?|going on|went on"
        r"|occurred|took place|gone on)|what (?:has|have|had) happened|anything happen\w*|what did happen"
        r"|what else happened",
        published=r"what (?:else )?(?:was|were|has been|had been|is|is being) (?:written|reported|published|said"
        r"|printed)|the (?:press|papers|newspapers|media)",
        according=r"according to|as per|per|citing|as reported by|reported by|in the words of",
        says=r"say|says|said|saying|write|writes|wrote|written|report|reports|reported|reporting|publish\w*|cover\w*"
        r"|tell|tells|told|claim\w*|reveal\w*|print\w*|run|ran|describe\w*|note[ds]?|mention\w*|announce[ds]?",
        article="the",
        kind="the agency|the news agency|the newspaper|the paper|the daily|the broadcaster|news agency|newspaper",
        within="in|by|from|on",
        attached="of",
        joined="and|or|nor|&",
        without="except|except for|but not|excluding|without|besides|other than|apart from|not from",
        when=r"when|what day|on what date|which (?:day|year|month)|what (?:year|month|date)|since when",
        attributive=r"\b(?:the|a|an|its|his|her|their|our)\s$",
    ),
    "fr": Asking(
        news="nouvelles?|articles?|actualites?|infos?|informations?|reportages?",
        happened=r"que s[’']est[- ]il passe|qu[’']est[- ]ce qui s[’']est passe|que se passe[- ]t[- ]il|quoi de neuf"
        r"|qu[’']est[- ]il arrive|ce qui s[’']est passe",
        published=r"a[- ]t[- ]on (?:ecrit|publie|dit)|a ete (?:ecrit|publie|dit)|la presse|les journaux|les medias",
        according=r"selon|d[’']apres|de l[’']avis d[eu]",
        says=r"dit|disait|ecrit|ecrivait|publie\w*|rapporte\w*|annonce\w*|raconte\w*|affirme\w*|revele\w*|parle\w*",
        article=r"l[’']|le|la|les",
        kind=r"l[’']agence|le journal|le quotidien",
        within="dans|par",
        attached=r"de|du|d[’']",
        joined="et|ou|ni",
        without="sauf|hormis|sans|excepte",
        when="quand|quel jour|en quelle annee|a quelle date|depuis quand",
    ),
    "pt": Asking(
        news="noticias?|artigos?|reportagens?|materias?|manchetes?",
        happened=r"o que (?:e que )?(?:aconteceu|houve|ocorreu|sucedeu|se passou|tem acontecido|acontece)"
        r"|que aconteceu",
        published=r"se (?:escreveu|publicou|disse|noticiou)|foi (?:publicado|escrito|noticiado)|a imprensa|os jornais",
        according="segundo|de acordo com|conforme",
        says=r"disse\w*|diz\w*|publicou|publicaram|escreveu|escreveram|noticiou|noticiaram|informou|informaram|contou"
        r"|relatou|revelou|afirmou",
        article="o|a|os|as",
        kind="a agencia|o jornal|o diario|a revista",
        within="em|no|na|por|pelo|pela",
        attached="de|do|da",
        joined="e|ou|nem",
        without="exceto|menos|sem|alem de",
        when="quando|que dia|em que (?:dia|ano|data)|desde quando",
    ),
    "it": Asking(
        news="notizi[ae]|articol[oi]|servizi|titoli|cronache",
        happened=r"(?:che )?cosa (?:e|era) (?:successo|accaduto|capitato)|che (?:cosa )?(?:e|era) (?:successo|accaduto)"
        r"|(?:che )?cosa (?:accadde|successe|succede|accade)|cos[’']e successo|cosa succede",
        published=r"si (?:scrisse|e scritto|disse|pubblico)|e stato (?:scritto|pubblicato)|la stampa|i giornali",
        according="secondo|stando a|stando al",
        says=r"dett[oa]|dice|dicono|disse|scritto|scrive|scrisse|pubblicat[oa]|pubblica|pubblico|riport\w+|raccont\w+"
        r"|rivel\w+|afferm\w+|annunci\w+",
        article=r"l[’']|il|la|lo|i|gli|le",
        kind=r"l[’']agenzia|il giornale|il quotidiano",
        within="su|in|sul|sulla|da|dal",
        attached="di|del|dello|della|dell[’']",
        joined="e|o|ne",
        without="tranne|eccetto|senza|oltre a",
        when="quando|che giorno|in che (?:anno|data|giorno)|da quando",
    ),
    "de": Asking(
        news="nachrichten|artikel|berichte?|meldung(?:en)?|schlagzeilen",
        happened=r"was (?:ist|war) .{0,60}(?:passiert|geschehen|los)|was (?:geschah|passierte|ereignete sich)",
        published=r"(?:wurde|worden|wird) .{0,60}(?:geschrieben|berichtet|veroffentlicht)|die presse|die zeitungen"
        r"|die medien",
        according="laut|gemaß|nach angaben (?:von|der|des)|zufolge",
        says=r"sagt\w*|schreib\w+|schrieb\w*|geschrieben|berichtet\w*|meldet\w*|gemeldet|veroffentlicht\w*|behauptet\w*",
        article="die|der|das|dem|den",
        kind="die agentur|die zeitung",
        within="in|von|bei|im",
        attached="von|vom|des|der",
        joined="und|oder|noch",
        without="außer|ohne",
        when="wann|an welchem tag|in welchem jahr|seit wann",
    ),
    "ca": Asking(
        news="noticies?|noticia|articles?|croniques?|titulars",
        happened=r"que (?:va|ha|havia) (?:passar|passat|succeir|succeit|ocorrer|ocorregut)|que passa",
        published=r"es va (?:escriure|publicar|dir)|s[’']ha (?:escrit|publicat|dit)|la premsa|els diaris",
        according=r"segons|d[’']acord amb",
        says=r"dir|dit|diu|publicar|publicat|publica|escriure|escrit|explicar|explicat|informar|informat|contar",
        article=r"l[’']|el|la|els|les",
        kind=r"l[’']agencia|el diari",
        within="a|en|de|per",
        attached=r"de|del|d[’']",
        joined="i|o|ni",
        without="excepte|menys|sense",
        when="quan|quin dia|en quin any|des de quan",
    ),
    "gl": Asking(
        news="novas|noticias?|artigos?|cronicas?",
        happened=r"que (?:pasou|ocorreu|sucedeu|aconteceu|houbo|pasa)",
        published=r"se (?:escribiu|publicou|dixo)|a prensa|os xornais",
        according="segundo|de acordo con",
        says=r"dixo|dixeron|di|publicou|publicaron|escribiu|escribiron|contou|contaron|informou|informaron",
        article="o|a|os|as",
        kind="a axencia|o xornal|o diario",
        within="en|no|na|por",
        attached="de|do|da",
        joined="e|ou|nin",
        without="agas|menos|sen|salvo",
        when="cando|que dia|en que (?:ano|data|dia)|desde cando",
    ),
}
"""By ISO 639-1 code. In other languages nothing is read."""
