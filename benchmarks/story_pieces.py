"""The words of the invented studies (`stories.py`): places, treatments, outcomes, and ways to say how it came about.

Everything is made up. Each block is one subject; its fields stand between bars, in the order given above the first.
"""


def lines(text: str) -> list[str]:
    return text.strip().splitlines()


def blocks(text: str) -> list[list[str]]:
    return [lines(block) for block in text.strip().split("\n\n")]


# who | where | the treatment | what those treated did | its column | arms in words
# outcome | its column | mean, sd | the same before | its column
# covariates, name=meaning=values; three: a number, a 0/1, a category
# what follows, name=meaning | minutes or visits of the treatment, name=meaning
# groups: many, one, column | score a rule may use | its column | cutoff, sd
PEOPLE = blocks("""
job seekers|the Orrin valley|the coaching course|took the coaching course|coaching|coaching/usual service
monthly earnings a year later, in crowns|earn_later|2100,600|monthly earnings in the year before|earn_prior
age=age at registration, years=38,10;degree=has a degree, 1 or 0=0.3;sector=last sector of work=trade/industry/care/farm
interviews=job interviews in the year after|hours_coached=hours of coaching received
job centres,job centre,centre|hardship score on the intake form|hardship|60,14

pupils|Lower Vask|the reading tutor|had a reading tutor|tutor|tutor/none
reading score in June|read_june|52,11|reading score in September, before anything began|read_sept
age_m=age in months in September=98,5;girl=1 for girls=0.5;home=language at home=vaskish/other/both
books_read=library books borrowed in spring|sessions=tutoring sessions attended
schools,school,school_no|screening score in August|screen|40,9

patients|the Tarn hospitals|the walking programme|joined the walking programme|walk_prog|programme/leaflet
blood pressure at six months, mm Hg|bp_6m|142,15|blood pressure at the first visit|bp_first
yrs=age in years=61,9;smokes=smoker at the first visit=0.25;clinic_type=type of clinic=town/rural/teaching
steps_6m=steps a day at six months|walks=group walks attended
practices,practice,practice|risk points at the first visit|risk_pts|20,6

smallholders|Kessim province|the drought-proof seed|planted the drought-proof seed|new_seed|new/old
maize yield at harvest, kg per hectare|yield_kg|1650,420|maize yield in the season before|yield_prev
plot_ha=size of the plot in hectares=1.4,0.4;irrigated=irrigated before the season=0.35;soil=soil class=clay/loam/sand
sold_kg=kg of maize sold after harvest|bags=bags of the seed used
villages,village,village|poverty score of the census|pov_score|45,12

customers|the Hallo web shop|the new start page|saw the new start page|new_page|new/old
money spent in the next 90 days, in marks|spend_90|84,30|money spent in the 90 days before|spend_before
tenure=months since the first order=19,7;app_user=had the app before=0.4;region=delivery region=north/south/islands
returns=parcels sent back in those 90 days|page_views=times the new page was opened
stores,store,home_store|loyalty points at the end of last year|loyal_pts|500,140

households|the town of Brae|the smart meter|got a smart meter|smart_meter|meter/none
electricity used in the winter after, kWh|kwh_after|1450,380|electricity used in the winter before|kwh_before
floor_m2=floor area of the home=92,24;owner=owner of the home, 1 or 0=0.55;heating=main heating=gas/electric/wood
bill_after=complaints about bills in the winter after|checks=times the display was looked at
streets,street,street|energy index of the home|en_index|70,15

nurses|the Ostmere clinics|the rota app|used the rota app|rota_app|app/paper
days of sick leave a year later, per 100 shifts|sick_rate|6.8,2.4|days of sick leave in the year before|sick_prev
service_y=years of service=11,4;night=works nights by contract=0.4;unit_kind=kind of ward=surgical/medical/psychiatric
overtime=hours of overtime in the following year|logins=logins to the app
wards,ward,ward_id|strain index of the spring survey|strain|55,12

toddlers|the Morren suburbs|the home visits|had home visits|visited|visits/no visits
vocabulary test at age three, points|vocab_3|48,12|vocabulary test at eighteen months|vocab_18m
birth_g=birth weight in grams=3300,450;first_born=first child=0.45;housing=kind of housing=flat/house/shared
nursery_days=days at nursery after age three|n_visits=number of visits carried out
clinics,baby clinic,clinic|family stress score at birth|fam_stress|30,8

small firms|the Delmar district|the export adviser|were given an export adviser|adviser|adviser/waiting list
sales in the following year, thousand crowns|sales_next|760,210|sales in the year before|sales_last
firm_age=age of the firm in years=14,5;family=family-owned then=0.6;branch=branch of trade=food/wood/metal/textile
hired=people hired in the following year|adv_hours=hours the adviser spent in the firm
chambers,local chamber,chamber|innovation points in the application|innov|65,13

students|the Westerhaven college|the study-skills seminar|went to the study-skills seminar|seminar|seminar/reader
exam mark at the end of the year|exam_mark|61,12|mark in the entrance exam|entry_mark
commute_min=minutes to campus at entry=34,11;works_job=had a job at entry=0.35;faculty=faculty=law/science/letters
essays=essays handed in by summer|attended=seminar afternoons attended
halls,hall of residence,hall|need score of the grant office|need|50,13
""")

