"""What a passage says of two spans, in sentences written for this table.

In each row {braces} hold the cause as the sentence has it and [brackets] the effect. Marks: `n` negated, `h` hedged,
`?` no expression decides the direction. Every row is read twice, with the spans as they are and swapped.
"""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leucippus.agents.reading import PairReading, Span, read_pair
from leucippus.store.triples import Sign

Row = tuple[str, str, str, str | None]

ACTIVE: list[Row] = [
    ("{Smoking} causes [lung cancer].", "+", "", None),
    ("{The earthquake} triggered [a tsunami].", "+", "", None),
    ("{Poor drainage} led to [flooding in the valley].", "+", "", None),
    ("{The strike} has resulted in [long delays].", "+", "", None),
    ("{Cheap credit} fuelled [the housing boom].", "+", "", None),
    ("{Overgrazing} contributes directly to [soil erosion].", "+", "", None),
    ("{The invention of the press} brought about [mass literacy].", "+", "", None),
    ("{Isolation} gives rise to [depression].", "+", "", None),
    ("{Vaccination} prevents [measles].", "-", "", None),
    ("{The new tariff} reduced [steel imports].", "-", "", None),
    ("{Fertiliser} increased [maize yields].", "+", "", None),
    ("{Aspirin} inhibits [platelet aggregation].", "-", "", None),
    ("{Helmets} protect against [head injuries].", "-", "", None),
    ("{Altitude} affects [boiling point].", "none", "", None),
    ("{Early reading} shapes [later schooling].", "none", "", None),
    ("{Noise} disrupts [sleep].", "-", "", None),
    ("{The subsidy} encouraged [solar installation].", "+", "", None),
    ("{Rust} weakened [the bridge].", "-", "", None),
    ("{The bailout} averted [a run on the banks].", "-", "", None),
    ("{Rain} forced [the match] to be abandoned.", "+", "", None),
    ("{The drought} caused, among other things, [crop failure].", "+", "", None),
    ("{Sleep loss} can cause [irritability].", "+", "", None),
    ("{Streetlights} help reduce [burglary].", "-", "", None),
    ("{The merger} created [a dominant carrier].", "+", "", None),
]

PASSIVE: list[Row] = [
    ("[The outage] was caused by {a fallen tree}.", "+", "", None),
    ("[Inflation] is driven by {energy prices}.", "+", "", None),
    ("[The riots] were being fuelled by {rumours}.", "+", "", None),
    ("[Emissions] were reduced by {the carbon tax}.", "-", "", None),
    ("[Growth] has been boosted by {exports}.", "+", "", None),
    ("[The infection], caused by {a resistant strain}, spread quickly.", "+", "", None),
    ("[Malaria] is largely prevented by {bed nets}.", "-", "", None),
    ("[The decision] was influenced by {public opinion}.", "none", "", None),
    ("[The landslide] was triggered by {two days of rain}.", "+", "", None),
    ("[The fire] was, investigators said, caused by {faulty wiring}.", "+", "", None),
    ("[His illness] was brought about by {overwork}.", "+", "", None),
    ("[The delay] was caused in part by {customs checks}.", "+", "", None),
    ("Triggered by {a false alarm}, [the evacuation] took an hour.", "+", "", None),
    ("[The collapse] can be attributed to {weak foundations}.", "+", "", None),
    ("[Her success] stems from {hard training}.", "+", "", None),
    ("[The shortage] resulted from {panic buying}.", "+", "", None),
    ("[The dispute] arose out of {a misread contract}.", "+", "", None),
    ("[The famine] is rooted in {colonial policy}.", "+", "", None),
    ("[Yield] depends on {rainfall}.", "none", "", None),
    ("[The patient] died of {sepsis}.", "+", "", None),
]

