"""The commands about large causal models: parses and shows, like `cli`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from leucippus import output
from leucippus.config import load_settings
from leucippus.errors import InputError, StoreMissing

StoreOption = Annotated[Path, typer.Option("--store", help="The DuckDB file.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object a line on standard output.")]
LimitOption = Annotated[int, typer.Option(min=1, max=1_000_000_000, help="At most so many.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Write over what is there.")]
DEFAULT_STORE = Path("lcm.duckdb")

lcm = typer.Typer(no_args_is_help=True, help="Look into a large causal model (a store of claims).")


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.add_typer(lcm, name="lcm")
    app.command()(elicit)


def _print(values: Iterable[Any], as_json: bool, words: Any) -> int:
    """Each value as JSON or in words; returns how many."""
    count = 0
    for value in values:
        output.line(asdict(value)) if as_json else output.say(words(value))
        count += 1
    return count


@lcm.command()
def stats(store: StoreOption = DEFAULT_STORE, as_json: JsonOption = False) -> None:
    """How much the store holds."""
    from leucippus.store.database import open_store
    from leucippus.store.query import stats as count
    from leucippus.store.weave import not_woven

    with open_store(store, "read") as opened:
        counted = asdict(count(opened)) | {"not_woven": not_woven(opened)}
    output.line(counted) if as_json else output.show_counts(counted)


@lcm.command("claims")
def list_claims(
    about: Annotated[str | None, typer.Argument(help="Only claims about this.")] = None,
    store: StoreOption = DEFAULT_STORE,
    limit: LimitOption = 1_000_000,
    as_json: JsonOption = False,
) -> None:
    """The claims with their quotes, in the order they stand in their documents."""
    from leucippus.agents.ask import link
    from leucippus.serving.encoder import encode
    from leucippus.store.database import open_store
    from leucippus.store.query import claims

    with open_store(store, "read") as opened:
        concepts = [hit.concept_id for hit in link(opened, about, encode)] if about is not None else None
        rows = claims(opened, concept_ids=concepts, limit=limit)
    for row in rows:
        output.line(output.claim_json(row)) if as_json else output.show_claim(row)
    if not rows:
        output.note(f"No claims about {about!r}." if about is not None else "No claims.")


@lcm.command("causes")
def show_causes(phrase: str, store: StoreOption = DEFAULT_STORE, as_json: JsonOption = False) -> None:
    """What is said to bring PHRASE about."""
    _lookup("causes", None, phrase, store, as_json)


@lcm.command("effects")
def show_effects(phrase: str, store: StoreOption = DEFAULT_STORE, as_json: JsonOption = False) -> None:
    """What PHRASE is said to bring about."""
    _lookup("effects", phrase, None, store, as_json)


@lcm.command()
def why(cause: str, effect: str, store: StoreOption = DEFAULT_STORE, as_json: JsonOption = False) -> None:
    """Chains from CAUSE to EFFECT: combined sign, weakest link, citations."""
    _lookup("link", cause, effect, store, as_json)


def _lookup(wanted: str, cause: str | None, effect: str | None, store: Path, as_json: bool) -> None:
    from leucippus.agents.ask import Question, Wanted, answer
    from leucippus.serving.encoder import encode
    from leucippus.store.database import open_store

    question = Question(
        " → ".join(phrase for phrase in (cause, effect) if phrase is not None), Wanted(wanted), cause, effect
    )
    with open_store(store, "read") as opened:
        found = answer(opened, question, encode)
    if not as_json:
        output.show_answer(found)
        return
    for statement in (*found.statements, *found.chains):
        output.line(output.statement_json(statement))
    if found.note:
        output.note(found.note)


@lcm.command()
def weave(
    store: StoreOption = DEFAULT_STORE,
    model: Annotated[
        str | None, typer.Option(help="Ask it about phrases that neither words nor vectors decide: 'packaged', a URL …")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Make the model of all claims: phrases to concepts, edges, conflicts, credibility. `extract` does it at its end."""
    from contextlib import AbstractContextManager, nullcontext

    from leucippus.agents.adjudicate import Judge
    from leucippus.agents.weaving import weave_store
    from leucippus.serving.client import connect
    from leucippus.serving.encoder import encode
    from leucippus.store.database import open_store

    asked: AbstractContextManager[Judge | None] = nullcontext()
    if model is not None:
        settings = load_settings().model_copy(update={"model": model, "adapter": None})
        asked = Judge(connect(settings, output.note))
    with asked as judge, open_store(store) as opened:
        woven = weave_store(opened, encode, judge)
    if judge is not None and judge.heeded is False:
        output.note(f"{model} fails on pairs whose answer is known, so it was not listened to; ask a stronger model.")
    output.line(woven.as_dict()) if as_json else output.say(woven.in_words())


