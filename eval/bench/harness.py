"""Runs contenders in turn on the same cores; shows medians and ratios, and writes JSON.

Knows no contender and no corpus.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from eval.bench.child import Worker, in_child, peak_mb, rss_mb
from eval.bench.measured import portable
from eval.bench.table import Spread, show
from eval.machine import machine
from rag.errors import RagError

__all__ = [
    "Bench", "Contender", "Worker", "alternate", "document", "in_child", "machine", "main",
    "peak_mb", "ratios", "rss_mb", "single_threaded", "spread",
]  # fmt: skip

Results = dict[str, dict[str, list[float]]]
"""Contender to metric to one value a repetition."""
Log = Callable[[str], None]

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS",
            "RAYON_NUM_THREADS")  # fmt: skip


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")


@dataclass(frozen=True)
class Contender:
    """A system with its data at hand; ``run`` is one repetition and gives its metrics."""

    name: str
    run: Callable[[], Mapping[str, float]]


def alternate(
    contenders: Sequence[Contender],
    repetitions: int,
    *,
    log: Log = _say,
    skipped: dict[str, str] | None = None,
) -> Results:
    """Every contender once a round, the order rotated each round.

    One that fails is dropped, with all that it had, its reason logged and put into ``skipped``.
    """
    left = list(contenders)
    results: Results = {c.name: {} for c in contenders}
    for number in range(repetitions):
        turn = number % max(len(left), 1)
        for contender in left[turn:] + left[:turn]:
            try:
                metrics = contender.run()
            except Exception as e:
                why = str(e) if type(e) is RuntimeError else f"{type(e).__name__}: {e}"
                log(f"  {contender.name} is left out: {why}")
                if skipped is not None:
                    skipped[contender.name] = why
                left.remove(contender)
                del results[contender.name]
                continue
            for metric, value in metrics.items():
                results[contender.name].setdefault(metric, []).append(float(value))
    return results


def spread(values: Sequence[float]) -> Spread:
    """Median, least and greatest."""
    return {"median": median(values), "min": min(values), "max": max(values)}


def ratios(results: Results, ours: str = "saem") -> dict[str, dict[str, Spread]]:
    """Ours over each other's, of each round, as ``{"ours/other": {metric: spread}}``.

    Metrics that one of the two lacks in some round, or that are 0, have no ratio.
    """
    found: dict[str, dict[str, Spread]] = {}
    for other in results:
        if other == ours or ours not in results:
            continue
        theirs = results[other]
        found[f"{ours}/{other}"] = {
            metric: spread([a / b for a, b in zip(mine, theirs[metric], strict=True)])
            for metric, mine in results[ours].items()
            if len(mine) == len(theirs.get(metric, ())) and all(theirs[metric])
        }
    return found


def single_threaded() -> None:
    """One thread for every library loaded from here on, and in children."""
    os.environ |= dict.fromkeys(_THREADS, "1") | {"TOKENIZERS_PARALLELISM": "false"}


@dataclass
class Bench:
    """One run of a benchmark: what was asked for, and what was found so far.

    Attributes
    ----------
    args
        The command line, with a script's own options.
    offered
        The contenders that there are.
    corpus
        What the figures are about; the script fills it in, with ``note`` on what is compared.
    """

    name: str
    args: argparse.Namespace
    log: Log = _say
    corpus: dict[str, Any] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    found: dict[int, Results] = field(default_factory=dict)
    machine: dict[str, Any] = field(default_factory=machine)
    offered: set[str] = field(default_factory=set)

    @property
    def data(self) -> Path:
        return Path(self.args.data)

    @property
    def sizes(self) -> list[int]:
        """Numbers of passages, ascending."""
        return list(self.args.sizes)

    @property
    def repetitions(self) -> int:
        return int(self.args.repetitions)

    def wants(self, name: str) -> bool:
        """Whether ``--only`` allows a contender."""
        self.offered.add(name)
        return not self.args.only or name in self.args.only

    def skip(self, name: str, why: str) -> None:
        """Record that a contender, or ``name at N``, is not measured."""
        self.log(f"  {name} is left out: {why}")
        self.skipped[name] = why

    def measure(self, size: int, contenders: Sequence[Contender]) -> None:
        """Run ``contenders`` in turn over ``size`` passages and show what came out."""
        lost: dict[str, str] = {}
        results = alternate(contenders, self.repetitions, log=self.log, skipped=lost)
        self.skipped |= {f"{name} at {size:,}": why for name, why in lost.items()}
        self.found[size] = results
        if any(results.values()):
            show(f"{self.name}, {size:,}", results, ratios(results))


def document(bench: Bench) -> dict[str, Any]:
    """A run as written to ``--json``; the largest size stands at the top as well."""
    sizes = {str(size): _summary(bench.found[size]) for size in sorted(bench.found)}
    largest = sizes[str(max(bench.found))] if bench.found else _summary({})
    return {
        "benchmark": bench.name,
        "machine": bench.machine,
        "corpus": bench.corpus,
        **largest,
        "skipped": bench.skipped,
        "sizes": sizes,
    }


def _summary(results: Results) -> dict[str, Any]:
    """Of one size; a ratio is the median over the rounds, ``ratio_spread`` its ends."""
    compared = ratios(results)
    return {
        "contenders": {
            name: {metric: spread(values) for metric, values in metrics.items()}
            for name, metrics in results.items()
        },
        "ratios": {
            pair: {metric: s["median"] for metric, s in metrics.items()}
            for pair, metrics in compared.items()
        },
        "ratio_spread": {
            pair: {metric: {"min": s["min"], "max": s["max"]} for metric, s in metrics.items()}
            for pair, metrics in compared.items()
        },
    }


def main(
    description: str,
    corpora_default: Path | str | None,
    body: Callable[[Bench], None],
    *,
    sizes: Sequence[int] = (10_000,),
    repetitions: int = 5,
    arguments: Callable[[argparse.ArgumentParser], None] | None = None,
) -> int:
    """The command line of a benchmark; the file for its figures, or the script's, gives its name.

    Parameters
    ----------
    corpora_default
        Where ``--data`` is when not given; ``None`` makes it a must.
    body
        Fills ``bench.corpus`` and calls ``bench.measure`` for every size.
    arguments
        Adds options of the script's own, found in ``bench.args``.

    Returns
    -------
    int
        Exit code: 2 where the data, or a name after ``--only``, cannot be used.
    """
    name = Path(sys.argv[0]).stem
    parser = argparse.ArgumentParser(prog=f"python -m eval.bench.{name}", description=description)
    parser.add_argument("--data", type=Path, default=corpora_default, help="corpus: a BEIR folder, "
                        "its corpus.jsonl[.gz], or SQuAD JSON",
                        required=corpora_default is None)  # fmt: skip
    parser.add_argument("--sizes", type=_numbers, default=sorted(sizes), help="passages: 10000,…")
    parser.add_argument("--repetitions", type=_positive, default=repetitions)
    parser.add_argument("--only", type=_names, default=(), help="contenders: saem,bm25s,…")
    parser.add_argument("--json", type=Path, help="file to write the figures to")
    if arguments:
        arguments(parser)
    args = parser.parse_args()
    single_threaded()
    bench = Bench(args.json.stem if args.json else name, args)
    command = shlex.join(["python", "-m", f"eval.bench.{name}", *sys.argv[1:]])
    bench.corpus["command"] = portable(command)
    try:
        body(bench)
    except RagError as e:
        _say(str(e))
        return 2
    else:
        if unknown := set(args.only) - bench.offered:
            _say(f"--only {', '.join(sorted(unknown))}: there is none of that name. "
                 f"There are {', '.join(sorted(bench.offered))}")  # fmt: skip
            return 2
    finally:  # an interrupted run keeps what it has
        if args.json and (bench.found or bench.skipped):
            text = json.dumps(document(bench), ensure_ascii=False, indent=1)
            args.json.write_text(text + "\n", "utf-8")
    return 0


def _positive(text: str) -> int:
    if (number := int(text.replace("_", ""))) < 1:
        raise ValueError
    return number


def _numbers(text: str) -> list[int]:
    return sorted({_positive(part) for part in text.split(",")})


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())
