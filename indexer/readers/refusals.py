"""Why a file is not read, where that is no fault of it: it is empty, or of no known type."""

from __future__ import annotations

from rag.errors import SourceError


class Empty(SourceError):
    """There is nothing in it to search for."""

    def __init__(self, path: str, why: str = "is empty") -> None:
        super().__init__(path, why, remedy="Write something into it or leave it out")


class Unknown(SourceError):
    """It is of no type that a reader takes."""

    def __init__(self, path: str, why: str, remedy: str) -> None:
        super().__init__(path, why, remedy=remedy)
