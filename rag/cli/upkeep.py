"""``rag reindex``, ``rag compact``, ``rag verify``, ``rag backup`` and ``rag restore``."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rag.cli import options, view

if TYPE_CHECKING:
    from rag.workspace import Workspace


def verify(
    sample: Annotated[
        int, typer.Option(min=0, help="Analyse so many passages again, to compare the postings.")
    ] = 100,
    home: options.Home = None,
    collection: options.Collection = None,
    config: options.Config = None,
    as_json: options.Json = False,
) -> None:
    """Check every file of a collection, and that its parts agree; changes nothing."""
    from indexer.rows import terms_of
    from rag.index.verify import verify as check

    saem = options.workspace(home, collection, config=config)
    folder = _folder(saem)
    found = check(folder, partial(terms_of, analyser=saem.recipe().analyser), sample)
    if as_json:
        view.print_json(
            {
                "collection": folder.name,
                "ok": found.ok,
                **{k: v for k, v in asdict(found).items() if k != "problems"},
                "problems": [asdict(p) | {"file": str(p.file)} for p in found.problems],
            }
        )
    else:
        for problem in found.problems:
            view.warn(f"{problem.file}: {problem.what}. {problem.remedy}")
        state = "is sound" if found.ok else "is damaged"
        view.say(
            f"'{folder.name}' {state}: {found.documents:,} documents, {found.passages:,} passages, "
            f"{found.segments} segments; {found.sampled} passages analysed again."
        )
    if not found.ok:
        raise typer.Exit(1)


def backup(
    target: Annotated[Path, typer.Argument(help="File to write, or a folder to put it in.")],
    home: options.Home = None,
    collection: options.Collection = None,
    config: options.Config = None,
    as_json: options.Json = False,
) -> None:
    """Copy a collection into one file, while it may be read and written."""
    from rag.index.backup import back_up

    folder = _folder(options.workspace(home, collection, config=config))
    file = back_up(folder, target)
    size = file.stat().st_size
    if as_json:
        view.print_json({"collection": folder.name, "file": str(file), "bytes": size})
    else:
        view.say(f"'{folder.name}' is in {file}, {size:,} bytes, read back and compared.")


def restore(
    file: Annotated[Path, typer.Argument(help="What `rag backup` has written.")],
    force: Annotated[
        bool, typer.Option("--force", help="Replace the collection if there is one.")
    ] = False,
    home: options.Home = None,
    collection: options.Collection = None,
    config: options.Config = None,
    as_json: options.Json = False,
) -> None:
    """Make a collection what it was when FILE was written."""
    from rag.index.backup import restore as put_back

    saem = options.workspace(home, collection, config=config)
    folder = saem.folder / saem.settings.collection
    put_back(file, folder, force=force)
    status = saem.collection().status()
    saem.close()
    if as_json:
        view.print_json({"collection": folder.name, "documents": status.documents,
                         "passages": status.passages})  # fmt: skip
    else:
        view.say(f"'{folder.name}' has {status.documents:,} documents again.")


def compact(
    home: options.Home = None,
    collection: options.Collection = None,
    config: options.Config = None,
    as_json: options.Json = False,
) -> None:
    """Merge what can be merged, and give back the space of what was deleted."""
    saem = options.workspace(home, collection, config=config)
    target = saem.collection()
    before = target.status().bytes
    target.compact()
    after = target.status().bytes
    saem.close()
    if as_json:
        view.print_json({"collection": target.name, "bytes_before": before, "bytes": after})
    else:
        view.say(f"'{target.name}' takes {after:,} bytes; it took {before:,}.")


def reindex(
    encoder: Annotated[
        str | None, typer.Option(help="The encoder to search by from then on, as the setting.")
    ] = None,
    rollback: Annotated[
        bool, typer.Option("--rollback", help="Go back to the encoder that served before.")
    ] = False,
    forget: Annotated[
        bool, typer.Option("--forget", help="Drop the vectors of encoders that do not serve.")
    ] = False,
    home: options.Home = None,
    collection: options.Collection = None,
    config: options.Config = None,
    as_json: options.Json = False,
) -> None:
    """Encode a collection anew beside what serves, and switch over when all is done."""
    saem = options.workspace(home, collection, config=config)
    target = saem.collection()
    if rollback:
        saem.rollback()
    elif forget:
        idle = [s.state for s in target.spaces() if s.state != "serving"]
        for state in idle or ["previous"]:
            target.drop(state)
    else:
        with view.progress("Encoding", "passages", quiet=as_json) as advance:
            saem.reindex(encoder, progress=advance)
    serving = target.status().encoder
    saem.close()
    if as_json:
        view.print_json({"collection": target.name, "encoder": serving})
    else:
        view.say(f"'{target.name}' is searched by {serving}.")


def _folder(saem: Workspace) -> Path:
    """The collection's folder, which need not be one that can be opened.

    Raises
    ------
    CollectionMissing
        There is none.
    """
    from rag.errors import CollectionMissing

    folder = saem.folder / saem.settings.collection
    if not folder.is_dir():
        raise CollectionMissing(folder.name)
    return folder
