"""How figures grow with the corpus, as an SVG that is the same for the same figures."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from eval.bench.measured import COUNTS, QUALITY, Benchmark, Figures
from rag.errors import DependencyMissing

_PANELS = 4
_LEFT_OUT = re.compile(r"\bp9\d|worst|errors")
_STYLE = {
    "svg.hashsalt": "saem",
    "svg.fonttype": "none",
    "font.size": 9,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
_OURS = "#0b6e8a"
_OTHERS = ("#d1495b", "#edae49", "#66a182", "#8d6a9f", "#7a7a7a", "#c77b30", "#4a5fc1", "#a3b18a")
_MARKS = "osD^vPX*h"


def growing(benchmark: Benchmark) -> list[str]:
    """The first costs and rates that were measured over more than one size, means before medians.

    Neither tails nor qualities: the ones are noise, the others do not belong on these axes.
    """
    found = [
        metric
        for metric in benchmark.metrics
        if metric not in COUNTS
        and not (QUALITY.search(metric) or _LEFT_OUT.search(metric))
        and sum(_measured(figures, metric) for figures in benchmark.sizes.values()) > 1
    ]
    return [m for m in found if m.replace("p50", "mean") not in found or "p50" not in m][:_PANELS]


def _measured(figures: Figures, metric: str) -> bool:
    return any(metric in metrics for metrics in figures.values())


def draw(benchmark: Benchmark, metrics: Sequence[str], file: Path) -> None:
    """A panel a metric, both axes logarithmic, a line a contender.

    Raises
    ------
    DependencyMissing
        matplotlib is not installed.
    """
    try:
        from matplotlib import rc_context
        from matplotlib.backends.backend_svg import FigureCanvasSVG
        from matplotlib.figure import Figure
        from matplotlib.ticker import FuncFormatter, LogFormatter, NullFormatter
    except ImportError as e:
        raise DependencyMissing("matplotlib", "eval") from e
    names = list(dict.fromkeys(n for figures in benchmark.sizes.values() for n in figures))
    others = sorted(set(names) - {"saem"})
    with rc_context(_STYLE):
        figure = Figure(figsize=(2.9 * len(metrics) + 0.3, 2.9), layout="constrained")
        FigureCanvasSVG(figure)
        axes = figure.subplots(1, len(metrics), squeeze=False)[0]
        for panel, metric in zip(axes, metrics, strict=True):
            for i, name in enumerate(["saem", *others]):
                points = [
                    (size, figures[name][metric]["median"])
                    for size, figures in benchmark.sizes.items()
                    if figures.get(name, {}).get(metric, {}).get("median", 0) > 0
                ]
                if points:
                    color = _OTHERS[(i - 1) % len(_OTHERS)] if i else _OURS
                    panel.plot(*zip(*points, strict=True), _MARKS[i % len(_MARKS)] + "-",
                               color=color, label=name, ms=4, lw=1 if i else 2,
                               zorder=2 if i else 3)  # fmt: skip
            panel.set(title=metric, xlabel=benchmark.unit, xscale="log", yscale="log")
            panel.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.0f}"))
            panel.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g}"))
            panel.yaxis.set_minor_formatter(LogFormatter())
            panel.xaxis.set_minor_formatter(NullFormatter())
            panel.set_xticks(sorted(benchmark.sizes), minor=False)
            panel.tick_params(axis="x", rotation=30)
        shown = {
            label: line
            for panel in axes
            for line, label in zip(*panel.get_legend_handles_labels(), strict=True)
        }
        figure.legend(shown.values(), shown.keys(), loc="outside right center", frameon=False)
        file.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
