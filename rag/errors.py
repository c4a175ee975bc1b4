"""Every error that Saem raises on purpose. Knows nothing of HTTP or exit codes.

::

    RagError
    ├── ConfigError           a setting is unknown, malformed or contradicts another
    ├── CollectionMissing     no collection of that name, or an empty one was asked
    ├── CollectionLocked      another process is writing to the collection
    ├── CorruptIndex          a file of the index is damaged or gone
    ├── IncompatibleIndex     the index was written by another format, analyser or encoder
    ├── SourceError           a file or folder cannot be read or makes no sense
    ├── ModelMissing          model weights are not on this machine
    ├── DependencyMissing     a package of an extra is not installed, or two of them conflict
    ├── BadQuery              a question, filter or parameter is unusable
    ├── NotFound              a document or passage does not exist
    ├── NotAllowed            the caller may not do this
    ├── Overloaded            too much is under way; nothing was started
    ├── LLMUnavailable        a model's endpoint is down or answered nonsense
    └── LLMTimeout            a model's endpoint did not answer in time

A message says what happened, to which thing, and what to do.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any


class RagError(Exception):
    """Base of all; ``remedy`` says what to do about it."""

    def __init__(self, message: str, *, remedy: str = "") -> None:
        self.message = message
        self.remedy = remedy
        super().__init__(f"{message}. {remedy}" if remedy else message)

    @property
    def kind(self) -> type[RagError]:
        """The class of this module that it is of; exit codes and statuses go by that."""
        return next(kind for kind in type(self).__mro__ if kind.__module__ == __name__)

    def __reduce__(self) -> tuple[Any, ...]:
        """So that one raised in another process comes over whole."""
        return _again, (type(self), self.args, self.__dict__)


def _again(kind: type[RagError], args: tuple[Any, ...], fields: dict[str, Any]) -> RagError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(fields)
    return error


class ConfigError(RagError):
    """A setting is unknown, malformed or contradicts another."""


class CollectionMissing(RagError):
    """No collection of that name, or an empty one was asked."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(
            f"there is no collection '{name}' yet",
            remedy=f"Make one with `rag index FOLDER --collection {name}`",
        )


class CollectionLocked(RagError):
    """Another process is writing to the collection."""

    def __init__(self, path: Path, owner: str = "") -> None:
        self.path = path
        self.owner = owner
        by = f" by {owner}" if owner else ""
        super().__init__(
            f"collection '{path.name}' is being written{by}",
            remedy="Wait until it has finished, or stop it, and run this again",
        )


class CorruptIndex(RagError):
    """A file of the index is damaged or gone."""

    def __init__(self, file: Path, why: str) -> None:
        self.file = file
        super().__init__(
            f"index file {file} is damaged ({why})",
            remedy="Restore it from a backup, or delete the collection's folder and index again",
        )


class IncompatibleIndex(RagError):
    """The index was written by another format, analyser or encoder."""

    def __init__(
        self,
        what: str,
        found: str,
        supported: str,
        *,
        remedy: str = "Use the matching setting or version, or index into a new collection",
    ) -> None:
        self.what = what
        self.found = found
        self.supported = supported
        super().__init__(f"the collection's {what} is {found}, this is {supported}", remedy=remedy)


class SourceError(RagError):
    """A file or folder cannot be read or makes no sense."""

    def __init__(self, path: str, why: str, line: int | None = None, *, remedy: str = "") -> None:
        self.path = path
        self.why = why
        self.line = line
        where = f"{path}:{line}" if line is not None else path
        super().__init__(f"{where}: {why}", remedy=remedy)


class ModelMissing(RagError):
    """Model weights are not on this machine."""

    def __init__(self, name: str, how_to_get_it: str) -> None:
        self.name = name
        super().__init__(f"model '{name}' is not on this machine", remedy=how_to_get_it)


class DependencyMissing(RagError):
    """A package of an extra is not installed, or two of them conflict."""

    def __init__(self, package: str, extra: str, *, why: str = "is not installed") -> None:
        self.package = package
        self.extra = extra
        super().__init__(f"{package} {why}", remedy=f"pip install 'saem[{extra}]'")


class BadQuery(RagError):
    """A question, filter or parameter is unusable."""


class NotFound(RagError):
    """A document or passage does not exist."""


class NotAllowed(RagError):
    """The caller may not do this."""


class Overloaded(RagError):
    """Too much is under way; nothing was started."""

    def __init__(self, message: str, retry_after: float) -> None:
        self.retry_after = retry_after
        super().__init__(message, remedy=f"Try again in {retry_after:.0f} s")


class LLMUnavailable(RagError):
    """A model's endpoint is down or answered nonsense.

    ``model`` is ``llm`` or ``encoder``, as its settings begin.
    """

    def __init__(self, endpoint: str, why: str, model: str = "llm") -> None:
        self.endpoint = endpoint
        super().__init__(
            f"the {_MODELS[model]} at {endpoint} is not usable: {why}",
            remedy=f"Check that it runs, and the settings that begin with {model}",
        )


class LLMTimeout(RagError):
    """A model's endpoint did not answer in time."""

    def __init__(self, endpoint: str, seconds: float, model: str = "llm") -> None:
        self.endpoint = endpoint
        self.seconds = seconds
        super().__init__(
            f"the {_MODELS[model]} at {endpoint} did not answer within {seconds:g} s",
            remedy="Use a faster model" + (", or raise llm_timeout" if model == "llm" else ""),
        )


_MODELS = {"llm": "language model", "encoder": "encoder"}