NOMINAL: list[Row] = [
    ("Blame {the frost} for [the burst pipes].", "+", "", None),
    ("{Smoking} is the main cause of [lung cancer].", "+", "", None),
    ("[The blackout] was the result of {a software fault}.", "+", "", None),
    ("[Deforestation] is a consequence of {cattle ranching}.", "+", "", None),
    ("The effect of {caffeine} on [sleep] is well studied.", "none", "", None),
    ("The impact of {remote work} on [productivity] was measured.", "none", "", None),
    ("{Genes} play a role in [obesity].", "none", "", None),
    ("{High blood pressure} is a risk factor for [stroke].", "+", "", None),
    ("{Driver error} was responsible for [the crash].", "+", "", None),
    ("The cause of [the fire] was {arson}.", "+", "", None),
    ("The main reason for [the delay] is {bad weather}.", "+", "", None),
    ("{Debt} was a key driver of [the crisis].", "+", "", None),
    ("{Screens} have an impact on [attention].", "none", "", None),
    ("The role of {bees} in [pollination] is vital.", "none", "", None),
    ("What caused [the leak] was {a worn gasket}.", "+", "", None),
    ("The factors driving [migration] include {war}.", "+", "", None),
    ("[The damage] that {the hail} caused was severe.", "+", "", None),
    ("The consequence of {the ban} was [a black market].", "+", "", None),
]

CLAUSES: list[Row] = [
    ("[The vase broke] when {the cat jumped}, not because it was old.", "+", "", None),
    ("[The road was closed] because {the river had burst its banks}.", "+", "", None),
    ("Because {the river had burst its banks}, [the road was closed].", "+", "", None),
    ("[Flights were cancelled] due to {fog}.", "+", "", None),
    ("Due to {fog}, [flights were cancelled].", "+", "", None),
    ("As a result of {the embargo}, [factories] closed.", "+", "", None),
    ("{Snow blocked the pass}; as a result, [supplies ran out].", "+", "", None),
    ("{The pump failed}, so that [the cellar flooded].", "+", "", None),
    ("{Demand outstripped supply}, and therefore [queues formed].", "+", "", None),
    ("{The valve stuck}. Consequently, [pressure built up].", "+", "", None),
    ("{The dam broke}. This led to [widespread flooding].", "+", "", None),
    ("Thanks to {the vaccine}, [polio] has all but vanished.", "+", "", None),
    ("[The concert was postponed] owing to {illness}.", "+", "", None),
    ("{The bank raised its rates}, which meant [mortgages] became dearer.", "+", "", None),
    ("[She missed the train] since {her alarm did not ring}.", "+", "", None),
    ("If {the rains fail}, [the harvest] will be lost.", "+", "", None),
    ("[The town emptied] after {the mine closed}.", "+", "", None),
    ("[The firm cut costs] by {closing two plants}.", "+", "", None),
    ("Because {a lorry blocked the lane}, [the ambulance] was late.", "+", "", None),
    ("Since {the ministry cut the subsidy}, [bread] has become dear.", "+", "", None),
    ("[Sales suffered] because {the ministry banned adverts}.", "+", "", None),
    ("It was {the frost} that killed the buds and caused [the shortage].", "+", "", None),
    ("Smoking is dangerous because {it} causes [cancer].", "+", "", None),
    ("{The glacier}, which feeds two rivers, caused [the flood].", "+", "", None),
    ("{Heat} leads to evaporation and results in [drier soils].", "+", "", None),
]

SIGNS: list[Row] = [
    ("{Automation} leads to lower [wages].", "-", "", None),
    ("{Automation} leads to [lower wages].", "+", "", None),
    ("A drop in {demand} led to [layoffs].", "-", "", None),
    ("A drop in {demand} led to a fall in [prices].", "+", "", None),
    ("{The treaty} prevented a reduction in [funding].", "+", "", None),
    ("{Tax relief} led to an increase in [investment].", "+", "", None),
    ("{Irrigation} prevents [yields] from falling.", "+", "", None),
    ("{The tax} caused [consumption] to fall.", "-", "", None),
    ("[Prices] fell because {demand} dropped.", "+", "", None),
    ("[Prices] rose because {supply} dropped.", "-", "", None),
    ("Because of {the drought}, [harvests] fell sharply.", "-", "", None),
    ("Reducing {speed limits} reduces [accidents].", "+", "", None),
    ("Higher {interest rates} reduce [borrowing].", "-", "", None),
    ("{Exercise} reduces the risk of [diabetes].", "-", "", None),
    ("{Coffee} is associated with lower [mortality].", "-", "h?", None),
    ("{Red meat} is linked to an increased risk of [colon cancer].", "+", "h?", None),
    ("Lack of {sleep} causes [poor memory].", "-", "", None),
    ("[Lower turnout] was caused by {rain}.", "+", "", None),
    ("[Mortality] was reduced by increased {handwashing}.", "-", "", None),
    ("{Shade trees} resulted in a sharp and sustained decline in [pests].", "-", "", None),
    ("{The dam} slowed the decline of [salmon].", "+", "", None),
    ("{The quota} resulted in fewer [landings].", "-", "", None),
    ("[Output] increased by 10 per cent because of {new machines}.", "+", "", None),
    ("[Crime] was reduced by 5% thanks to {night patrols}.", "-", "", None),
    ("[Costs] were reduced by about a third because of {cheap labour}.", "-", "", None),
    ("[Rents] increased to 900 euros as a result of {the reform}.", "+", "", None),
    ("A rise in {temperature} increases [evaporation].", "+", "", None),
    ("{Antibiotics} prevented the spread of [infection].", "-", "", None),
    ("{Stress} worsens [asthma].", "none", "", None),
]

