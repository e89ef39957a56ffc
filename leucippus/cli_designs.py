"""The commands over data sets, designs and graphs: parses and prints, like `cli`."""

from pathlib import Path
from typing import Annotated

import typer

from leucippus import output
from leucippus.errors import GraphError, InputError
from leucippus.graphs.dag import Graph
from leucippus.graphs.reading import read_graph

DataArgument = Annotated[str, typer.Argument(help="CSV, TSV, Parquet, Excel, Stata, SPSS, JSON lines or DuckDB file.")]
TableOption = Annotated[str | None, typer.Option(help="Table of a DuckDB file, sheet of a workbook.")]
QueryOption = Annotated[str | None, typer.Option(help="SELECT over the file's tables, or over `data`.")]
DesignOption = Annotated[Path, typer.Option("--design", help="YAML or JSON: strategy, treatment, outcome …")]
GraphOption = Annotated[Path | None, typer.Option("--graph", help="Causal graph: DOT, dagitty text or an edge list.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    for command in (profile, designs, vet, estimate, identify):
        app.command()(command)


def profile(
    data: DataArgument, table: TableOption = None, query: QueryOption = None, as_json: JsonOption = False
) -> None:
    """Say what a data set holds: types, roles, panel structure, thresholds, lotteries, gaps."""
    from dataclasses import asdict

    from leucippus.agents.answer import plain_values
    from leucippus.agents.intake import read_data
    from leucippus.agents.profile import in_words
    from leucippus.agents.profile import profile as look

    found = look(read_data(data, table=table, query=query))
    output.line(plain_values(asdict(found))) if as_json else output.say(in_words(found))


def designs(
    strategy: Annotated[str | None, typer.Argument(help="Show the fields of this one.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List the research designs, or the fields of one."""
    from leucippus.agents.designs.registry import DESIGNS, design_kind

    kinds = DESIGNS if strategy is None else (design_kind(strategy),)
    if as_json:
        for kind in kinds:
            output.line(kind.model_json_schema())
        return
    for kind in kinds:
        output.say(f"{kind.model_fields['strategy'].default}: {(kind.__doc__ or '').splitlines()[0]}")
        output.say(f"    estimates {', '.join(kind.estimands)}")
        for name, field in kind.model_fields.items() if strategy else ():
            output.say(f"    {name:<18} {field.description or ''}")


def vet(
    data: DataArgument,
    design: DesignOption,
    graph: GraphOption = None,
    table: TableOption = None,
    query: QueryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Hold a research design against its data: every check, its figure, and whether a number may be computed."""
    from leucippus.agents.answer import vetting_json
    from leucippus.agents.designs.registry import read_design
    from leucippus.agents.intake import read_data
    from leucippus.agents.vet import vet as check

    vetting = check(read_data(data, table=table, query=query), read_design(design), _graph(graph))
    output.line(vetting_json(vetting)) if as_json else output.show_vetting(vetting)


def estimate(
    data: DataArgument,
    design: DesignOption,
    graph: GraphOption = None,
    table: TableOption = None,
    query: QueryOption = None,
    out: Annotated[Path | None, typer.Option(help="Folder for answer.json, the design and its figure.")] = None,
    challenge: Annotated[bool, typer.Option(help="Ask what a referee would ask.")] = True,
    as_json: JsonOption = False,
) -> None:
    """Vet a design, then estimate and challenge it, or refuse with the reason and what to do."""
    from leucippus.agents.answer import answer, answer_json
    from leucippus.agents.designs.registry import read_design
    from leucippus.agents.intake import read_data
    from leucippus.agents.record import record

    found = answer(read_data(data, table=table, query=query), read_design(design), _graph(graph), challenge=challenge)
    written = record(found, out) if out else ()
    output.line(answer_json(found)) if as_json else output.show_design_answer(found)
    for path in written:
        output.note(f"wrote {path}")


def identify(
    graph: Annotated[Path, typer.Argument(help="Causal graph: DOT, dagitty text or an edge list.")],
    treatment: Annotated[list[str], typer.Option("--treatment", help="What is set; repeat for several.")],
    outcome: Annotated[list[str], typer.Option("--outcome", help="What is asked about; repeat for several.")],
    given: Annotated[list[str] | None, typer.Option("--given", help="What is observed besides.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Say whether a graph identifies an effect: formula, adjustment sets, instruments, or why not and what would help."""
    from leucippus.graphs.findings import examine

    read = _graph(graph)
    assert read is not None
    found = examine(read, treatment, outcome, given or ())
    output.line(output.findings_json(found)) if as_json else output.show_findings(found)


def _graph(path: Path | None) -> Graph | None:

    if path is None:
        return None
    try:
        return read_graph(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise InputError(f"There is no file {path}.", expected="a causal graph") from error
    except (IsADirectoryError, UnicodeDecodeError) as error:
        raise GraphError(f"{path} is no text file.", expected="DOT, dagitty text or an edge list") from error
