"""What a claim rests on, and of whom, where and when it is said: read off words, by rules alone.

Both are told only where the words tell them: a sentence that names no study is `unstated`, not weak; a scope that is
not there is None. What the words of a study around a sentence say counts for the sentence only if it reports a finding.
"""

import re
from typing import NamedTuple

from leucippus.agents.cues import find_cues
from leucippus.store.triples import Evidence


class Scope(NamedTuple):
    """Of whom, where and when a sentence says something: verbatim pieces of it, None where it does not say."""

    population: str | None
    place: str | None
    period: str | None


_FAR = 80
"""Characters after "in patients" within which the words that say which patients are looked for."""
_MOST_WORDS = 7
"""Of such a description: "with severe renal failure", "who had been given steroids"."""
_LONGEST = 20_000
"""Characters of a passage that are read for words of a study; more than any passage of ours has."""

_OPINION = re.compile(
    r"\b(?:i|we|he|she|they|who|critics|experts|authors|economists|officials|analysts|scientists|doctors|some|many|people)"
    r"\s(?:(?:have|has|had|do|firmly|strongly|also|still|now|always|long)\s){0,2}"
    r"(?:(?:believe|think|opine|speculate|hypothesi[sz]e|contend)(?:e?s|e?d)?|thought"
    r"|(?:argue|maintain|insist|suspect|claim|warn|feel|assert)(?:s|e?d)?\sthat|felt\sthat)\b"
    r"|\b(?:it is|is|are|was|were|been|be)\s(?:\w{1,20}\s)?(?:believed|thought|argued|alleged|rumou?red|speculated)\b"
    r"|\b(?:believes?|believed|argues?|argued|thinks?|contends?|contended|speculates?|speculated|insists?|insisted)\sthat\b"
    r"|\bin\s(?:my|our|his|her|their|the author'?s'?)\s(?:\w{1,20}\s)?(?:opinion|view|judge?ment|belief)\b"
    r"|\b(?:may|might|could|would)\ssay\b|\bi(?:'m|’m| am)\s(?:sure|convinced|confident|certain)\b"
    r"|[\"”“]\s{0,2}(?:,\s)?(?:\w{1,20}\s){0,4}(?:said|says|told|testified|added|explained)\b"
    r"|\b(?:said|says|told\s(?:\w{1,20}\s){1,3}|testified|explained)(?:\sthat)?[,:]?\s{0,2}[\"“]",
    re.IGNORECASE,
)
# Studies that were not made, or were of another kind than the word: blanked before anything is looked for.
_NOT_ONE = re.compile(
    r"\b(?:non-?|not\s|no\s|without\s|lack\sof\s|future\s|further\s|need\sfor\s|absence\sof\s)(?:[\w-]{1,20}\s){0,3}?"
    r"(?:randomi[sz]\w{0,5}|trials?|experiment\w{0,6}|cohorts?|surveys?|controlled)(?:\s(?:trials?|stud(?:y|ies)))?\b"
    r"|\b(?:thought|failed)\sexperiments?\b|\bexperiment(?:ed|ing)?\swith\b|\btrial\sand\serror\b",
    re.IGNORECASE,
)
_ANIMALS = (
    r"(?:rats?|mice|mouse|dogs?|rabbits?|cats?|pigs?|monkeys?|hamsters?|sheep|animals?|guinea\spigs?|piglets?|primates"
    r"|chickens?|zebrafish|cattle|cows?|pups)"
)
_OBSERVATIONAL = re.compile(
    r"\bcohorts?\b|\bcase[\s-]controls?\b|\bcase\s(?:reports?|series|stud(?:y|ies)|histor(?:y|ies))\b|\bwe\sreport\b"
    r"|\b(?:a|an|one|two|three|four|five|six|seven|several|\d{1,5})\s(?:\w{1,20}\s){0,2}cases?\sof\b"
    r"|\b\d{1,3}[\s-]years?[\s-]old\b|\bretrospective(?:ly)?\b|\bprospective\s(?:cohort|observational)\b|\bcross-sectional\b"
    r"|\bsurvey(?:s|ed)?\b|\bquestionnaires?\b|\bepidemiolog\w{1,8}\b|\bobservational\b|\bregistr(?:y|ies)\b"
    r"|\b(?:logistic|linear|multivariate|multivariable|multiple|cox|poisson|panel|ols)\sregression\b"
    r"|\bregression\s(?:analys[ie]s|models?|coefficients?|results?)\b|\bcorrelat(?:e[sd]?|ions?|ing)\b"
    r"|\bassociat(?:ed|ion|ions)\s(?:with|between|of)\b|\b(?:odds|hazard|risk|rate)\sratios?\b|\brelative\srisks?\b"
    r"|\blongitudinal(?:ly)?\b|\bpanel\sdata\b|\bfollow-up\sstud(?:y|ies)\b|\b(?:natural|quasi)[\s-]experiments?\b"
    r"|\bdifference-in-differences\b|\binstrumental\svariables?\b|\btime[\s-]series\b|\bmedical\srecords?\b|\bcensus\b"
    r"|\bpatients?\s(?:\w{1,20}\s){0,3}(?:treated\swith|receiving|received|taking|on|given)\s(?:[\w-]{1,30}\s){1,8}"
    r"(?:developed|experienced|suffered|presented|died|had)\b"
    r"|\b(?:developed|experienced|suffered)\s(?:[\w-]{1,30}\s){1,8}(?:after|during|following|while)\s(?:[\w-]{1,30}\s){0,4}"
    r"(?:treatment|therapy|administration|taking|receiving|use|ingestion|exposure|infusion|doses?)\b",
    re.IGNORECASE,
)
_EXPERIMENTAL = re.compile(
    r"\brandomi[sz](?:ed|ation|ing)\b|\brandomly\s(?:assigned|allocated|divided|selected\sto|received)\b|\bplacebos?\b"
    r"|\b(?:double|single|triple)-?\s?blind(?:ed)?\b|\bcross-?over\s(?:stud(?:y|ies)|trials?|designs?)\b|\ba/b\stests?\b"
    r"|\b(?:clinical|controlled|pilot|field|open-label|blinded|multi-?cent(?:re|er)|phase\s(?:[1-4]|i{1,3}v?)|this|our"
    r"|present|prospective|drug|treatment|vaccine|large)\strials?\b"
    r"|\bexperiment(?:s|al|ally)?\b|\bin\svitro\b|\bin\svivo\b|\bsham-\w{3,12}\b|\bvehicle[\s-]treated\b|\bknock-?out\s" + _ANIMALS + r"\b"
    r"|\bwe\s(?:administered|injected|infused|exposed|fed|implanted|manipulated|treated\s" + _ANIMALS + r")\b"
    r"|\b(?:were|was)\s(?:intraperitoneally\s|intravenously\s|orally\s|subcutaneously\s|then\s)?(?:administered|injected|infused)\b"
    r"|\b" + _ANIMALS + r"\s(?:\([^()]{1,40}\)\s)?(?:(?:were|was|that|which)\s){0,2}(?:given|treated|injected|received|receiving|fed|pretreated|exposed)\b",
    re.IGNORECASE,
)  # fmt: skip
# Only a sentence that reports what was found speaks for the study around it.
_REPORTS = re.compile(
    r"^\s*(?:results?|findings|conclusions?|observations?|case\sreport|interpretation)\s{0,2}[:.]"
    r"|\b(?:we|study|trial|experiments?|analys[ie]s|survey|results?|findings|data|patients?)\s(?:also\s|have\s|has\s)?"
    r"(?:found|finds?|show(?:s|ed|n)?|observed|conclude[ds]?|demonstrate[sd]?|indicate[sd]?|reveal(?:s|ed)?|developed"
    r"|experienced|confirm(?:s|ed)?)\b"
    r"|\bsignificant(?:ly)?\b|\b(?:developed|occurred|resulted|reversed|abolished|attenuated)\b|\bp\s?[<=]\s?0?\.\d"
    r"|\b(?:our|these|present)\s(?:results|findings|data|observations|stud(?:y|ies))\b|\bthis\s(?:study|trial|case|report)\b",
    re.IGNORECASE,
)

