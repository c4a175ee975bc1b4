"""What a sync has to do: items to look into, documents and notes whose items are gone.

Decided before anything is read, from what the sources list, what the catalogue has and what the
ledger notes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path

from indexer.folders import Folder, file_at
from indexer.ledger import Entry
from indexer.sources import Item, Listing, Skipped, Source, list_sources
from rag.errors import SourceError
from rag.index import Known


@dataclass
class Plan:
    """What is to be done.

    Attributes
    ----------
    todo
        Items that are new, changed, or not known not to be, with the sources that have them.
    items
        All that the sources have, by URI.
    gone
        Documents whose items are no longer there, by URI.
    lost
        URIs of notes whose items are no longer there, or have to be looked into by the next run
        that has them.
    named
        What was named one by one, by what names it.
    unchanged, before, others
        How many items need no look; have failed before; are of types that are not read.
    orphans
        Aliases whose documents are not what they were, in sources of other runs.
    """

    todo: list[tuple[Source, Item]] = field(default_factory=list)
    items: dict[str, Item] = field(default_factory=dict)
    gone: dict[str, Known] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    named: dict[str, list[str]] = field(default_factory=dict)
    unchanged: int = 0
    before: int = 0
    others: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    failed: list[SourceError] = field(default_factory=list)
    orphans: list[Skipped] = field(default_factory=list)


def plan(
    sources: Sequence[tuple[str, Source]],
    known: Mapping[str, Known],
    noted: Mapping[str, Entry],
    stamp: Callable[[str, bool], str],
    named: Callable[[str], Set[str]] = lambda names: frozenset(),
) -> Plan:
    """Compare what the sources list with what is ``known`` and ``noted``, by URI.

    Parameters
    ----------
    stamp
        Makes of an item's stamp the one that is kept of it, if it failed or not.
    named
        What something has named one by one before.

    Raises
    ------
    SourceError
        None of the sources has anything.
    """
    found = Plan()
    listings, found.failed = list_sources(sources, [*known, *noted])
    owners: dict[str, Source] = {}
    for source, listing in listings:
        found.others += listing.others
        found.skipped += listing.skipped
        found.failed += listing.failed
        if listing.names:
            found.named[listing.names] = [item.uri for item in listing.items]
        for item in listing.items:
            if item.uri not in found.items:  # its path is relative to the outermost source
                found.items[item.uri] = item
                owners[item.uri] = source
    missing = _covered(listings, (known.keys() | noted.keys()) - found.items.keys(), named)
    found.gone = {uri: known[uri] for uri in known if uri in missing}
    found.lost = sorted(missing & noted.keys())
    due = {
        uri
        for uri, item in found.items.items()
        if not (item.stamp and _seen(known.get(uri), noted.get(uri), item, stamp))
    }
    moved = found.gone.keys() | due
    for uri, entry in noted.items():
        if not entry.keeper or (entry.keeper in known and entry.keeper not in moved):
            continue  # what it was left out for is as it was
        if uri in found.items:
            due.add(uri)
        elif uri not in missing and (other := _elsewhere(found, entry)):
            found.items[uri] = other
            owners[uri] = Folder(Path())
            due.add(uri)
    order = {uri: i for i, uri in enumerate(found.items)}

    def turn(uri: str) -> tuple[bool, bool, int]:
        """What is known comes first, aliases last: others may turn out to say the same."""
        return uri in noted and bool(noted[uri].keeper), uri not in known, order[uri]

    found.todo = [(owners[uri], found.items[uri]) for uri in sorted(due, key=turn)]
    left = Counter(noted[uri].state for uri in noted.keys() & found.items.keys() - due)
    found.before = left["failed"]
    found.others += left["other"]
    found.unchanged = len(found.items) - len(due) - left["failed"] - left["other"]
    return found


def _elsewhere(found: Plan, entry: Entry) -> Item | None:
    """An alias that none of the sources has, if it is a file.

    Others are left to the next run that has their source, as if they were new.
    """
    if entry.uri.startswith("file:") and (item := file_at(entry.uri, entry.path)):
        return item
    found.lost.append(entry.uri)
    why = "said the same as a document that is gone or changed: index its source again"
    found.orphans.append(Skipped(entry.path, why))
    return None


def _seen(
    document: Known | None, entry: Entry | None, item: Item, stamp: Callable[[str, bool], str]
) -> bool:
    """Whether an item is what it was when it was read last."""
    if entry:
        kept = stamp(item.stamp, entry.state == "failed")
        return (entry.stamp, entry.path) == (kept, item.path)
    if document is None:
        return False
    return (document.stat.stamp, document.path) == (stamp(item.stamp, False), item.path)


def _covered(
    listings: Sequence[tuple[Source, Listing]],
    uris: Set[str],
    named: Callable[[str], Set[str]],
) -> set[str]:
    found: set[str] = set()
    for _, listing in listings:
        among = uris & named(listing.names) if listing.names else uris
        found |= {uri for uri in among if listing.covers(uri)}
    return found
