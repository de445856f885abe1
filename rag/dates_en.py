"""How English says when: its words, and rules made of them in the notation of `rag.dates_grammar`. Data only."""

from __future__ import annotations

from rag.dates_grammar import Grammar, Words, after_any, counted

_TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
_MONTHS = "january february march april may june july august september october november december"

WORDS: Words = {
    "month": counted(_MONTHS),
    # Short ones are told by the day or year beside them.
    "dated_month": counted(_MONTHS)
    | counted("jan feb mar apr may jun jul aug sep oct nov dec", sept=9)
    | counted("jan. feb. mar. apr. may. jun. jul. aug. sep. oct. nov. dec.", **{"sept.": 9}),
    "weekday": counted("monday tuesday wednesday thursday friday saturday sunday", start=0),
    "day": counted("first second third fourth fifth sixth seventh eighth ninth tenth", fifteenth=15, twentieth=20),
    "number": counted(
        "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
        "eighteen nineteen", a=1, an=1, **_TENS,
    ),
    "ordinal": {
        "first": 1, "second": 2, "third": 3, "fourth": 4, "last": -1, "final": -1, "1st": 1, "2nd": 2, "3rd": 3,
        "4th": 4,
    },
    "q": {"q1": 1, "q2": 2, "q3": 3, "q4": 4, "h1": 1, "h2": 2},
    "which": {"this": 0, "last": -1, "next": 1, "this past": -1, "this coming": 1, "the coming": 1, "the current": 0},
    "unit": {
        "week": "week", "weekend": "weekend", "month": "month", "year": "year", "quarter": "quarter",
        "decade": "decade", "century": "century", "fortnight": "fortnight",
    },
    "weekend": {"weekend": "weekend"},
    "units": {
        "day": "day", "days": "day", "week": "week", "weeks": "week", "month": "month", "months": "month",
        "year": "year", "years": "year", "decade": "decade", "decades": "decade", "fortnight": "fortnight",
    },
    "quarter": {"quarter": "quarter", "half": "half"},
    "part": {
        "early": "early", "mid": "mid", "late": "late", "the start of": "early", "the beginning of": "early",
        "the middle of": "mid", "the end of": "late", "the close of": "late",
    },
    "offset": {
        "today": 0, "yesterday": -1, "tomorrow": 1, "tonight": 0, "last night": -1, "this morning": 0,
        "this afternoon": 0, "this evening": 0, "earlier today": 0, "later today": 0, "the day before yesterday": -2,
        "the day after tomorrow": 2, "yesterday morning": -1, "yesterday afternoon": -1, "yesterday evening": -1,
        "tomorrow morning": 1, "tomorrow night": 1, "tomorrow evening": 1,
    },
    "decade": {},
    "tens": {f"{tens}": 1900 + tens for tens in range(20, 100, 10)}
    | {f"{name[:-1]}ies": 1900 + tens for name, tens in _TENS.items()},
    "century": counted("eighteenth nineteenth twentieth", start=18) | {"twenty-first": 21, "seventeenth": 17},
}  # fmt: skip

_YEAR = "(?:,? <year>| of <year>|,? <year_which=which> year| of <year_which=which> year)"
_DAY = "(?:the )?<day>"
_MONTH_DAY = f"<month=dated_month> {_DAY}"
_DAY_MONTH = f"{_DAY}(?: of)? <month=dated_month>"
_A_YEAR = "(?:<year>|<year_which=which> year|the year)"
_BEFORE_MONTH = after_any("in|since|until|till|by|of|from|to|through|during|before|after|between|and|for")
_OWN = after_any("the|a|his|her|their|its|our")
_COUNTING = (
    r"(?! (?:(?!(?:was|is|has|his|its|this|as|les|us|does|thus|perhaps|whereas|unless|across|towards|plus|always)\b)"
    r"[a-z]+s|people|more|other|percent|per cent|men|women|children|km|kg|miles|b\.?c)\b)(?! ?[%€$°])"
)
_LONG = "days?|weeks?|months?|years?|decades?|centuries|century|fortnights?|quarters?|nights?"
_ABOUT = "about|around|some|almost|nearly|over|more than|less than|roughly|at least|just over|just under|up to"
_SOME = "several|a few|few|many|a couple of|half a|half an|recent"
_SEASON = "summer|winter|autumn|fall|spring|christmas|easter"

