"""How Spanish says when: its words, and rules made of them in the notation of `rag.dates_grammar`. Data only."""

from __future__ import annotations

from rag.dates_grammar import Grammar, Words, after_any, counted

_TENS = {
    "veinte": 20, "treinta": 30, "cuarenta": 40, "cincuenta": 50, "sesenta": 60, "setenta": 70, "ochenta": 80,
    "noventa": 90,
}  # fmt: skip
_ROMAN = "x xi xii xiii xiv xv xvi xvii xviii xix xx xxi"

WORDS: Words = {
    "month": counted(
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre", setiembre=9
    ),
    "short_month": counted("ene feb mar abr may jun jul ago sep oct nov dic", sept=9),
    "weekday": counted("lunes martes miercoles jueves viernes sabado domingo", start=0),
    "day": counted(
        "primero dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciseis diecisiete "
        "dieciocho diecinueve veinte veintiuno veintidos veintitres veinticuatro veinticinco veintiseis veintisiete "
        "veintiocho veintinueve treinta",
        uno=1,
    )
    | {"treinta y uno": 31},
    "number": counted(
        "uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciseis diecisiete "
        "dieciocho diecinueve", un=1, una=1, **_TENS,
    ),
    "ordinal": {
        "primer": 1, "primera": 1, "segundo": 2, "segunda": 2, "tercer": 3, "cuarto": 4, "ultimo": -1, "ultima": -1,
    },
    "which": {
        "este": 0, "esta": 0, "presente": 0, "pasado": -1, "pasada": -1, "proximo": 1, "proxima": 1,
    },
    "after": {
        "pasado": -1, "pasada": -1, "ultimo": -1, "proximo": 1, "proxima": 1, "que viene": 1, "que entra": 1,
        "entrante": 1, "en curso": 0,
    },
    # "la última semana" may be the last seven days; "el último viernes" is the one before.
    "last": {"ultimo": -1, "pasado": -1},
    "unit": {
        "semana": "week", "fin de semana": "weekend", "mes": "month", "año": "year", "trimestre": "quarter",
        "semestre": "half", "decada": "decade", "siglo": "century",
    },
    "weekend": {"fin de semana": "weekend"},
    "units": {
        "dia": "day", "dias": "day", "semana": "week", "semanas": "week", "mes": "month", "meses": "month",
        "año": "year", "años": "year", "decada": "decade", "decadas": "decade",
    },
    "quarter": {
        "bimestre": "sixth",
        "trimestre": "quarter",
        "cuatrimestre": "third",
        "semestre": "half",
        "mitad": "half",
    },
    "part": {
        "mitad": "mid",
        "principios": "early", "principio": "early", "comienzos": "early", "comienzo": "early", "inicios": "early",
        "inicio": "early", "primeros": "early", "mediados": "mid", "finales": "late", "final": "late", "fines": "late",
        "fin": "late", "ultimos": "late",
    },
    "offset": {
        "hoy": 0, "ayer": -1, "anteayer": -2, "antier": -2, "antes de ayer": -2, "anoche": -1, "anteanoche": -2,
        "antenoche": -2, "antes de anoche": -2, "mañana": 1, "pasado mañana": 2, "esta mañana": 0, "esta tarde": 0,
        "esta misma mañana": 0, "esta misma tarde": 0, "esta misma noche": 0,
        "esta noche": 0, "esta madrugada": 0, "este mediodia": 0, "la pasada noche": -1, "la noche pasada": -1,
        "la pasada madrugada": 0, "la madrugada pasada": 0,
    },
    "decade": {name: 1900 + tens for name, tens in _TENS.items()},
    "tens": {f"{tens}": 1900 + tens for tens in range(20, 100, 10)},
    "century": counted(_ROMAN, start=10),
}  # fmt: skip

