"""``rag eval``, and what it shares with ``rag tune`` and ``rag synth``."""

from __future__ import annotations

import math
import shlex
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rag.cli import options, view
from rag.errors import BadQuery

if TYPE_CHECKING:
    from eval.bed import Watch
    from eval.result import Result
    from rag.index import Collection
    from rag.settings import Settings

Data = Annotated[
    Path, typer.Option(help="BEIR or TREC folder, SQuAD JSON, CSV of questions, or query log.")
]
Split = Annotated[str, typer.Option(help="Which judgements of a folder.")]
Corpus = Annotated[
    Path | None, typer.Option(help="The documents, where the data lacks them: corpus.jsonl[.gz].")
]
Limit = Annotated[
    int | None, typer.Option(min=1, help="At most so many questions, chosen at random.")
]
Seed = Annotated[int, typer.Option(min=0, help="Of every choice made at random.")]


def evaluate(
    data: Data,
    split: Split = "test",
    corpus: Corpus = None,
    config: Annotated[
        list[Path] | None, typer.Option(help="Settings file to compare. May be repeated.")
    ] = None,
    grid: Annotated[
        str | None,
        typer.Option(help="default, baselines, fusion, lexical, programs, or a TOML file."),
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
        int, typer.Option(min=0, help="Show so many questions that lost most, and where.")
    ] = 0,
    fail_under: Annotated[
        list[str] | None,
        typer.Option(help="MEASURE=VALUE that the best of ours must reach. May be repeated."),
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
    from eval.answering import Answering, measure_names
    from eval.configuration import from_files, from_grid
    from eval.experiment import Plan, run
    from eval.leaderboard import print_leaderboard
    from eval.measures import DEFAULT
    from eval.report import write_report

    if not answers and (judge_url or rubric or judge_labels):
        raise BadQuery("a judge needs answers", remedy="Add --answers")
    settings = options.settings(home, collection, judge_url=judge_url)
    if not settings.judge_url and (rubric or judge_labels):
        raise BadQuery("there is no judge", remedy="Name one with --judge-url")
    user = asked(settings)
    if user:
        settings = settings.over(user.tuned().settings)
    chosen = from_files(config or (), settings, cut=cut)
    if grid or not config:
        chosen += from_grid(grid or "default", settings, cut=cut)
    least = [_least(text) for text in fail_under or ()]
    dataset = formats.load(data, split=split, corpus=corpus, limit=limit, seed=seed)
    answering = Answering.of(settings, rubric, judge_labels, prices) if answers else None
    names = measure_names([*(measure or DEFAULT), *(name for name, _ in least)], answers=answers)
    plan = Plan(names, baseline, explain_worst, seed, _command(), answering)
    result = run(dataset, chosen, user, plan, watch(quiet=as_json))
    if not as_json:
        print_leaderboard(result, view.console())
    if out:
        files.write_json(result, out / "result.json")
        files.write_runs(result, out / "runs")
        write_report(result, out / "report.html")
        if not as_json:
            view.say(f"\nReport: {out / 'report.html'}")
    if as_json:
        view.print_json(asdict(result))
    _check(result, least)


def watch(*, quiet: bool) -> Watch:
    return lambda label, unit: view.progress(label, unit, quiet=quiet)


def asked(settings: Settings) -> Collection | None:
    """The user's collection, if one is named, on the command line or elsewhere."""
    from rag.workspace import Workspace

    return Workspace(settings).collection() if "collection" in settings.explicit else None


def _command() -> str:
    from eval.configuration import without_secrets

    return without_secrets(shlex.join(["rag", *sys.argv[1:]]))


def _least(text: str) -> tuple[str, float]:
    name, _, value = text.rpartition("=")
    try:
        if not math.isfinite(number := float(value)):
            raise ValueError
    except ValueError as e:
        raise BadQuery(f"--fail-under {text}: write MEASURE=VALUE, as nDCG@10=0.70") from e
    return name, number


def _check(result: Result, least: list[tuple[str, float]]) -> None:
    """Exit with 1 unless the best configuration of ours reaches each measure."""
    from eval.answering import measure_names

    best = next((o for o in result.outcomes if "system" not in o.settings), None)
    missed = []
    for written, value in least:
        (name,) = measure_names([written], answers=True)
        if best is None or name not in best.summary:
            missed.append(f"{name} was not measured")
        elif (mean := best.summary[name].mean) < value:
            missed.append(f"{name} of {best.name} is {mean:.4f}, below {value:g}")
    for line in missed:
        view.warn(line)
    if missed:
        raise typer.Exit(1)
