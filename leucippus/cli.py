"""The command line: parses and prints. What it does is in agents, serving and store."""

import asyncio
import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from leucippus import cli_analysis, cli_deconfound, cli_designs, cli_lcm, cli_train, output
from leucippus._version import __version__
from leucippus.cli_lcm import DEFAULT_STORE, JsonOption, StoreOption
from leucippus.config import Settings, load_settings
from leucippus.errors import InputError, LeucippusError, StoreMissing
from leucippus.log import set_up

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Documents become grounded causal claims.",
)
bench = typer.Typer(no_args_is_help=True, help="Measure the parts of the program.")
train = typer.Typer(no_args_is_help=True, help="Fine-tune the small models.")
app.add_typer(train, name="train")
app.add_typer(bench, name="bench")
cli_lcm.register(app)
cli_designs.register(app)
cli_analysis.register(app, bench)
cli_train.register(train, bench)
cli_deconfound.register(train)

ModelOption = Annotated[
    str | None,
    typer.Option(help="'packaged', the folder of a model or of an adapter, a hub name, or an OpenAI-compatible URL."),
]
AdapterOption = Annotated[
    str | None,
    typer.Option(help="'packaged' (the tuned extractor), 'none', or the folder of an extractor or LoRA adapter."),
]


def main() -> None:
    """Entry point: an error becomes a message and exit code 1 (2 for what the user handed over)."""
    output.escape_what_cannot_be_shown()
    try:
        app()
    except LeucippusError as error:
        _fail(error)
    except OSError as error:
        _fail(LeucippusError(f"{error}.", next_step="Check the path, its permissions and the space on its disk."))
    except MemoryError as error:
        said = f"there is not enough memory: {error or 'none is left'}."
        _fail(InputError(said, next_step="Hand over less at once, or allow more memory."))
    except KeyboardInterrupt:
        output.note("interrupted")
        sys.exit(130)
    except Exception as error:  # a fault of ours; the user gets a message all the same
        if os.environ.get("LEUCIPPUS_LOG_LEVEL") == "debug":
            raise
        _fail(
            LeucippusError(
                f"Leucippus met a fault of its own: {type(error).__name__}: {error}.",
                next_step="Please report it with what LEUCIPPUS_LOG_LEVEL=debug shows.",
            )
        )


def _fail(error: LeucippusError) -> NoReturn:
    with suppress(OSError):  # standard output itself may be what failed
        if "--json" in sys.argv:
            fields = {"problem": error.problem, "expected": error.expected, "next_step": error.next_step}
            output.line({"error": type(error).__name__} | fields)
    output.note(f"error: {error}")
    sys.exit(2 if isinstance(error, InputError) else 1)


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and leave.")] = False,
) -> None:
    if version:
        output.say(__version__)
        raise typer.Exit
    if context.invoked_subcommand != "doctor":  # it says itself what is wrong with the settings
        set_up(load_settings().log_level)


def _settings(model: str | None, adapter: str | None) -> Settings:
    settings = load_settings()
    return settings.model_copy(
        update={"model": model or settings.model, "adapter": None if adapter == "none" else adapter or settings.adapter}
    )


