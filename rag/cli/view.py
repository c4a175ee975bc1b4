"""What the commands print: results on standard output, progress on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from eval.dataset import Dataset
    from eval.synth import Summary
    from indexer.ledger import Entry
    from indexer.report import Report
    from rag.index import Collection, Place
    from rag.settings import Settings
    from rag.types import Answer, Chunk, Hit, SearchResult, Step

_out = Console(highlight=False, soft_wrap=True)
_err = Console(stderr=True, highlight=False)
_CONTROL = dict.fromkeys([*range(9), *range(11, 32), *range(127, 160)], "\N{REPLACEMENT CHARACTER}")


def _shown(text: str) -> str:
    """``text`` without characters that a terminal would obey."""
    return text.translate(_CONTROL)


def _one_line(text: str) -> str:
    """``text``, in which a path may hold ends of lines, on one line."""
    return " ".join(text.splitlines())


def say(line: str) -> None:
    _out.print(escape(_shown(line)))


def console() -> Console:
    """Where results go."""
    return _out


def warn(line: str) -> None:
    _err.print(f"[yellow]note[/] {escape(_shown(line))}", soft_wrap=True)


def print_json(value: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.1f}/s" if speed else "", style="dim")


@contextmanager
def progress(label: str, unit: str, *, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """A progress bar with rate and time left, fed by ``advance(done, total)``."""
    columns = (TextColumn("{task.description:<9}"), BarColumn(), MofNCompleteColumn(),
               TextColumn(unit), _Rate(), TimeRemainingColumn())  # fmt: skip
    with Progress(*columns, console=_err, disable=quiet) as bar:
        task = bar.add_task(label, total=None, visible=False)
        yield lambda done, total: bar.update(task, completed=done, total=total, visible=True)


def status_json(collection: Collection) -> dict[str, Any]:
    """A collection's state, as `rag status` and ``GET /collections`` give it."""
    return asdict(collection.status())


def report_json(collection: Collection, report: Report, note: str) -> dict[str, Any]:
    counts = ("added", "changed", "moved", "unchanged", "removed", "others", "passages", "before")
    lists = ("skipped", "dropped", "notes")
    return {
        "collection": collection.name,
        **{name: getattr(report, name) for name in counts},
        "failed": [{"path": e.path, "error": str(e)} for e in report.failed],
        **{name: [asdict(one) for one in getattr(report, name)] for name in lists},
        "outstanding": collection.outstanding(),
        "note": note,
    }


def print_report(collection: Collection, report: Report, note: str) -> None:
    for error in report.failed:
        _err.print(f"[red]failed[/]  {escape(_shown(str(error)))}")
    for one in (*report.skipped, *report.notes):
        _err.print(f"[yellow]note[/]    {escape(_shown(f'{one.path}: {one.why}'))}")
    if report.before:
        note = "; ".join(filter(None, [note, "what failed before: rag status --failed"]))
    if note:
        _err.print(f"[yellow]note[/]    {escape(note)}")
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for label, count in (
        ("new files", report.added),
        ("changed", report.changed),
        ("moved", report.moved),
        ("unchanged", report.unchanged),
        ("deleted", report.removed),
        ("left out", len(report.dropped)),
        ("failed", len(report.failed)),
        ("failed before", report.before),
        ("of other types", report.others),
    ):
        if count or label in ("new files", "unchanged"):
            table.add_row(label, f"{count:,}")
    table.add_row("passages now", f"{collection.count():,}")
    if outstanding := collection.outstanding():
        table.add_row("without vector", f"{outstanding:,}")
    _out.print(table)


def print_status(collections: Sequence[Collection], home: Path, *, documents: bool) -> None:
    if not collections:
        say(f"No collections in {home} yet. Make one with: rag index FOLDER")
        return
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    for head in ("collection", "documents", "passages", "without vector", "size", "generation"):
        table.add_column(head, justify="left" if head == "collection" else "right")
    for s in (c.status() for c in collections):
        size = f"{s.bytes / 1e6:,.1f} MB"
        counts = (f"{n:,}" for n in (s.documents, s.passages, s.outstanding))
        table.add_row(s.name, *counts, size, str(s.generation))
    _out.print(table)
    if documents:
        for space in collections[0].status().spaces:
            lacking = f", {space.outstanding:,} passages to go" if space.outstanding else ""
            say(f"{space.state}: {space.name} ({space.fingerprint}){lacking}")
        if (tuned := collections[0].tuned()).settings:
            found = ", ".join(f"{name} {value}" for name, value in tuned.settings.items())
            say(f"tuned on {tuned.provenance.get('data', 'unknown data')}: {found}")
        for known in collections[0].documents():
            path = _one_line(known.path)
            say(f"{known.id}  {known.language:<3} {known.chunks:>4} passages  {path}")


def print_entries(collection: Collection, entries: Sequence[Entry]) -> None:
    """Items of a collection's sources that are no documents of it, and why."""
    names = {d.uri: d.path for d in collection.documents()} if entries else {}
    for entry in entries:
        keeper = f" ({names.get(entry.keeper, entry.keeper)})" if entry.keeper else ""
        say(_one_line(f"{entry.error}{keeper}"))
    say(f"{len(entries):,} of the sources of '{collection.name}'")