NEGATED: list[Row] = [
    ("{Vaccines} do not cause [autism].", "+", "n", None),
    ("{Sugar} doesn't cause [hyperactivity].", "+", "n", None),
    ("{The reform} failed to reduce [poverty].", "-", "n", None),
    ("{The stimulus} did not lead to [inflation].", "+", "n", None),
    ("There is no evidence that {phones} cause [cancer].", "+", "n", None),
    ("{The drug} had no effect on [survival].", "none", "n", None),
    ("Investigators ruled out that {ice} caused [the crash].", "+", "n", None),
    ("The minister denied that {cuts} led to [the deaths].", "+", "n", None),
    ("[The delay] has nothing to do with {the strike}.", "none", "n?", None),
    ("[The outage] was not caused by {a storm}.", "+", "n", None),
    ("{Fasting} never caused [harm].", "+", "n", None),
    ("Neither {rain} nor wind caused [the slide].", "+", "n", None),
    ("{The audit} was carried out without causing [delays].", "+", "n", None),
    ("{The raise} resulted in no [job losses].", "+", "n", None),
    ("{The war} not only caused [hunger] but also drove people out.", "+", "", None),
    ("[He resigned] not because of {the scandal} but because of his health.", "+", "n", None),
    ("[He resigned] not because of the scandal but because of {his health}.", "+", "", None),
    ("It was not {the virus} but a fungus that caused [the blight].", "+", "n", None),
    ("It was not the virus but {a fungus} that caused [the blight].", "+", "", None),
    ("The plan was not popular, and {the tax} caused [unrest].", "+", "", None),
    ("{The law} was not perfect but reduced [crime].", "-", "", None),
    ("{Smoking} is not the only cause of [lung cancer].", "+", "", None),
    ("{Cold weather} is not a cause of [colds].", "+", "n", None),
    ("No {vaccine} causes [this disease].", "+", "n", None),
    ("The study did not find that {tea} prevents [stroke].", "-", "n", None),
    ("{Price caps} hardly reduced [fuel costs].", "-", "n", None),
    ("[The fire] was caused by lightning, not {arson}.", "+", "n", None),
    ("There is no link between {vaccines} and [autism].", "none", "nh?", None),
    ("It is a myth that {cold} causes [flu].", "+", "n", None),
    ("{The vaccine} prevents [infection], which was not expected.", "-", "", None),
]

HEDGED: list[Row] = [
    ("{The leak} may have caused [the explosion].", "+", "h", None),
    ("{Mild exercise} might reduce [anxiety].", "-", "h", None),
    ("{A ban} could lead to [smuggling].", "+", "h", None),
    ("Perhaps {the frost} caused [the cracks].", "+", "h", None),
    ("{Ozone} probably contributes to [asthma].", "+", "h", None),
    ("{The policy} appears to reduce [waste].", "-", "h", None),
    ("[The outbreak] was reportedly caused by {bad oysters}.", "+", "h", None),
    ("[The blaze] is believed to have been caused by {a cigarette}.", "+", "h", None),
    ("The results suggest that {zinc} shortens [colds].", "-", "h", None),
    ("We hypothesise that {stress} increases [cortisol].", "+", "h", None),
    ("Does {screen time} cause [myopia]?", "+", "h", None),
    ("It is unclear whether {fibre} prevents [cancer].", "-", "h", None),
    ("{Poverty} is associated with [ill health].", "none", "h?", None),
    ("{Gender} is linked to [pay].", "none", "h?", None),
    ("The correlation between {ice cream} and [drowning] is famous.", "none", "h?", None),
    ("{Air pollution} may not affect [IQ].", "none", "nh", None),
    ("{Rate cuts} are likely to boost [lending].", "+", "h", None),
    ("{Drought} does not always lead to [famine].", "+", "h", None),
    ("The mayor may resign, but {the flood} caused [the damage].", "+", "", None),
    ("Officials suspect that {a spark} ignited [the gas].", "+", "h", None),
    ("{Storms} possibly triggered [the slide].", "+", "h", None),
    ("{A tax} would reduce [smoking].", "-", "", None),
]

