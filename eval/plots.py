"""Draws a `Result` as SVG for a page that holds it inline. Knows no page.

Text is text in the reader's own font and colour (``currentColor``), so Korean names and dark
pages need nothing more; the other colours stand out on white and on black alike and are told
apart by colour-blind readers (after Okabe and Ito 2008). The same result gives the same SVG.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Sequence
from html import escape
from typing import Any

from rich.cells import cell_len

from eval import shown
from eval.result import Result
from eval.shown import cut, plain
from rag.errors import DependencyMissing

COLOURS = ("#0072b2", "#d55e00", "#009068", "#b8609a", "#8c6d1f", "#6f7378")
_DASHES = ("-", "--", ":", "-.")
_MARKERS = "osD^vP"
_INK = "#767676"
"""What becomes ``currentColor``."""
_WIDTH = 5.0
_TEXT = 10.0
_CELL = 0.56 * _TEXT / 72
"""Width of a column of a terminal's text in inches; matplotlib cannot measure Korean."""
_LINE = 1.6 * _TEXT / 72
_NAME_CELLS = 26
_LEGEND_CELLS = 52
_SAME = 1e-12
_BARS = 500
_LEAST = 0.001
_IDS = re.compile(r'(<g) id="[A-Za-z0-9.]+_\d+"')
_INKED = re.compile(rf"((?:fill|stroke): ){_INK}")


def leading(result: Result) -> str:
    """The leading measure by configuration: means and 95 % intervals, best on top."""
    shown_ones = [o for o in result.outcomes if result.measure in o.summary]
    names = [cut(f"{o.name} {shown.mark(result, o)}".strip(), _NAME_CELLS) for o in shown_ones]

    def draw(ax: Any) -> None:  # noqa: ANN401
        for i, outcome in enumerate(shown_ones):
            at = outcome.summary[result.measure]
            colour = COLOURS[0] if i == 0 else COLOURS[-1]
            ax.plot([at.low, at.high], [i, i], color=colour, lw=2.5)
            ax.plot([at.mean], [i], "o", color=colour, ms=8, gid=f"mean-{i}")
            ax.annotate(shown.number(at.mean), (at.mean, i), (0, 7), ha="center",
                        textcoords="offset points")  # fmt: skip
        ax.set_yticks(range(len(names)), names)
        ax.set_ylim(len(names) - 0.5, -0.75)
        ax.tick_params(axis="y", length=0)
        ax.grid(axis="x")
        ax.spines["left"].set_visible(False)
        ax.set_xlabel(result.measure)

    label = f"{result.measure} by configuration: " + "; ".join(
        f"{o.name} {shown.estimate(o.summary[result.measure])}" for o in shown_ones
    )
    left = max(map(cell_len, names), default=0) * _CELL + 0.15
    return _svg(label, draw, 0.42 * len(names) + 0.2, left=left)


def differences(result: Result, name: str, baseline: str) -> list[tuple[str, float]]:
    """Queries with ``name``'s value less ``baseline``'s, largest first, in the leading measure."""
    a, b = (next(o.values.get(result.measure, {}) for o in result.outcomes if o.name == wanted)
            for wanted in (name, baseline))  # fmt: skip
    found = [(query, a[query] - b[query]) for query in a if query in b]
    return sorted(found, key=lambda pair: (-pair[1], pair[0]))


def wins(result: Result, name: str, baseline: str) -> str:
    """Each query's `differences` as a bar, sorted: won ones first, lost ones last."""
    values = [value for _, value in differences(result, name, baseline)]
    won = sum(value > _SAME for value in values)
    lost = sum(value < -_SAME for value in values)
    baseline_at = [o.name for o in result.outcomes].index(baseline)

    def draw(ax: Any) -> None:  # noqa: ANN401
        bars = min(len(values), _BARS)
        width = len(values) / max(1, bars)
        heights = [values[int((i + 0.5) * width)] for i in range(bars)]
        for colour, sign, gid in ((COLOURS[0], 1, "wins"), (COLOURS[1], -1, "losses")):
            kept = [i for i, height in enumerate(heights) if sign * height > _SAME]
            edges = [(i + side) * width for i in kept for side in (0, 1)]
            tops = [heights[i] for i in kept for _ in range(2)]
            ax.fill_between(edges, tops, color=colour, lw=0, gid=f"{gid}-{baseline_at}")
        ax.axhline(0, color=_INK, lw=0.8)
        limit = 1.1 * max(map(abs, values), default=1) or 1
        ax.set_ylim(-limit, limit)
        ax.set_xlim(0, max(1, len(values)))
        ax.text(won / 2, -0.06 * limit, f"{won} won", ha="center", va="top")
        ax.text(len(values) - lost / 2, 0.06 * limit, f"{lost} lost", ha="center")
        ax.grid(axis="y")
        ax.set_xlabel("queries")
        ax.set_ylabel(f"difference in {result.measure}")

    label = (
        f"Difference in {result.measure} of {name} to {baseline} for each of {len(values)} queries:"
        f" {won} won, {lost} lost, {len(values) - won - lost} tied"
    )
    return _svg(label, draw, 2.4)


