"""JOB elicit: root topics → subtopics, causal questions, causal statements → grounded claims in the store, no documents needed.

Reads top to bottom: `elicit` opens a run or takes one up again, `_ask_around` goes round until the budget or the topics
are used up: choose topics, ask about them together, write down what was said, let the ordinary extractor read it.

What the model states of a topic is a document of its own, so that a claim can be followed to the words it came from. A
round is written in one transaction, and so is each batch that is read: a run that is killed and resumed goes on behind
the last round it wrote. What was being asked when it died is asked again; with an engine of our own the answers are the
same.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from leucippus.agents.elicitation.frontier import Asking, Knowledge, batch, content_words, ranked
from leucippus.agents.elicitation.interview import STAGE, Interview
from leucippus.agents.elicitation.lines import key
from leucippus.agents.elicitation.settings import ElicitSettings, elicit_settings, root_topics
from leucippus.agents.extractors import Extractor, connect_extractor
from leucippus.agents.model_extractor import has_tagger
from leucippus.agents.weaving import add_vectors
from leucippus.config import PACKAGED_MODEL, Settings
from leucippus.errors import InputError
from leucippus.serving.calls import Answer, Failed
from leucippus.serving.client import Client, connect
from leucippus.serving.encoder import Encode
from leucippus.serving.packaged import Progress as Unpacking
from leucippus.store.concepts import concept_name
from leucippus.store.database import Store
from leucippus.store.query import UnfinishedRun, pending, unfinished_runs
from leucippus.store.topics import (
    Said,
    Topic,
    add_roots,
    concepts_with,
    contested_words,
    leave_open,
    record_said,
    run_topics,
    said_so_far,
    settle,
)
from leucippus.store.triples import Evidence
from leucippus.store.write import (
    PassageResult,
    finish_run,
    rebuild_search_index,
    record_batch,
    start_run,
)

COMMAND = "elicit"
_TYPICAL_TOKENS = 600
"""What asking about a topic costs until it is known: about what the packaged model takes."""


@dataclass(frozen=True)
class Elicited:
    """How far an elicitation has come, or what came of it.

    Tokens are those of asking, prompts and answers, as the engine counts them. `new_edges`: pairs of concepts that no
    claim linked before, merges in force followed. `rejected`: lines of answers that were not used, and answers that failed.
    """

    run_id: str
    model: str
    strategy: str
    topics: int
    """Asked about."""
    failed: int
    """Of those, the ones of which nothing usable was said."""
    open: int
    """Found and not asked about: still waiting, or left when the run ended."""
    statements: int
    claims: int
    new_edges: int
    rejected: int
    tokens: int
    budget: int

    @property
    def edges_per_1000_tokens(self) -> float:
        return 1000 * self.new_edges / self.tokens if self.tokens else 0.0

    def progress(self) -> str:
        """How far it has come, in one line."""
        return (
            f"{self.topics} topics asked about, {self.open} open; {self.claims} claims, {self.new_edges} new edges; "
            f"{self.tokens:,} of {self.budget:,} tokens"
        )

    def in_words(self) -> str:
        """The outcome in a few sentences."""
        words = (
            f"{self.claims} claims from {self.statements} statements about {self.topics} topics; {self.new_edges} new edges, "
            f"{self.edges_per_1000_tokens:.1f} per 1,000 tokens ({self.strategy}, {self.tokens:,} of {self.budget:,} "
            f"tokens). {self.open} topics found were not asked about; {self.rejected} lines of answers were not used."
        )
        if self.claims:
            return words
        if not self.statements:
            return f"{words}\nNothing usable was said: name the topics otherwise, or ask another model (--model)."
        return f"{words}\nNo statement names a cause and its effect: ask another model (--model), or a narrower topic."


Report = Callable[[Elicited], None]
Canonicalise = Callable[[Store], object]


def connect_elicitation(settings: Settings, progress: Unpacking = lambda _: None) -> tuple[Client, Extractor]:
    """Who is asked, and who reads what is said: the model itself without adapter; by default the packaged tagger.

    Raises
    ------
    ConfigError, ModelNotFound : as `connect` and `connect_extractor`.
    """
    client = connect(settings.model_copy(update={"adapter": None}), progress)
    if settings.extract.reading == "auto" and not has_tagger(settings):
        # Statements are short and plain: no second engine is needed to read them.
        settings = settings.model_copy(update={"model": PACKAGED_MODEL, "adapter": PACKAGED_MODEL})
    return client, connect_extractor(settings, progress)


async def elicit(
    store: Store,
    client: Client,
    extractor: Extractor,
    roots: Sequence[str],
    settings: ElicitSettings,
    *,
    model: str,
    resume: bool = False,
    report: Report = lambda _: None,
    encode: Encode | None = None,
    canonicalise: Canonicalise = lambda _: None,
) -> Elicited:
    """Ask a model what it knows about `roots`, and write the claims it makes into `store`.

    Parameters
    ----------
    model : the name the model is recorded under (`serving.client.model_name`).
    resume : take up the latest unfinished run of the same model, prompts and reader; its own roots and settings apply.
    encode : sentences → vectors, for the concepts that are new; none = leave them without.
    canonicalise : records which new phrases mean which concepts, before new edges are counted; none = by name alone.

    Raises
    ------
    InputError : roots that cannot be asked about, a budget that does not cover one topic, nothing to resume.
    ServingError : the model could not be reached, or died for good.
    """
    if resume:
        unfinished, given = _run_to_resume(store, extractor, model)
        run_id, settings, topics = unfinished.run_id, elicit_settings(**given["elicit"]), given["roots"]
        interview = Interview(settings)
    else:
        topics = root_topics(roots)
        interview = Interview(settings)
        _check_budget(interview, settings, topics)
        described = {"roots": topics, "elicit": settings.model_dump(), "model": model, "prompts": interview.version}
        run_id = start_run(store, command=COMMAND, settings=described, reader=extractor.reader)
    try:
        add_roots(store, run_id, topics)
        await client.start()
        await extractor.start()
        await _ask_around(store, client, extractor, interview, run_id, settings, model, report, canonicalise)
    except BaseException as error:
        finish_run(store, run_id, "failed" if isinstance(error, InputError) else "interrupted")
        raise
    leave_open(store, run_id)
    rebuild_search_index(store)
    if encode is not None:
        add_vectors(store, encode)
    finish_run(store, run_id, "finished")
    return elicited(store, run_id)


def elicited(store: Store, run_id: str) -> Elicited:
    """What came of a run so far.

    Raises
    ------
    InputError : there is no elicitation of that id.
    """
    rows = store.rows(
        """
        SELECT settings, (SELECT count(*) FROM claims WHERE claims.run_id = runs.run_id),
               (SELECT count(*) FROM failures WHERE failures.run_id = runs.run_id AND stage = $stage)
        FROM runs WHERE run_id = $run AND command = $command
        """,
        {"run": run_id, "stage": STAGE, "command": COMMAND},
    )
    if not rows:
        raise InputError(f"No elicitation {run_id!r} in {store.path}.")
    settings, claims, rejected = rows[0]
    given = json.loads(settings)
    topics = run_topics(store, run_id)
    asked = [topic for topic in topics if topic.tokens or topic.state in ("done", "failed")]
    return Elicited(
        run_id=run_id,
        model=given["model"],
        strategy=given["elicit"]["strategy"],
        topics=len(asked),
        failed=sum(topic.state == "failed" for topic in topics),
        open=len(topics) - len(asked),
        statements=sum(len(text.split("\n")) for text in said_so_far(store, run_id)),
        claims=claims,
        new_edges=sum(topic.new_edges for topic in topics),
        rejected=rejected,
        tokens=sum(topic.tokens for topic in topics),
        budget=given["elicit"]["budget"],
    )


async def _ask_around(
    store: Store,
    client: Client,
    extractor: Extractor,
    interview: Interview,
    run_id: str,
    settings: ElicitSettings,
    model: str,
    report: Report,
    canonicalise: Canonicalise,
) -> None:
    while True:
        await _read(store, extractor, run_id)  # first: a run taken up again may have been told what it has not read
        canonicalise(store)
        settle(store, run_id)
        report(elicited(store, run_id))
        topics = run_topics(store, run_id)
        chosen = _choose(store, run_id, interview, settings, topics)
        if not chosen:
            return
        said = await _ask(client, extractor, interview, chosen, _known(store, run_id, topics), model)
        record_said(store, run_id, extractor.reader.reader_id, said)


def _choose(
    store: Store, run_id: str, interview: Interview, settings: ElicitSettings, topics: Sequence[Topic]
) -> list[Asking]:
    """What is asked in the next round; nothing when all topics are asked about, or the budget does not cover another."""
    knowledge = Knowledge({}, ())
    if settings.strategy == "active":
        words = {word for topic in topics if topic.state == "open" for word in content_words(topic.name)}
        knowledge = Knowledge(concepts_with(store, words), contested_words(store, run_id))
    asked = [topic for topic in topics if topic.tokens]
    parents = {topic.parent_id for topic in topics}
    # Whoever was asked for subtopics and named none looks dearer than he was: no harm to what is a limit from above.
    plain = max((topic.prompt_tokens for topic in asked if topic.topic_id not in parents), default=None)
    with_subtopics = max((topic.prompt_tokens for topic in asked if topic.topic_id in parents), default=None)
    spent = sum(topic.tokens for topic in asked)
    return batch(
        ranked(topics, settings.strategy, knowledge),
        settings.strategy,
        settings.budget - spent,
        settings.branching,
        settings.depth,
        lambda asking: interview.most_tokens(asking, plain, with_subtopics),
        spent / len(asked) if asked else _TYPICAL_TOKENS,
    )


async def _ask(
    client: Client,
    extractor: Extractor,
    interview: Interview,
    chosen: Sequence[Asking],
    known: tuple[set[str], set[str]],
    model: str,
) -> list[Said]:
    """Ask about all of the topics together: first for questions and subtopics, then for statements.

    Parameters
    ----------
    known : names of the topics, and keys of the statements, that there are already.
    """
    known_topics, known_statements = known
    topics = [asking.topic for asking in chosen]
    opened = await _answers(client, [(asking.topic, interview.opening(asking)) for asking in chosen])
    questions = {topic.topic_id: interview.questions(topic, opened[topic.topic_id][0]) for topic in topics}
    stated = await _answers(
        client, [(topic, interview.answering(topic, questions[topic.topic_id].kept)) for topic in topics]
    )
    said = []
    for topic in topics:
        asked = questions[topic.topic_id]
        statements = interview.statements(topic, asked.kept, stated[topic.topic_id], known_statements)
        known_statements |= {key(line, "statement") for line in statements.kept}
        heard = [asked, statements]
        names: tuple[str, ...] = ()
        for answer in opened[topic.topic_id][1:]:
            subtopics = interview.subtopics(topic, answer, known_topics)
            known_topics |= {concept_name(name) for name in subtopics.kept}
            names = subtopics.kept
            heard.append(subtopics)
        failures = tuple(failure for one in heard for failure in one.failures)
        tokens = sum(one.prompt_tokens for one in heard), sum(one.output_tokens for one in heard)
        if not statements.kept:
            said.append(Said(topic.topic_id, None, "", (), frozenset(), names, failures, *tokens))
            continue
        document, uri, passages = interview.document(topic, statements.kept, model)
        unworthy = frozenset(passage.passage_id for passage in passages if not extractor.worth(passage.text))
        said.append(Said(topic.topic_id, document, uri, passages, unworthy, names, failures, *tokens))
    return said


async def _answers(
    client: Client, asked: Sequence[tuple[Topic, list[Any]]]
) -> Mapping[str, list[Answer[Any] | Failed]]:
    """The answers about each topic, by its id, in the order of its calls. All calls are in flight together."""
    answers = iter(await client.generate_batch([call for _, calls in asked for call in calls]))
    return {topic.topic_id: [next(answers) for _ in calls] for topic, calls in asked}


async def _read(store: Store, extractor: Extractor, run_id: str) -> None:
    """Read what was said and is not read yet."""
    for passages in pending(store, run_id):
        results = await extractor.read(passages)
        record_batch(store, run_id, extractor.reader.reader_id, [_as_elicited(result) for result in results])


def _as_elicited(result: PassageResult) -> PassageResult:
    # Whatever evidence the words claim to have, a model said them.
    claims = tuple(claim.model_copy(update={"evidence": Evidence.ELICITED}) for claim in result.claims)
    return PassageResult(
        result.passage_id, claims, result.rejected, result.failure, result.prompt_tokens, result.output_tokens
    )


def _known(store: Store, run_id: str, topics: Sequence[Topic]) -> tuple[set[str], set[str]]:
    lines = (line for text in said_so_far(store, run_id) for line in text.split("\n"))
    return {concept_name(topic.name) for topic in topics}, {key(line, "statement") for line in lines}


def _check_budget(interview: Interview, settings: ElicitSettings, roots: Sequence[str]) -> None:
    """Whether one root at least can be asked about."""
    topics = [Topic("", "", None, (root,), depth=0, position=0, state="open") for root in roots]
    least = min(interview.most_tokens(Asking(topic, True), None, None) for topic in topics)
    if settings.budget < least:
        raise InputError(
            f"A budget of {settings.budget:,} tokens: asking about one topic may take {least:,}.",
            expected=f"at least {least:,} tokens",
            next_step="Raise the budget, or ask for fewer subtopics (--branching).",
        )


def _run_to_resume(store: Store, extractor: Extractor, model: str) -> tuple[UnfinishedRun, dict[str, Any]]:
    runs = [(run, json.loads(run.settings)) for run in unfinished_runs(store) if run.command == COMMAND]
    for run, given in reversed(runs):
        version = Interview(elicit_settings(**given["elicit"])).version
        if (run.reader_id, given["model"], given["prompts"]) == (extractor.reader.reader_id, model, version):
            return run, given
    if runs:
        raise InputError(
            f"Run {runs[-1][0].run_id} is unfinished, but another model, prompt or reader began it.",
            next_step="Resume with the settings it was begun with, or start anew without --resume.",
        )
    raise InputError(f"No unfinished elicitation in {store.path}.", next_step="Leave out --resume to start one.")
