"""The English words that `normal.py` goes by, as data: change, quantities, conditions, heads, spellings.

To miss one costs a merge; one too many makes a wrong one, which is worse.
"""

import re
from collections.abc import Mapping


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


# Nouns before "in" or "of": "rise in X". Where a preposition is not listed, the phrase means something else (gain of
# function, fall of Rome).
MORE: Mapping[str, frozenset[str]] = {
    **dict.fromkeys("increase rise growth surge upsurge escalation intensification".split(), _set("in of")),
    **dict.fromkeys("gain jump hike uptick upturn spike boost".split(), _set("in")),
    **dict.fromkeys(
        "presence existence occurrence incidence prevalence onset emergence risk likelihood probability chance"
        " possibility use usage number amount quantity".split(),
        _set("of"),
    ),
    "development": _set("of"),
}
LESS: Mapping[str, frozenset[str]] = {
    **dict.fromkeys("decrease reduction decline diminution".split(), _set("in of")),
    **dict.fromkeys("fall drop dip slump cut cutback".split(), _set("in")),
    **dict.fromkeys("lack absence lowering lessening loss".split(), _set("of")),
}
# Words straight before the noun they change.
MORE_BEFORE = _set(
    "rising increasing increased higher growing elevated raised greater more heightened soaring surging escalating"
    " raising boosting"
)
LESS_BEFORE = _set(
    "falling decreasing decreased lower reduced declining diminished diminishing dwindling shrinking less fewer lowered"
    " lowering reducing cutting no without insufficient inadequate"
)
MOVING = _set("rising falling growing raising raised elevated lowered")
"""Before a thing they say what happens to it: falling masonry, growing spruce, raised switchgear."""
# Words straight behind what they change: only behind a quantity ("price cut", not "short cut"), or a condition.
MORE_BEHIND = _set("increase rise hike surge")
LESS_BEHIND = _set("decrease decline reduction drop cut fall")
RISK_BEHIND = _set("risk incidence prevalence onset occurrence")

HOW_MUCH = _set(
    "big considerable continued continuing continuous dramatic drastic fast further gradual great high huge large marked"
    " massive mild minor moderate modest overall progressive rapid recent sharp significant slight slow small steady"
    " steep strong subsequent substantial sudden sustained"
)
"""May stand before a change word and go with it ("sharp rise in X"); alone they are about nothing."""
QUANTITIES = _set(
    "activity budget capacity concentration cost count crime debt deficit demand density dose emission employment"
    " enrollment expenditure fare fee funding income inflation infiltration intake level membership mortality output"
    " pay pension population poverty pressure price production productivity profit rate rent revenue risk salary sale"
    " sales spending stress supply tariff tax temperature toll traffic turnout turnover unemployment usage volume wage weight"
)
ABSTRACT = re.compile(r".{3,}(?:ity|ment|tion|sion|ness|ance|ence|ancy|ency|ism|ship)$")
MEASURED_IN = _set("annual day decade dollar fold monthly percent percentage point quarter unit week year yearly")
PEOPLE_AND_PLACES = _set(
    "adolescent adult animal area child children city class community country elderly employee family group home"
    " hospital household individual infant man men mouse nation neighborhood neighbourhood old older patient people"
    " person place rat region resident school state student teenager toddler town user village woman women worker young"
    " youth"
)
"""Heads that a change word before a compound does not change ("lower income country"), nor after "fall in"."""
ALIVE = _set("animal bacteria bacterium baby bone cancer cell child crop fetus fish hair infant nail plant tree tumor")
"""Their growth is an event of their own: "tumor growth"."""
USED = _set(
    "alcohol antibiotic cannabis cocaine computer condom drug energy force heroin internet land language marijuana media"
    " opioid pesticide phone resource smartphone substance technology time tobacco water"
)
"""Their use is a concept of its own: "drug use"."""
LOST = _set(
    "access biodiversity confidence diversity funding habitat income interest motivation productivity revenue support"
    " trust"
)
"""Losing them is having less. Any other loss is a concept of its own, and some are put in the usual order:"""
LOSSES = _set("blood bone hair hearing heat job memory muscle sight soil tooth vision water weight")
CONDITIONS = _set(
    "accident allergy asthma attack cancer complication crash crime death dementia depression diabetes disability"
    " disease disorder failure flood flooding fracture hypertension hypotension illness infarction infection injury"
    " obesity pain seizure stroke suicide symptom syndrome toxicity tumor"
)
CONDITION = re.compile(r".{3,}(?:itis|osis|emia|oma|pathy|algia|uria|plegia|rrhea|asthenia)$")
ADJECTIVE = re.compile(
    r".{2,}(?:ive|al|ic|ous|ary|able|ible|ful|less|ish|ian|ular|(?<!stud)(?<!pati)(?<!m)ent|(?<!pl)ant|ed)$"
)
NOUNS = _set(
    "accident agent animal antibiotic arsenic capital chemical clinic content diary disapproval epidemic event fabric fish"
    " hospital incident infant instrument journal library metal mineral music narcotic need parent plastic"
    " pollutant rental rubbish salary seed signal solvent speed statistic survival table talent topic traffic trial"
    " variable vegetable weed"
)
"""Nouns with such endings. To miss some costs a merge, never makes a wrong one."""
PLAIN_ADJECTIVES = _set(
    "bad bitter cold complex costly dark deadly deep difficult early expensive fair free frequent good happy hard harsh"
    " heavy hot intense late light likely long new old poor pure rich safe secure severe short simple soft strict tight"
    " urban warm weak wet wide"
)