@app.command()
def extract(
    paths: Annotated[list[str] | None, typer.Argument(help="Files and folders to read.")] = None,
    store: StoreOption = DEFAULT_STORE,
    model: ModelOption = None,
    adapter: AdapterOption = None,
    resume: Annotated[bool, typer.Option(help="Take up the latest unfinished run.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="Read at most so many documents.")] = None,
    text_column: Annotated[str | None, typer.Option(help="Column of a table that holds the text.")] = None,
    weave: Annotated[bool, typer.Option(help="Make the model anew at the end; otherwise: lcm weave.")] = True,
    dry_run: Annotated[bool, typer.Option(help="Say what would be read, and how long it would take.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Read documents and write the causal claims they make, each with its verbatim quote."""
    if not paths and not resume:
        raise InputError("Nothing to read.", expected="files or folders", next_step="leucippus extract PATH …")
    settings = _settings(model, adapter)
    if dry_run:
        if resume:
            raise InputError("A dry run has nothing to resume.", next_step="Leave out one of --dry-run and --resume.")
        from leucippus.agents.estimate import estimate

        plan = estimate(paths or [], settings, limit=limit, text_column=text_column)
        output.line(plan.as_dict()) if as_json else output.say(plan.in_words())
        return

    from leucippus.agents.extract import extract as run_extraction
    from leucippus.agents.extract import summary
    from leucippus.agents.extractors import connect_extractor
    from leucippus.agents.weaving import weave_store
    from leucippus.serving.encoder import encode
    from leucippus.store.database import open_store

    if resume and not store.is_file():
        raise StoreMissing(f"There is no store at {store} to resume.", next_step="Leave out --resume to start one.")
    extractor = connect_extractor(settings, output.note)  # before the store: a wrong model leaves nothing behind
    output.note(f"reader: {extractor.reader.model}, adapter {extractor.reader.adapter or 'none'}")

    async def job() -> dict[str, Any]:
        try:
            with open_store(store) as opened:
                run_id = await run_extraction(
                    opened,
                    extractor,
                    paths or [],
                    settings.extract,
                    resume=resume,
                    limit=limit,
                    text_column=text_column,
                    report=output.ProgressLine(),
                    encode=encode,
                )
                if weave:
                    output.note(weave_store(opened, encode).in_words())
                return summary(opened, run_id)
        finally:
            await extractor.close()

    try:
        result = asyncio.run(job())
    except (KeyboardInterrupt, asyncio.CancelledError):
        output.note(f"interrupted; go on with: leucippus extract --resume --store {store}")
        sys.exit(130)
    output.line(result) if as_json else output.show_summary(result, store)


@app.command()
def ask(question: str, store: StoreOption = DEFAULT_STORE, as_json: JsonOption = False) -> None:
    """Answer a causal question from the claims in a store, with a quote for every statement."""
    from leucippus.agents.ask import ask as answer_question
    from leucippus.serving.encoder import encode
    from leucippus.store.database import open_store

    with open_store(store, "read") as opened:
        answer = answer_question(opened, question, encode)
    output.line(output.answer_json(answer)) if as_json else output.show_answer(answer)


@app.command()
def models(as_json: JsonOption = False) -> None:
    """The models that come with the installation: licence, origin, where they are."""
    from leucippus.serving.packaged import describe

    for model in describe(load_settings().cache_dir):
        output.line(model) if as_json else output.show_counts(model)


@app.command()
def doctor(as_json: JsonOption = False) -> None:
    """Check this machine; exits with 1 if something needs mending."""
    from dataclasses import asdict

    from leucippus.doctor import checks

    failed = False
    for check in checks():
        failed |= check.status == "fail"
        output.line(asdict(check)) if as_json else output.show_check(check)
    if failed:
        sys.exit(1)


@app.command()
def serve(
    raw: Annotated[bool, typer.Option("--raw", help="The model itself, OpenAI-compatible.")] = False,
    model: ModelOption = None,
    host: Annotated[str, typer.Option(help="A loopback address.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8000,
) -> None:
    """Serve the model until interrupted."""
    from leucippus.serving.client import find_model, is_url
    from leucippus.serving.raw import serve_raw

    settings = _settings(model, None)
    if not raw:
        raise InputError("There is nothing to serve but the raw model yet.", next_step="leucippus serve --raw")
    if is_url(settings.model):
        raise InputError(f"{settings.model} is served already.", expected="a local model")
    output.note("starting …")
    url = serve_raw(find_model(settings, output.note), settings, host=host, port=port)
    output.say(url)
    while True:
        time.sleep(3600)


@train.command("extractor")
def train_extractor(
    out: Annotated[Path, typer.Option(help="Folder for the extractor; an unfinished one is taken up again.")],
    public: Annotated[
        Path | None, typer.Option(help="JSON lines of public annotated sentences; only licensed parts are used.")
    ] = None,
    store: StoreOption = DEFAULT_STORE,
    language_model: Annotated[bool, typer.Option(help="Tune the language model too, not the tagger alone.")] = True,
    limit: Annotated[int | None, typer.Option(min=40, help="Learn from at most so many texts: a trial.")] = None,
    runs: Annotated[int | None, typer.Option(min=1, help="Of the tagger; their mean is kept.")] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Of each of the tagger's runs.")] = None,
    seed: int = 0,
    as_json: JsonOption = False,
) -> None:
    """Tune the packaged models to extract claims; the folder is what --adapter takes."""
    cli_train.with_torch_environment()

    from dataclasses import replace

    from leucippus.store.database import open_store
    from leucippus.training.extractor import Recipe, train_extractor

    recipe = Recipe(public=str(public) if public else None, limit=limit, seed=seed)
    recipe = replace(
        recipe,
        tagger=replace(
            recipe.tagger, seed=seed, runs=runs or recipe.tagger.runs, epochs=epochs or recipe.tagger.epochs
        ),
        adapter=replace(recipe.adapter, seed=seed) if language_model and recipe.adapter else None,
    )
    with open_store(store) as opened:
        result = train_extractor(opened, out, recipe, load_settings(), output.training_line)
    output.line(result) if as_json else output.show_counts(result)


@train.command("reader")
def train_reader(
    out: Annotated[Path, typer.Option(help="The file to write.")],
    as_json: JsonOption = False,
) -> None:
    """Learn to read descriptions of studies; says how well it reads authors it did not learn from."""
    from leucippus.training.study_reader import train as learn

    result = learn(out)
    output.line(result) if as_json else output.show_counts(result)


@bench.command("triples")
def bench_triples(
    sentences: Annotated[Path, typer.Option(help="JSON lines with id and text.")],
    out: Annotated[Path, typer.Option(help="Where predictions go.")],
    model: ModelOption = None,
    adapter: AdapterOption = None,
    as_json: JsonOption = False,
) -> None:
    """Predict cause-effect pairs for sentences."""
    from leucippus.agents.bench import read_sentences

    _predict(read_sentences(sentences), out, _settings(model, adapter), as_json)


@bench.command("documents")
def bench_documents(
    folder: Annotated[Path, typer.Option(help="A folder of documents.")],
    out: Annotated[Path, typer.Option(help="Where predictions go.")],
    model: ModelOption = None,
    adapter: AdapterOption = None,
    as_json: JsonOption = False,
) -> None:
    """Predict cause-effect pairs for whole documents."""
    from leucippus.agents.bench import read_folder

    settings = _settings(model, adapter)
    _predict(list(read_folder(folder, settings.extract.max_document_mb)), out, settings, as_json)


def _predict(texts: list[Any], out: Path, settings: Settings, as_json: bool) -> None:
    import json

    from leucippus.agents.bench import predict
    from leucippus.agents.extractors import connect_extractor

    async def job() -> tuple[list[dict[str, Any]], float]:
        extractor = connect_extractor(settings, output.note)
        try:
            await extractor.start()
            began = time.monotonic()
            return await predict(extractor, texts, settings.extract), time.monotonic() - began
        finally:
            await extractor.close()

    out.touch()  # a place that cannot be written is found before the work, not after it
    predictions, seconds = asyncio.run(job())
    lines = (json.dumps(prediction, ensure_ascii=False) + "\n" for prediction in predictions)
    out.write_text("".join(lines), encoding="utf-8")
    result = {
        "texts": len(texts),
        "causal": sum(prediction["is_causal"] for prediction in predictions),
        "triples": sum(len(prediction["triples"]) for prediction in predictions),
        "seconds": round(seconds, 1),
        "texts_per_second": round(len(texts) / seconds, 1),
        "out": str(out),
    }
    output.line(result) if as_json else output.show_counts(result)


if __name__ == "__main__":
    main()
