"""The spaces of a collection: one an encoder, whose vectors are compared with each other alone.

One space serves; another may be filled in its shadow; the one that served before is kept to go
back to. Knows no vectors.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Literal

from rag.errors import IncompatibleIndex, NotFound
from rag.index.catalog import Catalog

State = Literal["serving", "shadow", "previous"]


@dataclass(frozen=True, slots=True)
class Space:
    """Where the vectors of the encoder with this ``fingerprint`` are.

    ``name`` is what the encoder calls itself.
    """

    number: int
    fingerprint: str
    name: str
    state: State


def spaces(catalog: Catalog) -> tuple[Space, ...]:
    """All spaces, the oldest first."""
    sql = "SELECT space, fingerprint, name, state FROM spaces ORDER BY space"
    return tuple(Space(*row) for row in catalog.rows(sql))


def choose(among: tuple[Space, ...], encoder: str | None) -> Space | None:
    """The space of the encoder with this fingerprint; the serving one, if any, for ``None``.

    Raises
    ------
    IncompatibleIndex
        There is none for that encoder.
    """
    serving = next((s for s in among if s.state == "serving"), None)
    if encoder is None:
        return serving
    for space in among:
        if space.fingerprint == encoder:
            return space
    raise IncompatibleIndex("encoder", serving.fingerprint if serving else "none yet", encoder)


def bind(catalog: Catalog, fingerprint: str, name: str) -> None:
    """Make the first space, which serves; a no-op once there is one."""
    catalog.write(
        """INSERT INTO spaces (fingerprint, name, state)
           SELECT ?, ?, 'serving' WHERE NOT EXISTS (SELECT 1 FROM spaces)""",
        (fingerprint, name),
    )


def start(catalog: Catalog, fingerprint: str, name: str) -> None:
    """Have a shadow for this encoder: the one under way, the previous space, or a new one.

    A shadow for another encoder is dropped. The serving space stays what it is.
    """
    found = {s.fingerprint: s for s in spaces(catalog)}
    for space in found.values():
        if space.state == "shadow" and space.fingerprint != fingerprint:
            drop(catalog, space)
    if fingerprint not in found:
        sql = "INSERT INTO spaces (fingerprint, name, state) VALUES (?, ?, 'shadow')"
        catalog.write(sql, (fingerprint, name))
    elif found[fingerprint].state == "previous":
        _set(catalog, found[fingerprint], "shadow")


def switch(catalog: Catalog, to: Space) -> None:
    """Make ``to`` serve, and what served the one to go back to, in place of an older one.

    A no-op if it serves: another process that has made the same vectors was faster.
    """
    if to.state == "serving":
        return
    for space in spaces(catalog):
        if space.number != to.number and space.state == "previous":
            drop(catalog, space)
        elif space.state == "serving":
            _set(catalog, space, "previous")
    _set(catalog, to, "serving")


def find(catalog: Catalog, state: State, collection: str) -> Space:
    """The space in ``state``.

    Raises
    ------
    NotFound
        There is none.
    """
    for space in spaces(catalog):
        if space.state == state:
            return space
    raise NotFound(f"collection '{collection}' has no {state} encoder")


def drop(catalog: Catalog, space: Space) -> None:
    """Forget a space; its segments die and are purged like others."""
    catalog.write(
        "UPDATE segments SET died_at = ? WHERE space = ? AND died_at IS NULL",
        (time.time(), space.number),
    )
    catalog.write("DELETE FROM spaces WHERE space = ?", (space.number,))


def _set(catalog: Catalog, space: Space, state: State) -> None:
    catalog.write("UPDATE spaces SET state = ? WHERE space = ?", (state, space.number))