@lcm.command("merges")
def show_merges(
    about: Annotated[str | None, typer.Argument(help="Only those of this concept.")] = None,
    store: StoreOption = DEFAULT_STORE,
    limit: LimitOption = 1_000_000,
    undo: Annotated[str | None, typer.Option(help="Take this merge back, for good.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Which phrases were taken for one concept, and why; the least certain first."""
    from leucippus.agents.lcm import open_lcm

    if undo is not None:
        with open_lcm(store, "write") as model:
            taken_back = model.undo(undo)
        _print([taken_back], as_json, lambda one: f"“{one.name}” and “{one.into}” are apart again.")
        return
    with open_lcm(store) as model:
        found = model.merges(about, limit=limit)
    sign = {1: "=", -1: "= less of"}
    words = lambda one: f"{one.merge_id}  {one.name} {sign[one.turn]} {one.into} ({one.method}: {one.reason})"
    if not _print(found, as_json, words):
        output.note("No merges.")


@lcm.command("conflicts")
def show_conflicts(
    about: Annotated[str | None, typer.Argument(help="Only those of this concept.")] = None,
    store: StoreOption = DEFAULT_STORE,
    limit: LimitOption = 100,
    as_json: JsonOption = False,
) -> None:
    """Where claims disagree: raises and lowers, asserted and denied, cause and effect both ways."""
    from leucippus.agents.lcm import open_lcm
    from leucippus.store.links import Conflict

    def words(one: Conflict) -> str:
        readings = {
            "sign": ("raises", "lowers"),
            "denied": ("asserted", "denied"),
            "direction": ("this way", "the other"),
        }
        first, second = readings[one.kind]
        arrow = "↔" if one.kind == "direction" else "→"
        return f"{one.cause} {arrow} {one.effect}: {first} in {one.one}, {second} in {one.other} claims"

    with open_lcm(store) as model:
        found = model.conflicts(about, limit=limit)
    if not _print(found, as_json, words):
        output.note("No conflicts.")


@lcm.command("slice")
def take(
    out: Annotated[Path, typer.Argument(help="The store to write.")],
    store: StoreOption = DEFAULT_STORE,
    document: Annotated[list[str] | None, typer.Option(help="Id, place or pattern of documents to take.")] = None,
    about: Annotated[list[str] | None, typer.Option(help="Take what is said about this.")] = None,
    hops: Annotated[int, typer.Option(min=1, max=4, help="How far from what --about names.")] = 1,
    domain: Annotated[
        str | None, typer.Option(help="Take a domain of `lcm map`, or what a model said about this topic.")
    ] = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Write a part of the model as a store of its own."""
    from leucippus.agents.lcm import open_lcm

    with open_lcm(store) as model:
        taken = model.slice(out, about=about or (), domain=domain, documents=document or None, hops=hops, force=force)
    _print([taken], as_json, lambda one: f"{one.claims} claims from {one.documents} documents → {one.path}")


@lcm.command()
def glue(
    out: Annotated[Path, typer.Argument(help="The store to write.")],
    paths: Annotated[list[Path], typer.Argument(help="Stores to glue together.")],
    explain: Annotated[bool, typer.Option(help="Say where the stores disagree with each other.")] = False,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Make one model of several: agreements add up, disagreements and both directions stay with their sources."""
    from leucippus.agents.weaving import weave_store
    from leucippus.graphs import slices
    from leucippus.serving.encoder import encode
    from leucippus.store.database import open_store
    from leucippus.store.glue import glue_stores
    from leucippus.store.slices import said

    made = glue_stores(out, paths, force=force)
    with open_store(out) as opened:
        woven = weave_store(opened, encode)
    output.line(asdict(made) | woven.as_dict()) if as_json else output.say(woven.in_words())
    if not explain:
        return
    parts = []
    for at, path in enumerate(paths):
        with open_store(path, "read") as opened:
            parts.append(slices.Slice.of(f"{at + 1}: {path.stem}", said(opened)))
    for one in slices.glue(*parts).disagreements:
        if one.new:
            output.line({"disagreement": one.in_words()}) if as_json else output.say(f"• {one.in_words()}")


@lcm.command()
def forget(
    document: Annotated[str, typer.Argument(help="Id or place of a document.")],
    store: StoreOption = DEFAULT_STORE,
    as_json: JsonOption = False,
) -> None:
    """Delete a document and exactly what rests on it."""
    from leucippus.agents.lcm import open_lcm

    with open_lcm(store, "write") as model:
        gone = model.forget(document)
    _print(
        [gone],
        as_json,
        lambda one: f"{output.flat(one.title)}: {one.claims} claims and {one.concepts} concepts deleted.",
    )


@lcm.command()
def diff(
    run1: str, run2: str, store: StoreOption = DEFAULT_STORE, limit: LimitOption = 20, as_json: JsonOption = False
) -> None:
    """What two runs say differently; their ids, or how those begin (`lcm runs`)."""
    from leucippus.store.database import open_store
    from leucippus.store.diff import Difference
    from leucippus.store.diff import diff as compare

    def words(one: Difference) -> str:
        sides = [
            f"{'denied' if side.negated else side.sign.value} in {side.claims}: “{output.flat(side.support.quote)}”"
            for side in (one.one, one.other)
            if side is not None
        ]
        return f"    {one.cause} → {one.effect}  {' | '.join(sides)}"

    with open_store(store, "read") as opened:
        found = compare(opened, run1, run2, limit=limit)
    if as_json:
        output.line(asdict(found))
        return
    parts = (
        (f"only in {found.run_a}", found.edges_only_a, found.only_a),
        (f"only in {found.run_b}", found.edges_only_b, found.only_b),
        ("in both, but otherwise", found.edges_changed, found.changed),
    )
    for title, edges, shown in parts:
        output.say(f"{edges} edges {title}")
        _print(shown, False, words)
    output.say(f"{found.same} edges the same")


@lcm.command()
def runs(store: StoreOption = DEFAULT_STORE, as_json: JsonOption = False) -> None:
    """The runs that wrote this store, the first one first."""
    from leucippus.store.database import open_store

    names = ("run_id", "command", "started_at", "status", "documents", "claims", "settings", "metrics")
    with open_store(store, "read") as opened:
        rows = opened.rows(f"SELECT {', '.join(names)} FROM runs ORDER BY started_at, run_id")
    for row in rows:
        one: dict[str, Any] = dict(zip(names, row, strict=True))
        if as_json:
            output.line(one)
        else:
            counts = f"{one['documents'] or 0} documents, {one['claims'] or 0} claims"
            output.say(
                f"{one['run_id']}  {one['started_at']:%Y-%m-%d %H:%M}  {one['command']}  {one['status']}  {counts}"
            )


@lcm.command()
def export(
    path: Annotated[Path, typer.Argument(help="The file to write; for parquet a folder.")],
    format: Annotated[str, typer.Option(help="graphml, jsonld, parquet or dagitty.")] = "graphml",
    least: Annotated[float, typer.Option(min=0, max=1, help="Credibility of an edge at least.")] = 0.0,
    store: StoreOption = DEFAULT_STORE,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Write the model for other tools."""
    from leucippus.agents.export import export as write
    from leucippus.store.database import open_store

    with open_store(store, "read") as opened:
        done = write(opened, path, format, least=least, force=force)
    if as_json:
        output.line(asdict(done))
        return
    output.say(f"{done.nodes} concepts and {done.edges} edges → {', '.join(map(str, done.files))}")
    if done.denied:
        output.note(f"{done.denied} edges that every claim denies bear no arrow.")
    for edge in done.dropped:
        output.note(f"left out, since it closes a circle: {edge.cause} → {edge.effect}")


@lcm.command()
def prior(
    columns: Annotated[str | None, typer.Option(help="Names, with commas between them.")] = None,
    data: Annotated[Path | None, typer.Option(help="A data set that has the columns.")] = None,
    description: Annotated[str, typer.Option("--description", "-d", help="What they are: text or file.")] = "",
    form: Annotated[Literal["edges", "dot", "dagitty"], typer.Option(help="How the graph is written.")] = "edges",
    store: StoreOption = DEFAULT_STORE,
    as_json: JsonOption = False,
) -> None:
    """What the model says of the columns of a data set, as a causal graph that `leucippus analyze --graph` takes."""
    from leucippus.agents.analyze import text_of
    from leucippus.agents.inquiry.description import read_description
    from leucippus.agents.prior import prior as recall
    from leucippus.serving.encoder import encode
    from leucippus.store.database import open_store

    if (columns is None) == (data is None):
        raise InputError("Columns are needed.", expected="one of --columns price,demand and --data FILE")
    told: dict[str, str] = {}
    if data is not None:
        from leucippus.agents.intake import read_data

        dataset = read_data(data)
        names, told = list(dataset.columns), dict(dataset.descriptions)
    else:
        names = [name.strip() for name in (columns or "").split(",") if name.strip()]
    told |= read_description(text_of(description), names).columns
    with open_store(store, "read") as opened:
        found = recall(opened, {name: told.get(name, "") for name in names}, encode)
    if as_json:
        output.line(asdict(found))
        return
    output.say(found.text(form).rstrip() if found.arrows else "")
    for arrow in found.arrows:
        through = f", through {arrow.through}" if arrow.through else ""
        output.note(
            f"{arrow.cause} → {arrow.effect} ({arrow.sign.value}, credibility {arrow.credibility:.2f}{through})"
        )
        for row in arrow.evidence:
            output.note(f"    “{output.flat(row.claim.quote)}” — {output.flat(row.title or row.uri)}")
    for dropped in found.dropped:
        output.note(f"left out: {dropped.arrow.cause} → {dropped.arrow.effect}: {dropped.why}")
    for name, other in found.same.items():
        output.note(f"{name} means the same as {other}")
    if found.unlinked:
        output.note(f"nothing in the store is about: {', '.join(found.unlinked)}")


@lcm.command()
def dump(
    folder: Annotated[Path, typer.Argument(help="A new folder.")],
    store: StoreOption = DEFAULT_STORE,
    as_json: JsonOption = False,
) -> None:
    """Write every table as Parquet; `lcm load` reads it back, millions of claims in a minute."""
    from leucippus.store.bulk import dump as write
    from leucippus.store.database import open_store

    with open_store(store, "read") as opened:
        counts = write(opened, folder)
    output.line(counts) if as_json else output.show_counts(counts)


@lcm.command()
def load(
    folder: Annotated[Path, typer.Argument(help="What `lcm dump` wrote.")],
    store: StoreOption = DEFAULT_STORE,
    as_json: JsonOption = False,
) -> None:
    """Add what `lcm dump` wrote to a store, and weave it."""
    from leucippus.agents.weaving import weave_store
    from leucippus.serving.encoder import encode
    from leucippus.store.bulk import load as read
    from leucippus.store.database import open_store

    with open_store(store) as opened:
        added = read(opened, folder)
        woven = weave_store(opened, encode)
    output.line(added | woven.as_dict()) if as_json else output.say(woven.in_words())


@lcm.command("map")
def draw_map(
    method: Annotated[
        str | None,
        typer.Option(help="embeddings, directed, transformer or triangles; none = the best on held-out edges."),
    ] = None,
    store: StoreOption = DEFAULT_STORE,
    as_json: JsonOption = False,
) -> None:
    """Place the concepts by what they mean and what drives what, and name the domains they fall into."""
    from leucippus.agents.mapping import map_store
    from leucippus.serving.encoder import encode
    from leucippus.store.database import open_store

    with open_store(store) as opened:
        made = map_store(opened, encode, method=method)
    if as_json:
        output.line({"concepts": made.concepts, "reason": made.chosen.reason, "domains": dict(made.domains)})
        return
    output.say(f"{made.concepts} concepts placed by {made.chosen.reason}.")
    for name, size in made.domains:
        output.say(f"{size:6d}  {name}")


@lcm.command()
def atlas(
    out: Annotated[Path, typer.Argument(help="The page to write.")] = Path("atlas.html"),
    concepts: Annotated[int, typer.Option(min=1, help="The best connected, if there are more.")] = 20_000,
    store: StoreOption = DEFAULT_STORE,
    as_json: JsonOption = False,
) -> None:
    """Write the model as one page to look at: search, zoom, quotes. `lcm map` first gives it domains by meaning."""
    from leucippus.agents.atlas.write import write_atlas
    from leucippus.store.database import open_store
    from leucippus.store.places import places

    with open_store(store, "read") as opened:
        known = places(opened)
        made = write_atlas(
            opened,
            out,
            layout={place.concept_id: place.flat for place in known} or None,
            clusters={place.concept_id: place.domain for place in known} or None,
            limit_nodes=concepts,
        )
    if made.unwoven:
        output.note(f"{made.unwoven} claims are not in it yet: leucippus lcm weave --store {store}")
    _print(
        [made],
        as_json,
        lambda one: f"{one.nodes} of {one.all_nodes} concepts and {one.links} of {one.all_links} edges → {one.path}",
    )


def elicit(
    topics: Annotated[list[str] | None, typer.Argument(help="What to ask about.")] = None,
    store: StoreOption = DEFAULT_STORE,
    depth: Annotated[int, typer.Option(min=1, max=8, help="Levels of subtopics.")] = 3,
    branching: Annotated[int, typer.Option(min=1, max=30, help="Subtopics asked for each topic.")] = 10,
    budget: Annotated[str, typer.Option(help="Tokens of questions and answers together: 20000-tokens, 20k.")] = "20k",
    strategy: Annotated[
        str, typer.Option(help="active: where most new is expected; uniform: breadth first.")
    ] = "active",
    guide: Annotated[str, typer.Option(help="What to keep in mind, shown with every question.")] = "",
    model: Annotated[str | None, typer.Option(help="'packaged', a model folder, a hub name, or a URL.")] = None,
    resume: Annotated[bool, typer.Option(help="Take up the latest unfinished elicitation.")] = False,
    seed: int = 0,
    as_json: JsonOption = False,
) -> None:
    """Ask a model what it knows of TOPICS, and write the causal claims it makes; no documents needed."""
    from leucippus.agents.elicit import connect_elicitation
    from leucippus.agents.elicit import elicit as run
    from leucippus.agents.elicitation.settings import elicit_settings, parse_budget, root_topics
    from leucippus.agents.weaving import weave_store
    from leucippus.serving.client import model_name
    from leucippus.serving.encoder import encode
    from leucippus.store.database import open_store

    settings = load_settings()
    settings = settings.model_copy(update={"model": model or settings.model})
    given = elicit_settings(
        depth=depth, branching=branching, budget=parse_budget(budget), strategy=strategy, guide=guide, seed=seed
    )
    if resume and topics:
        raise InputError(
            "A run that is taken up again has its own topics.", next_step="Leave out the topics or --resume."
        )
    roots = [] if resume else root_topics(topics or [])
    if resume and not store.is_file():
        raise StoreMissing(f"There is no store at {store} to resume.", next_step="Leave out --resume to start one.")
    client, extractor = connect_elicitation(settings, output.note)

    async def job() -> Any:
        try:
            with open_store(store) as opened:
                done = await run(
                    opened,
                    client,
                    extractor,
                    roots,
                    given,
                    model=model_name(settings.model),
                    resume=resume,
                    report=lambda one: output.note(one.progress()),
                    encode=encode,
                    canonicalise=lambda changed: weave_store(changed, encode),
                )
                weave_store(opened, encode)
                return done
        finally:
            await extractor.close()
            await client.close()

    try:
        done = asyncio.run(job())
    except (KeyboardInterrupt, asyncio.CancelledError):
        output.note(f"interrupted; go on with: leucippus elicit --resume --store {store}")
        sys.exit(130)
    _print([done], as_json, lambda one: one.in_words())
