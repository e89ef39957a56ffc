"""The commands that answer questions about data sets: parses, shows, asks; like `cli`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from leucippus import output
from leucippus.cli_designs import DataArgument, GraphOption, JsonOption, QueryOption, TableOption
from leucippus.errors import InputError

if TYPE_CHECKING:
    from leucippus.agents.inquiry.finding import Finding

ModelOption = Annotated[
    str | None,
    typer.Option(help="A language model that proposes designs too: 'packaged', a folder, a name or a URL; none."),
]


def register(app: typer.Typer, bench: typer.Typer) -> None:
    """Add the commands to the program and to its benches."""
    app.command()(analyze)
    bench.command("identification")(bench_identification)
    bench.command("strategy")(bench_strategy)


def analyze(
    data: DataArgument,
    question: Annotated[str, typer.Option("--question", "-q", help="What you want to know, in plain words.")],
    description: Annotated[
        str,
        typer.Option(
            "--description", "-d", help="What the columns are and how the treatment came about: text or file."
        ),
    ] = "",
    graph: GraphOption = None,
    design: Annotated[Path | None, typer.Option("--design", help="Use this design instead of finding one.")] = None,
    store: Annotated[
        Path | None, typer.Option("--store", help="A store of claims to recall prior knowledge from.")
    ] = None,
    model: ModelOption = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the report; the same again resumes there.")] = None,
    remember: Annotated[
        bool, typer.Option("--remember", help="Write the answer into --store, as a measured claim.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Accept the design without being asked.")] = False,
    table: TableOption = None,
    query: QueryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Answer a causal question about a data set: a vetted design and a number with its uncertainty, or a refusal."""
    from leucippus.agents.analyze import Request, run
    from leucippus.agents.designs.registry import read_design
    from leucippus.agents.inquiry.report import result_json
    from leucippus.agents.inquiry.sections import summary

    if remember and store is None:
        raise InputError("There is no store to remember the answer in.", next_step="Add --store lcm.duckdb.")
    stated = None if design is None else read_design(design)
    if not yes and not sys.stdin.isatty():
        raise InputError(
            "Nobody is there to look at the design.",
            expected="a terminal, or --yes",
            next_step="Add --yes to accept the design that its checks bear out.",
        )
    request = Request(data, question, description, graph, stated, store, model, out, table, query)
    finding, written = run(request, None if yes else _decide)
    output.line(result_json(finding)) if as_json else output.say(summary(finding))
    for path in written:
        output.note(f"wrote {path}")
    if remember and store is not None:
        _remember(store, finding)


def _remember(path: Path, finding: Finding) -> None:
    from leucippus.agents.feedback import remember
    from leucippus.agents.weaving import weave_store
    from leucippus.serving.encoder import encode
    from leucippus.store.database import open_store

    with open_store(path) as store:
        kept = remember(store, finding)
        if kept is not None:
            weave_store(store, encode)
    output.note(f"remembered in {path} as document {kept}" if kept else "Nothing to remember: there is no number.")


def _decide(shown: Mapping[str, Any]) -> Mapping[str, Any]:
    """Ask what nothing says; show a design and ask: accept, edit a field, or decline."""
    import yaml

    if "ask" in shown:
        return {"answer": typer.prompt(f"{shown['ask']} (leave empty if unknown)", default="", show_default=False)}
    output.say(shown["why"])
    if shown.get("not_taken"):
        output.say(f"Not taken: {shown['not_taken']}")
    output.say(yaml.safe_dump(shown["design"], sort_keys=False, allow_unicode=True).rstrip())
    for check in shown["checks"]:
        output.say(f"  {check['verdict']:<12} {check['sentence']}")
    if shown["refused"]:
        output.say("As it stands this design is refused; accepting it gives the refusal.")
    while True:
        typed = typer.prompt("accept, decline, or field: value to edit", default="accept").strip()
        if typed in ("accept", "a", "yes", "y"):
            return {"decision": "accept"}
        if typed in ("decline", "d", "no", "n"):
            return {"decision": "decline"}
        try:
            fields = yaml.safe_load(typed)
        except yaml.YAMLError:
            fields = None
        if isinstance(fields, dict):
            return {"decision": "edit", "design": fields}
        output.say("Expected: accept, decline, or for example `controls: [age, sex]`.")


def bench_identification(
    tasks: Annotated[Path, typer.Option(help="JSON lines with id, data_file, data_description and question.")],
    out: Annotated[Path, typer.Option(help="Where predictions go; those already there are kept.")],
    model: ModelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Answer identification tasks, unattended: a design, an estimate and its standard error, or a refusal, for each."""
    from leucippus.agents.bench_identification import predict

    counts = predict(tasks, out, model, lambda name, seconds: output.note(f"{name}  {seconds:.1f} s"))
    output.line(counts) if as_json else output.show_counts(counts)


def bench_strategy(
    questions: Annotated[Path, typer.Option(help="JSON lines with id and question.")],
    out: Annotated[Path, typer.Option(help="Where predictions go.")],
    as_json: JsonOption = False,
) -> None:
    """Name the strategy of each question, from its words alone."""
    from leucippus.agents.bench_identification import predict_strategies

    counts = predict_strategies(questions, out)
    output.line(counts) if as_json else output.show_counts(counts)