CONDITIONED: list[Row] = [
    ("{Aspirin} reduces [mortality] in patients with diabetes.", "-", "", "in patients with diabetes"),
    ("If untreated, {the infection} causes [blindness].", "+", "", "If untreated"),
    ("{Copper} causes [liver damage] when intake is high.", "+", "", "when intake is high"),
    ("{The tax} raises [revenue] unless firms relocate.", "+", "", "unless firms relocate"),
    ("Among smokers, {asbestos} increases [cancer].", "+", "", "Among smokers"),
    ("{Pruning} improves [yield] provided that it is done early.", "+", "", "provided that it is done early"),
    ("{Caffeine} harms [sleep] only if taken late.", "-", "", "only if taken late"),
    ("Under drought conditions, {mulch} boosts [growth].", "+", "", "Under drought conditions"),
    ("{Loans} increase [income] in households with land, the survey found.", "+", "", "in households with land"),
    ("[Cracks] are caused by {frost} when the soil is wet.", "+", "", "when the soil is wet"),
    ("In the absence of light, {the gene} suppresses [flowering].", "-", "", "In the absence of light"),
]

FRESH: list[Row] = [
    ("{The collapse of the cod fishery} left [thousands of families] without income.", "+", "", None),
    ("[Tooth decay] is mostly the consequence of {a sugary diet}.", "+", "", None),
    ("{Warmer oceans} are making [hurricanes] more intense.", "+", "", None),
    ("Analysts blamed {weak iPhone sales} for [the profit warning].", "+", "", None),
    ("{Quantitative easing} did little to raise [wages].", "+", "n", None),
    ("[The museum's closure] followed from {a dispute over its lease}.", "+", "", None),
    ("{Bisphenol A}, a plasticiser, has been shown to impair [fertility].", "-", "", None),
    ("In mice, {the compound} suppressed [tumour growth].", "-", "", "In mice"),
    ("{Rising seas} threaten [coastal towns].", "-", "", None),
    ("{Lead pipes} cannot explain [the fall of Rome].", "+", "n", None),
    ("[Unemployment] would drop if {the levy} were scrapped.", "+", "", None),
    ("Far from curing it, {the leeches} worsened [his fever].", "none", "", None),
    ("{Chronic stress} is thought to accelerate [ageing].", "+", "h", None),
    ("{The new signal} has cut [collisions] by half.", "-", "", None),
    ("[The recall] came after {engineers found a crack}.", "+", "", None),
    ("[Obesity] rates increased owing to {sedentary work}.", "+", "", None),
    ("Owing largely to {subsidies}, [wind power] grew rapidly.", "+", "", None),
    ("{Nitrate runoff} triggers algal blooms, which deplete [oxygen].", "-", "", None),
    ("It is not clear that {mindfulness} improves [grades].", "+", "n", None),
    ("{Mindfulness} has not been shown to improve [grades].", "+", "n", None),
    ("Nothing in the data suggests that {migration} depresses [wages].", "-", "n", None),
    (
        "{Statins} lower the risk of [heart attack] in people with high cholesterol.",
        "-",
        "",
        "in people with high cholesterol",
    ),
    ("[Bee deaths] have been tied to {neonicotinoids}.", "none", "h?", None),
    ("{Poor ventilation} was a contributing factor in [the outbreak].", "+", "", None),
    ("{Overfishing} was among the causes of [the collapse].", "+", "", None),
    ("[The verdict] sparked by {the leaked tape} surprised nobody.", "+", "", None),
    ("[The lights went out] as {a squirrel had chewed the cable}.", "+", "", None),
    ("{The court struck down the law}, thereby reopening [the debate].", "+", "", None),
    ("{Sanctions} have done nothing to prevent [proliferation].", "-", "n", None),
    ("{Too little iodine} causes [goitre].", "+", "", None),
    ("An increase in {the minimum wage} does not reduce [employment].", "-", "n", None),
    ("Fewer {nurses} means longer [waiting times].", "-", "", None),
    ("Could {gut bacteria} be causing [autism]?", "+", "h", None),
    ("The hypothesis that {comets} brought about [the extinction] is disputed.", "+", "h", None),
    ("{The virus} spreads panic, prompting [hoarding].", "+", "", None),
    ("[The bridge closure] was prompted by {fears over corrosion} rather than by an actual fault.", "+", "", None),
    ("[The closure] was prompted by fears rather than by {an actual fault}.", "+", "n", None),
    ("{Deregulation} paved the way for [the crash].", "+", "", None),
    ("When {water freezes}, it expands, splitting [the rock].", "+", "", None),
    ("[Lower birth rates] followed {the one-child policy}.", "+", "", None),
    ("{The heatwave} sent [electricity demand] soaring.", "+", "", None),
    ("[Half the crop] was lost because of {a late frost}.", "-", "", None),
    ("{Nurse shortages} have been blamed for [longer queues].", "+", "", None),
    ("[The plant closed] as a consequence of {falling orders}.", "+", "", None),
    ("{Meditation} does not seem to reduce [blood pressure].", "-", "nh", None),
    ("{Microplastics} might be one of the causes of [falling fertility].", "+", "h", None),
    ("Critics argue that {the bypass} simply created [more traffic].", "+", "h", None),
    ("[Ice loss] in Greenland is accelerated by {soot}.", "+", "", None),
    ("The drug's makers deny it, but {the pills} caused [dozens of deaths].", "+", "", None),
    ("{The firm} cut jobs, which led to [a strike].", "+", "", None),
    ("{A fall in oil prices} hurt [exporters] and helped airlines.", "-", "", None),
    ("A fall in oil prices hurt exporters, while {it} helped [airlines].", "+", "", None),
    ("When {the price of rice} doubled, [people switched to maize].", "+", "", None),
    ("[Patients recovered] faster thanks to {early surgery}.", "+", "", None),
    ("{Seat belts} save [lives].", "none", "", None),
    ("{Smoking bans} were followed by a decline in [heart attacks].", "-", "", None),
    ("[The boom] was not driven by {speculation} but by immigration.", "+", "n", None),
    ("[The boom] was not driven by speculation but by {immigration}.", "+", "", None),
    ("There was no sign that {the spill} harmed [seabirds].", "-", "n", None),
    ("{The cut in fares} doubled [ridership].", "+", "", None),
    ("[Her insomnia] got worse due to {night shifts}.", "+", "", None),
    ("{Inequality} breeds [resentment].", "+", "", None),
    ("[Resentment] is bred by {inequality}.", "+", "", None),
    ("{Tariffs}, economists say, raise [consumer prices].", "+", "", None),
    ("{Hand washing} lowers [infection rates] among nurses.", "-", "", "among nurses"),
    ("[The bankruptcy] was precipitated by {a lawsuit} over asbestos.", "+", "", None),
    ("{The moratorium} has prevented [fish stocks] from collapsing.", "+", "", None),
    ("Owing to {rust}, [the hinge] snapped.", "+", "", None),
    ("{Sunlight} is needed for [vitamin D synthesis].", "+", "", None),
    ("[The choir disbanded] for lack of {funds}.", "-", "", None),
    ("{Loud music} is one reason why [customers leave].", "+", "", None),
    ("Is [the glut] the result of {overproduction}?", "+", "h", None),
    ("{Ageing} makes [bones] brittle.", "+", "", None),
    ("Given {the shortage of engineers}, [salaries] are rising.", "+", "", None),
    ("{Wolves} keep deer away and thereby allow [willows] to recover.", "+", "", None),
    ("{The ruling} had the effect of freezing [new permits].", "none", "", None),
    ("Neither the strike nor {the snow} delayed [the launch].", "-", "n", None),
    ("{Malnutrition} weakens [immunity], making infections more likely.", "-", "", None),
]

