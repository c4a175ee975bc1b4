"""The error tree: as printed, and each message says what, which thing and what to do."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from rag import errors
from rag.errors import RagError, SourceError

P = Path("/data/docs/catalog.sqlite")
CASES: list[tuple[RagError, tuple[str, ...]]] = [
    (RagError("it broke", remedy="Mend it"), ("it broke", "Mend it")),
    (errors.ConfigError("top_k is odd", remedy="Set it"), ("top_k is odd", "Set it")),
    (errors.CollectionMissing("notes"), ("'notes'", "rag index", "--collection notes")),
    (errors.CollectionLocked(P.parent, "process 41"), ("'docs'", "by process 41", "Wait")),
    (errors.CollectionLocked(P.parent), ("'docs'", "is being written. ")),
    (errors.CorruptIndex(P, "truncated"), (str(P), "truncated", "backup")),
    (errors.IncompatibleIndex("encoder", "e5", "bge"), ("encoder", "e5", "bge", "new collection")),
    (errors.SourceError("a.md", "no UTF-8", 3, remedy="Convert it"), ("a.md:3: no UTF-8", "Conv")),
    (errors.SourceError("a.md", "is gone"), ("a.md: is gone",)),
    (errors.ModelMissing("e5", "Run `rag models`"), ("'e5'", "Run `rag models`")),
    (errors.DependencyMissing("faiss", "local"), ("faiss is not installed", "saem[local]")),
    (errors.DependencyMissing("a and b", "x", why="clash"), ("a and b clash", "saem[x]")),
    (errors.BadQuery("k is 0"), ("k is 0",)),
    (errors.NotFound("no such passage"), ("no such passage",)),
    (errors.NotAllowed("not yours"), ("not yours",)),
    (errors.Overloaded("8 are waiting", 2.0), ("8 are waiting", "2 s")),
    (errors.LLMUnavailable("http://x/v1", "refused"), ("http://x/v1", "refused", "begin with llm")),
    (errors.LLMTimeout("http://x/v1", 2.5), ("http://x/v1", "2.5 s", "llm_timeout")),
]


def classes() -> list[type[RagError]]:
    found = [c for _, c in inspect.getmembers(errors, inspect.isclass)]
    return [c for c in found if issubclass(c, RagError)]


def test_the_printed_tree_is_the_classes_in_order() -> None:
    printed = re.findall(r"^    [├└]── (\w+) ", errors.__doc__ or "", re.MULTILINE)
    defined = sorted(set(classes()) - {RagError}, key=lambda c: inspect.getsourcelines(c)[1])
    assert printed == [c.__name__ for c in defined]
    assert all(c.__bases__ == (RagError,) for c in defined)


def test_the_printed_tree_says_what_each_docstring_says() -> None:
    printed = dict(re.findall(r"^    [├└]── (\w+) +(.+)$", errors.__doc__ or "", re.MULTILINE))
    for c in classes():
        if c is not RagError:
            first = (c.__doc__ or "").strip().splitlines()[0].rstrip(".")
            assert first.lower() == printed[c.__name__].lower()


def test_every_class_has_a_case_here() -> None:
    assert {type(e) for e, _ in CASES} == set(classes())


@pytest.mark.parametrize(("error", "parts"), CASES, ids=lambda x: type(x).__name__)
def test_a_message_contains_its_fields(error: RagError, parts: tuple[str, ...]) -> None:
    for part in parts:
        assert part in str(error)
    assert str(error) == (f"{error.message}. {error.remedy}" if error.remedy else error.message)


@pytest.mark.parametrize(("error", "parts"), CASES, ids=lambda x: type(x).__name__)
def test_every_field_is_in_the_message(error: RagError, parts: tuple[str, ...]) -> None:
    for name, value in vars(error).items():
        if name in ("path", "file") and isinstance(value, Path):
            assert value.name in str(error), name
        elif isinstance(value, float):
            assert f"{value:g}" in str(error), name
        elif value is not None:
            assert str(value) in str(error), name


def test_an_error_of_elsewhere_counts_as_what_it_derives_from() -> None:
    class Lost(SourceError):
        """Of a module of its own."""

    assert Lost("a", "is gone").kind is SourceError
    assert SourceError("a", "is gone").kind is SourceError
