"""Finds digests among those of a segment, and turns them to text and back.

Knows no segments. A digest is 16 bytes, 32 hexadecimal digits as text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

SIZE = 16
Digests = NDArray[np.uint8]
"""``(n, SIZE)``."""


def packed(digests: Iterable[bytes]) -> Digests:
    """Digests as an array."""
    return np.frombuffer(b"".join(digests), np.uint8).reshape(-1, SIZE)


def from_hex(texts: Sequence[str]) -> tuple[Digests, NDArray[np.int64]]:
    """The digests among ``texts``, and at which places these stand."""
    if all(len(text) == 2 * SIZE for text in texts):  # as a rule; several times faster
        with suppress(ValueError):
            together = "".join(texts)
            data = bytes.fromhex(together)
            if data.hex() == together:
                return packed([data]), np.arange(len(texts))
    read = [(i, as_bytes(text)) for i, text in enumerate(texts)]
    found = [(i, digest) for i, digest in read if digest is not None]
    return packed(d for _, d in found), np.array([i for i, _ in found], np.int64)


def as_bytes(text: str) -> bytes | None:
    """The digest that ``text`` writes; ``None`` if it writes none."""
    try:
        digest = bytes.fromhex(text)
    except ValueError:
        return None
    return digest if len(digest) == SIZE and digest.hex() == text else None


class Keys:
    """Looks digests up among ``digests``; puts them in order when first asked."""

    def __init__(self, digests: Digests) -> None:
        self._digests = digests

    def find(self, wanted: Digests) -> NDArray[np.int64]:
        """Where each of ``wanted`` ``(m, SIZE)`` stands, at one place of them, or -1."""
        order, keys = self._order
        found = np.full(len(wanted), -1, np.int64)
        if not len(keys):
            return found
        prefixes = _prefixes(wanted)
        first = np.searchsorted(keys, prefixes)
        first[first == len(keys)] = 0
        same = keys[first] == prefixes
        here = order[first]
        equal = same & (self._digests[here] == wanted).all(axis=1)
        found[equal] = here[equal]
        for i in np.flatnonzero(same & ~equal):  # another digest that begins alike stands before
            for place in order[first[i] : np.searchsorted(keys, prefixes[i], "right")]:
                if (self._digests[place] == wanted[i]).all():
                    found[i] = place
        return found

    @cached_property
    def _order(self) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
        prefixes = _prefixes(self._digests)
        order = np.argsort(prefixes, kind="stable")
        return order, prefixes[order]


def _prefixes(digests: Digests) -> NDArray[np.uint64]:
    return np.ascontiguousarray(digests[:, :8]).view(np.uint64).ravel()
