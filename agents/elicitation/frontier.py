"""Which topics to ask about next, given what asking has brought so far. Pure: numbers and words in, an order out.

*Uniform*: breadth first, in the order in which topics were found.

*Active*: the open topic with the most new knowledge expected for a token,

    value = (1 + T thin + C contested) (Σ n + K n̄) / (Σ c + K c̄)

    n, c   new canonical edges and tokens of the topic's parent and of its siblings that were asked about
    n̄, c̄   their means over the run, so that few relatives do not decide
    thin = mean over the words w of the topic of 1 / (1 + concepts of the store that hold w)
    contested = share of the words of the topic that also name a contested edge

So a branch that repeats itself is left for another, and unseen words and disputes draw. Ties go to the topic found first:
the order is a function of what is given. Besides, a topic is asked for subtopics only while fewer topics are open than
the budget can choose from: subtopics that nobody will be asked about are tokens lost.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from leucippus.store.concepts import concept_words, singular
from leucippus.store.topics import Topic

_SHRINK = 2.0
"""K: how many topics' worth of evidence the mean of the run counts for."""
_THIN = 0.5
"""T: what a topic of words that the store has never seen is worth more than one of words that it holds plenty of."""
_CONTESTED = 0.5
"""C: the same for a topic all of whose words are contested."""
_FEW, _MANY = 4, 64
"""Topics asked about together: the order is thought over a dozen times in a run, however much it may spend."""
_ROUNDS = 12
_CHOICE = 1.5
"""Open topics for each one that can still be paid for, beyond which no more are asked for."""
_USABLE = 0.5
"""The share of subtopics asked for that are expected to be new."""
_EMPTY_WORDS = frozenset("a an and as at by for from in into its of on or the their to with".split())


@dataclass(frozen=True)
class Asking:
    """A topic to ask about, and whether for subtopics too."""

    topic: Topic
    subtopics: bool


@dataclass(frozen=True)
class Knowledge:
    """What the store holds near the open topics.

    Parameters
    ----------
    concepts : word → how many concepts hold it.
    contested : words of the concepts of contested edges.
    """

    concepts: Mapping[str, int]
    contested: Collection[str]


def content_words(topic: str) -> tuple[str, ...]:
    """The words of a topic that say what it is about, in the singular."""
    words = concept_words(topic)
    return tuple(dict.fromkeys(singular(word) for word in words if word not in _EMPTY_WORDS or len(words) == 1))


def ranked(topics: Sequence[Topic], strategy: Literal["active", "uniform"], knowledge: Knowledge) -> list[Topic]:
    """The open ones of a run's `topics`, the next to ask about first."""
    waiting = [topic for topic in topics if topic.state == "open"]
    if strategy == "uniform":
        return sorted(waiting, key=lambda topic: (topic.depth, topic.position))
    values = expected_values(topics, knowledge)
    return sorted(waiting, key=lambda topic: (-values[topic.topic_id], topic.position))


def expected_values(topics: Sequence[Topic], knowledge: Knowledge) -> dict[str, float]:
    """Expected new edges for a token of each open topic, up to a factor common to all of a run; by topic id."""
    asked = [topic for topic in topics if topic.tokens]
    mean_edges = _mean([topic.new_edges for topic in asked]) if asked else 1.0
    mean_tokens = _mean([topic.tokens for topic in asked]) if asked else 1.0
    relatives: dict[str, list[Topic]] = {}
    for topic in asked:
        # As a sibling of its parent's other children, and as the parent of its own.
        for family in (topic.parent_id or "", topic.topic_id):
            relatives.setdefault(family, []).append(topic)
    values = {}
    for topic in topics:
        if topic.state != "open":
            continue
        family_of = relatives.get(topic.parent_id or "", [])
        edges = sum(one.new_edges for one in family_of) + _SHRINK * mean_edges
        tokens = sum(one.tokens for one in family_of) + _SHRINK * mean_tokens
        words = content_words(topic.name)
        thin = _mean([1 / (1 + knowledge.concepts.get(word, 0)) for word in words])
        contested = _mean([word in knowledge.contested for word in words])
        values[topic.topic_id] = (1 + _THIN * thin + _CONTESTED * contested) * edges / tokens
    return values


def batch(
    order: Sequence[Topic],
    strategy: Literal["active", "uniform"],
    left: int,
    branching: int,
    deepest: int,
    most_tokens: Callable[[Asking], int],
    typical: float,
) -> list[Asking]:
    """What to ask together: about the first topics of the order whose answers are sure to fit into the `left` tokens.

    Uniform takes no topic of a level before the one above it is asked about, and asks all for subtopics. Active takes few
    where few can still be paid for, so that it learns from them where to go next.

    Parameters
    ----------
    deepest : the depth of topics that are not asked for subtopics.
    most_tokens : what asking so can cost at most.
    typical : what asking about a topic costs in the mean.
    """
    payable, open_topics = left / typical, len(order)
    if strategy == "uniform":
        order, most = [topic for topic in order if topic.depth == order[0].depth], _MANY
    else:
        most = min(_MANY, max(_FEW, int(payable / _ROUNDS)))
    chosen: list[Asking] = []
    for topic in order:
        if len(chosen) == most:
            break
        wanted = strategy == "uniform" or open_topics < _CHOICE * payable
        asking = Asking(topic, wanted and topic.depth < deepest)
        if (cost := most_tokens(asking)) > left:
            continue
        chosen.append(asking)
        left, payable = left - cost, payable - 1
        open_topics += round(_USABLE * branching) * asking.subtopics - 1
    return chosen


def _mean(numbers: Sequence[float]) -> float:
    return sum(numbers) / len(numbers) if numbers else 0.0