_YEAR = (
    "(?:,? del? (?:año )?<year>| <year>| del? <year_which=which> año| del año <year_which=after>"
    "| del? <year_which=last> año)"
)
_MONTH = rf"(?:<which> )?(?:mes de )?<month>(?: <which=after>|{_YEAR})?"
_UNIT = "(?:<which> <unit>|<unit> <which=after>)"
_A_YEAR = "(?:(?:año )?<year>|<year_which=which> año|año <year_which=after>|año)"
# What a year, or a month by itself, has before it.
_BEFORE_YEAR = after_any(
    "en|de|del|desde|hasta|para|durante|entre|tras|aqui a|anterioridad a|posterioridad a|"
    "anterior a|anteriores a|posterior a"
    "|posteriores a|previo a|previa a"
)
_BETWEEN_DAYS = after_any("entre el|entre los|entre")
_OF_THE = after_any("del|al")
_FROM = after_any("de|del|desde")
_IN_THE = after_any("en los|de los")
# What follows a number that counts things, or a year before Christ.
_COUNTING = (
    r"(?! (?:(?!(?:las|los|mas|es|tras|tres|dos|seis|sus|unas|unos|antes|despues|entonces|apenas|estas|estos|ellas"
    r"|ellos|otras|otros|nos|les|algunas|algunos|varias|varios|muchas|muchos|todas|todos|quienes)\b)[a-zñ]+s"
    r"|km[2²]?|kg|m[2²3³]?|cc|cv|rpm|por ciento|mil|a\. ?c|antes de cristo)\b)(?! ?[%€$°])"
)
_LONG = "dias?|semanas?|mes|meses|años?|decadas?|siglos?|lustros?|trimestres?|noches|tardes|jornadas"
_ABOUT = "unos|unas|casi|cerca de|alrededor de|mas de|menos de|apenas|poco mas de|al menos|aproximadamente|algo mas de"
_SOME = "varios|varias|algunos|algunas|pocos|pocas|muchos|muchas|medio|media|un par de"
_NAMED = (
    r"calle|avenida|av\.|avda\.|plaza|hospital|estadio|barrio|colegio|club|ruta|premio|parque|estacion|instituto"
    "|escuela|paseo|puente|universidad|movimiento|grupo|brigada|colonia|metro|linea|glorieta|jardin|autopista|villa"
)
_SEASON = "verano|otoño|invierno|primavera|navidad|navidades"