_PEOPLE = re.compile(
    r"\b(?:in|among|amongst|for)\s(?P<who>(?:(?!the\b|a\b|an\b|which\b|that\b|and\b|or\b|of\b|to\b|with\b|by\b|from\b|for\b)"
    r"[\w%+/'’.-]{1,25}\s){0,4}?(?:the\selderly|patients?|people|persons|children|adults?|women|men|boys|girls|infants|"
    r"neonates|newborns|individuals|subjects|volunteers|adolescents|teenagers|smokers|non-smokers|students|workers|"
    r"employees|households|families|farmers|veterans|prisoners|residents|survivors|participants|controls|humans|"
    r"cell\slines|cells|" + _ANIMALS + r"))\b(?!-)",
    re.IGNORECASE,
)  # fmt: skip
_WHICH_PEOPLE = re.compile(
    r"\s(?:with|without|over|under|aged|above|below|who|older\sthan|younger\sthan|undergoing|receiving|taking|treated"
    r"|suffering\sfrom|at\srisk|on)\s",
    re.IGNORECASE,
)
_WORD = re.compile(r"\S+")
# Where a description of people is over: the clause goes on.
_GOES_ON = frozenset(
    "is are was were be been has have had may might can could will would should must do does did but while whereas"
    " and or in because since although though if when which that as than so compared versus following after before during until"
    " resulted occurred developed showed".split()
)

