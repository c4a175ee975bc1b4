"""Figures of the benchmarks as ``docs/benchmarks.md``, its plots, and the READMEs' table.

``python -m eval.bench.report RESULTS`` in the project's folder; ``RESULTS`` holds what the
benchmarks wrote with ``--json``. All figures are shown, good or bad.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eval.bench import front, growth
from eval.bench.measured import (
    COUNTS,
    Benchmark,
    escaped,
    label,
    number,
    portable,
    prose,
    read,
    spread,
    table,
)
from rag.errors import RagError, SourceError

TITLES = {
    "rag_systems": "Whole systems at hybrid search",
    "scifact": "Search by words: quality",
    "sparse": "Search by words",
    "build": "Building",
    "freshness": "From adding to finding",
    "dense": "Search by vectors",
    "encode": "Texts to vectors",
    "http": "The service under load",
    "gpu": "On a GPU",
}
"""Benchmarks by name, in the order of the page."""
_HEAD = """# Benchmarks

Saem beside others at the same job, on the same machine, in turn. `make bench` measures,
`make bench-report` writes this page and the README's table from `eval/bench/results/`. A figure is
the median of the rounds, with the least and the greatest in brackets. ↑ more is better, ↓ less is;
– was not measured. `DATA` is the folder that holds the corpora. Figures of different sections are
of different runs, and may be of different machines."""
_RATIOS = "Saem's figure over the other's. Saem is ahead where ↓ is below 1 and where ↑ is above 1."
_READMES = {"README.md": front.ENGLISH, "README.ko.md": front.KOREAN}


def write(results: Path, root: Path) -> list[Path]:
    """Make the page, its plots and the READMEs below ``root`` say what ``results`` holds.

    Returns the files written. Nothing is written unless all can be.

    Raises
    ------
    SourceError
        There are no figures, or a file of them is none, or a README lacks its marks.
    """
    found = load(results)
    texts = {root / "docs" / "benchmarks.md": page(found)}
    for name, language in _READMES.items():
        file = root / name
        try:
            old = file.read_text("utf-8")
        except OSError as e:
            raise SourceError(str(file), f"cannot be read: {e.strerror or e}") from e
        texts[file] = front.replaced(old, file, front.front(found, language))
    plots = []
    for benchmark in found.values():
        if metrics := growth.growing(benchmark):
            plots.append(root / "docs" / "benchmarks" / f"{benchmark.name}.svg")
            growth.draw(benchmark, metrics, plots[-1])
    for file, text in texts.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    return [*texts, *plots]


def load(results: Path) -> dict[str, Benchmark]:
    """All benchmarks of a folder by name, in the order of the page, unknown ones last."""
    read_ = [read(file) for file in sorted(results.glob("*.json"))]
    if not read_:
        raise SourceError(
            str(results),
            "holds no figures (*.json)",
            remedy="Run `make bench`, or name the folder that it wrote to",
        )
    found = {b.name: b for b in read_}
    return {name: found[name] for name in [*TITLES, *found] if name in found}


def page(found: Mapping[str, Benchmark]) -> str:
    """The Markdown of ``docs/benchmarks.md``."""
    missing = [title for name, title in TITLES.items() if name not in found]
    parts = [_HEAD, *(_section(benchmark) for benchmark in found.values())]
    if missing:
        parts.append(f"## Not measured yet\n\n{', '.join(missing)}.")
    return "\n\n".join(parts) + "\n"


def _section(benchmark: Benchmark) -> str:
    parts = [f"## {TITLES.get(benchmark.name, escaped(benchmark.name))}"]
    if note := benchmark.corpus.get("note"):
        parts.append(prose(str(note)))
    parts.append(_facts(benchmark))
    parts.append(f"```sh\n{_command(benchmark)}\n```")
    names = list(benchmark.contenders)
    if names:
        rows = [
            [label(m), *(_cell(benchmark.contenders[n].get(m)) for n in names)]
            for m in benchmark.metrics
        ]
        parts.append(table(["", *map(escaped, names)], rows))
    if any(benchmark.ratios.values()):
        parts += [_RATIOS, _ratios(benchmark)]
    if metrics := growth.growing(benchmark):
        shown = f"{', '.join(metrics)} by {benchmark.unit}"
        parts.append(f"![{escaped(shown)}](benchmarks/{benchmark.name}.svg)")
        parts.append(_growth(benchmark, metrics))
    if benchmark.skipped:
        left_out = [f"- {escaped(n)}: {escaped(why)}" for n, why in benchmark.skipped.items()]
        parts.append("Left out:\n\n" + "\n".join(left_out))
    return "\n\n".join(parts)


def _facts(benchmark: Benchmark) -> str:
    corpus = {k: v for k, v in benchmark.corpus.items() if k not in ("note", "command")}
    return f"- Corpus: {_listed(corpus)}\n- Machine: {_listed(benchmark.machine)}"


def _listed(facts: Mapping[str, Any]) -> str:
    shown = {name: _value(value) for name, value in facts.items() if value not in ("", {}, None)}
    return "; ".join(f"{escaped(name.replace('_', ' '))}: {value}" for name, value in shown.items())


def _value(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{escaped(name)} {_value(part)}" for name, part in value.items())
    return f"{value:,}" if type(value) is int else escaped(value)


def _command(benchmark: Benchmark) -> str:
    """The one that the benchmark names, or its own with the sizes that it was run with."""
    if command := benchmark.corpus.get("command"):
        return portable(str(command))
    sizes = ",".join(map(str, benchmark.sizes))
    return (
        f"python -m eval.bench.{benchmark.name}"
        + (f" --sizes {sizes}" if sizes else "")
        + f" --json eval/bench/results/{benchmark.name}.json"
    )


def _cell(values: Mapping[str, float] | None) -> str:
    return spread(values) if values else "–"


def _ratios(benchmark: Benchmark) -> str:
    pairs = [pair for pair, metrics in benchmark.ratios.items() if metrics]
    rows = []
    for metric in [m for m in benchmark.metrics if m not in COUNTS]:
        cells = []
        for pair in pairs:
            ratio = benchmark.ratios[pair].get(metric)
            ends = benchmark.ratio_spread.get(pair, {}).get(metric)
            if ratio is None:
                cells.append("–")
            else:
                cells.append(spread({"median": ratio, **ends}) if ends else number(ratio))
        if any(cell != "–" for cell in cells):
            rows.append([label(metric), *cells])
    return table(["", *map(escaped, pairs)], rows)


def _growth(benchmark: Benchmark, metrics: list[str]) -> str:
    sizes = list(benchmark.sizes)
    names = list(dict.fromkeys(n for figures in benchmark.sizes.values() for n in figures))
    rows = []
    for metric in metrics:
        for name in names:
            cells = [_cell(benchmark.sizes[size].get(name, {}).get(metric)) for size in sizes]
            if any(cell != "–" for cell in cells):
                rows.append([label(metric), escaped(name), *cells])
    return table([f"by {benchmark.unit}", "", *(f"{size:,}" for size in sizes)], rows)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m eval.bench.report", description=__doc__)
    parser.add_argument("results", type=Path, help="folder of the benchmarks' JSON files")
    try:
        for file in write(parser.parse_args().results, Path()):
            sys.stdout.write(f"{file}\n")
    except RagError as e:
        sys.stderr.write(f"{e}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