_NOTHING = [
    "(?:jovenes|niños|mundo|sociedad|vida|tiempos|hombre|mujer|mujeres|españa|europa|"
    "musica|cine|arte|gente|politica) de hoy"
    "|hoy (?:en )?dia|hoy por hoy|(?:el|del) hoy(?! <weekday>)|(?:el|del) ayer(?! <weekday>)",
    "(?:sin|un|hay|misma|otra|toda|primera|dicha|pasada|entrada|la|una|cada|las|muy de|"
    "por la|de la|el|del|buena|buenas|media|a) mañanas?",
    "(?:los|cada|un|algun|cualquier|ningun|otro) (?:<weekday>|sabados|domingos)"
    "(?: (?:y|o|a) (?:los )?(?:<weekday>|sabados|domingos))*",
    "(?:los|cada) (?:<weekday>|sabados|domingos) de <month>",
    "(?:de )?<weekday>s? a <weekday>s?",
    rf"(?:{_NAMED}) (?:del? )?<day> de <month>",
    "(?:pas|sub|baj|crec|cay|ca|aument|reduj|desc|rebaj)[a-z]+ (?:[a-z]+ ){0,3}?de <year> a <last_year>",
    "(?:cerca|alrededor|mas|menos|encima|debajo|un total) de <year>",
    "el dia de mañana|dej[a-z]+ para mañana|(?:que fue|como si fuera|como) ayer",
    r"hace [\w ,]{0,25}?(?:horas?|minutos?|segundos?|rato)",
    r"(?:entre|de) <year> (?:y|a) <last_year>(?= [a-zñ]+s\b)(?! (?:las|los|sus|mas|es|tras|antes|despues)\b)",
    "(?:cada|todos los|un) <day> de <month>|(?:cada|todos los) <month>s?|<month> de cada año",
    "(?:los|todos los|un) (?:fines|fin) de semana(?: de <month>)?",
    r"(?:curso|temporada|campaña|liga|ejercicio) (?:de )?<year>\s?[-/]\s?\d+",
]
_UNRESOLVED = [
    "(?:el |la )?(?:(?:lunes|martes|miercoles|jueves|viernes|sabado) santo|sabado de gloria|miercoles de ceniza"
    "|domingo de (?:ramos|resurreccion|pascua)|lunes de pascua|martes de carnaval|viernes negro"
    "|semana (?:santa|blanca|grande|negra))(?: del? (?:año )?<year>| <after>)?",
    "(?:ese|aquel|el mismo|del mismo|ese mismo|aquel mismo) (?:dia|<weekday>|<unit>|<month>)",
    "(?:esa|aquella|la misma|esa misma|aquella misma) (?:<unit>|noche|mañana|tarde|madrugada|jornada|fecha)",
    rf"(?:el |la |un |una )?(?:<unit>|dia|<weekday>|<month>|mañana|noche|tarde|jornada|{_SEASON}) "
    "(?:siguientes?|anterior|previ[oa]|posterior|antes|despues|mas tarde)",
    "(?:el |la )?(?:siguiente|anterior|previ[oa]) (?:<unit>|dia|<weekday>|<month>|jornada)",
    "la (?:vispera|antevispera)(?: del?)?",
    rf"(?:(?:{_ABOUT}) )?(?:<number>|{_SOME}) (?:{_LONG})(?: y (?:medio|media|<number> (?:{_LONG})))? "
    "(?:despues|antes|mas tarde|previos|previas|posteriores)(?: del? <day> de <month>| del? | de que )?",
    rf"(?:{_LONG}) (?:despues|antes|mas tarde)(?: del? | de que )?",
    rf"a los <number> (?:dias|semanas|meses)|(?:al cabo de|en cuestion de|tras) <number> (?:{_LONG})",
    rf"hace (?:(?:ya|hoy|ahora) )*(?:(?:{_ABOUT}) )?(?:(?:<number>|{_SOME}) )?(?:{_LONG}|tiempo|mucho|poco)"
    "(?: tiempo| y (?:medio|media))?",
    rf"dentro de (?:{_ABOUT}|{_SOME}) (?:<number> )?(?:{_LONG})|dentro de (?:poco|un tiempo|un par de (?:{_LONG}))",
    rf"(?:los|las|estos|estas) (?:ultim|proxim|pasad|siguient)[aoe]s(?: pocos| pocas)? (?:{_LONG}|tiempos)",
    rf"(?:(?:este|esta|el|la|pasad[oa]|proxim[oa]|ultim[oa]) ){{1,2}}(?:{_SEASON})(?: <after>)?"
    r"(?: (?:del? )?(?:año )?<year>(?:\s?[-/]\s?\d+)?)?",
    "(?:navidad|navidades|nochebuena|nochevieja|año nuevo|reyes|pascua|pascuas|carnaval|carnavales)"
    " (?:del? (?:año )?<year>|<after>s?)",
    "(?:los )?(?:primeros|ultimos) dias del? (?:<month>|mes|año)(?: del? <year>)?",
    "la (?:vispera|antevispera) del? <day> de <month>(?: del? <year>)?",
    rf"<part> (?:de|del)(?: la| los| el)?(?: <which>)? (?:siglo <century>|<decade>|"
    rf"decada.{{0,12}}?(?:<decade>|\d0)|años <decade>"
    rf"|años \d0|(?:{_SEASON})(?: <after>)?(?: del? <year>)?|semana|trimestre|semestre|decada|siglo)(?: <after>)?",
    "<ordinal> semana del? (?:<month>|mes)(?: de <month>)?(?: del? <year>)?",
    "(?:el )?<ordinal> <weekday> del? (?:<which> )?(?:mes|año)(?: <after>)?",
    r"<month> del? '?\d\d(?! de)",
    "(?:entre |de |del |desde )?(?:el año )?<year> (?:y|a|hasta) (?:la actualidad|la "
    "fecha|ahora|nuestros dias|el presente)",
    rf"{_IN_THE}<decade>{_COUNTING}",
    "el otro dia|la otra (?:noche|tarde|semana)|desde entonces|hasta entonces",
]
RULES = [
    *(("none", pattern) for pattern in _NOTHING),
    # ---- days
    ("date", rf"(?:(?:el )?(?:<which> )?<weekday>,? (?:el |dia )?)?(?:<which> )?(?:dia )?<day> de {_MONTH}"),
    ("date", r"\d+/<year>, de <day> de <month>"),
    ("date", r"<day>[ -]<month=short_month>\.?[ -]<year>"),
    ("iso", r"<year>[-/]<first_number>[-/]<second_number>(?:t\d\d:\d\d\S*)?"),
    ("numeric_day_first", r"<first_number>([-/.])<second_number>[-/.]<year>"),
    ("numeric_day_first", "<first_number>/<second_number>/<short_year>"),
    ("days", rf"<day>(?: al?| hasta el|\s?[-–]) ?(?:dia )?<last_day> de {_MONTH}"),
    ("days", rf"{_BETWEEN_DAYS}(?:dias? )?<day> y(?: "
        rf"el)?(?: dia)? <last_day> de {_MONTH}"),
    ("two_days", rf"<day> y(?: el)?(?: dia)? <last_day> de {_MONTH}"),
    ("weekday_day", "(?:el |este |<which> )<weekday>,? (?:dia )?<day>(?! (?:horas|de))"),
    ("weekday_day", rf"{_OF_THE}<weekday>,? (?:dia )?<day>(?! (?:horas|de))"),
    ("month_day", rf"(?:el |{_OF_THE})(?:<which> )?dia <day>(?! de)"),
    ("month_day", "(?:dia )?<day> (?:de <unit_which=which> mes|del <unit_which=which> mes|del mes <unit_which=after>"
                  "|del <unit_which=last> mes|del corriente)"),
    ("weekday", rf"(?:el |{_OF_THE})<weekday>(?: <which=after>)?"),
    ("weekday", "(?:el )?(?:<which>|<which=last>)(?: mismo)? <weekday>"),
    ("weekday", "<weekday> <which=after>"),
    ("nth_day", rf"(?:el )?<ordinal> dia de(?:l)? {_MONTH}"),
    ("nth_weekday", rf"(?:el )?<ordinal> <weekday> de(?:l)? {_MONTH}"),
    ("weekday_of_week", "(?:el )?<weekday> de (?:la )?(?:<unit_which=which> semana|semana <unit_which=after>)"),
    ("offset", "<offset>(?: mismo)?(?:,? <weekday>(?! <day>))?"),
    ("ago", "hace (?:ya |justo |exactamente |ahora )?<number> <unit=units>(?! y (?:medio|media))"),
    ("ago", "<number> <unit=units> atras"),
    ("day_ago", "(?:hoy,? hace|hace hoy) <number> <unit=units>"),
    ("hence", "dentro de <number> <unit=units>"),
    ("hence_if_future", "en <number> <unit=units>"),
    # ---- longer ones
    ("week_of", rf"(?:la )?semana del <day> de <month>(?:{_YEAR})?"),
    ("unit", rf"(?:el |la )?{_UNIT}"),
    ("unit", "(?:el )?<which=last> <unit=weekend>"),
    ("weekend", rf"(?:el |{_OF_THE})<unit=weekend>"),
    ("window", "(?:el |la )?ultim[oa] <unit=units>(?! del? )"),
    ("window", "(?:los|las|estos|estas) (?:<number> (?:ultim|pasad)[ao]s|(?:ultim|pasad)[ao]s <number>) <unit=units>"),
    ("coming_window", "(?:los|las) (?:<number> proxim[ao]s|proxim[ao]s <number>) <unit=units>"),
    ("so_far", "lo que va de (?:este |esta )?<unit>"),
    ("unit_end", "antes de que (?:acabe|termine|finalice|concluya|se acabe) (?:el|la|este|esta) <unit>"),
    ("month", rf"(?:el )?{_MONTH}"),
    ("month", rf"<part> de(?:l| este)? ?{_MONTH}"),
    ("months", rf"(?<=\bentre\s)<month> y <last_month=month>(?: <which=after>s?|{_YEAR})?"),
    ("months", rf"{_FROM}<month> (?:a|hasta) <last_month=month>(?: <which=after>s?|{_YEAR})?"),
    ("fortnight", rf"(?:la )?<ordinal> (?:quincena|mitad) de(?:l| este)? ?{_MONTH}"),
    ("part_of_unit", rf"<part> de(?:l)? (?:{_UNIT}|<unit>)"),
    ("quarter", rf"(?:el |la )?<ordinal> <unit=quarter> del? (?:{_A_YEAR})"),
    ("quarter", r"(?:el )?<ordinal> <unit=quarter>(?<!mitad)(?! del? )"),
    ("first_months", rf"(?:los )?(?:primeros <number>|<number> primeros) meses del? {_A_YEAR}"),
    ("year", rf"{_BEFORE_YEAR}(?:el año |año )?<year>{_COUNTING}"),
    ("year", "año <year>"),
    ("year", rf"<part> del? (?:año )?<year>{_COUNTING}"),
    ("years", rf"(?<=\bentre\s)<year> y <last_year>{_COUNTING}"),
    ("years", rf"{_FROM}<year> (?:al?|hasta) <last_year>{_COUNTING}"),
    ("years", r"<year>\s?[-–]\s?<last_year>"),
    ("decade", r"(?:la )?decada del? (?:los )?(?:años )?'?(?:<decade>|<decade=tens>)"),
    ("decade", "los años '?(?:<decade>|<decade=tens>)"),
    ("century", r"(?:el )?siglo <century>(?! a\. ?c| antes)"),
    # Last: what an equally long rule resolves, is resolved.
    *(("unresolved", pattern) for pattern in _UNRESOLVED),
]  # fmt: skip

