"""Pairs of names written for the project: which mean one concept, and which only look like it.

The thresholds of `graphs/canonical.py` were chosen on these (`benchmarks/canonical.py --choose`).
"""

# Forms of the same words, or words for one thing.
SAME_FORMS = """
economic inequality / economical inequality
kidney failure / renal failure
liver damage / hepatic damage
heart arrest / cardiac arrest
lung function / pulmonary function
stomach ulcer / gastric ulcer
skin reaction / cutaneous reaction
renal impairment / kidney impairment
hepatic toxicity / liver toxicity
infected wound / infection wound
hypertensive patient / hypertension patient
vaccine hesitancy / vaccination hesitancy
global trade / worldwide trade
car accident / automobile accident
adolescent pregnancy / teenager pregnancy
gasoline price / petrol price
immune suppression / immunity suppression
addictive behavior / addiction behavior
industrial pollution / industry pollution
educational attainment / education attainment
agricultural productivity / agriculture productivity
political instability / politics instability
allergic reaction / allergy reaction
bank regulating / bank regulation
regulation of banks / regulating bank
migrating bird / migration bird
depressive disorder / depression disorder
hypoglycemic episode / hypoglycemia episode
toxic effect / toxicity effect
contaminated water / contamination water
environmental damage / environment damage
anxious feeling / anxiety feeling
obese child / obesity child
governmental spending / government spending
doctor visit / physician visit
lawyer fee / attorney fee
investing in education / investment in education
deforested area / deforestation area
ventilation failure / ventilated failure
parental support / parent support
cultural difference / culture difference
seasonal allergy / season allergy
nutritional deficiency / nutrition deficiency
national debt / nation debt
medical treatment / medicine treatment
flooded basement / flooding basement
"""

# Endings or words differ as above, but the concept is another.
OTHER_FORMS = """
organ / organic
organ donation / organic donation
universe / university
general anesthesia / generation anesthesia
nation / nationality
vaccine / vaccination
operation / operating
international / internal
object / objection
process / procession
moment / momentum
import / important
community / communication
personal / personality
patient / patience
hospital / hospitality
commission / commitment
relation / relativity
formation / formality
conserve / conservative
station / statement
constitution / constituent
composition / composer
intention / intensity
general / generate
generation / generalization
station / stationary
active ingredient / activity ingredient
real estate / reality estate
capital gain / capitalization gain
industrial action / industry action
cultured cell / cultural cell
united nation / unity nation
mental process / mental processing
elective surgery / election surgery
central bank / center bank
conduct disorder / conduction disorder
native species / nation species
human relation / humanity relation
moral / morality
commercial / commerce
corporate tax / corporation tax
civil war / civilization war
critical care / critic care
formal education / form education
natural gas / nature gas
social security / society security
author / authority
minor / minority
contract / contraction
depress / depression
facility / facilitation
transform / transformation
computer / computation
electric car / electricity car
magnet / magnetism
novel / novelty
transit / transition
quality / qualify
realization / reality
mass / massive
sensing / sensation
"""

# One slip of the pen in a word.
SAME_SLIPS = """
unemployment rate / unemploymnet rate
climate change adaptation / climate change adaptaton
myocardial infarction / myocardial infraction
government spending / goverment spending
environmental pollution / enviromental pollution
hypertension treatment / hypertensoin treatment
deforestation / deforestration
urbanization / urbanisaton
inflammation of joints / inflamation of joints
antibiotic resistance / antibiotic resistence
respiratory infection / respiratory infecton
agricultural subsidies / agricultral subsidies
vaccination campaign / vacination campaign
productivity growth / productivty growth
diarrhea outbreak / diarhea outbreak
thrombocytopenia / thrombocytopaenia
hallucination / halucination
immigration policy / imigration policy
cardiovascular disease / cardiovasculr disease
interest rate expectations / interest rate expectatoins
biodiversity loss / biodiversty loss
pneumonia hospitalization / pnuemonia hospitalization
"""

# One letter apart and another word.
OTHER_SLIPS = """
infection control / injection control
infection site / injection site
conservation policy / conversation policy
adaptation / adoption
emigration / immigration
adduction / abduction
affection / affliction
prescription / proscription
intestate / interstate
morality rate / mortality rate
mortality / immortality
causality / casualty
casualty report / causality report
ingestion / indigestion
progestin / protestin
trial fibrillation / atrial fibrillation
respiration / perspiration
formication / fornication
collision / collusion
corporation / cooperation
delusion / dilution
elicitation / solicitation
compliment / complement
complement activation / compliment activation
council decision / counsel decision
principal payment / principle payment
stationary / stationery
chlorothiazide / chlorthiazide acid
vincristine / vinblastine
prednisone / prednisolone
nortriptyline / amitriptyline
cefotaxime / cefuroxime
ceftazidime / ceftizoxime
cyclosporin / cycloserine
glucagon / glycogen
thymidine / thyrodine
cytosine / cytidine
adenosine / adenine
fluoridation / chloridation
chloride intake / chlorine intake
fluoride exposure / fluorine exposure
nitrate level / nitrite level
phosphate level / phosphite level
sulfate exposure / sulfite exposure
chlorate / chlorite
perchlorate / perchlorite
"""

# Neither rule may join these, however close their vectors.
OPPOSITES = """
hypotension / hypertension
hypoglycemia / hyperglycemia
hypokalemia / hyperkalemia
hypothyroidism / hyperthyroidism
type 1 diabetes / type 2 diabetes
male infertility / female infertility
systolic pressure / diastolic pressure
acute pain / chronic pain
upper back pain / lower back pain
maternal smoking / paternal smoking
import tariff / export tariff
supply shock / demand shock
interleukin 6 / interleukin 1
stage 2 cancer / stage 3 cancer
vitamin b / vitamin d
hepatitis b / hepatitis c
ischemic stroke / hemorrhagic stroke
primary education / secondary education
employment / unemployment
equality / inequality
smoker / non smoker
prenatal care / postnatal care
macroeconomics / microeconomics
intravenous drug / intramuscular drug
bradycardia / tachycardia
symptomatic patient / asymptomatic patient
fertility / infertility
internal audit / external audit
stability / instability
vaccinated child / unvaccinated child
oil supply / oil demand
benign tumor / malignant tumor
heart failure / acute heart failure
cancer / lung cancer
inflation / deflation
low fever / high fever
polyneuropathy / mononeuropathy
atrial fibrillation / ventricular fibrillation
covid 19 / covid
1998 crisis / 2008 crisis
"""

# The same concept in other words: not to be known from the words; for a model to judge.
SYNONYMS = """
high blood pressure / hypertension
heart attack / myocardial infarction
jaundice / yellow skin
unemployment / joblessness
poverty / being poor
stroke / cerebrovascular accident
global warming / climate change
shortness of breath / dyspnea
itching / pruritus
vaccination / immunization
layoff / job cut
earnings / income
road accident / traffic crash
hair loss / alopecia
inflammation of the liver / hepatitis
tiredness / fatigue
"""


def pairs(block: str) -> list[tuple[str, str]]:
    """The pairs of one of the blocks above, as written."""
    return [(one, other) for one, other in (line.split(" / ") for line in block.splitlines() if line)]
