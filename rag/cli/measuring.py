"""The commands that measure and tune: ``eval``, ``tune``, ``synth``."""

from __future__ import annotations

import shlex
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rag.cli import options, view

if TYPE_CHECKING:
    from eval.bed import Watch
    from eval.result import Result

Data = Annotated[
    Path, typer.Option(help="BEIR or TREC folder, SQuAD JSON, CSV of questions, or query log.")
]
Split = Annotated[str, typer.Option(help="Which judgements of a folder.")]
Corpus = Annotated[
    Path | None, typer.Option(help="The documents, where the data lacks them: corpus.jsonl[.gz].")
]
Limit = Annotated[int | None, typer.Option(help="At most so many questions, chosen at random.")]
Seed = Annotated[int, typer.Option(help="Of every choice made at random.")]


def evaluate(
    data: Data,
    split: Split = "test",
    corpus: Corpus = None,
    config: Annotated[
        list[Path] | None, typer.Option(help="Settings file to compare. May be repeated.")
    ] = None,
    grid: Annotated[
        str | None, typer.Option(help="default, baselines, fusion, or a TOML file.")
    ] = None,
    measure: Annotated[
        list[str] | None, typer.Option(help="As ir_measures names them; the first one leads.")
    ] = None,
    baseline: Annotated[
        str | None, typer.Option(help="Configuration to compare all others with.")
    ] = None,
    answers: Annotated[bool, typer.Option("--answers", help="Ask for answers, too.")] = False,
    judge_url: Annotated[str | None, typer.Option(help="Endpoint of a judge of answers.")] = None,
    rubric: Annotated[Path | None, typer.Option(help="What the judge is told, as TOML.")] = None,
    judge_labels: Annotated[
        Path | None, typer.Option(help="Labelled answers (JSONL) to check the judge with.")
    ] = None,
    prices: Annotated[
        tuple[float, float], typer.Option(help="Of a million prompt and answer tokens.")
    ] = (0.0, 0.0),
    cut: Annotated[
        bool, typer.Option("--cut", help="Cut the data's documents into passages.")
    ] = False,
    limit: Limit = None,
    seed: Seed = 0,
    explain_worst: Annotated[
        int, typer.Option(help="Show so many questions that lost most, and where.")
    ] = 0,
    fail_under: Annotated[
        list[str] | None,
        typer.Option(help="MEASURE=VALUE that the best must reach. May be repeated."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for report.html, result.json and runs/.")
    ] = None,
    home: options.Home = None,
    collection: options.Collection = None,
    as_json: options.Json = False,
) -> None:
    """Compare configurations on questions whose answers are known."""
    from eval import files, formats
    from eval.answering import Answering
    from eval.bed import existing
    from eval.configuration import from_files, from_grid
    from eval.experiment import Plan, run
    from eval.leaderboard import print_leaderboard
    from eval.measures import DEFAULT
    from eval.report import write_report

    settings = options.settings(home, collection, judge_url=judge_url)
    user = existing(settings, collection)
    if user:
        settings = settings.over(user.tuned().get("settings", {}))
    chosen = from_files(config or (), settings, cut=cut)
    if grid or not config:
        chosen += from_grid(grid or "default", settings, cut=cut)
    least = [_least(text) for text in fail_under or ()]
    dataset = formats.load(data, split=split, corpus=corpus, limit=limit, seed=seed)
    answering = Answering.of(settings, rubric, judge_labels, prices) if answers else None
    names = tuple(dict.fromkeys([*(measure or DEFAULT), *(name for name, _ in least)]))
    plan = Plan(names, baseline, explain_worst, seed, _command(), answering)
    result = run(dataset, chosen, user, plan, _watch(quiet=as_json))
    if as_json:
        view.print_json(asdict(result))
    else:
        print_leaderboard(result, view.console())
    if out:
        files.write_json(result, out / "result.json")
        files.write_runs(result, out / "runs")
        write_report(result, out / "report.html")
        if not as_json:
            view.say(f"\nReport: {out / 'report.html'}")
    _check(result, least)


def tune(
    data: Annotated[
        Path | None, typer.Option(help="BEIR or TREC folder, SQuAD JSON, CSV, or query log.")
    ] = None,
    split: Split = "train",
    test: Annotated[
        str | None, typer.Option(help="Judgements to report on that nothing is chosen by.")
    ] = None,
    corpus: Corpus = None,
    measure: Annotated[str, typer.Option(help="What to maximise.")] = "nDCG@10",
    trials: Annotated[int, typer.Option(help="How many settings to try.")] = 60,
    chunk_size: Annotated[
        list[int] | None,
        typer.Option(help="Size of passages to try, in tokens. May be repeated."),
    ] = None,
    limit: Limit = None,
    seed: Seed = 0,
    out: Annotated[
        Path | None, typer.Option(help="Settings file to write, if the settings win.")
    ] = None,
    reset: Annotated[
        bool, typer.Option("--reset", help="Forget the collection's tuning, and do nothing else.")
    ] = False,
    home: options.Home = None,
    collection: options.Collection = None,
    config: options.Config = None,
    as_json: options.Json = False,
) -> None:
    """Choose the settings that answer known questions best; keep them if they hold."""
    from eval import formats, tuned
    from eval.bed import existing, reread
    from eval.tune import Tuner
    from rag.errors import BadQuery

    settings = options.settings(home, collection, config=config)
    user = existing(settings, collection)
    if reset:
        if user is None:
            raise BadQuery("--reset needs the collection's name", remedy="Add --collection NAME")
        user.tune({})
        view.say(f"'{user.name}' is back to the settings.")
        return
    if data is None:
        raise BadQuery("there is nothing to tune by", remedy="Name questions with --data")
    dataset = formats.load(data, split=split, corpus=corpus, limit=limit, seed=seed)
    final = formats.load(data, split=test, corpus=corpus) if test else None
    if chunk_size and user and not dataset.documents:
        dataset = replace(dataset, documents=reread(user))
    tuner = Tuner(dataset, settings, user, measure=measure, trials=trials, seed=seed,
                  chunk_tokens=chunk_size or (), watch=_watch(quiet=as_json))  # fmt: skip
    try:
        tuning = tuner.run(final)
    finally:
        tuner.close()
    saved = []
    if tuning.settings and user:
        user.tune({"settings": dict(tuning.settings), "provenance": dict(tuning.provenance)})
        saved.append(f"collection '{user.name}'")
    if tuning.settings and out:
        tuned.write(tuning, out)
        saved.append(str(out))
    if as_json:
        view.print_json(asdict(tuning) | {"saved": saved})
    else:
        tuned.show(tuning, view.console())
        if saved:
            view.say(f"Saved to {' and '.join(saved)}.")


def synth(
    out: Annotated[Path, typer.Argument(help="Folder to write, in the form of BEIR.")],
    count: Annotated[int, typer.Option(help="At most so many questions.")] = 100,
    kind: Annotated[
        list[str] | None,
        typer.Option(help="single, multi, unanswerable, paraphrase or cross. May be repeated."),
    ] = None,
    language: Annotated[
        list[str] | None, typer.Option(help="Of the passages: ko, en. May be repeated.")
    ] = None,
    split: Split = "test",
    seed: Seed = 0,
    home: options.Home = None,
    collection: options.Collection = None,
    config: options.Config = None,
    llm_url: options.LlmUrl = None,
    llm: options.Llm = None,
    as_json: options.Json = False,
) -> None:
    """Make questions from a collection, to evaluate and tune with."""
    from typing import cast

    from eval import formats
    from eval.draft import KINDS, Kind
    from eval.synth import synthesize

    saem = options.workspace(home, collection, config=config, llm_url=llm_url, llm=llm)
    kinds = cast("list[Kind]", kind) or KINDS
    # The default model is too weak for this: a language model must be asked for.
    wanted = saem.settings.llm_url or "llm" in saem.settings.explicit
    try:
        with view.progress("Asking", "passages", quiet=as_json) as progress:
            dataset, summary = synthesize(
                saem.searcher(),
                saem.llm() if wanted else None,
                count=count,
                kinds=kinds,
                languages=language,
                seed=seed,
                progress=progress,
            )
    finally:
        saem.close()
    formats.save(dataset, out, split)
    if as_json:
        view.print_json(asdict(summary) | {"queries": len(dataset.queries), "path": str(out)})
    else:
        view.print_synthesis(summary, dataset, out)


def _watch(*, quiet: bool) -> Watch:
    return lambda label, unit: view.progress(label, unit, quiet=quiet)


def _command() -> str:
    return shlex.join(["rag", *sys.argv[1:]])


def _least(text: str) -> tuple[str, float]:
    from rag.errors import BadQuery

    name, _, value = text.rpartition("=")
    try:
        return name, float(value)
    except ValueError as e:
        raise BadQuery(f"--fail-under {text}: write MEASURE=VALUE, as nDCG@10=0.70") from e


def _check(result: Result, least: list[tuple[str, float]]) -> None:
    best = result.outcomes[0]
    missed = [
        f"{name} of {best.name} is {best.summary[name].mean:.4f}, below {value:g}"
        for name, value in least
        if best.summary[name].mean < value
    ]
    for line in missed:
        view.warn(line)
    if missed:
        raise typer.Exit(1)