GRAMMAR = Grammar(
    words=WORDS,
    rules=RULES,
    openers=[
        ("since", "desde(?: el| la| los| principios de)?|a partir del?|a contar del?"),
        ("until", "(?:hasta|a mas tardar(?: en)?|como (?:muy )?tarde|no mas tarde de|de aqui a)(?: el| la| los|l)?"),
        ("before", "(?:antes|con anterioridad|previ[oa]|anterior|anteriores) (?:del?|al?)(?: la)?"),
        ("after", "(?:despues del?|posterior(?:es)? al?|con posterioridad al?)(?: la| los)?"),
    ],
    ranges=[
        ("entre(?: el| la)?", "y(?: el| la)?"),
        ("del?|desde(?: el| la)?", "(?:al?|hasta)(?: el| la)?"),
    ],
    past=(
        r"\b\w+(?:ó|aron|ieron|eron)\b"
        r"|\b\w*(?:fue|fueron|hubo|dijo|hizo|tuvo|pudo|puso|vino|dio|vio|quiso|supo|trajo|dujo|cupo)\b"
        r"|\b(?:ha|han|haber|habiendo) \w+(?:ado|ido|sto|cho|rto|ito)\b"
    ),
    future=r"\b\w{2,}(?:rá|rán|remos)\b|\b(?:va|van) a \w+r(?:se)?\b",
    planning=(
        r"\b(?:anunci|convoc|fij|program|acord|cit|emplaz|aplaz|posp|prorrog|prev|decid|aprob|autoriz|orden|señal)"
        r"\w*(?:ó|aron|ieron|ado|ada|ados|adas|é|én|eía|isto|ista)\b"
        r"|\b(?:ser|habr|podr|tendr|deber|har|estar|ir|querr|vendr|saldr|\w{3,}ar)ían?\b"
    ),
    participle=r"\b\w+(?:[ai]d[oa]s?|puest[oa]s?|hech[oa]s?|muert[oa]s?|escrit[oa]s?|abiert[oa]s?|dich[oa]s?)\b",
    clause=r"\b(?:que|donde|cuando|mientras|porque|pero|y)\b",
    ahead=(
        r"(?:para|previst[oa]s?|programad[oa]s?"
        r"|(?:aplaz|pospu|pospon|retras|prorrog|ampli|traslad)\w+ (?:la \w+ |el \w+ )?(?:al?|hasta|para))(?: el| la)?"
    ),
    lasting=r"\b(?:estuv|permanec|sigui|dur[óa]|mantuv|continu|viv|trabaj|resid|gobern|dirig|presid|fue|era|estab)\w*",
    names="small",
)