NAMES = _set("""
    absolute_increase breast_reduction cost_of_living data_reduction dimensionality_reduction gain_of_function
    harm_reduction length_of_stay lung_volume_reduction oxidation_reduction quality_of_life rate_of_change
    rate_of_return short_cut use_of_force weight_loss
    """)
"""Left as they are, words joined with _."""
NAMES_BEGIN = _set("""
    cutting_board cutting_corner cutting_edge cutting_tool declining_balance diminished_capacity
    diminished_responsibility diminishing_return elevated_railway elevated_train falling_asleep falling_down falling_in
    falling_object falling_out falling_over falling_star greater_good greater_london greater_manchester greater_omentum
    greater_trochanter growing_medium growing_pain growing_season growing_up higher_category higher_court
    higher_dimension higher_education higher_ground higher_learning higher_level higher_order higher_power increasing_return
    less_developed less_lethal lower_abdomen lower_abdominal lower_airway lower_arm lower_back lower_body lower_bound
    lower_court lower_esophageal lower_extremity lower_gastrointestinal lower_gi lower_house lower_jaw lower_leg lower_limb
    lower_lip lower_lobe lower_motor lower_respiratory lower_secondary lower_tract lower_urinary lower_uterine no_amount no_child
    no_confidence no_deal no_fault no_fly no_longer no_man no_more no_one no_show raised_bed raised_floor
    reduced_calorie reduced_fat reduced_form reduced_instruction reduced_salt reduced_sodium reduced_sugar reducing_agent reducing_sugar rising_damp rising_star rising_sun
    """)
NAMES_BEHIND = _set("center centre clinic service session visit")
"""What "drop in" is part of, and not a drop: a drop-in centre."""

FROM_TO = _set("from to by")
DETERMINERS = _set("a an the this that these those its their his her our my your some any")
JOINING = _set(
    "and or but nor which that who whose than while whereas because due if when versus vs plus as not is are was were be"
    " been has have had by can could will would may might must shall should do does did become becomes became i you he she it we they them him"
    " us me one anyone someone everyone there other such often left now today till out off up down away"
)
"""A rest with one of these is a clause or says more than one thing: what was said of its first part may not hold for all."""
SMALL = JOINING | _set(
    "of in on at to for from with without into onto over under between among through during before after since until"
    " against about via per"
)
# "Price of oil" → "oil price": heads that read alike either way; containers ("glass of wine") do not. Other heads are not
# turned round here, lest names come about that nobody would say ("widow eviction").
HEADS = _set(
    "abuse activation availability cancer carcinoma cessation concentration consumption contamination cost damage"
    " deficiency deficit deforestation demand density deprivation disease disorder distribution dose enrollment expression"
    " extraction failure growth infection inflammation inhibition injury insufficiency intake investment level management"
    " misuse pollution pressure price production protection quality rate regulation scarcity severity shortage stimulation"
    " supply surplus temperature toxicity transmission treatment tumor use utilization volume withdrawal yield"
)
MOST_TURNED = 2
"""Words put before such a head."""
DONE_TO: Mapping[str, frozenset[str]] = {
    "smoking": _set("cannabis cigar cigarette marijuana pipe tobacco"),
    "drinking": _set("alcohol beer coffee tea wine"),
    "eating": _set("fish fruit meat vegetable"),
    "watching": _set("television tv"),
}
"""Activities and what they are done to: "smoking cigarettes" → "cigarette smoking", but never "drinking water"."""

AMERICAN: Mapping[str, str] = {
    british + ending: american + ending
    for british, american in (
        pair.split("/")
        for pair in (
            "tumour/tumor labour/labor behaviour/behavior colour/color flavour/flavor harbour/harbor honour/honor"
            " humour/humor neighbour/neighbor odour/odor rumour/rumor vapour/vapor vigour/vigor centre/center fibre/fiber"
            " litre/liter theatre/theater sulphur/sulfur sulphate/sulfate aluminium/aluminum defence/defense"
            " offence/offense licence/license programme/program grey/gray mould/mold plough/plow"
            " ageing/aging judgement/judgment travelling/traveling modelling/modeling counselling/counseling"
            " labelling/labeling fuelling/fueling enrolment/enrollment fulfilment/fulfillment analyse/analyze"
            " paralyse/paralyze manoeuvre/maneuver behavioural/behavioral neighbourhood/neighborhood tyre/tire"
        ).split()
    )
    for ending in ("", "s")
}
AMERICAN_PARTS = (
    (re.compile(r"(?<=.{3})(?<!improv)isation(?=s?$)"), "ization"),
    (re.compile(r"aemi"), "emi"),
    (re.compile(r"^haem(?=.{3})"), "hem"),
    (re.compile(r"(?<!angi)oedema"), "edema"),
    (re.compile(r"(?<=.{2})oea(?=s?$)"), "ea"),
    (re.compile(r"oestr(?=[aio])"), "estr"),
    (re.compile(r"^(ortho)?paed(?=i)"), r"\1ped"),
    (re.compile(r"^foet(?=al|us)"), "fet"),
    (re.compile(r"anaesth"), "anesth"),
    (re.compile(r"oesoph"), "esoph"),
    (re.compile(r"^aetio"), "etio"),
    (re.compile(r"^faec(?=al|es)"), "fec"),
    (re.compile(r"^gynaec"), "gynec"),
    (re.compile(r"^caesarean"), "cesarean"),
    (re.compile(r"^coeliac"), "celiac"),
)
ROMAN = {"i": "1", "ii": "2", "iii": "3", "iv": "4"}
ORDERED = _set("type phase stage grade")
