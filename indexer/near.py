"""Which document says the same as another, or nearly so, among those that were seen before.

Texts are compared by MinHash over runs of three words: `Broder (1997)
<https://doi.org/10.1109/SEQUEN.1997.666900>`_. The share of equal minima estimates Jaccard's
coefficient with a standard error of at most 0.045. Documents whose numbers differ are never taken
for the same: a price list is not last year's.
"""

from __future__ import annotations

import json
import re
import sqlite3
import zlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.types import Document, digest

_RUN = 3
_MINIMA = 128
_BANDS = 32
"""Documents are compared if all minima of a band agree: with 0.9 in common, but once in 10^14."""
_MIX = np.uint64(0x9E3779B97F4A7C15)
_SEEDS = (np.arange(1, _MINIMA + 1, dtype=np.uint64) * _MIX)[:, None]
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\u3040-\u30ff\u3400-\u9fff]+")
SCHEMA = """
    CREATE TABLE IF NOT EXISTS sketches (
        sketch  INTEGER PRIMARY KEY,
        uri     TEXT NOT NULL UNIQUE,
        version BLOB NOT NULL,
        numbers BLOB NOT NULL,
        groups  TEXT NOT NULL,
        minima  BLOB NOT NULL
    );
    CREATE INDEX IF NOT EXISTS sketches_version ON sketches (version);
    CREATE TABLE IF NOT EXISTS bands (
        band INTEGER, sketch INTEGER, PRIMARY KEY (band, sketch)
    ) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Sketch:
    """A document in short: ``minima`` are ``(128,) uint32``.

    ``version`` is its text's digest, ``numbers`` that of the words with digits; only documents
    with the same ``groups`` and fields given by rules may stand for each other.
    """

    version: bytes
    numbers: bytes
    groups: str
    minima: NDArray[np.uint32]

    @classmethod
    def of(cls, document: Document, given: Mapping[str, str] | None = None) -> Sketch:
        """The sketch of a document that rules gave the fields ``given``."""
        words = _WORD.findall(document.text.casefold())
        numbers = sorted(word for word in words if any(map(str.isdigit, word)))
        return cls(
            bytes.fromhex(document.version),
            bytes.fromhex(digest(*numbers)),
            json.dumps([sorted(document.groups), sorted((given or {}).items())]),
            _minima(words),
        )

    @property
    def bands(self) -> list[int]:
        return _bands(self.minima)

    def share(self, other: Sketch) -> float:
        """About how much of both texts is common to them, 0 to 1; only equal ones have 1."""
        if self.version == other.version:
            return 1.0
        if self.numbers != other.numbers:
            return 0.0
        return min(float((self.minima == other.minima).mean()), 0.99)


class Near:
    """The sketches of a collection's documents, in its ledger's database."""

    def __init__(self, db: sqlite3.Connection) -> None:
        db.executescript(SCHEMA)
        self._db = db
        self._new: dict[str, Sketch] = {}
        self._bands: dict[int, list[str]] = {}

    def find(
        self, sketch: Sketch, threshold: float, living: Collection[str]
    ) -> tuple[str, float] | None:
        """The document of ``living`` that has most in common with it, and how much.

        ``None`` if that is less than ``threshold``.
        """
        candidates = {uri: s for uri, s in self._candidates(sketch).items() if uri in living}
        shares = [
            (-sketch.share(other), uri)
            for uri, other in candidates.items()
            if other.groups == sketch.groups
        ]
        if not shares or -(best := min(shares))[0] < threshold:
            return None
        return best[1], -best[0]

    def versions(self) -> dict[str, str]:
        """The versions of the documents that were sketched, by URI."""
        found = self._db.execute("SELECT uri, version FROM sketches")
        return {uri: version.hex() for uri, version in found}

    def add(self, uri: str, sketch: Sketch) -> None:
        self._new[uri] = sketch
        for band in sketch.bands:
            self._bands.setdefault(band, []).append(uri)

    def write(self, gone: Iterable[str]) -> None:
        """Keep what was added since, forget what is gone; in the caller's transaction."""
        for uri in {*gone, *self._new}:
            found = self._db.execute("SELECT sketch, minima FROM sketches WHERE uri = ?", (uri,))
            for number, minima in found.fetchall():
                old = [(band, number) for band in _bands(np.frombuffer(minima, np.uint32))]
                self._db.executemany("DELETE FROM bands WHERE band = ? AND sketch = ?", old)
                self._db.execute("DELETE FROM sketches WHERE sketch = ?", (number,))
        bands = []
        for uri, s in self._new.items():
            number = self._db.execute(
                "INSERT INTO sketches (uri, version, numbers, groups, minima) VALUES (?,?,?,?,?)",
                (uri, s.version, s.numbers, s.groups, s.minima.tobytes()),
            ).lastrowid
            bands += [(band, number) for band in s.bands]
        self._db.executemany("INSERT OR IGNORE INTO bands VALUES (?, ?)", sorted(bands))
        self._new.clear()
        self._bands.clear()

    def _candidates(self, sketch: Sketch) -> dict[str, Sketch]:
        """Documents that may be alike; one that was added counts as it is now."""
        columns = "SELECT uri, version, numbers, groups, minima FROM sketches"
        among = ",".join("?" * _BANDS)
        found = self._db.execute(
            f"""{columns} WHERE version = ? UNION {columns} WHERE sketch IN
                (SELECT sketch FROM bands WHERE band IN ({among}))""",  # noqa: S608
            (sketch.version, *sketch.bands),
        )
        old = {
            uri: Sketch(version, numbers, groups, np.frombuffer(minima, np.uint32))
            for uri, version, numbers, groups, minima in found
        }
        near = {uri for band in sketch.bands for uri in self._bands.get(band, ())}
        return old | {uri: self._new[uri] for uri in (old.keys() & self._new.keys()) | near}


def _bands(minima: NDArray[np.uint32]) -> list[int]:
    parts = minima.reshape(_BANDS, -1)
    return [zlib.crc32(part.tobytes()) << 8 | i for i, part in enumerate(parts)]


def _minima(words: list[str]) -> NDArray[np.uint32]:
    runs = zip(*(words[i:] for i in range(_RUN)), strict=False) if len(words) >= _RUN else [words]
    hashes = np.fromiter({zlib.crc32(" ".join(run).encode()) for run in runs}, np.uint64)
    smallest = np.full(_MINIMA, 0xFFFFFFFF, np.uint32)
    for start in range(0, len(hashes), 4096):
        mixed = (hashes[None, start : start + 4096] ^ _SEEDS) * _MIX
        mixed ^= mixed >> np.uint64(29)
        mixed *= np.uint64(0xBF58476D1CE4E5B9)
        np.minimum(smallest, (mixed >> np.uint64(32)).min(axis=1).astype(np.uint32), out=smallest)
    return smallest