# units | one | its column | where they lie | the measure | its column
# outcome | its column | mean, sd | covariate, name=meaning
PLACES = blocks("""
districts|district|district|the republic of Sarn|the late-night bus|night_bus
road injuries per 100,000 people|injuries|140,28|cars=cars per 100 people

counties|county|county|Verland|the bottle deposit|deposit
litter collected, kg per km of road|litter_kg|62,12|rain_mm=rain, mm

towns|town|town|the Ister coast|the ban on wood stoves|stove_ban
fine dust, micrograms per cubic metre|fine_dust|31,6|wind=mean wind speed

bakeries|bakery|shop|the Kornblum chain|the self-service till|self_till
takings per opening hour, crowns|takings|210,45|flour=price of flour

hospitals|hospital|hospital|the Norrey health region|the hand-washing checklist|checklist
infections per 1,000 bed days|infections|9.5,2.1|beds=beds in use

states|state|state|the Federation of Ald|the higher tobacco tax|tob_tax
packs of cigarettes sold per head|packs|86,17|income=income per head, thousands

libraries|library|branch|the city of Tolm|the Sunday opening|sunday
loans per 1,000 inhabitants|loans|420,80|budget=budget for new books

ports|port|port|the Gulf of Leen|the electronic customs form|e_form
hours a ship waits|wait_h|38,8|tonnage=tonnage handled

depots|depot|depot|the Brandt parcel company|the four-day week|four_days
parcels misrouted per 10,000|misrouted|55,11|vans=vans on the road
""")

# where | rows | good | price column | quantity | its column
# what moves the cost of sellers | its column | what else | its column
MARKETS = blocks("""
the fish hall of Pell|market days|whiting|price|kilos of whiting sold|kilos
wave height at sea on the night before, metres|waves|a public holiday, 1 or 0|holiday

the coffee exchange of Dorra|weeks|roasted coffee|price_lb|tonnes of coffee sold in the city|tonnes
frost days in the growing hills abroad|frost|rainy days in the city|rainy

the flower auction of Haal|auctions|cut tulips|unit_price|bunches sold|bunches
cost of gas to heat the greenhouses|gas_cost|day before a feast, 1 or 0|feast

the milk markets of Ober|market weeks|fresh milk|milk_price|litres sold, thousands|litres
price of cattle feed|feed_cost|mean temperature of the week|temp

the brick trade of Kelm|county months|bricks|brick_price|thousand bricks bought|bricks
price of coal for the kilns|coal_cost|frost in the month, 1 or 0|frosty
""")

