"""Keeps a `Result`: JSON that reads back the same, and TREC run files for others' tools.

Knows neither how it was measured nor how it is shown.
"""

from __future__ import annotations

import json
import os
import re
from hashlib import blake2b
from pathlib import Path
from urllib.parse import quote

import numpy as np

from eval.result import Outcome, Result
from rag.errors import SourceError
from rag.types import encodable

_ESCAPED = re.compile(r"\s|%(?=[0-9A-Fa-f]{2})")
_UNSAFE = re.compile(r"[^\w.=+-]+")
_LONGEST = 60


def write_json(result: Result, path: Path) -> None:
    """Write ``result`` as one JSON object with the names of `eval.result`.

    Raises
    ------
    SourceError
        The file cannot be written.
    """
    from pydantic import TypeAdapter

    values = TypeAdapter(Result).dump_python(result, mode="json")
    write_text(path, json.dumps(values, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Result:
    """What `write_json` wrote.

    Raises
    ------
    SourceError
        The file cannot be read, is no JSON, or lacks something; says what.
    """
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(Result).validate_json(path.read_bytes(), strict=True)
    except OSError as e:
        raise SourceError(str(path), f"cannot be read: {e.strerror or e}") from e
    except ValidationError as e:
        found = e.errors(include_url=False)[0]
        where = ".".join(map(str, found["loc"]))
        why = f"{where}: {found['msg']}" if where else found["msg"]
        raise SourceError(str(path), why, remedy="Give a file that `rag eval` wrote") from e


def write_runs(result: Result, folder: Path) -> list[Path]:
    """Write each configuration's rankings as a TREC run, ``qid Q0 docid rank score tag``.

    Ids and tags are written by `escaped`. TREC's tools sort by score, in single precision, and
    break ties by id; so a score that is not below the one before it is lowered by as little as
    that takes, which keeps the ranks.

    Raises
    ------
    SourceError
        A file cannot be written.
    """
    written: list[Path] = []
    for outcome in result.outcomes:
        path = folder / f"{_file_name(outcome.name, {p.stem.casefold() for p in written})}.run"
        write_text(path, _run(outcome))
        written.append(path)
    return written


def escaped(id_: str) -> str:
    """``id_`` without white space, which parts a run's columns: a space becomes ``%20``.

    Of other characters only a ``%`` that would read as such an escape is replaced, so most ids
    stay as they are; `urllib.parse.unquote` gives back the id.
    """
    return _ESCAPED.sub(lambda m: "%25" if m[0] == "%" else quote(m[0]), encodable(id_))


def write_text(path: Path, text: str) -> None:
    """Write all of ``text`` or nothing; what is no plain file, such as a pipe, is written into.

    Raises
    ------
    SourceError
    """
    data = text.encode("utf-8", "replace")
    temporary = path.with_name(f".{os.getpid()}.{blake2b(os.fsencode(path.name)).hexdigest()[:8]}")
    try:
        if path.is_symlink() or (path.exists() and not path.is_file()):
            path.write_bytes(data)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_bytes(data)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as e:
        raise SourceError(str(path), f"cannot be written: {e.strerror or e}") from e


def _run(outcome: Outcome) -> str:
    tag = escaped(outcome.name)
    lines = []
    for query, ranking in outcome.rankings.items():
        last = np.float32(np.inf)
        for rank, (place, score) in enumerate(ranking, 1):
            last = min(np.float32(score), np.nextafter(last, np.float32(-np.inf)))
            lines.append(f"{escaped(query)} Q0 {escaped(place)} {rank} {last!s} {tag}\n")
    return "".join(lines)


def _file_name(name: str, taken: set[str]) -> str:
    """``name`` as a file's, told apart by a digest where it had to be changed."""
    safe = _UNSAFE.sub("-", name).strip(".-")[:_LONGEST]
    if safe == name and safe.casefold() not in taken:
        return safe
    return f"{safe}-{blake2b(encodable(name).encode(), digest_size=4).hexdigest()}".lstrip("-")