_COUNTRIES = (
    "Afghanistan Albania Algeria Angola Argentina Armenia Australia Austria Azerbaijan Bahrain Bangladesh Belarus Belgium Benin"
    " Bhutan Bolivia Botswana Brazil Brunei Bulgaria Burundi Cambodia Cameroon Canada Chad Chile China Colombia Croatia Cuba"
    " Cyprus Denmark Ecuador Egypt England Eritrea Estonia Ethiopia Fiji Finland France Gabon Gambia Georgia Germany Ghana"
    " Greece Guatemala Guinea Guyana Haiti Honduras Hungary Iceland India Indonesia Iran Iraq Ireland Israel Italy Jamaica Japan"
    " Jordan Kazakhstan Kenya Kosovo Kuwait Kyrgyzstan Laos Latvia Lebanon Lesotho Liberia Libya Lithuania Luxembourg"
    " Madagascar Malawi Malaysia Mali Malta Mauritania Mauritius Mexico Moldova Mongolia Montenegro Morocco Mozambique Myanmar"
    " Namibia Nepal Netherlands Nicaragua Niger Nigeria Norway Oman Pakistan Palestine Panama Paraguay Peru Philippines Poland"
    " Portugal Qatar Romania Russia Rwanda Scotland Senegal Serbia Singapore Slovakia Slovenia Somalia Spain Sudan Suriname"
    " Sweden Switzerland Syria Taiwan Tajikistan Tanzania Thailand Togo Tunisia Turkey Turkmenistan Uganda Ukraine Uruguay"
    " Uzbekistan Venezuela Vietnam Wales Yemen Zambia Zimbabwe Africa Asia Europe America Antarctica Oceania Scandinavia"
    " Alabama Alaska Arizona Arkansas California Colorado Connecticut Delaware Florida Hawaii Idaho Illinois Indiana Iowa Kansas"
    " Kentucky Louisiana Maine Maryland Massachusetts Michigan Minnesota Mississippi Missouri Montana Nebraska Nevada Ohio"
    " Oklahoma Oregon Pennsylvania Tennessee Texas Utah Vermont Virginia Washington Wisconsin Wyoming London Paris Berlin Tokyo"
    " Beijing Shanghai Moscow Delhi Mumbai Chicago Boston Philadelphia Rome Madrid Vienna Toronto Sydney Melbourne Seoul Bangkok"
).split()  # fmt: skip
_NAMED = (
    r"(?:the\s)?(?:United\sStates(?:\sof\sAmerica)?|United\sKingdom|Great\sBritain|Britain|European\sUnion|New\sZealand|New\sYork"
    r"(?:\sCity|\sState)?|New\sJersey|New\sMexico|New\sHampshire|North\sCarolina|South\sCarolina|North\sDakota|South\sDakota|West"
    r"\sVirginia|Rhode\sIsland|Los\sAngeles|San\sFrancisco|South\sAfrica|South\sKorea|North\sKorea|Hong\sKong|Saudi\sArabia|Sri"
    r"\sLanka|Costa\sRica|Puerto\sRico|El\sSalvador|Sierra\sLeone|Ivory\sCoast|Czech\sRepublic|Dominican\sRepublic|Middle\sEast"
    r"|Latin\sAmerica|Papua\sNew\sGuinea|Burkina\sFaso|U\.S\.A?\.?|U\.K\.|USA|UK|EU|"
    r"(?:(?:[Nn]orth|[Ss]outh|[Ee]ast|[Ww]est|[Cc]entral)(?:ern)?\s|[Ss]ub-Saharan\s|[Rr]ural\s|[Uu]rban\s)?(?:"
    + "|".join(_COUNTRIES)
    + r"))(?!\w)"
)  # fmt: skip
_PLACE = re.compile(
    r"\b(?:[Ii]n|[Aa]cross|[Tt]hroughout|[Ww]ithin)\s(?:" + _NAMED
    + r"|(?:(?:the\s)?(?:rural|urban|coastal|tropical|arid|developing|developed|low-income|high-income|poor|rich|western"
    r"|industriali[sz]ed)\s(?:areas?|regions?|countries|settings|cities|communities|districts|nations|economies|world)\b))"
)  # fmt: skip
_YEAR = r"(?:1[5-9]\d\d|20\d\d)"
_MONTH = r"(?:January|February|March|April|May|June|July|August|September|October|November|December)"
_DATE = rf"(?:{_MONTH}\s(?:\d{{1,2}},?\s)?|(?:early|late|mid)[\s-])?{_YEAR}(?![\w%])"
_PERIOD = re.compile(
    rf"\b(?:between\s{_DATE}\sand\s{_DATE}|from\s{_DATE}\s(?:to|until|through)\s{_DATE}"
    rf"|(?:since|in|during|until|by|before|after|from|through)\s(?:{_DATE}(?:\s?[-–]\s?(?:{_YEAR}|\d\d)\b)?(?!s\b)"
    rf"|the\s(?:(?:early|late|mid)[\s-])?{_YEAR}s\b|(?:the\s)?(?:\w{{5,11}}teenth|twentieth|twenty-first|\d\d(?:st|th))\scentury"
    r"|(?:the\s)?(?:First\s|Second\s)?World\sWar(?:\sI{1,2}|\sOne|\sTwo)?\b|the\sGreat\sDepression\b|the\sCold\sWar\b)"
    r"|(?:over|during|in)\sthe\s(?:past|last|previous)\s(?:\w{2,10}\s){0,2}(?:years?|decades?|century|months)\b)",
    re.IGNORECASE,
)


