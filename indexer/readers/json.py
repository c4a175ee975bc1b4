"""JSON and JSON Lines: fields by their paths, a record a block. Knows no schema.

A record with a title and a text (``title``, ``body``, ...) reads as such; its other fields follow.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence

from indexer.readers.building import Builder
from indexer.readers.decode import clean
from indexer.readers.parsed import Parsed, Raw
from rag.errors import SourceError

_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)
_TITLES = ("title", "headline", "subject", "name")
_TEXTS = ("text", "body", "content", "contents", "passage", "abstract", "message", "description")
_KEY, _PATH = 100, 200  # characters of a key and of a path that are shown
_BLOCK = 1_000  # characters from which on a block ends with the record
_BAD_LINES = 3


def read_json(raw: Raw) -> Parsed:
    """Fields as ``path: value`` lines, a block for each entry of the whole.

    Raises
    ------
    SourceError
        It is no valid JSON, or nested too deep.
    """
    found = load(raw.text, raw.path)
    records = _Records()
    title = ""
    if isinstance(found, dict):
        records.fields({key: value for key, value in found.items() if not _nests(value)})
        for key, value in found.items():
            if isinstance(value, list) and _nests(value):
                for i, entry in enumerate(value):
                    records.add(entry, f"{_below('', key)}[{i}]")
            elif _nests(value):
                records.fields(value, _below("", key))
            records.end()
        title = _first(found, _TITLES)[1]
    else:
        for entry in found if isinstance(found, list) and _nests(found) else [found]:
            records.add(entry)
    return records.parsed(title)


def read_jsonl(raw: Raw) -> Parsed:
    """A record a line.

    Raises
    ------
    SourceError
        None of the lines is valid JSON.
    """
    records = _Records()
    bad: list[SourceError] = []
    good = 0
    for number, line in enumerate(raw.text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            entry = load(line, raw.path, number)
        except SourceError as e:
            bad.append(e)
            continue
        good += 1
        records.add(entry)
    if bad and not good:
        raise bad[0]
    notes = [f"line {e.line} {e.why}" for e in bad[:_BAD_LINES]]
    if len(bad) > _BAD_LINES:
        notes.append(f"{len(bad) - _BAD_LINES} more lines are no JSON")
    return records.parsed(notes=notes)


def load(text: str, path: str, line: int = 1) -> object:
    """What JSON says, with its numbers as they are written.

    Raises
    ------
    SourceError
        It is not valid, or nested too deep.
    """
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as e:
        why = f"is not valid JSON: {e.msg} at column {e.colno}"
        raise SourceError(path, why, line + e.lineno - 1, remedy="Mend it") from None
    except RecursionError:
        why = "nests its values too deep"
        raise SourceError(path, why, line, remedy="Flatten it or leave it out") from None


class _Records:
    """What entries say; short ones that follow each other are one block."""

    def __init__(self) -> None:
        self._builder = Builder()
        self._waiting: list[str] = []
        self._size = 0

    def add(self, entry: object, path: str = "") -> None:
        """An entry of a list, its title and text first if it has both."""
        body, text = _first(entry, _TEXTS)
        if not isinstance(entry, dict) or not text:
            self.fields(entry, path)
            return
        self.end()
        head, title = _first(entry, _TITLES)
        self._builder.heading(title, 2)
        self._builder.paragraph(text)
        self.fields({k: v for k, v in entry.items() if k not in (head, body)}, path)
        self.end()

    def fields(self, value: object, path: str = "") -> None:
        said = "\n".join(_lines(value, path))
        if said:
            self._waiting.append(said)
            self._size += len(said)
        if self._size > _BLOCK:
            self.end()

    def end(self) -> None:
        """What comes next begins a block."""
        self._builder.paragraph("\n\n".join(self._waiting))
        self._waiting, self._size = [], 0

    def parsed(self, title: str = "", notes: Sequence[str] = ()) -> Parsed:
        self.end()
        return self._builder.parsed(title, notes=notes)


def _first(entry: object, names: Iterable[str]) -> tuple[str, str]:
    """The first of the keys ``names`` that holds a text, and the text."""
    if not isinstance(entry, dict):
        return "", ""
    for name in names:
        value = entry.get(name)
        if isinstance(value, str) and value.strip():
            return name, clean(value)
    return "", ""


def _lines(value: object, path: str) -> Iterator[str]:
    """``path: value`` for each scalar and each list of scalars, in order, without recursion."""
    waiting = [(path, value)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, dict):
            within = [(_below(path, key), below) for key, below in value.items()]
            waiting += reversed(within)
        elif isinstance(value, list) and _nests(value):
            waiting += reversed([(f"{path}[{i}]", below) for i, below in enumerate(value)])
        elif shown := _shown(value):
            yield f"{path}: {shown}" if path else shown


def _below(path: str, key: str) -> str:
    key = clean(key[:_KEY])
    path = f"{path}.{key}" if path else key
    return path if len(path) <= _PATH else f"…{path[-_PATH:]}"


def _nests(value: object) -> bool:
    """Whether it is more than a scalar or a list of scalars."""
    if isinstance(value, list):
        return any(isinstance(below, (dict, list)) for below in value)
    return isinstance(value, dict)


def _shown(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(filter(None, map(_shown, value)))
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else clean(str(value)).strip()
