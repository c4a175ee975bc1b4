"""A collection: a folder that one process writes and many read.

Commits. Knows neither files of the user nor questions: rows bring their terms and vectors with
them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from rag.errors import CollectionMissing, IncompatibleIndex
from rag.index import ann, compact, intake, spaces
from rag.index.catalog import Catalog
from rag.index.generations import Rows, held
from rag.index.keys import Digests
from rag.index.lock import WriterLock
from rag.index.lookup import MOST
from rag.index.merger import Merger
from rag.index.postings import invert
from rag.index.reader import Reader
from rag.index.rows import Row, Stat, Terms, Tuned
from rag.index.spaces import Space, choose
from rag.types import Device

Arrays = dict[str, NDArray[Any]]


class Collection(Reader):
    """An open collection; safe to share between threads.

    Parameters
    ----------
    path
        Its folder; the folder's name is the collection's.
    create
        Make it when it does not exist.
    vector_index, device
        The kind of dense index to make of many vectors, and where.

    Raises
    ------
    CollectionMissing
        It does not exist and ``create`` is false.
    CorruptIndex, IncompatibleIndex
        It cannot be read.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        create: bool = False,
        vector_index: ann.Kind | Literal["auto"] = "auto",
        device: Device = "auto",
    ) -> None:
        path = Path(path)
        file = path / "catalog.sqlite"
        if not create and not file.exists():
            raise CollectionMissing(path.name)
        (path / "segments").mkdir(parents=True, exist_ok=True)
        self._lock = WriterLock(path / "writer.lock")
        if file.exists() and file.stat().st_size:
            catalog = Catalog(file, create=create)
        else:
            with self._lock.hold(wait=10):
                catalog = Catalog(file, create=create)
        super().__init__(path, catalog, device)
        self._write = Catalog(file, create=False)
        self._merger = Merger(path)
        self._merger.upkeep.kind, self._merger.upkeep.device = vector_index, device
        self._swept = False

    def close(self) -> None:
        self._merger.close()
        self._read.close()
        self._write.close()

    @contextmanager
    def writing(self, wait: float = 1.0) -> Iterator[None]:
        """Keep other writers out for as long as several commits take.

        Raises
        ------
        CollectionLocked
            Another writer is at it, and stays for more than ``wait`` seconds.
        CollectionMissing
            The collection's folder was removed, or made anew, since it was opened.
        """
        if self.replaced:
            raise CollectionMissing(self.name)
        with self._lock.hold(wait):
            if self.replaced:
                raise CollectionMissing(self.name)
            yield

    def ensure(
        self, what: Literal["analyser", "encoder"], fingerprint: str, name: str = ""
    ) -> None:
        """Bind the collection to an analyser or encoder, of that ``name``, on first use.

        Raises
        ------
        IncompatibleIndex
            It is bound to another.
        """
        if what == "encoder" and not self.spaces():
            with self._commit(10):
                spaces.bind(self._write, fingerprint, name)
        elif what == "analyser" and self._read.meta(what) is None:
            with self._commit(10):
                if self._write.meta(what) is None:
                    self._write.set_meta(what, fingerprint)
        self.check(what, fingerprint)

    def tune(self, found: Tuned) -> None:
        """Keep what `rag tune` has found, in place of what it found before."""
        with self._commit(10):
            self._write.set_meta("tuned", json.dumps(asdict(found), ensure_ascii=False))

    def upsert(self, rows: Sequence[Row], wait: float = 1.0) -> None:
        """Add documents, each replacing what had its id; searchable when this returns.

        Raises
        ------
        CollectionLocked
            Another process is writing.
        """
        rows = intake.latest(rows)
        if not rows:
            return
        with self._commit(wait):
            taken = intake.take(self._write, rows)
            for within, terms in _portions([row.terms for row in rows]):
                self._publish(
                    "postings", taken.rows[within], taken.ids[within], invert(terms).arrays()
                )
            for space in spaces.spaces(self._write):
                self._reuse(space, taken.rows, taken.ids, taken.contents)

    def delete(self, ids: Sequence[str], wait: float = 1.0) -> int:
        """Make documents invisible at once; their number."""
        with self._commit(wait):
            return intake.kill(self._write, ids)

    def restat(self, stats: Sequence[tuple[str, Stat]], wait: float = 1.0) -> None:
        """Note that documents' files have new stats but the same content."""
        with self._commit(wait):
            self._write.write_many(
                """UPDATE documents SET stamp = ?, sha256 = ?
                   WHERE id = digest(?) AND died_in IS NULL""",
                [(s.stamp, s.sha256, id_) for id_, s in stats],
            )

    def alias(self, aliases: Mapping[str, Sequence[str]], wait: float = 1.0) -> None:
        """Set the paths of files that say the same as a document, by its id."""
        with self._commit(wait):
            self._write.write_many(
                "UPDATE documents SET aliases = ? WHERE id = digest(?) AND died_in IS NULL",
                [(intake.aliases(paths), id_) for id_, paths in aliases.items()],
            )

    def add_vectors(
        self, numbers: Sequence[int], vectors: NDArray[np.floating], *, encoder: str | None = None
    ) -> None:
        """Publish ``(n, dim)`` unit vectors of the passages ``numbers``.

        Passages that have one by now, or are gone, are passed over.
        """
        given, first = np.unique(np.array(numbers, np.int64), return_index=True)
        with self._commit(60):
            space, keep = self._lacking(given, encoder)
            self._current().fit(space, vectors.shape[1])
            if keep.any():
                rows = given[keep]
                ids, contents = intake.digests(self._write, rows.tolist())
                arrays: Arrays = {
                    "contents": contents,
                    "vectors": vectors[first[keep]].astype(np.float16),
                }
                self._publish("vectors", rows, ids, arrays, space)

    def take_equal(self, numbers: Sequence[int], *, encoder: str | None = None) -> list[int]:
        """Give passages the vectors that others of equal content have; those that got one."""
        given = np.unique(np.array(numbers, np.int64))
        with self._commit(60):
            space, keep = self._lacking(given, encoder)
            return self._reuse(
                space, given[keep], *intake.digests(self._write, given[keep].tolist())
            )

    def start_shadow(self, encoder: str, name: str = "") -> None:
        """Begin, or go on with, the vectors of another encoder beside those that serve.

        A shadow for yet another one is dropped. Those that served before are taken up again.
        """
        with self._commit(60):
            spaces.start(self._write, encoder, name)

    def switch(self, encoder: str) -> bool:
        """Let the shadow serve, at once and for all readers, unless it is incomplete.

        What has served can be gone back to, in place of what could be before.
        """
        with self._commit(60):
            now = self._current()
            space = choose(now.spaces, encoder)
            if space is None or now.outstanding(space):
                return False
            spaces.switch(self._write, space)
            return True

    def roll_back(self) -> None:
        """Let the vectors serve that served before; these can be gone back to in turn.

        Raises
        ------
        NotFound
            There are none.
        """
        with self._commit(60):
            spaces.switch(self._write, spaces.find(self._write, "previous", self.name))

    def drop(self, state: Literal["shadow", "previous"]) -> None:
        """Forget the vectors in that state.

        Raises
        ------
        NotFound
            There are none.
        """
        with self._commit(60):
            spaces.drop(self._write, spaces.find(self._write, state, self.name))

    def tidy(self) -> None:
        """Merge what is due, now and in this thread."""
        self._merger.tidy()

    def compact(self) -> None:
        """Drop all that is dead and give its space back."""
        self._merger.compact()

    def loading(self) -> AbstractContextManager[None]:
        """Around a bulk load: merges wait until they are large."""
        return self._merger.loading()

    @contextmanager
    def _commit(self, wait: float) -> Iterator[None]:
        with self.writing(wait), self._merger.upkeep.turn, self._write.transaction():
            if not self._swept:
                compact.remove_orphans(self._write, self._segments)
                self._swept = True
            yield
        self._merger.wake()

    def _lacking(self, rows: Rows, encoder: str | None) -> tuple[Space, NDArray[np.bool_]]:
        """The space of an encoder, and which living ``rows`` have no vector in it."""
        now = self._current()
        space = choose(now.spaces, encoder)
        if space is None:
            raise IncompatibleIndex("encoder", "none yet", encoder or "unnamed")
        return space, held(now.postings, rows) & ~held(now.vectors(space), rows)

    def _reuse(self, space: Space, rows: Rows, ids: Digests, contents: Digests) -> list[int]:
        """Give ``rows`` vectors of passages of equal content, where such are; which got one."""
        lacking = np.ones(len(rows), np.bool_)
        taken = []
        for part in self._current().vectors(space):
            at = np.flatnonzero(lacking)
            found = part.opened.contents.find(contents[at])
            there = found >= 0
            if there.any():
                taken.append((at[there], part.opened.vectors.vectors[found[there]]))
                lacking[at[there]] = False
        if not taken:
            return []
        at = np.concatenate([at for at, _ in taken])
        order = np.argsort(at)
        at, vectors = at[order], np.concatenate([v for _, v in taken])[order]
        arrays: Arrays = {"contents": contents[at], "vectors": vectors}
        self._publish("vectors", rows[at], ids[at], arrays, space)
        return [int(n) for n in rows[at]]

    def _publish(
        self,
        kind: Literal["postings", "vectors"],
        rows: Rows,
        ids: Digests,
        arrays: Arrays,
        space: Space | None = None,
    ) -> None:
        every: Arrays = {"rows": rows, "ids": ids, **arrays}
        number = space.number if space else None
        compact.publish(self._write, self._segments, kind, every, space=number)


def _portions(terms: Sequence[Terms]) -> Iterator[tuple[slice, list[Terms]]]:
    """What fits into one segment of postings at a time, and which passages that are."""
    portion: list[Terms] = []
    start = stop = 0
    for whole in terms:
        done, count = 0, len(whole)
        while done < count:
            take = min(start + MOST - stop, count - done)
            portion.append(whole if take == count else whole.part(done, done + take))
            done, stop = done + take, stop + take
            if stop - start == MOST:
                yield slice(start, stop), portion
                start, portion = stop, []
    if portion:
        yield slice(start, stop), portion