def strength(sentence: str, passage: str, title: str) -> Evidence:
    """What the claim in `sentence` rests on, as far as its words, its passage and the title of its document tell.

    The words of the sentence come first, and in them an opinion before any study it is about. A passage or a title that
    names a study speaks for a sentence only if that reports what was found.
    """
    sentence = sentence[:_LONGEST]
    if _OPINION.search(sentence):
        return Evidence.OPINION
    if (own := _study(sentence)) is not Evidence.UNSTATED or not _REPORTS.search(sentence):
        return own
    around = _study(passage[:_LONGEST])
    return around if around is not Evidence.UNSTATED else _study(title[:_LONGEST])


def scope(sentence: str) -> Scope:
    """Of whom, where and when `sentence` speaks; each part is a substring of it, the first of its kind."""
    sentence = sentence[:_LONGEST]
    place, period = _PLACE.search(sentence), _PERIOD.search(sentence)
    return Scope(_population(sentence), place.group() if place else None, period.group() if period else None)


def _study(text: str) -> Evidence:
    text = _NOT_ONE.sub(" ", text)
    tried, watched = _EXPERIMENTAL.search(text), _OBSERVATIONAL.search(text)
    if tried and watched and re.search(r"\b(?:natural|quasi)[\s-]experiment", text, re.IGNORECASE):
        return Evidence.OBSERVATIONAL
    if tried:
        return Evidence.EXPERIMENTAL
    return Evidence.OBSERVATIONAL if watched else Evidence.UNSTATED


def _population(sentence: str) -> str | None:
    found = _PEOPLE.search(sentence)
    if found is None:
        return None
    end = found.end()
    if which := _WHICH_PEOPLE.match(sentence, end):
        end = _end_of_description(sentence, which.end()) or end
    return sentence[found.start() : end]


def _end_of_description(sentence: str, start: int) -> int | None:
    """Where the words that say which people end: at a mark, a verb, or an expression of cause; None = at once."""
    window = sentence[start : start + _FAR]
    causal = min((match.start for match in find_cues(window)), default=len(window))
    end = None
    for number, word in enumerate(_WORD.finditer(window)):
        if number == _MOST_WORDS or word.start() >= causal or word.group().lower().strip(",;:.()") in _GOES_ON:
            break
        if start + word.end() < len(sentence) and word.end() == len(window):
            break  # cut in the middle
        bare = word.group().rstrip(",;:.?!)")
        end = start + word.start() + len(bare)
        if len(bare) < len(word.group()):
            break
    return end
