"""The commands, one function each. They wire and print; what they do lives elsewhere."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from rag.cli import options, view

if TYPE_CHECKING:
    from indexer.ledger import State
    from rag.types import Mode
    from rag.workspace import Workspace


def index(
    sources: Annotated[
        list[str],
        typer.Argument(
            help="Folders, files, globs; URLs of pages or sitemaps; git:REPOSITORY@REVISION; "
            "s3://BUCKET/PREFIX; - for standard input."
        ),
    ],
    home: options.Home = None,
    collection: options.Collection = None,
    config: options.Config = None,
    wait: Annotated[bool, typer.Option(help="Wait until every passage has its vector.")] = True,
    watch: Annotated[bool, typer.Option("--watch", help="Go on: index what changes.")] = False,
    as_json: options.Json = False,
) -> None:
    """Make a collection say what SOURCES say: new, changed, moved and deleted, nothing else."""
    saem = options.workspace(home, collection, config=config)
    if watch:
        saem.watch(sources, lambda: _index(saem, sources, wait=wait, as_json=as_json), view.warn)
    elif _index(saem, sources, wait=wait, as_json=as_json):
        raise typer.Exit(3)


def _index(saem: Workspace, sources: list[str], *, wait: bool, as_json: bool) -> bool:
    """Index once and print what came of it; whether something failed."""
    with view.progress("Reading", "files", quiet=as_json) as advance:
        report = saem.sync(sources, progress=advance, processes=(os.cpu_count() or 2) - 1)
    note = ""
    if wait:
        with view.progress("Encoding", "passages", quiet=as_json) as advance:
            note = saem.encode(progress=advance)
    target = saem.collection()
    if as_json:
        view.print_json(view.report_json(target, report, note))
    else:
        view.print_report(target, report, note)
    return bool(report.failed or report.before)


def search(
    query: str,
    top_k: options.TopK = None,
    mode: options.ModeName = None,
    filters: options.Filters = None,
    facets: Annotated[
        list[str] | None,
        typer.Option("--facet", help="Count a field's values: language, path. May be repeated."),
    ] = None,
    home: options.Home = None,
    collection: options.Collection = None,
    config: options.Config = None,
    as_json: options.Json = False,
) -> None:
    """Rank the passages that match QUERY."""
    from rag import wire
    from rag.search import parse_filter

    saem = options.workspace(home, collection, config=config)
    searcher = saem.searcher()
    chosen = cast("Mode | None", mode)
    result = searcher.search(query, top_k, chosen, parse_filter(filters), facets=facets or ())
    if as_json:
        view.print_json(wire.search(result))
    else:
        places = [(h.chunk.document, h.chunk.version, h.chunk.start) for h in result.hits]
        view.print_hits(result, searcher.collection.places(places))


def ask(
    question: str,
    top_k: options.TopK = None,
    mode: options.ModeName = None,
    filters: options.Filters = None,
    home: options.Home = None,
    collection: options.Collection = None,
    config: options.Config = None,
    llm_url: options.LlmUrl = None,
    llm: options.Llm = None,
    program: options.Program = None,
    persona: options.Persona = None,
    as_json: options.Json = False,
) -> None:
    """Answer QUESTION from the documents, with sources."""
    from rag import wire
    from rag.search import parse_filter

    saem = options.workspace(
        home, collection, config=config, llm_url=llm_url, llm=llm, program=program, persona=persona
    )
    arguments = (question, top_k, cast("Mode | None", mode), parse_filter(filters))
    if as_json:
        view.print_json(wire.answer(saem.answerer().ask(*arguments)))
    else:
        view.print_answer(saem.answerer().stream(*arguments))
    saem.close()


def serve(
    home: options.Home = None,
    collection: options.Collection = None,
    config: options.Config = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    llm_url: options.LlmUrl = None,
    llm: options.Llm = None,
    as_json: options.Json = False,
) -> None:
    """Start the HTTP service and its page."""
    from api.server import run

    settings = options.settings(
        home, collection, config=config, host=host, port=port, llm_url=llm_url, llm=llm
    )
    run(settings, announce=lambda url: view.print_address(url, settings, as_json=as_json))


def status(
    home: options.Home = None,
    collection: options.Collection = None,
    config: options.Config = None,
    failed: Annotated[
        bool, typer.Option("--failed", help="What could not be read, and why.")
    ] = False,
    dropped: Annotated[
        bool, typer.Option("--dropped", help="What was left out as said elsewhere, or as noise.")
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Show the collections, or one with its documents, or what is no document and why."""
    from rag.errors import RagError

    saem = options.workspace(home, collection, config=config)
    if failed or dropped:
        of = {"failed": failed, "dropped": dropped, "alias": dropped}
        _entries(saem, [state for state, wanted in of.items() if wanted], as_json=as_json)
        return
    names = [collection] if collection else saem.names()
    found, broken = [], {}
    for name in names:
        try:
            target = saem.collection(name)
            target.status()  # opens its segments
            found.append(target)
        except RagError as e:
            if collection:
                raise
            broken[name] = str(e)
    if as_json:
        named = [{"name": name, "error": error} for name, error in broken.items()]
        view.print_json({"collections": [view.status_json(c) for c in found], "failed": named})
    else:
        if found or not broken:
            view.print_status(found, saem.settings.home, documents=collection is not None)
        for name, error in broken.items():
            view.warn(f"{name}: {error}")
    if broken:
        raise typer.Exit(3)


def _entries(saem: Workspace, states: list[str], *, as_json: bool) -> None:
    """What the ledger of a collection has."""
    target = saem.collection()
    entries = saem.entries(*cast("list[State]", states))
    if as_json:
        view.print_json({"collection": target.name, "entries": [asdict(e) for e in entries]})
    else:
        view.print_entries(target, entries)


def delete(
    documents: Annotated[list[str] | None, typer.Argument(help="Ids of documents.")] = None,
    path: Annotated[str | None, typer.Option(help="Glob over documents' paths.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    home: options.Home = None,
    collection: options.Collection = None,
    config: options.Config = None,
    as_json: options.Json = False,
) -> None:
    """Delete documents from a collection, by id or path; files are not touched."""
    from rag.errors import BadQuery, NotFound
    from rag.types import Filter

    if bool(documents) == bool(path):
        raise BadQuery("give either ids or --path", remedy="`rag delete --path 'guide/**'`")
    fields: dict[str, Any] = {"document": tuple(documents)} if documents else {}
    target = options.workspace(home, collection, config=config).collection()
    found = target.documents(Filter(fields, path))
    if missing := set(documents or ()) - {d.id for d in found}:
        raise NotFound(f"there is no document {', '.join(sorted(missing))} in '{target.name}'")
    if not found:
        raise NotFound(f"no document's path matches '{path}' in '{target.name}'")
    if as_json and not yes:
        raise BadQuery("--json asks nothing", remedy="Add --yes to delete")
    if not yes:
        typer.confirm(f"Delete {len(found)} documents from '{target.name}'?", abort=True)
    deleted = target.delete([d.id for d in found])
    if as_json:
        view.print_json({"deleted": deleted, "documents": [d.id for d in found]})
    else:
        view.say(f"Deleted {deleted} documents from '{target.name}'.")