def recall(result: Result) -> str:
    """R@depth by depth, a line for each configuration that has one."""

    def draw(ax: Any) -> None:  # noqa: ANN401
        depths = _curves(ax, result, "recall", markers=True)
        _logarithmic(ax)
        ax.set_xticks(depths[:: max(1, -(-len(depths) // 8))])
        ax.set_xlabel("depth")
        ax.set_ylabel("recall")

    named = _having(result, "recall")
    return _svg(f"Recall by depth of {'; '.join(named)}", draw, 2.4, named=named)


def risk(result: Result) -> str:
    """Share of answers that are wrong by share of questions answered, surest first."""

    def draw(ax: Any) -> None:  # noqa: ANN401
        _curves(ax, result, "risk-coverage", markers=False)
        ax.set_xlim(0, 1)
        ax.set_ylim(bottom=0)
        ax.set_xlabel("share answered")
        ax.set_ylabel("share of those wrong")

    named = _having(result, "risk-coverage")
    label = f"Share of answers that are wrong by share answered, of {'; '.join(named)}"
    return _svg(label, draw, 2.4, named=named)


def latency(result: Result) -> str:
    """The leading measure by median time; a whisker ends at the 95th percentile."""
    found = [
        (i, o, o.summary[result.measure].mean)
        for i, o in enumerate(result.outcomes)
        if result.measure in o.summary and o.milliseconds.get("total")
    ]

    def draw(ax: Any) -> None:  # noqa: ANN401
        for i, outcome, mean in found:
            style = _style(i)
            times = [shown.percentile(outcome, "total", p) or _LEAST for p in (50, 95)]
            ax.plot(times, [mean, mean], color=style["color"], lw=1.5)
            ax.plot(times[:1], [mean], **style | {"ls": ""}, ms=8, gid=f"latency-{i}")
        _logarithmic(ax)
        ax.margins(x=0.1, y=0.15)
        ax.grid()
        ax.set_xlabel("milliseconds (median to 95th percentile)")
        ax.set_ylabel(result.measure)

    label = f"{result.measure} by median milliseconds: " + "; ".join(
        f"{o.name} {shown.number(mean)} in {shown.milliseconds(shown.percentile(o, 'total', 50))}"
        for _, o, mean in found
    )
    return _svg(label, draw, 2.4, named=[o.name for _, o, _ in found])


def _curves(ax: Any, result: Result, curve: str, *, markers: bool) -> list[float]:  # noqa: ANN401
    """Plot ``curve`` of each configuration that has it; gives every x, ascending."""
    every: set[float] = set()
    for i, outcome in enumerate(result.outcomes):
        if points := outcome.curves.get(curve):
            x, y = zip(*points, strict=True)
            style = _style(i) | ({} if markers else {"marker": ""})
            ax.plot(x, y, **style, lw=1.8, ms=5, gid=f"{curve}-{i}")
            every.update(x)
    ax.grid()
    return sorted(every)


def _style(i: int) -> dict[str, str]:
    """How the ``i``-th configuration is drawn in every plot that tells them apart."""
    n = len(COLOURS)
    return {
        "color": COLOURS[i % n],
        "ls": _DASHES[(i // n) % len(_DASHES)],
        "marker": _MARKERS[(i + i // n) % len(_MARKERS)],
    }


def _having(result: Result, curve: str) -> list[str]:
    return [o.name for o in result.outcomes if o.curves.get(curve)]


def _logarithmic(ax: Any) -> None:  # noqa: ANN401
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    ax.set_xscale("log")
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))


def _svg(
    label: str,
    draw: Callable[[Any], None],
    height: float,
    *,
    left: float = 0.8,
    named: Sequence[str] = (),
) -> str:
    """What ``draw`` plots, ``height`` inches of it; under it the names of the lines with a gid."""
    try:
        import matplotlib as mpl
        from matplotlib.backends.backend_svg import FigureCanvasSVG
        from matplotlib.figure import Figure
    except ImportError as e:
        raise DependencyMissing("matplotlib", "eval") from e
    label = plain(label)
    below = 0.6 + len(named) * _LINE
    total = height + below + 0.15
    with mpl.rc_context(_RC | {"svg.hashsalt": label}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        figure = Figure((_WIDTH, total))
        FigureCanvasSVG(figure)
        figure.subplots_adjust(left / _WIDTH, below / total, 1 - 0.15 / _WIDTH, 1 - 0.15 / total)
        ax = figure.add_subplot()
        draw(ax)
        if named:
            lines = [line for line in ax.lines if line.get_gid()]
            figure.legend(lines, [cut(name, _LEGEND_CELLS) for name in named], frameon=False,
                          loc="lower left", bbox_to_anchor=(0, 0), borderaxespad=0)  # fmt: skip
        written = io.StringIO()
        figure.savefig(written, format="svg", transparent=True, metadata=_METADATA)
    svg = written.getvalue()
    svg = svg[svg.index("<svg ") :]
    svg = _IDS.sub(r"\1", _INKED.sub(r"\1currentColor", svg))
    return svg.replace("<svg ", f'<svg role="img" aria-label="{escape(label)}" ', 1)


_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))
_RC = {
    "axes.edgecolor": _INK,
    "axes.labelcolor": _INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.axisbelow": True,
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": _TEXT,
    "grid.alpha": 0.25,
    "grid.color": _INK,
    "svg.fonttype": "none",
    "text.color": _INK,
    "text.parse_math": False,
    "xtick.color": _INK,
    "ytick.color": _INK,
}