_NOTHING = [
    "(?:every|each|a|an|any|another|one|some|most|on alternate) (?:other )?<weekday>",
    "(?:every|each) (?:other )?(?:day|<month>|<unit>)|<weekday>s in <month>|first of (?:every|each) month",
    "<weekday>s?(?: ?[-–] ?| (?:to|through|and|or) )<weekday>s",
    "<weekday>(?: ?[-–] ?| (?:to|through) )<weekday>",
    "(?:the|a) day|these days|the other day|one day|some day",
    "present[- ]day|to this day|latter[- ]day",
    "between <year> and <last_year>(?= [a-z]+s)",
    r"(?:the )?<year>\s?[-–/]\s?\d\d (?:season|campaign|academic year|school year)",
    r"(?:<number>|\d+)[- ](?:hours?|minutes?|seconds?) ago",
    r"<month=dated_month> <day>(?= (?:street|avenue|square|hospital|stadium|brigade|movement)\b)",
    "from <year>(?= [a-z]+s to )",
    "(?:temperatures?|heat|highs?|lows?|aged?|scores?|shares?|prices?|rates?) (?:[a-z]+ "
    "){0,4}?(?:the|their|his|her|its) "
    "(?:low |mid |upper |high )?<tens>s?",
    "<year> (?:agenda|overture)|(?:to|of|for|by|from|with|and) (?:may|april|june|august)(?=[’']s)",
    "(?:since|before|after|until|by|to|of|for|and) (?:may|april|june|august) "
    "(?:took|became|left|was|is|has|had|said|won|lost|quit|told|resigned|[a-z]+ed)",
]
_UNRESOLVED = [
    "good friday|black friday|maundy thursday|ash wednesday|shrove tuesday|super tuesday|palm sunday|easter (?:monday"
    "|sunday)|cyber monday|holy week",
    "(?:that|the same|that same|that very) (?:day|<weekday>|<unit>|<month>|night|morning|"
    "evening|afternoon|summer|winter)",
    f"the (?:following|previous|preceding|subsequent|next) (?:day|<weekday>|<unit>|<month>|night|morning|evening"
    f"|afternoon|{_SEASON}|few (?:{_LONG}))",
    "the (?:day|night|evening|morning|week|weekend|month|year|<weekday>) (?:before|after)(?! yesterday| tomorrow)",
    "the <weekday>(?: before last| following| previous)?",
    rf"(?:(?:{_ABOUT}) )?(?:(?:<number>|\d+|{_SOME}) )?(?:{_LONG}) (?:and a half )?"
    "(?:later|earlier|after|afterwards?|before|beforehand|previously|from then)(?: the)?",
    rf"(?:{_ABOUT}) (?:<number>|\d+|{_SOME}) (?:and a half )?(?:{_LONG}) ago",
    rf"(?:{_SOME}) (?:of )?(?:{_LONG}) ago|(?:{_LONG}) ago|long ago|some time ago|a while ago",
    rf"<number> (?:and a half )?(?:{_LONG})(?: and <number> (?:{_LONG}))? (?:and a half "
    rf")?ago(?: today| this <unit>| on <weekday>| yesterday| last)",
    rf"<number> and a half (?:{_LONG}) ago",
    rf"(?:the|these) (?:last|past|next|coming|recent)(?: few| several| couple of| many)? (?:{_LONG})(?<=s)",
    rf"recent (?:{_LONG})|in the coming (?:{_LONG})",
    rf"(?:this |last |next |the |that ){{1,2}}(?:past |coming )?(?:{_SEASON})(?:(?:,| of)? <year>)?",
    rf"(?:early|mid|late)?[- ]?(?:{_SEASON})(?: of)? <year>",
    rf"<part>[- ](?:the )?(?:<which> )?(?:{_SEASON}|week|<weekday>|decade|century|"
    rf"<century> century|<decade>s|'?<tens>s?)(?: <year>)?",
    "the <ordinal> (?:week|weekend|half) of (?:the month|<month>)(?:,? (?:of )?<year>)?",
    "the (?:first|last|final) (?:days|weeks) of (?:<month>|<year>|the (?:month|year))(?: <year>)?",
    "(?:between |from |since )?<year> (?:to|and|until|through) (?:the present|now|date)",
    "a week on <weekday>|<weekday> week|a week from <weekday>|<weekday> fortnight",
]
RULES = [
    *(("none", pattern) for pattern in _NOTHING),
    # ---- days
    ("date", rf"(?:on )?(?:<weekday>,? )?(?:the )?{_MONTH_DAY}(?:{_YEAR})?"),
    ("date", rf"(?:on )?(?:<weekday>,? )?{_DAY_MONTH}(?:{_YEAR})?"),
    ("date", rf"<which> {_DAY_MONTH}|<which> {_MONTH_DAY}"),
    ("iso", r"<year>[-/]<first_number>[-/]<second_number>(?:t\d\d:\d\d\S*)?"),
    ("numeric", r"<first_number>[-/.]<second_number>[-/.]<year>"),
    ("days", rf"(?:on )?<month=dated_month> <day>(?: ?[-–] ?| (?:to|through|until) )<last_day>(?:{_YEAR})?"),
    ("days", rf"(?<=\bbetween\s)<month=dated_month> <day> and <last_day>(?:{_YEAR})?"),
    ("days", rf"(?:on )?{_DAY}(?: ?[-–] ?| (?:to|through|until) (?:the )?)<last_day>(?: of)? "
        rf"<month=dated_month>(?:{_YEAR})?"),
    ("days", rf"(?<=\bbetween\s){_DAY} and (?:the )?<last_day>(?: of)? <month=dated_month>(?:{_YEAR})?"),
    ("two_days", rf"(?:on )?<month=dated_month> <day> and <last_day>(?:{_YEAR})?"),
    ("two_days", rf"(?:on )?{_DAY} and (?:the )?<last_day>(?: of)? <month=dated_month>(?:{_YEAR})?"),
    ("month_day", "the <day> of <unit_which=which> month"),
    ("weekday_day", "<weekday> the <day>(?! of)"),
    ("english_weekday", "(?:(?:late |early )?on |late |early |<which> )?<weekday>"),
    ("english_weekday", "(?:on )?<weekday> (?:last(?= )|last)(?! (?:week|month|year|night))"),
    ("weekday_of_week", "(?:on )?<weekday> (?:of )?<unit_which=which> week|<unit_which=which> week,? on <weekday>"),
    ("offset", "<offset>(?:,? <weekday>)?"),
    ("ago", "<number> <unit=units> ago"),
    ("day_ago", "<number> <unit=units> ago today"),
    ("nth_day", rf"(?:on )?the <ordinal> day of <month>(?:{_YEAR})?"),
    ("nth_weekday", rf"(?:on )?(?:the )?<ordinal> <weekday> (?:of|in) (?:<which> )?<month>(?:{_YEAR})?"),
    ("hence", "<number> <unit=units> from (?:now|today)|in <number> <unit=units>[’']? time"),
    ("hence_if_future", "in <number> <unit=units>"),
    # ---- longer ones
    ("week_of", rf"the week (?:of|beginning|starting) (?:{_MONTH_DAY}|{_DAY_MONTH})(?:{_YEAR})?"),
    ("unit", "<which> <unit>"),
    ("weekend", "(?:at|over|on|during) the <unit=weekend>"),
    ("window", "the (?:last|past) (?:<number> )?<unit=units>(?! of)"),
    ("window", "(?:the last|the past|past|these past) <number> <unit=units>"),
    ("coming_window", "(?:the next|the coming|next) <number> <unit=units>"),
    ("so_far", "so far this <unit>|earlier (?:in )?this <unit>|(?:this )?<unit> to date"),
    ("rest", "later this <unit>|the rest of (?:this|the) <unit>"),
    ("unit_end", "before the (?:end of the <unit>|<unit> (?:is out|ends))"),
    ("month", r"(?:<part>[- ])?<month=dated_month>(?:,? <year>| of <year>)"),
    ("month", rf"<part>[- ]<month>(?:{_YEAR})?"),
    ("month", rf"<which> <month>|<month>,? (?:of )?<year_which=which> year|{_BEFORE_MONTH}<month>"),
    ("months", rf"(?<=\bbetween\s)<month> and <last_month=month>(?:{_YEAR})?"),
    ("months", rf"{_BEFORE_MONTH}<month> (?:to|through|until) <last_month=month>(?:{_YEAR})?"),
    ("fortnight", rf"the <ordinal> (?:half|fortnight) of <month>(?:{_YEAR})?"),
    ("part_of_unit", "<part>[- ](?:<which> |the )?<unit>|<part>[- ](?:in )?<which> <unit>"),
    ("quarter", rf"(?:the )?<ordinal>[- ]<unit=quarter>(?: of| in)? {_A_YEAR}"),
    ("quarter_code", r"<ordinal=q>(?: of)? <year>|<ordinal=q>"),
    ("first_months", rf"the first <number> months of {_A_YEAR}"),
    ("year", rf"{_BEFORE_MONTH}(?:the year )?<year>{_COUNTING}"),
    ("attributive_year", rf"{_OWN}(?!\d\d00 [a-z]+s\b)<year>"
        r"(?= (?!(?:\w+ed|is|was|are|were|has|have|had|will|said)\b)[a-z])"),
    ("year", "the year <year>|<part>[- ]<year>"),
    ("years", rf"(?<=\bbetween\s)<year> and <last_year>{_COUNTING}"),
    ("years", rf"{_BEFORE_MONTH}<year> (?:to|until|through) <last_year>{_COUNTING}"),
    ("years", r"<year>\s?[-–]\s?<last_year>"),
    ("decade", "the (?:<decade>|['’]?<decade=tens>)s|the <decade=tens>"),
    ("century", "the <century>(?:th|st)?[- ]century(?! bc)"),
    # Last: what an equally long rule resolves, is resolved.
    *(("unresolved", pattern) for pattern in _UNRESOLVED),
]  # fmt: skip

