"""What a model is asked about a topic, and what its answers come to. Values in, values out; asks nobody itself.

Of a topic up to three things are asked: subtopics, causal questions, and to each question causal statements. The decoding is
held to lines, so that a small model answers with a list; still every answer is parsed as free text, because endpoints
may ignore the grammar. Where usable questions are wanting, plain ones take their place: what a topic costs at most can
then be told from what another cost.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from leucippus._version import __version__
from leucippus.agents.elicitation.frontier import Asking, content_words
from leucippus.agents.elicitation.lines import LONGEST, Kind, Lines, Shown, key, read_lines
from leucippus.agents.elicitation.settings import ElicitSettings
from leucippus.agents.prompt import Prompt, load_prompt
from leucippus.serving.calls import Answer, Call, Failed, FailureKind, Message, Regex
from leucippus.store.topics import Topic
from leucippus.store.triples import Document, Failure, Passage, stable_id

STAGE = "elicit"
"""The stage of failures met here."""
_TOPIC = r'[^\n.,:;?!()\[\]"*#<>{}|/\\0-9]{3,60}'
_QUESTION = r"[^\n?<>{}|]{10,155}\?"
_STATEMENT = r"[^\s.?!<>{}|\[\]#*-][^\n.?!<>{}|]{13,290}\."
_TOKENS = {"topic": 10, "question": 40, "statement": 48}
"""Tokens an answer may take for each line of it: twice what the packaged model takes."""
_TEMPERATURE = {"topic": 0.7, "question": 0.5, "statement": 0.5}
"""Greedy, a small model names one subtopic ten times; at 0.7 it starts to ramble where it has to write sentences."""
_TURN_TOKENS = 16
"""More than any chat template spends on the marks of one turn."""
_PLAIN = ("What causes {}?", "How does {} affect other things?", "What reduces {}?", "What does {} lead to?")


@dataclass(frozen=True)
class Heard:
    """What an answer, or several to questions of one kind, came to."""

    kept: tuple[str, ...]
    failures: tuple[Failure, ...]
    prompt_tokens: int
    output_tokens: int


class Interview:
    """One way of asking about topics: the prompts and the settings, which together decide what is said."""

    def __init__(self, settings: ElicitSettings) -> None:
        self._settings = settings
        self._prompts = {"topic": load_prompt("topics"), "question": load_prompt("questions")}
        self._prompts["statement"] = load_prompt("statements")
        self._guide = " ".join(settings.guide.split())
        shapes = (_TOPIC, _QUESTION, _STATEMENT, *_TOKENS.values(), *_TEMPERATURE.values(), *_PLAIN)
        written = stable_id(*(prompt.version for prompt in self._prompts.values()), *shapes, self._guide)
        self.version = f"{STAGE}-{written[:8]}+{__version__}"

    def opening(self, asking: Asking) -> list[Call]:
        """The first calls about a topic: for questions and, where it is wanted, for subtopics."""
        settings, topic = self._settings, asking.topic
        about, many = self._about(topic), settings.questions
        calls = [self._call("question", about, _lines(_QUESTION, many), many, topic.path)]
        if asking.subtopics:
            shape = _lines(_TOPIC, settings.branching)
            calls.append(self._call("topic", about, shape, settings.branching, topic.path))
        return calls

    def answering(self, topic: Topic, questions: Sequence[str]) -> list[Call]:
        """The calls for statements, one a question."""
        shape, most = _lines(_STATEMENT, self._settings.statements), self._settings.statements
        return [
            self._call("statement", f"{self._about(topic)}\nQuestion: {question}", shape, most, (*topic.path, question))
            for question in questions
        ]

    def questions(self, topic: Topic, answer: Answer[Any] | Failed) -> Heard:
        """As many questions as are wanted, plain ones where the model gave too few."""
        wanted = self._settings.questions
        heard = self._heard("question", topic, [answer], wanted, (), self._shown("question", topic))
        plain = (_PLAIN[at % len(_PLAIN)].format(topic.name[: LONGEST["topic"]]) for at in range(len(_PLAIN)))
        kept = list(heard.kept)
        taken = {key(question, "question") for question in kept}
        kept += [question for question in plain if key(question, "question") not in taken]
        return Heard(tuple(kept[:wanted]), heard.failures, heard.prompt_tokens, heard.output_tokens)

    def subtopics(self, topic: Topic, answer: Answer[Any] | Failed, known: Collection[str]) -> Heard:
        """Subtopics that are not among the `known` concept names."""
        shown = self._shown("topic", topic, *topic.path)
        return self._heard("topic", topic, [answer], self._settings.branching, known, shown)

    def statements(
        self, topic: Topic, questions: Sequence[str], answers: Sequence[Answer[Any] | Failed], known: Collection[str]
    ) -> Heard:
        """What is stated in answer to `questions` that is not among the `known` keys."""
        shown = self._shown("statement", topic, *questions)
        return self._heard("statement", topic, answers, self._settings.statements, known, shown)

    def document(
        self, topic: Topic, statements: Sequence[str], model: str
    ) -> tuple[Document, str, tuple[Passage, ...]]:
        """What was stated of a topic as a document, its uri, and its passages: each statement is one."""
        text = "\n".join(statements)
        document = Document.of(text, media_type="text/plain", title=" → ".join(topic.path), kind="elicited")
        passages, start = [], 0
        for statement in statements:
            passages.append(Passage.of(document, start, start + len(statement)))
            start += len(statement) + 1
        steps = (step.replace("%", "%25").replace("/", "%2F") for step in topic.path)
        return document, f"elicited:{model}/{self.version}/{'/'.join(steps)}", tuple(passages)

    def most_tokens(self, asking: Asking, plain: int | None, with_subtopics: int | None) -> int:
        """What asking about a topic can cost at most, prompts and answers together.

        No text has more tokens than bytes; English has fewer than half as many, so half will do for our own prompts.

        Parameters
        ----------
        plain, with_subtopics : the most tokens that the prompts of another topic took which was not, and which was, asked for
            subtopics; none = not known yet.
        """
        settings = self._settings
        about = len(self._about(asking.topic).encode())
        answers = settings.questions * (_TOKENS["question"] + settings.statements * _TOKENS["statement"])
        variable = (1 + settings.questions) * about + settings.questions * LONGEST["question"]
        prompts = [self._prompts["question"]] + settings.questions * [self._prompts["statement"]]
        fixed = plain if plain is not None else with_subtopics
        if fixed is None:
            fixed = sum(map(_own_tokens, prompts))
        if asking.subtopics:
            answers += settings.branching * _TOKENS["topic"]
            variable += about
            fixed = with_subtopics if with_subtopics is not None else fixed + _own_tokens(self._prompts["topic"])
        return fixed + variable + answers

    def _about(self, topic: Topic) -> str:
        about = f"Topic: {' → '.join(topic.path)}"
        return f"{about}\nKeep in mind: {self._guide}" if self._guide else about

    def _call(self, kind: Kind, content: str, shape: Regex, lines: int, seeds: Sequence[str]) -> Call:
        return Call(
            self._prompts[kind].ask(content),
            shape,
            max_tokens=_TOKENS[kind] * lines,
            temperature=_TEMPERATURE[kind],
            seed=int(stable_id(self._settings.seed, kind, *seeds)[:7], 16),
        )

    def _shown(self, kind: Kind, topic: Topic, *own: str) -> Shown:
        """What the model may echo: the examples, and what it was asked."""
        turns = self._prompts[kind].turns
        examples = [line for turn in turns if turn["role"] == "assistant" for line in turn["content"].splitlines()]
        asked = {word for text in (*topic.path, self._guide) for word in content_words(text)}
        foreign = {
            word
            for turn in turns
            if turn["role"] == "user"
            for word in content_words(_root(turn))
            if not any(one.startswith(word) for one in asked)
        }
        return Shown(frozenset(key(line, kind) for line in (*examples, *own)), frozenset(foreign))

    def _heard(
        self,
        kind: Kind,
        topic: Topic,
        answers: Sequence[Answer[Any] | Failed],
        most: int,
        known: Collection[str],
        shown: Shown,
    ) -> Heard:
        kept: list[str] = []
        failures: list[Failure] = []
        seen = set(known)
        for answer in answers:
            if isinstance(answer, Failed) and not answer.text:
                failures.append(_failure(topic, answer.kind.value, f"asked for {kind}s: {answer.message}", None))
                continue
            cut = isinstance(answer, Failed) and answer.kind is FailureKind.TRUNCATED
            lines = read_lines(answer.text, kind, most, known=seen, shown=shown, cut=cut)
            seen.update(key(line, kind) for line in lines.kept)
            kept += lines.kept
            failures += _rejections(topic, kind, lines)
            if not lines.kept and not lines.rejected:
                failures.append(_failure(topic, "nothing", f"asked for {kind}s, the model said nothing", None))
        usages = [answer.usage for answer in answers]
        return Heard(
            tuple(kept),
            tuple(failures),
            sum(usage.prompt_tokens for usage in usages),
            sum(usage.output_tokens for usage in usages),
        )


def _lines(line: str, most: int) -> Regex:
    """As many lines as are wanted, or at least half."""
    least = (most + 1) // 2
    return Regex(f"{line}(\\n{line}){{{least - 1},{most - 1}}}" if most > 1 else line)


def _own_tokens(prompt: Prompt) -> int:
    return sum(len(turn["content"].encode()) // 2 + _TURN_TOKENS for turn in prompt.turns) + 2 * _TURN_TOKENS


def _root(turn: Message) -> str:
    """The root of the topic that an example is about."""
    return turn["content"].splitlines()[0].removeprefix("Topic:").split("→")[0]


def _rejections(topic: Topic, kind: Kind, lines: Lines) -> list[Failure]:
    return [_failure(topic, one.reason, f"{kind} not used: {one.reason}", one.line) for one in lines.rejected]


def _failure(topic: Topic, error: str, message: str, line: str | None) -> Failure:
    detail = None if line is None else json.dumps({"line": line}, ensure_ascii=False)
    return Failure(item=" → ".join(topic.path), stage=STAGE, error=error, message=message, detail=detail)