def print_synthesis(summary: Summary, dataset: Dataset, folder: Path) -> None:
    """What was made and what was dropped, by kind of question, and two of each kind."""
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    for head in ("kind", "made", "kept", "dropped"):
        table.add_column(head, justify="right" if head in ("made", "kept") else "left")
    for kind, tally in summary.kinds.items():
        dropped = ", ".join(f"{n} {why}" for why, n in tally.dropped.most_common())
        table.add_row(kind, f"{tally.generated:,}", f"{tally.kept:,}", dropped)
    _out.print(table)
    _warn(summary.notes)
    for kind in summary.kinds:
        for query in [q for q in dataset.queries if q.labels["kind"] == kind][:2]:
            say(f"  {kind}: {query.text}")
    say(f"{len(dataset.queries):,} questions in {folder}")


def print_models(rows: Sequence[Mapping[str, Any]]) -> None:
    for row in rows:
        say(f"{row['name']}  {row['kind']}, {row['licence']}, {row['bytes'] / 1e6:,.0f} MB")
        say(f"    {row['path'] or 'not here yet: rag models pull'}")


def print_hits(result: SearchResult, places: Sequence[Place]) -> None:
    """Ranked passages: place, heading, scores, then the text with matched terms in bold."""
    _warn(result.warnings)
    if not result.hits:
        say("Nothing found.")
    for h, at in zip(result.hits, places, strict=True):
        legs = "  ".join(f"{leg} {score:.3f}" for leg, score in h.scores.items())
        head = Text(f"{h.rank:>2}. ", style="bold")
        head.append(_shown(_where(h.chunk.path, at.line, at.page)), style="cyan")
        head.append(f"  {_heading(h.chunk)}")
        head.append(f"  {h.score:.3f}", style="bold")
        head.append(f"  ({legs})", style="dim")
        _out.print(head)
        _out.print(_excerpt(h))
    for field, found in result.facets.items():
        counts = ", ".join(f"{_shown(f.value)} {f.count}" for f in found) or "none"
        _out.print(Text(f"{_shown(field)}: {counts}"))
    for way, queries in result.rewritten.items():
        _out.print(Text(_shown(f"{way}: {' | '.join(queries)}"), "dim"))
    _out.print(Text(f"{len(result.hits)} passages, {result.mode}, {result.took_ms:.0f} ms", "dim"))


def print_answer(events: Iterable[SearchResult | Step | str | Answer]) -> None:
    """Stream steps and text, then list the sources with the sentence quoted from each."""
    from rag.types import Answer, Step

    streamed = ""
    for event in events:
        if isinstance(event, str):
            streamed += event
            sys.stdout.write(_shown(event))
            sys.stdout.flush()
        elif isinstance(event, Step):
            _err.print(Text(_shown(f"{event.kind}: {event.text}"), "dim"), soft_wrap=True)
        elif isinstance(event, Answer):
            sys.stdout.write("\n" if streamed else "")
            sys.stdout.flush()
            _warn(event.warnings)
            if event.text.strip() != streamed.strip():
                say(f"\n{event.text}" if streamed else event.text)
            _print_sources(event)


def _print_sources(answer: Answer) -> None:
    if answer.citations:
        _out.print("\n[bold]Sources[/]")
        for c in answer.citations:
            _out.print(
                Text.assemble(
                    (f"[{c.n}] ", "bold"), (_shown(_where(c.path, c.line, c.page)), "cyan")
                )
            )
            _out.print(Text(_shown(f"    “{' '.join(c.quote.split())}”"), "dim"))
    elif answer.abstained and answer.hits:
        _out.print("\n[bold]Nearest passages[/]")
        for h in answer.hits[:3]:
            _out.print(
                Text.assemble("  ", (_shown(h.chunk.path), "cyan"), f"  {_heading(h.chunk)}")
            )


def print_address(url: str, settings: Settings, *, as_json: bool) -> None:
    if as_json:
        print_json({"url": url})
        sys.stdout.flush()
        return
    say(f"\nSaem is listening on {url}  (collections in {settings.home})\n\nAsk it something:\n")
    body = json.dumps({"question": "What is this about?"})
    say(f"  curl {url}/ask -H 'content-type: application/json' -d '{body}'\n")


def _where(path: str, line: int, page: int) -> str:
    """A line of a file is looked up by its number, one of a document with pages by its page."""
    return f"{path}, p. {page}" if page else f"{path}:{line}"


def _warn(warnings: Sequence[str]) -> None:
    for warning in warnings:
        warn(warning)


def _heading(chunk: Chunk) -> str:
    return _shown(chunk.context.partition("\n")[0]) if chunk.title or chunk.heading else ""


def _excerpt(h: Hit, width: int = 300) -> Text:
    """The part of the passage around its first matches, on one line, matched terms in bold."""
    start = max(0, h.matches[0][0] - width // 4) if h.matches else 0
    text = Text(_shown(h.chunk.text))
    for a, b in h.matches:
        text.stylize("bold", a, b)
    text = text[start : start + width]
    text = Text(" ").join(
        Text.from_markup("") + part for part in text.split("\n") if part.plain.strip()
    )
    text.pad_left(4)
    return text
