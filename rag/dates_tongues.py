"""What dateparser's tables lack of some languages: last and next, since and until, past and future. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tongue:
    """What dateparser does not know of a language; words in small letters without accents, apart by "|".

    `before` is what a bare year or month has before it, `before_weekday` a bare weekday that could be a name; `of`
    stands between day and month, `ahead` before what is to come; `stretches` are parts of a year or month, not it.
    `numbers` and `offsets` (days from today) give each of their words its number.
    """

    last: str
    next: str
    this: str
    early: str
    mid: str
    late: str
    of: str
    before: str
    since: str
    until: str
    earlier: str
    later: str
    numbers: str
    ahead: str = ""
    before_weekday: str = ""
    offsets: str = ""
    stretches: str = r"(?!)"
    past: str = ""
    future: str = ""
    never: str = ""
    unresolved: str = ""
    between: tuple[str, str] = ("", "")
    small_names: bool = True


TONGUES: Mapping[str, Tongue] = {
    "pt": Tongue(
        last="passado|passada|ultimo|ultima",
        next="proximo|proxima|que vem",
        this="este|esta|neste|nesta|deste|desta",
        early="inicio|inicios|principio|comeco",
        mid="meados",
        late="final|fim|fins|finais",
        of="de|do",
        before="em de desde ate durante entre do no",
        since="desde(?: o| a)?|a partir d[eoa]",
        until="ate(?: o| a| ao)?",
        earlier="antes d[eoa]",
        later="(?:depois|apos) ?d?[eoa]?",
        between=("entre(?: o| a)?", "e(?: o| a)?"),
        numbers="um=1 uma=1 dois=2 duas=2 tres=3 quatro=4 cinco=5 seis=6 sete=7 oito=8 nove=9 dez=10 quinze=15",
        ahead="para(?: o| a)?",
        offsets="depois de amanha=2|esta manha=0|esta tarde=0|esta noite=0|hoje de manha=0|na noite passada=-1",
        stretches="trimestre|semestre|quadrimestre|metade|quinzena|semana|semanas|dias|verao|outono|"
        "inverno|primavera|natal|carnaval|pascoa",
        past=r"\b\w+(?:ou|aram|eram|iram|eu|iu)\b|\b(?:foi|foram|disse|fez|teve|houve|veio|deu|viu|pôde|esteve)\b",
        future=r"\b\w+(?:rá|rão)\b|\b(?:vai|vão) \w+r\b",
        never="(?:cada|todos os|todas as|aos|as|um|uma) (?:<weekday>s?|sabados|domingos)|(?:de )?<weekday> a <weekday>",
        unresolved="(?:naquel|ness|daquel)[ea] (?:dia|<weekday>|<unit>|noite)|no dia (?:seguinte|"
        "anterior)|<weekday> santa",
    ),
    "fr": Tongue(
        last="dernier|derniere|passe|passee",
        next="prochain|prochaine|a venir",
        this="ce|cet|cette",
        early="debut",
        mid="mi|la mi|milieu",
        late="fin|la fin",
        of="de|d'|du",
        before="en de depuis avant apres jusqu'en l'annee pour entre des",
        since="depuis(?: le| la)?|des(?: le| la)?|a partir d[eu]",
        until="jusqu'(?:a|au|en)(?: la)?|d'ici(?: a| au| le| la)?",
        earlier="avant(?: le| la)?",
        later="apres(?: le| la)?",
        between=("entre(?: le| la)?", "et(?: le| la)?"),
        numbers="un=1 une=1 deux=2 trois=3 quatre=4 cinq=5 six=6 sept=7 huit=8 neuf=9 dix=10 douze=12 quinze=15",
        ahead="pour(?: le| la)?",
        offsets="ce matin=0|ce soir=0|cette nuit=0|cet apres-midi=0|hier soir=-1|hier matin=-1|la nuit derniere=-1",
        stretches="trimestre|semestre|moitie|quinzaine|semaine|semaines|jours|ete|automne|hiver|printemps|noel|paques",
        past=r"\b(?:a|ont|est|sont|avait|avaient|était|étaient|s'est|se sont|fut|furent) (?:\w+ "
        r")?\w+(?:é|ée|és|ées|i|is|it|u|us|ert|int|mort)\b|\b\w+(?:èrent|irent)\b",
        future=r"\b\w{3,}(?:era|eront|ira|iront|dra|dront|vra|vront)\b|\b(?:va|vont|doit|doivent) \w+(?:er|ir|"
        r"re)\b|\b(?:sera|seront|aura|auront)\b",
        never="(?:chaque|tous les|le|un) <weekday>s(?: et <weekday>s)?|(?:chaque|un) <weekday>|du "
        "<weekday> au <weekday>",
        unresolved="ce <weekday>-la|(?:ce|cette) (?:jour|<unit>|annee|semaine)-la|le lendemain|la veille"
        "|(?:l'annee|la semaine|le mois|le jour) (?:suivante?|precedente?)|<weekday> saint",
    ),
    "de": Tongue(
        last="letzten|letzte|letzter|letztem|letztes|vergangenen|vergangene|vergangener|vergangenes|vorigen|vorige",
        next="nachsten|nachste|nachster|nachstes|kommenden|kommende|kommendes|kommender",
        this="diesen|diese|dieses|dieser|diesem",
        early="anfang",
        mid="mitte",
        late="ende",
        of="",
        before="im in seit bis vor nach jahr ab zwischen jahres jahre",
        since="seit(?: dem| der)?|ab(?: dem)?",
        until="bis(?: zum| zur)?",
        earlier="vor(?: dem| der)?",
        later="nach(?: dem| der)?",
        between=("zwischen(?: dem)?", "und(?: dem)?"),
        numbers="einem=1 einer=1 ein=1 eine=1 zwei=2 drei=3 vier=4 funf=5 sechs=6 sieben=7 acht=8 "
        "neun=9 zehn=10 zwolf=12",
        ahead="für(?: den| die)?",
        # Without one of these it may be a name.
        before_weekday="am|vom|zum|bis|seit|ab|nach|vor|von|dem|den|der|und|fur",
        offsets="heute morgen=0|heute abend=0|heute nacht=0|gestern abend=-1|gestern morgen=-1|morgen abend=1",
        stretches="quartal|halbjahr|halfte|woche|wochen|tage|tagen|sommer|herbst|winter|fruhling|"
        "fruhjahr|weihnachten|ostern|saison",
        past=r"\b(?:hat|haben|hatte|hatten|wurde|wurden|war|waren)\b|\b(?:ist|sind)\b(?=.* "
        r"\w*ge\w+(?:t|en)\b)|\b(?:wurde|wurden|war|waren|starb|starben|kam|kamen|ging|gingen|"
        r"gab|fand|fanden|verließ|verließen|begann|stieg|fiel|\w{3,}(?:te|ten))\b",
        future=r"\b(?:wird|werden|soll|sollen|will|wollen)\b",
        never="(?:jeden|jeder|jedem) <weekday>|<weekday>s|(?:heute|gestern|am|guten|jeden|diesem|"
        "fruhen|spaten|im|vom|der|dem|den|des) morgen|von <weekday> bis <weekday>",
        unresolved="(?:an )?(?:jenem|jenen|demselben|diesem) (?:tag|<weekday>|jahr)|am (?:nachsten|"
        "folgenden|selben) tag|am tag (?:danach|zuvor)"
        "|im (?:jahr|monat) (?:darauf|zuvor|davor)",
        small_names=False,
    ),
    "it": Tongue(
        last="scorso|scorsa|passato|passata|ultimo|ultima",
        next="prossimo|prossima|che viene|venturo",
        this="questo|questa|quest'",
        early="inizio|inizi|l'inizio",
        mid="meta|la meta",
        late="fine|la fine",
        of="di|del|dell'|dello",
        before="nel del dal al a in di tra fra dall'anno anno per",
        since="dal(?:la|lo|l')?|a partire dal",
        until="fino (?:al|a|alla)|entro(?: il| la)?",
        earlier="prima del(?:la)?|prima di",
        later="dopo(?: il| la)?",
        between=("(?:tra|fra)(?: il)?", "e(?: il)?"),
        numbers="un=1 uno=1 una=1 due=2 tre=3 quattro=4 cinque=5 sei=6 sette=7 otto=8 nove=9 dieci=10 quindici=15",
        ahead="per(?: il| la)?",
        offsets="dopodomani=2|stamattina=0|stamani=0|stasera=0|stanotte=0|ieri sera=-1|l'altro "
        "ieri=-2|la notte scorsa=-1",
        stretches="trimestre|semestre|quadrimestre|meta|quindicina|settimana|settimane|giorni|estate|"
        "autunno|inverno|primavera|natale|pasqua",
        past=r"\b(?:ha|hanno|è|sono|aveva|era|erano|fu|furono|stato|stata) (?:\w+ )?\w+(?:to|ta|ti|"
        r"te|so|sa|si|se)\b|\b\w+(?:arono|irono|erono)\b",
        future=r"\b\w{2,}(?:rà|ranno)\b",
        never="(?:ogni|tutti i|tutte le|un|una|il|la|di) <weekday>(?= e)|(?:ogni|di|un|una) "
        "<weekday>|dal <weekday> al <weekday>",
        unresolved="(?:quel|quella|lo stesso) (?:giorno|<weekday>|<unit>)|il giorno (?:dopo|prima|"
        "seguente|successivo|precedente)|<weekday> santo",
    ),
    "ca": Tongue(
        last="passat|passada|darrer|darrera|ultim|ultima",
        next="vinent|proper|propera|proxim|proxima|que ve",
        this="aquest|aquesta",
        early="principis|comencaments|inicis|principi",
        mid="mitjan|mitjans|mig",
        late="finals|final|acabaments",
        of="de|d'|del",
        before="el del de l'any des al en entre fins",
        since="des del?(?: la)?|a partir del?",
        until="fins(?: al?| el| la)?",
        earlier="abans del?",
        later="despres del?",
        between=("entre(?: el)?", "i(?: el)?"),
        numbers="un=1 una=1 dos=2 dues=2 tres=3 quatre=4 cinc=5 sis=6 set=7 vuit=8 nou=9 deu=10 quinze=15",
        ahead="per al?|per a(?: el| la)?",
        offsets="abans-d'ahir=-2|abans d'ahir=-2|demà passat=2|aquest mati=0|aquesta tarda=0|aquesta "
        "nit=0|aquest vespre=0|anit=-1",
        stretches="trimestre|semestre|meitat|quinzena|setmana|setmanes|dies|estiu|tardor|hivern|primavera|nadal",
        past=r"\b(?:va|van|vam|vas) \w+(?:r|re)\b|\b(?:ha|han|havia|havien) \w+(?:t|da|ts|des)\b|"
        r"\b(?:era|eren|fou|foren)\b",
        future=r"\b\w{2,}(?:rà|ran)\b",
        never="(?:cada|tots els|els|un) <weekday>|de <weekday> a <weekday>",
        unresolved="(?:aquell|el mateix) (?:dia|<weekday>|<unit>)|l'endema|<weekday> (?:sant|seguent)",
    ),
    "gl": Tongue(
        last="pasado|pasada|ultimo|ultima",
        next="proximo|proxima|vindeiro|vindeira|que ven",
        this="este|esta|neste|nesta|deste|desta",
        early="principios|comezos|inicios",
        mid="mediados",
        late="finais|final|fins",
        of="de|do",
        before="en de desde ata durante entre do no",
        since="desde(?: o| a)?|a partir d[eoa]",
        until="ata(?: o| a)?",
        earlier="antes d[eoa]",
        later="despois d[eoa]",
        between=("entre(?: o| a)?", "e(?: o| a)?"),
        numbers="un=1 unha=1 dous=2 duas=2 tres=3 catro=4 cinco=5 seis=6 sete=7 oito=8 nove=9 dez=10 quince=15",
        ahead="para(?: o| a)?",
        offsets="antonte=-2|pasadomaña=2|pasado maña=2|esta maña=0|esta tarde=0|esta noite=0|onte a noite=-1",
        stretches="trimestre|semestre|metade|quincena|semana|semanas|dias|veran|outono|inverno|primavera|nadal",
        past=r"\b\w+(?:ou|aron|eron|iron|eu|iu)\b|\b(?:foi|foron|dixo|fixo|tivo|houbo|veu|deu|puxo|quixo)\b",
        future=r"\b\w+(?:rá|rán)\b|\b(?:vai|van) \w+r\b",
        never="(?:cada|todos os|os|un) <weekday>|de <weekday> a <weekday>",
        unresolved="(?:aquel|aquela|o mesmo) (?:dia|<weekday>|<unit>)|ao dia seguinte|<weekday> santo",
    ),
    "ru": Tongue(
        last="прошлой|прошлый|прошлую|прошлом|прошлого|прошлое|минувший|минувшую|минувшей|минувшего|минувшем",
        next="следующей|следующий|следующую|следующем|следующего|будущий|будущую|будущем|будущей|ближайший|ближайшую",
        this="этой|этот|эту|этом|этого|нынешнего|нынешнем",
        early="начале",
        mid="середине",
        late="конце",
        of="",
        before="в с до к после",
        since="с",
        until="до",
        earlier="до",
        later="после",
        numbers="один=1 одну=1 два=2 две=2 три=3 четыре=4 пять=5 шесть=6 семь=7 восемь=8 девять=9 десять=10",
        ahead="на",
        stretches="квартале|квартал|квартала|половине|половина|неделе|неделя|дни|днях|летом|зимой|"
        "осенью|весной|лето|зиму|осень|весну",
        past=r"\b\w{2,}(?:л|ла|ло|ли|лся|лась|лось|лись)\b",
        future=r"\b(?:будет|будут)\b|\b\w{3,}(?:ется|ются|ится|ятся)\b",
        never="(?:каждый|каждую|по) <weekday>",
        unresolved="(?:в )?(?:тот|ту|том) (?:день|<weekday>|год|месяц)|на следующий день",
    ),
}
"""By ISO 639-1 code."""