BEYOND_THE_RULES: list[Row] = [
    ("{Lithium} keeps [mood swings] in check.", "-", "", None),
    ("Why did [the dinosaurs] die out? {An asteroid} is the leading explanation.", "none", "h?", None),
    ("{The drug} did anything but reduce [pain].", "-", "n", None),
    ("Had {the brakes} been checked, [the accident] would not have happened.", "-", "", None),
    ("Without {rain}, [the crops] died.", "-", "", None),
    ("The more {it rained}, the higher [the river] rose.", "+", "", None),
    ("{Salt}: the silent killer of [roads].", "-", "", None),
    ("I doubt {the reform} caused [the slump].", "+", "h", None),
]

ROWS = ACTIVE + PASSIVE + NOMINAL + CLAUSES + SIGNS + NEGATED + HEDGED + CONDITIONED + FRESH


def unmark(marked: str) -> tuple[str, Span, Span]:
    """The plain sentence and the spans of its {cause} and its [effect]."""
    spans: dict[str, Span] = {}
    plain = ""
    for piece in re.split(r"(\{[^}]*\}|\[[^\]]*\])", marked):
        if piece[:1] in ("{", "["):
            spans[piece[0]] = (len(plain), len(plain) + len(piece) - 2)
            piece = piece[1:-1]
        plain += piece
    return plain, spans["{"], spans["["]