TOLD = {
    "trial": lines("""
A computer drew lots among the {who}: about half of them got {t}, the others did not.
A coin was tossed for each of the {who} to decide who got {t}.
There were not enough places, so {t} was given out by lottery among the {who} who applied.
{T} was assigned at random to single {who}, by sealed envelopes; the rest served as controls.
We randomised the {who} one by one to {t} or to no change.
"""),
    "clusters": lines("""
Whole {groups} were drawn by lot: in {k} of {m} {groups} everybody got {t}, in the others nobody did.
Randomisation was by {group}: a public draw picked the {k} of {m} {groups} whose {who} got {t}.
In a cluster-randomised trial, {k} {groups} out of {m} were assigned at random to {t} for all their {who}.
"""),
    "offer": lines("""
A lottery decided which {who} were offered {t}; not all who were offered it took it up, and nobody else could get it.
Letters with an offer of {t} went to a random half of the {who}. Many never replied; without a letter nobody {took}.
Half of the {who}, picked at random by computer, were invited to {t}. Whether to accept was up to them.
"""),
    "choice": lines("""
Nobody was assigned to {t}; it was for each to decide. Those who {took} differ in {c}, all recorded beforehand.
{T} was not handed out by any draw: staff suggested it to whom they thought fit, going by {c}.
It was each one's own decision. Whether {who} {took} depended mostly on {c}, which we have from before.
"""),
    "hidden": lines("""
{T} went to the {who} whom staff thought most promising, a judgement made in a talk and never written down.
Those {who} who were keenest signed up for {t} themselves. How keen they were nobody measured.
"""),
    "cutoff": lines("""
{Who} with a {score} of {line} or more got {t}; those below {line} did not.
A {score} of at least {line} entitled to {t}. There were no exceptions on either side.
The rule is strict: everybody whose {score} reaches {line} gets {t}, and nobody else.
"""),
    "two groups": lines("""
{P} came to {one} in {year}; {other} never had it. The surveys are of different people each year.
In {year} {one} introduced {p}, while {other} carried on as before. Each year a new sample was drawn.
"""),
    "panel": lines("""
{P} came into force in some {units} from {year} on; the other {units} never had it.
From {year}, {k} of the {m} {units} had {p}, decided by the national office; in the others nothing changed.
Some {units} adopted {p} in {year}, the rest have not done so to this day.
"""),
    "staggered": lines("""
{P} was rolled out in waves: some {units} had it early, others later, and some never.
The {units} introduced {p} in different years, and once introduced it stayed; a number of them never did.
{Units} adopted {p} at different dates between the first and the last wave; some have not adopted it at all.
"""),
    "series": lines("""
{P} was introduced everywhere on the same day, in {date}; there is no place without it.
From {date} on, {p} was in force in the whole of {where}.
{P} started in {date} for all of {where} at once.
"""),
    "one unit": lines("""
Only {one} introduced {p}, in {year}; the other {units} have never had it.
In {year} {p} came to {one} and to no other {unit}.
{One} alone adopted {p}, from {year} on. The remaining {units} did not and serve for comparison.
"""),
    "market": lines("""
Price and quantity come about together, from what buyers want and from what sellers have on the day.
Buyers and sellers meet and the price clears the market, so strong demand makes for a high price and a large quantity.
"""),
}
"""Kind of design → ways to say how the treatment came about."""
ASKED = lines("""
What is the effect of {t} on {y}?
Did {t} change {y}?
How much did {t} change {y}?
By how much did {t} raise or lower {y}?
Was there any effect of {t} on {y}, and how large was it?
We would like to know what {t} did to {y}.
How much higher or lower did {y} end up because of {t}?
""")
TAKEN = lines("""
What did {t} do to {y} among those who actually took it up because of the offer?
How much did {y} change for those who took up {t} because they were offered it?
""")
DEMANDED = lines("""
How much does the quantity of {t} sold change when its price rises by one crown?
What is the effect of the price of {t} on {y}?
By how much does a higher price lower {y}?
""")
OPENED = lines("""
We have data on {n} {rows} from {where}.
{Where}, {year}. The file has {n} {rows}.
Extract from the records of {where}, {n} {rows}.
This file was put together for an evaluation in {where}; it covers {n} {rows}.
{n} {rows}, {where}, put together in {year}.
""")
SPARE = lines("""
form_no=number of the form
entered_by=clerk who typed the record
typed_on=day of the week on which the record was typed
lot=number of the archive box
checked=second person who checked the record
folder=colour code of the folder
""")
NAMES = (
    "Arden Birk Corve Dunmore Elsing Farrow Glim Hesper Inver Jarn Kelby Lorne Marsk Nethy Olm Pryde Quill Rossen "
    "Selk Thorpe Ulver Vance Wick Yarrow Zell Aldous Brine Culver Drent Estry Fenn Garth Holt Ivel Jessop Kord"
).split()
