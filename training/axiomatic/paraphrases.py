"""Premises, questions and steps in plain English: families of wordings, some of which are kept for tests.

Every question says exactly what its axiom says (graphs/axioms.py), or exactly the opposite, which the wording declares;
whether it holds is for the graph to say. Premises speak of direct effects alone. Names are everyday nouns and now and
then letters; those of the lessons and those of the tests have nothing in common.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

from leucippus.graphs.axioms import Axiom, Question
from leucippus.graphs.dag import Edge
from leucippus.training.axiomatic.traces import Mark, trace

Grouped = Literal["", "by cause", "by effect"]
INSTRUCTION = "Answer yes or no."


@dataclass(frozen=True)
class Wording:
    """One way to ask. `{x}`, `{y}` and `{given}` stand for names."""

    text: str
    alone: str = ""
    """The same where the set is empty; for axioms that may be asked with an empty set."""
    opposite: bool = False
    """Whether it asks if the axiom does not hold."""


@dataclass(frozen=True)
class Family:
    """A way to tell a graph and to ask about it."""

    name: str
    sentences: tuple[str, ...]
    """For an edge, of which one is drawn for a whole text; for all edges of a node where they are grouped."""
    questions: Mapping[Axiom, Wording]
    opening: str = ""
    grouped: Grouped = ""
    held_out: bool = False
    """Kept for tests."""


@dataclass(frozen=True)
class Names:
    """What nodes are called."""

    nouns: tuple[str, ...]
    letters: tuple[str, ...]


T, D, I, R, C, F, B, A = (
    Axiom.TRANSITIVITY, Axiom.D_SEPARATION, Axiom.INTERVENTION, Axiom.IRRELEVANCE,
    Axiom.COLLIDER, Axiom.CONFOUNDER, Axiom.BACK_DOOR, Axiom.ADJUSTMENT,
)  # fmt: skip

FAMILIES: tuple[Family, ...] = (
    Family(
        "causes",
        ("{x} causes {y}.", "{x} directly causes {y}."),
        {
            T: Wording("Does {x} cause {y}, directly or through others?"),
            D: Wording("Given {given}, must {x} and {y} be independent?", "Must {x} and {y} be independent?"),
            I: Wording("Keeping {given} fixed, would setting {x} change {y}?", "Would setting {x} change {y}?"),
            R: Wording("Keeping {given} fixed, is setting {x} irrelevant to {y}?", "Is setting {x} irrelevant to {y}?"),
            C: Wording("Is {given} a direct effect of both {x} and {y}?"),
            F: Wording("Is {given} a confounder of {x} and {y}?"),
            B: Wording(
                "Does {given} meet the back-door criterion for the effect of {x} on {y}?",
                "Does the empty set meet the back-door criterion for the effect of {x} on {y}?",
            ),
            A: Wording(
                "Is adjusting for {given} valid for the effect of {x} on {y}?",
                "Is adjusting for nothing valid for the effect of {x} on {y}?",
            ),
        },
    ),
    Family(
        "leads to",
        ("{x} leads to {y}.", "{x} drives {y}."),
        {
            T: Wording("Is {x} a cause of {y}, perhaps an indirect one?"),
            D: Wording(
                "After learning {given}, can {x} still tell us anything about {y}?",
                "Can {x} tell us anything about {y}?",
                opposite=True,
            ),
            I: Wording(
                "If we fix {given} and then intervene on {x}, will {y} respond?",
                "If we intervene on {x}, will {y} respond?",
            ),
            R: Wording(
                "If we fix {given} and then intervene on {x}, will {y} stay as it is?",
                "If we intervene on {x}, will {y} stay as it is?",
            ),
            C: Wording("Do {x} and {y} both lead directly to {given}?"),
            F: Wording("Is {given} a common cause of {x} and {y}, reaching each without passing through the other?"),
            B: Wording(
                "Does {given} satisfy the back-door criterion for cause {x} and outcome {y}?",
                "Does the empty set satisfy the back-door criterion for cause {x} and outcome {y}?",
            ),
            A: Wording(
                "Is {given} a valid adjustment set for the effect of {x} on {y}?",
                "Is the empty set a valid adjustment set for the effect of {x} on {y}?",
            ),
        },
    ),
    Family(
        "is affected by",
        ("{y} is caused by {x}.", "{y} is affected by {x}."),
        {
            T: Wording("Is {y} caused by {x}, directly or not?"),
            D: Wording("Are {x} and {y} d-separated by {given}?", "Are {x} and {y} d-separated by the empty set?"),
            I: Wording(
                "Is {y} changed by an intervention on {x} that keeps {given} constant?",
                "Is {y} changed by an intervention on {x}?",
            ),
            R: Wording(
                "Is {y} left alone by an intervention on {x} that keeps {given} constant?",
                "Is {y} left alone by an intervention on {x}?",
            ),
            C: Wording("Is {given} a collider, directly affected by both {x} and {y}?"),
            F: Wording("Are {x} and {y} confounded by {given}?"),
            B: Wording(
                "Does {given} block every back-door path from {x} to {y} and contain no effect of {x}?",
                "Is every back-door path from {x} to {y} blocked without adjusting?",
            ),
            A: Wording(
                "Is the effect of {x} on {y} identified by adjusting for {given}?",
                "Is the effect of {x} on {y} identified by adjusting for nothing?",
            ),
        },
    ),
    Family(
        "arrow",
        ("There is an arrow from {x} to {y}.", "An arrow runs from {x} to {y}."),
        {
            T: Wording("Does a directed path run from {x} to {y}?"),
            D: Wording(
                "Is every path between {x} and {y} blocked by {given}?",
                "Is every path between {x} and {y} blocked by the empty set?",
            ),
            I: Wording(
                "With all arrows into {given} removed, does a directed path run from {x} to {y}?",
                "Does an intervention on {x} reach {y} along the arrows?",
            ),
            R: Wording(
                "With all arrows into {given} removed, is {y} out of reach of {x} along the arrows?",
                "Is {y} out of reach of {x} along the arrows?",
            ),
            C: Wording("Do arrows run from {x} and from {y} into {given}?"),
            F: Wording("Do directed paths run from {given} to {x} avoiding {y}, and to {y} avoiding {x}?"),
            B: Wording(
                "In this graph, does {given} meet the back-door criterion for {x} and {y}?",
                "In this graph, does the empty set meet the back-door criterion for {x} and {y}?",
            ),
            A: Wording(
                "In this graph, does {given} meet the adjustment criterion for {x} and {y}?",
                "In this graph, does the empty set meet the adjustment criterion for {x} and {y}?",
            ),
        },
        opening="Here is a causal graph.",
    ),
    Family(
        "story",
        ("When {x} changes, so does {y} as a result.", "A change in {x} makes {y} change."),
        {
            T: Wording("According to the story, is {x} among the causes of {y}, near or far?"),
            D: Wording(
                "A reader who knows {given} now learns {x}. Could this say anything new about {y}?",
                "A reader learns {x}. Could this say anything about {y}?",
                opposite=True,
            ),
            I: Wording(
                "Someone holds {given} still and changes {x}. Would {y} change?",
                "Someone changes {x}. Would {y} change?",
            ),
            R: Wording(
                "Someone holds {given} still and changes {x}. Would {y} remain the same?",
                "Someone changes {x}. Would {y} remain the same?",
            ),
            C: Wording("Is {given} a common effect of {x} and {y}, with nothing in between?"),
            F: Wording("Does {given} lie behind both {x} and {y}, reaching each of them apart from the other?"),
            B: Wording(
                "To learn what {x} does to {y}, does {given} close every back door and contain nothing that {x} changes?",
                "To learn what {x} does to {y}, is every back door closed already?",
            ),
            A: Wording(
                "To learn what {x} does to {y} in total, is it right to control for {given}?",
                "To learn what {x} does to {y} in total, is it right to control for nothing?",
            ),
        },
        opening="A textbook tells a story of direct effects.",
    ),
    Family(
        "affects each",
        ("{x} affects {y}.", "{x} has a direct effect on {y}."),
        {
            T: Wording("Does {x} affect {y}, if only indirectly?"),
            D: Wording(
                "Given {given}, can {x} and {y} be associated?", "Can {x} and {y} be associated?", opposite=True
            ),
            I: Wording(
                "Does forcing {x} to change affect {y} if {given} cannot change?",
                "Does forcing {x} to change affect {y}?",
            ),
            R: Wording(
                "Is {y} unaffected by forcing {x} to change if {given} cannot change?",
                "Is {y} unaffected by forcing {x} to change?",
            ),
            C: Wording("Does each of {x} and {y} affect {given} directly?"),
            F: Wording("Does {given} confound {x} and {y}, affecting each by a way that avoids the other?"),
            B: Wording(
                "Is the back-door criterion for {x} and {y} met by {given}?",
                "Is the back-door criterion for {x} and {y} met by the empty set?",
            ),
            A: Wording(
                "Does adjusting for {given} give the total effect of {x} on {y}?",
                "Does adjusting for nothing give the total effect of {x} on {y}?",
            ),
        },
        grouped="by cause",
    ),
    Family(
        "brought about",
        ("{y} is brought about by {x}.", "{x} gives rise to {y}."),
        {
            T: Wording("Is {y} a consequence of {x}, immediate or remote?"),
            D: Wording(
                "To someone who has observed {given}, is {x} bound to be uninformative about {y}?",
                "Is {x} bound to be uninformative about {y}?",
            ),
            I: Wording("Suppose nothing can move {given}. Does pushing {x} move {y}?", "Does pushing {x} move {y}?"),
            R: Wording(
                "Suppose nothing can move {given}. Does pushing {x} leave {y} where it was?",
                "Does pushing {x} leave {y} where it was?",
            ),
            C: Wording("Is {given} brought about by {x} and by {y}, each without a go-between?"),
            F: Wording("Is {given} a shared source of {x} and {y}, with a route to each that misses the other?"),
            B: Wording(
                "Does {given} pass the back-door test for the influence of {x} on {y}?",
                "Does the empty set pass the back-door test for the influence of {x} on {y}?",
            ),
            A: Wording(
                "Is controlling for {given} a sound way to find the influence of {x} on {y}?",
                "Is controlling for nothing a sound way to find the influence of {x} on {y}?",
            ),
        },
        held_out=True,
    ),
    Family(
        "responds to",
        ("{y} responds to {x}.", "{y} hinges on {x}."),
        {
            T: Wording("Does {y} ultimately respond to {x}?"),
            D: Wording(
                "Having measured {given}, might we still predict {y} from {x}?",
                "Might we predict {y} from {x}?",
                opposite=True,
            ),
            I: Wording(
                "If an experimenter pins {given} and varies {x}, does {y} vary too?",
                "If an experimenter varies {x}, does {y} vary too?",
            ),
            R: Wording(
                "If an experimenter pins {given} and varies {x}, is {y} indifferent?",
                "If an experimenter varies {x}, is {y} indifferent?",
            ),
            C: Wording("Does {given} respond immediately to {x} and immediately to {y}?"),
            F: Wording("Do {x} and {y} both respond to {given}, neither of them only by way of the other?"),
            B: Wording(
                "Is {given} admissible by the back-door rule for how {y} responds to {x}?",
                "Is the empty set admissible by the back-door rule for how {y} responds to {x}?",
            ),
            A: Wording(
                "Is {given} a correct choice of covariates for how {y} responds to {x} in total?",
                "Is no covariate at all a correct choice for how {y} responds to {x} in total?",
            ),
        },
        opening="These are all the immediate responses.",
        held_out=True,
    ),
    Family(
        "behind",
        ("Directly behind {y}: {x}.", "Parents of {y}: {x}."),
        {
            T: Wording("Is {x} an ancestor of {y}?"),
            D: Wording(
                "Does conditioning on {given} make {x} and {y} independent?",
                "Are {x} and {y} independent without conditioning?",
            ),
            I: Wording("Under do({given}), does do({x}) alter {y}?", "Does do({x}) alter {y}?"),
            R: Wording("Under do({given}), does do({x}) leave {y} unaltered?", "Does do({x}) leave {y} unaltered?"),
            C: Wording("Is {given} a child of both {x} and {y}?"),
            F: Wording("Is {given} an ancestor of {x} by a path without {y}, and of {y} by a path without {x}?"),
            B: Wording(
                "For {x} and {y}, does conditioning on {given} fulfil the back-door criterion?",
                "For {x} and {y}, does conditioning on nothing fulfil the back-door criterion?",
            ),
            A: Wording(
                "For the effect of {x} on {y}, is {given} a sufficient adjustment set?",
                "For the effect of {x} on {y}, is the empty set a sufficient adjustment set?",
            ),
        },
        grouped="by effect",
        held_out=True,
    ),
)
"""Of which those that are not held out are learned."""

LEARNED = Names(
    tuple(
        "rain traffic noise sleep stress income rent demand trust hunger heat drought pollution exercise diet smoking "
        "weight anger hope skill luck profit debt crime fear trade tourism migration fishing farming mining erosion wind "
        "snow sunlight humidity grass timber wheat rice milk bread sugar coffee wine music reading homework attendance "
        "praise gossip fame wealth education illness fever pain infection medicine recovery fatigue appetite mood memory "
        "focus boredom patience effort speed fuel steam voltage pressure friction rust dust smoke fog cloud lightning "
        "parking housing insurance lending investment employment strike wages retirement saving spending advertising "
        "packaging shipping storage theft fraud corruption voting protest censorship diplomacy tariff welfare charity "
        "immunity obesity anxiety loneliness friendship marriage divorce parenting discipline motivation confidence "
        "creativity teamwork leadership bandwidth latency encryption software battery lighting heating plumbing "
        "vibration corrosion gravity magnetism radiation salinity acidity nitrogen oxygen algae plankton salmon pollen "
        "honey clover moss bamboo cotton leather copper steel cement glass".split()
    ),
    tuple("ABCDEFGHIJKLM"),
)
KEPT = Names(
    tuple(
        "thunder irrigation harvest flooding frost moisture shade compost fertilizer mulch barley cabbage butter cheese "
        "pepper vinegar tea chocolate tobacco alcohol caffeine vitamin protein insulin cholesterol asthma allergy "
        "migraine nausea dizziness coughing surgery therapy meditation yoga swimming cycling walking dancing singing "
        "painting theatre cinema television journalism rumour reputation prestige envy guilt shame pride joy grief "
        "optimism empathy courage honesty loyalty curiosity attention intelligence literacy tuition scholarship teaching "
        "training hiring turnover productivity overtime absence inflation unemployment growth recession currency "
        "export import subsidy taxation regulation lobbying election turnout policing violence poverty homelessness "
        "crowding congestion commuting aviation freight maintenance breakage leakage drainage sewage recycling litter "
        "deforestation wildfire logging hunting poaching grazing plowing seeding warming cooling rainfall sediment "
        "turbidity chlorine ammonia methane carbon ozone asbestos mercury plastic rubber paper ink fabric silk wool velvet "
        "torque thrust drag lift momentum charge resistance current frequency brightness contrast glare humour fashion "
        "perfume luggage".split()
    ),
    tuple("NOPQRSTUVWXYZ"),
)


def draw_names(random: Random, names: Names, count: int, letters: float) -> list[str]:
    """Different names: letters with that probability, else nouns."""
    return random.sample(names.letters if random.random() < letters else names.nouns, count)


def tell(random: Random, family: Family, edges: Sequence[Edge]) -> tuple[str, tuple[Edge, ...]]:
    """The premises, and the edges in the order in which they came to be told."""
    sentence = random.choice(family.sentences)
    groups: dict[object, list[Edge]] = {}
    for at, (cause, effect) in enumerate(edges):
        key = {"by cause": cause, "by effect": effect}.get(family.grouped, at)
        groups.setdefault(key, []).append((cause, effect))
    said = [
        sentence.format(
            x=listed(dict.fromkeys(cause for cause, _ in group)), y=listed(dict.fromkeys(effect for _, effect in group))
        )
        for group in groups.values()
    ]
    order = tuple(edge for group in groups.values() for edge in group)
    return " ".join(capital(each) for each in ([family.opening] if family.opening else []) + said), order


def ask(family: Family, question: Question) -> tuple[str, bool]:
    """The question in words, and whether it asks the opposite."""
    wording = family.questions[question.axiom]
    text = wording.text if question.given or not wording.alone else wording.alone
    return capital(text.format(x=question.x, y=question.y, given=listed(question.given))), wording.opposite


def explain(edges: Sequence[Edge], question: Question) -> str:
    """The steps of a trace (training/axiomatic/traces.py) as clauses.

    Whether a node is gone into shows in whose clause comes next. Of a ball: `down at` a node that is entered from a
    cause, `up at` one entered from an effect; it is known, or `behind` something known. Where an axiom comes down to
    whether y is reached, the last sentence says so: of two opposite questions the steps are the same.
    """
    *tokens, answer = trace(edges, question)
    parts: list[list[str]] = [[]]
    for token in tokens:
        if token == Mark.PART:
            parts.append([])
        else:
            parts[-1].append(token)
    said = ["; ".join(_clauses(part)) for part in parts]
    if question.axiom in _REACHED:
        said.append(f"{question.y} is {'' if (answer == Mark.YES) == _REACHED[question.axiom] else 'not '}reached")
    return ". ".join(each for each in said if each) + "."


def listed(names: Sequence[str] | Mapping[str, object]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    *most, last = names or ("",)
    return f"{', '.join(most)} and {last}" if most else last


def capital(text: str) -> str:
    """With its first letter a capital."""
    return text[:1].upper() + text[1:]


_REACHED = {
    Axiom.TRANSITIVITY: True,
    Axiom.INTERVENTION: True,
    Axiom.IRRELEVANCE: False,
    Axiom.D_SEPARATION: False,
}
"""Whether it holds when y is reached."""
_HOW = {Mark.EFFECTS: "leads to", Mark.CAUSES: "comes from"}
_WHERE = {Mark.EFFECTS: "on to", Mark.CAUSES: "back to"}
_AT = {
    Mark.UP: "up at {}",
    Mark.STOPPED: "up at {}, known",
    Mark.DOWN: "down at {}",
    Mark.OPENED: "down at {}, behind",
    Mark.BACK: "down at {}, known",
}


def _clauses(tokens: Sequence[str]) -> Iterator[str]:
    """Each step of a part in words."""
    ahead = iter(tokens)
    for node in ahead:
        sign = next(ahead)
        if sign == Mark.PASSED:  # a start that was met
            continue
        head, ways, end = node, _HOW, "is done"
        if sign in _AT:
            head, ways, end = f"{_AT[Mark(sign)].format(node)}:", _WHERE, "done"
            sign = next(ahead)
        if sign == Mark.CLOSED:
            yield f"{head} {end}"
            continue
        yield f"{head} {ways[Mark(sign)]} {next(ahead)}"
        next(ahead, None)  # whether it is gone into