def check(row: Row) -> None:
    marked, sign, marks, conditions = row
    text, cause, effect = unmark(marked)
    reading = read_pair(text, cause, effect)
    found = reading.conditions and text[slice(*reading.conditions)]
    undecided = "?" in marks
    seen = (reading.direction_ok, reading.sign, reading.negated, reading.hedged, found)
    assert seen == (None if undecided else True, Sign(sign), "n" in marks, "h" in marks, conditions), reading.relation
    assert reading.relation and reading.relation in text
    swapped = read_pair(text, effect, cause)
    assert swapped.direction_ok is (None if undecided else False)
    assert (swapped.sign, swapped.negated, swapped.hedged) == (reading.sign, reading.negated, reading.hedged)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_reads(row: Row) -> None:
    check(row)


@pytest.mark.xfail(strict=True, reason="beyond the rules")
@pytest.mark.parametrize("row", BEYOND_THE_RULES, ids=lambda row: row[0])
def test_cannot_read(row: Row) -> None:
    check(row)


@pytest.mark.parametrize(
    ("marked", "relation"),
    [
        ("[The outage] was partly caused by {a storm}.", "was partly caused by"),
        ("{Streetlights} help reduce [burglary].", "help reduce"),
        ("Because of {fog}, [flights were late].", "Because of"),
        ("{Rain} fell; [nobody] minded.", None),
    ],
)
def test_relation_is_verbatim(marked: str, relation: str | None) -> None:
    assert read_pair(*unmark(marked)).relation == relation


def test_no_cue_decides_nothing() -> None:
    assert read_pair(*unmark("{Rain} fell; [nobody] minded.")) == PairReading(None, None, Sign.NONE, False, False, None)


WORDS = [
    "because",
    "Because of",
    "is caused by",
    "not",
    "no",
    "may",
    ",",
    ". ",
    "?",
    "rain",
    "floods",
    "reduces",
    "n't",
]
WORDS += [
    "lower",
    "if",
    "when",
    "İ",
    "prevents",
    "a drop in",
    "led to",
    "\n\n",
    "in patients with",
    "the effect of",
    "on",
]


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=80), st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join)), st.data())
def test_never_raises_and_stays_inside(text: str, data: st.DataObject) -> None:
    def span() -> Span:
        start = data.draw(st.integers(0, len(text)))
        return start, data.draw(st.integers(start, len(text)))

    reading = read_pair(text, span(), span())
    assert reading.relation is None or (reading.relation and reading.relation in text)
    if reading.conditions is not None:
        start, end = reading.conditions
        assert 0 <= start < end <= len(text)
        assert text[start:end] == text[start:end].strip()


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "unit", ["because ", "not ", "was ", "lower ", "if ", " ", "in patients with ", "it was not that "]
)
def test_hostile_text_stays_linear(unit: str) -> None:
    text = "rain caused floods " + unit * (100_000 // len(unit)) + " rain"
    read_pair(text, (0, 4), (len(text) - 4, len(text)))
    read_pair(text, (0, 4), (12, 18))
