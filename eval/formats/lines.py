"""Files of records, plain or gzipped, and what of them could not be used. Knows no format."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path
from typing import Any

from rag.analysis import detect
from rag.errors import SourceError

_CONVERT = "`iconv -f CP949 -t UTF-8` converts Korean files"


@dataclass(slots=True)
class Skipped:
    """The unusable records of a file: how many, and where and why the first."""

    file: Path
    count: int = 0
    line: int | None = None
    why: str = ""

    def add(self, line: int | None, why: str) -> None:
        if not self.count:
            self.line, self.why = line, why
        self.count += 1

    def warnings(self) -> tuple[str, ...]:
        if not self.count:
            return ()
        records = "1 record is" if self.count == 1 else f"{self.count} records are"
        at = f" at line {self.line}" if self.line is not None else ""
        return (f"{self.file}: {records} left out, the first{at}: {self.why}",)

    def error(self, what: str, remedy: str) -> SourceError:
        """For a file in which nothing is usable."""
        first = f"; the first record {self.why}" if self.count else ""
        return SourceError(str(self.file), f"holds no {what}{first}", self.line, remedy=remedy)


@contextmanager
def opened(file: Path) -> Iterator[BufferedIOBase]:
    """The bytes of a file, unpacked where they are gzipped, whatever its name.

    Raises
    ------
    SourceError
        It cannot be read, then or while it is open.
    """
    try:
        with file.open("rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            if not packed:
                yield raw
                return
            with gzip.open(raw) as unpacked:
                yield unpacked
    except (EOFError, zlib.error) as e:
        raise SourceError(
            str(file), f"is a damaged gzip file: {e}", remedy="Fetch or pack it again"
        ) from e
    except OSError as e:
        raise SourceError(str(file), e.strerror or str(e), remedy="Check the path") from e


def content(file: Path) -> bytes:
    """All bytes of a file, unpacked."""
    with opened(file) as f:
        return f.read()


def lines(file: Path, skipped: Skipped) -> Iterator[tuple[int, str]]:
    """Number and text of each line that is not blank, without its end."""
    with opened(file) as f:
        for number, raw in enumerate(f, 1):
            try:
                line = raw.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
            except UnicodeDecodeError as e:
                skipped.add(number, f"is not UTF-8: byte 0x{raw[e.start]:02x} ({_CONVERT})")
                continue
            if line and not line.isspace():
                yield number, line


def records(file: Path, skipped: Skipped) -> Iterator[tuple[int, dict[str, Any]]]:
    """Line number and object of each line of a JSONL file."""
    for number, line in lines(file, skipped):
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            skipped.add(number, "is not valid JSON")
            continue
        if isinstance(record, dict):
            yield number, record
        else:
            skipped.add(number, "is not a JSON object")


def labelled(text: str, labels: dict[str, str]) -> dict[str, str]:
    """``labels`` with the language of ``text``, if they do not say it."""
    return {"language": detect(text), **labels}


def name_of(source: Path) -> str:
    """A data set's name: its folder's, or its file's without the ending."""
    name = source.resolve().name
    return name if source.is_dir() else Path(name.removesuffix(".gz")).stem