GRAMMAR = Grammar(
    words=WORDS,
    rules=RULES,
    openers=[
        ("since", "(?:ever )?since(?: the)?|from(?= )|as (?:of|from)|starting(?: in| on)?|beginning(?: in| on)?"),
        ("until", "(?:up )?until(?: the)?|till|up to|by(?: the)?|no later than|through"),
        ("before", "(?:before|prior to|earlier than|ahead of)(?: the)?"),
        ("after", "(?:after|later than)(?: the)?"),
    ],
    ranges=[
        ("between(?: the)?", "and(?: the)?"),
        ("(?:from(?: the)?)?", "(?:to|until|till|through)(?: the)?|[-–]"),
    ],
    past=(
        r"\b(?!need|indeed|hundred|exceed|proceed|succeed)\w{2,}ed\b"
        r"|\b(?:was|were|had|did|said|told|made|took|came|went|saw|got|gave|found|left|began|won|lost|held|met|ran|fell"
        r"|rose|sent|paid|shot|struck|stole|sold|bought|broke|brought|spoke|wrote|fled|flew|drove|grew|became|led|kept"
        r"|felt|heard|stood|sank|swept|hit|cut|set|put|shut|drew|threw|chose|caught|taught|thought|fought|built|spent"
        r"|knew|woke|sought|burnt|blew|sat|slid|tore|swam|rode|froze|hid|laid|lit)\b"
    ),
    future=(
        r"\b(?:will|shall|won[’']t|going to|to be|(?:is|are) (?:due|set|expected|scheduled|planned|likely|about) to"
        r"|(?:is|are) to)\b|[’']ll\b"
    ),
    planning=r"\b(?:announced|scheduled|called|planned|delayed|postponed|adjourned|set|fixed|"
    r"approved|ordered|agreed|expected|would"
    r"|could|might|should)\b",
    clause=r"\b(?:that|which|who|while|because|but|and)\b",
    ahead=r"for(?: the)?|(?:scheduled|planned|set|due|expected|slated|billed|postponed|delayed|"
    r"adjourned|until) (?:for|until|till|to|on|by|in)(?: the)?",
    lasting=r"\b(?:(?:was|were)(?! (?:due|to|expected|scheduled|set|meant|supposed)\b)|lasted|remained"
    r"|stayed|lived|worked|ran|served|kept|continued|held)\b",
    names="capital",
    particles=frozenset(
        counted(
            "in on by until till since before after from to for between and or through during of at the as starting "
            "late early beginning effective prior throughout"
        )
    ),
)
