"""Writes a `Result` as one HTML page that needs nothing else: no script, no network, no fonts.

Knows neither how it was measured nor a terminal. Every text in it is foreign and escaped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from eval import plots, shown
from eval.files import write_text
from eval.result import Outcome, Result
from eval.shown import MISSING, plain
from rag.errors import DependencyMissing

_TEMPLATES = Path(__file__).parent / "templates"
_EXTREMES = 10
"""Queries shown from each end of a comparison."""
_SHARES = tuple(i / 10 for i in range(1, 11))


@dataclass(frozen=True, slots=True)
class Table:
    """Cells of text; a row's first one heads it. A cell's second line is shown small."""

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: bool = False


@dataclass(frozen=True, slots=True)
class Plot:
    """A picture, as SVG, and the same as a table."""

    title: str
    svg: str
    table: Table


def write_report(result: Result, path: Path) -> None:
    """Write the page for ``result`` to ``path``.

    Raises
    ------
    DependencyMissing
        jinja2 or matplotlib is.
    SourceError
        The file cannot be written.
    """
    try:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined
    except ImportError as e:
        raise DependencyMissing("jinja2", "eval") from e
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: plain(value) if type(value) is str else value,
    )
    page = environment.get_template("report.html").render(
        result=result,
        verdict=_verdict(result),
        legend=shown.legend(result),
        leaderboard=_leaderboard(result),
        plots=_plots(result),
        comparisons=_comparisons(result),
        latency=_latency(result),
        totals=_totals(result),
        lost=_lost(result),
        settings=_settings(result),
    )
    write_text(path, page)


def _verdict(result: Result) -> str:
    if not result.outcomes:
        return "Nothing was measured."
    first, *others = result.outcomes
    said = f"{first.name} is first in {result.measure}: "
    said += shown.estimate(first.summary.get(result.measure)) + "."
    compared = [o for o in others if shown.versus_first(result, o)]
    if compared:
        different = sum(bool(shown.mark(result, o)) for o in compared)
        said += f" It differs significantly from {different} of the {len(compared)} others."
    return said


def _leaderboard(result: Result) -> Table:
    measures = shown.measures(result)
    rows = []
    for o in result.outcomes:
        name = f"{plain(o.name)} {shown.mark(result, o)}".strip()
        cells = [
            f"{shown.number(found.mean)}\n{shown.bounds(found)}" if found else MISSING
            for found in map(o.summary.get, measures)
        ]
        rows.append([name, *cells, shown.milliseconds(shown.percentile(o, "total", 50))])
    caption = "Means with 95 % bootstrap intervals, best first"
    return Table(caption, ["Configuration", *measures, "p50 ms"], rows)


def _plots(result: Result) -> list[Plot]:
    found = []
    if any(result.measure in o.summary for o in result.outcomes):
        rows = [[o.name, shown.estimate(o.summary.get(result.measure))] for o in result.outcomes]
        title = f"{result.measure} by configuration"
        table = Table(title, ["Configuration", "Mean and 95 % interval"], rows)
        found.append(Plot(title, plots.leading(result), table))
    found += [_wins(result, baseline) for baseline in _baselines(result)]
    if any(o.curves.get("recall") for o in result.outcomes):
        found.append(Plot("Recall by depth", plots.recall(result), _recall(result)))
    if any(o.milliseconds.get("total") for o in result.outcomes):
        title = f"Latency against {result.measure}"
        found.append(Plot(title, plots.latency(result), _speed(result, title)))
    if any(o.curves.get("risk-coverage") for o in result.outcomes):
        found.append(Plot("Risk by coverage", plots.risk(result), _risk(result)))
    return found


def _baselines(result: Result) -> list[str]:
    """The runner-up, and what else the best configuration was held against as a baseline."""
    if len(result.outcomes) < 2:
        return []
    best, second = (o.name for o in result.outcomes[:2])
    held = {c.baseline for c in result.comparisons if c.name == best}
    common = {c.baseline for c in result.comparisons if c.name != best} & held
    return [second, *sorted(common - {second})][:2]


def _wins(result: Result, baseline: str) -> Plot:
    best = result.outcomes[0].name
    pairs = plots.differences(result, best, baseline)
    ends = [*pairs[:_EXTREMES], *pairs[max(_EXTREMES, len(pairs) - _EXTREMES) :]]
    rows = [
        [result.queries.get(query, query), f"{value:+z.3f}"]
        for query, value in ends
        if f"{value:z.3f}" != "0.000"
    ]
    title = f"{plain(best)} against {plain(baseline)}, query by query"
    caption = f"The {_EXTREMES} queries at either end"
    table = Table(caption, ["Query", f"Difference in {result.measure}"], rows, words=True)
    return Plot(title, plots.wins(result, best, baseline), table)


def _recall(result: Result) -> Table:
    depths = sorted({x for o in result.outcomes for x, _ in o.curves.get("recall", ())})
    rows = [[o.name, *(shown.number(dict(o.curves["recall"]).get(x)) for x in depths)]
            for o in result.outcomes if o.curves.get("recall")]  # fmt: skip
    return Table("Recall by depth", ["Configuration", *(f"R@{x:g}" for x in depths)], rows)


def _risk(result: Result) -> Table:
    rows = []
    for o in result.outcomes:
        if points := o.curves.get("risk-coverage"):
            reached = [[y for x, y in points if x <= share + 1e-9] for share in _SHARES]
            rows.append([o.name, *(shown.number(ys[-1] if ys else None) for ys in reached)])
    head = ["Configuration", *(f"{share:.0%}" for share in _SHARES)]
    return Table("Share of answers that are wrong, by share answered", head, rows)


def _speed(result: Result, title: str) -> Table:
    rows = [
        [o.name, *(shown.milliseconds(shown.percentile(o, "total", p)) for p in (50, 95)),
         shown.number(at.mean if (at := o.summary.get(result.measure)) else None)]
        for o in result.outcomes
    ]  # fmt: skip
    return Table(title, ["Configuration", "p50 ms", "p95 ms", result.measure], rows)


def _comparisons(result: Result) -> Table:
    rows = [
        [f"{plain(c.name)} − {plain(c.baseline)}", c.measure, shown.difference(c.difference),
         f"{c.wins:,} / {c.losses:,} / {c.ties:,}", shown.p_value(c.p),
         "yes" if c.p < shown.LEVEL else "no"]
        for c in result.comparisons
    ]  # fmt: skip
    head = ["Pair", "Measure", "Difference and 95 % interval", "Wins / losses / ties", "p (Holm)",
            f"p < {shown.LEVEL:g}"]  # fmt: skip
    return Table("Paired permutation tests over the same queries", head, rows)


def _latency(result: Result) -> Table:
    stages = shown.stages(result)
    rows = [
        [o.name, *("\n".join(shown.milliseconds(shown.percentile(o, s, p)) for p in (50, 95))
                   if o.milliseconds.get(s) else MISSING for s in stages)]
        for o in result.outcomes if o.milliseconds
    ]  # fmt: skip
    caption = "Milliseconds a query: the median, and under it the 95th percentile"
    return Table(caption, ["Configuration", *stages], rows)


def _totals(result: Result) -> Table:
    names = list(dict.fromkeys(name for o in result.outcomes for name in o.totals))
    rows = [[o.name, *(_total(o.totals.get(name)) for name in names)]
            for o in result.outcomes if o.totals]  # fmt: skip
    return Table(
        "Sums over all queries", ["Configuration", *(n.replace("_", " ") for n in names)], rows
    )


def _total(value: float | None) -> str:
    return MISSING if value is None else f"{value:,.0f}" if value == int(value) else f"{value:,.4f}"


def _lost(result: Result) -> Table:
    stages = shown.ranked_stages(result)
    rows = [
        [result.queries.get(lost.query, lost.query), shown.number(lost.value), lost.stage,
         *(shown.rank(lost.ranks.get(stage)) for stage in stages),
         ", ".join(lost.relevant) or MISSING, ", ".join(lost.found) or MISSING]
        for lost in result.lost
    ]  # fmt: skip
    head = ["Query", result.measure, "Lost by", *stages, "Relevant", "Found instead"]
    return Table(
        "Our best configuration's, worst first, with the best relevant rank at each stage",
        head,
        rows,
        True,
    )


def _settings(result: Result) -> Table:
    """Settings in which the configurations differ first."""
    names = list(dict.fromkeys(name for o in result.outcomes for name in o.settings))
    value: Callable[[Outcome, str], str] = lambda o, name: o.settings.get(name, MISSING)  # noqa: E731
    same = {name: len({value(o, name) for o in result.outcomes}) == 1 for name in names}
    rows = [[name, *(value(o, name) for o in result.outcomes)]
            for name in sorted(names, key=same.__getitem__)]  # fmt: skip
    caption = "Those in which the configurations differ come first"
    return Table(caption, ["Setting", *(o.name for o in result.outcomes)], rows)
