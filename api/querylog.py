"""The query log: what was asked, what was found, and votes on it, for ``rag eval`` to learn from.

One JSON object a line in ``query-log.jsonl`` of the collection's folder: it goes when the
collection goes. Knows neither HTTP nor who asked.
"""

from __future__ import annotations

import errno
import fcntl
import json
import logging
import os
import secrets
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from rag.answer.answerer import Event
from rag.errors import BadQuery, ConfigError, NotFound, Overloaded
from rag.types import Answer, Hit, SearchResult
from rag.workspace import Workspace

FILE = "query-log.jsonl"
HEADER = "X-Saem-Query"
"""The response header that names a question, so that it can be voted on."""
TAIL_BYTES = 8_000_000
"""How far from its end the log is searched for the question of a vote."""
_TRIES, _PAUSE = 100, 0.005
_RETRY_SECONDS = 10.0
log = logging.getLogger("saem")


class QueryLog:
    """The logs of a service's collections; safe to share between threads and processes.

    Nothing is kept in memory and no file stays open: a log may be moved or removed at any time.
    """

    def __init__(self, saem: Workspace) -> None:
        self._saem = saem
        self._lock = threading.Lock()
        self._failing: set[Path] = set()

    @property
    def on(self) -> bool:
        return self._saem.settings.query_log

    def entry(self, collection: str | None) -> Entry:
        """A question that begins now; the default collection's when none is named."""
        return Entry(self, self._name(collection))

    def keep(self, collection: str, record: dict[str, Any]) -> bool:
        """Write a question's line, and whether that worked; a failure is logged, but once."""
        file = self._file(collection)
        try:
            self._append(file, record)
        except OSError as e:
            with self._lock:
                told = file in self._failing
                self._failing.add(file)
            if not told:
                log.warning("questions to collection %a are not logged: %s", collection, e)
            return False
        with self._lock:
            self._failing.discard(file)
        return True

    def vote(self, question: str, vote: int, hit: int | None, collection: str | None) -> None:
        """Write a vote (1, -1 or 0) on the answer to ``question`` or, from 0, on one of its hits.

        Raises
        ------
        ConfigError
            The log is off.
        NotFound
            There is no such question within the last ``TAIL_BYTES`` of the collection's log.
        BadQuery
            It has no such hit.
        Overloaded
            The log cannot be read or written now.
        """
        if not self.on:
            raise ConfigError("votes are not kept: query_log is off", remedy="Set RAG_QUERY_LOG=1")
        name = self._saem.collection(collection).name
        record = {"type": "vote", "id": question, "time": now(), "vote": vote, "hit": hit}
        try:
            self._check(name, question, hit)
            self._append(self._file(name), record)
        except OSError as e:
            log.warning("a vote on collection %a is not logged: %s", name, e)
            raise Overloaded("the vote could not be kept", _RETRY_SECONDS) from e

    def _name(self, collection: str | None) -> str:
        return self._saem.settings.collection if collection is None else collection

    def _file(self, collection: str) -> Path:
        return self._saem.folder / collection / FILE

    def _append(self, file: Path, record: dict[str, Any]) -> None:
        """Add a whole line or, where the disk is full, nothing."""
        line = json.dumps(record, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
        descriptor = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            _lock(descriptor)
            size = os.fstat(descriptor).st_size
            if size and os.pread(descriptor, 1, size - 1) != b"\n":
                line = b"\n" + line  # whoever wrote last was killed within its line
            if os.write(descriptor, line) < len(line):
                os.ftruncate(descriptor, size)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(file))
        finally:
            os.close(descriptor)

    def _check(self, collection: str, question: str, hit: int | None) -> None:
        hits = self._hits(collection, question)
        if hit is not None and not 0 <= hit < hits:
            raise BadQuery(f"question '{question}' has {hits} hits, counted from 0, but no {hit}")

    def _hits(self, collection: str, question: str) -> int:
        """How many hits ``question`` had."""
        key = json.dumps(question).encode()
        for line in reversed(_tail(self._file(collection))):
            if key not in line:
                continue
            with suppress(ValueError, KeyError, TypeError):  # a line that somebody has edited
                record = json.loads(line)
                if (record["type"], record["id"]) == ("query", question):
                    return len(record["hits"])
        raise NotFound(
            f"there is no question '{question}' in the log of collection '{collection}'",
            remedy="Name the collection that was asked; votes on old questions are not taken",
        )


class Entry:
    """One question on its way into the log; does nothing where the log is off."""

    def __init__(self, to: QueryLog, collection: str) -> None:
        self._to = to
        self._collection = collection
        self._id = secrets.token_hex(8)
        self._time = now()
        self._started = time.perf_counter()
        self._named = to.on

    @property
    def headers(self) -> dict[str, str]:
        """What the response says of it; nothing where it could not be kept."""
        return {HEADER: self._id} if self._named else {}

    def found(self, result: SearchResult) -> None:
        """The end of a search."""
        self._keep("search", result, result.hits, result.took_ms)

    def watch(self, events: Iterator[Event]) -> Iterator[Event]:
        """``events``, kept once the answer is there; what ends before, or fails, is not."""
        return self._watched(events) if self._to.on else events

    def _watched(self, events: Iterator[Event]) -> Iterator[Event]:
        result = None
        try:
            for event in events:
                if isinstance(event, SearchResult):
                    result = event
                elif isinstance(event, Answer) and result is not None:
                    took = (time.perf_counter() - self._started) * 1000
                    self._keep("ask", result, event.hits, took, event)
                yield event
        finally:
            if close := getattr(events, "close", None):
                close()

    def _keep(
        self,
        kind: Literal["search", "ask"],
        result: SearchResult,
        hits: Sequence[Hit],
        took_ms: float,
        answer: Answer | None = None,
    ) -> None:
        if not self._to.on:
            return
        record = {
            "type": "query",
            "id": self._id,
            "time": self._time,
            "kind": kind,
            "collection": self._collection,
            "question": result.query,
            "mode": result.mode,
            "hits": [_place(hit) for hit in hits],
            "answer": answer.text if answer else None,
            "abstained": answer.abstained if answer else None,
            "cited": sorted({c.n - 1 for c in answer.citations}) if answer else [],
            "took_ms": round(took_ms, 2),
        }
        self._named = self._to.keep(self._collection, record)


def _lock(descriptor: int) -> None:
    """Keep other processes and threads out; not for long, as a question waits."""
    for _ in range(_TRIES):
        with suppress(BlockingIOError):
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        time.sleep(_PAUSE)
    raise BlockingIOError(errno.EAGAIN, "somebody else holds its lock")


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _place(hit: Hit) -> dict[str, Any]:
    chunk = hit.chunk
    return {"path": chunk.path, "start": chunk.start, "end": chunk.end, "score": hit.score}


def _tail(file: Path) -> list[bytes]:
    """The last lines of a log, the first of them perhaps in part; none where there is no file."""
    try:
        with file.open("rb") as opened:
            opened.seek(max(0, opened.seek(0, os.SEEK_END) - TAIL_BYTES))
            return opened.read(TAIL_BYTES).split(b"\n")
    except FileNotFoundError:
        return []
