"""ZIP archives as office files use them, read with a bound on what is really inflated.

Knows no format that is kept in them.
"""

from __future__ import annotations

import lzma
import zipfile
import zlib
from collections.abc import Iterator
from io import BytesIO
from typing import IO

from rag.errors import SourceError

LIMIT = 256 << 20
"""Bytes that may be inflated out of one archive, over all reads."""

_ENTRIES = 50_000
_PIECE = 1 << 18
_RATIO = 1032
"""Deflate cannot do better: https://zlib.net/zlib_tech.html."""
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    ValueError,
    OverflowError,
    KeyError,
    IndexError,
)


class Archive:
    """The members of an archive, by name.

    Raises
    ------
    SourceError
        Here: ``data`` is no ZIP archive, is damaged, or lists more than 50,000 members.
    """

    def __init__(self, data: bytes, path: str) -> None:
        self._path = path
        self._left = LIMIT
        if data.startswith(_OLE):
            raise SourceError(
                path,
                "is protected by a password, or in the binary format of Office 97",
                remedy="Save it without a password in today's format",
            )
        # Each entry has this mark, whatever the directory's own count claims.
        if data.count(b"PK\x01\x02") > _ENTRIES:
            raise SourceError(
                path,
                f"lists more than {_ENTRIES:,} files inside",
                remedy="Leave it out, or unpack it into a folder",
            )
        try:
            self._zip = zipfile.ZipFile(BytesIO(data))
        except (*_DAMAGE, NotImplementedError) as e:
            raise self.error(f"is no whole ZIP archive ({e})") from None

    def names(self) -> list[str]:
        return self._zip.namelist()

    def __contains__(self, name: object) -> bool:
        return name in self._zip.NameToInfo

    def read(self, name: str) -> bytes:
        """All of a member.

        Raises
        ------
        SourceError
            There is no such member, it is encrypted or damaged, its size is not what the archive
            claims, or what was inflated so far goes over `LIMIT`.
        """
        if self._info(name).file_size > self._left:
            raise self._swollen()
        content = BytesIO()
        for piece in self.pieces(name):
            content.write(piece)
        return content.getvalue()

    def pieces(self, name: str) -> Iterator[bytes]:
        """A member bit by bit, for members that are large; raises as `read` does."""
        info = self._info(name)
        size = 0
        try:
            with self._zip.open(info) as member:
                while piece := self._piece(member):
                    size += len(piece)
                    yield piece
        except (*_DAMAGE, NotImplementedError, RuntimeError) as e:
            raise self.error(f"has a damaged part {name} ({e})") from None
        if size != info.file_size:
            raise self.error(f"claims {info.file_size} bytes for its part {name}, which has {size}")

    def _info(self, name: str) -> zipfile.ZipInfo:
        info = self._zip.NameToInfo.get(name)
        if info is None:
            raise self.error(f"holds no {name}")
        if info.flag_bits & 1:
            raise SourceError(
                self._path,
                f"is protected by a password (its part {name} is encrypted)",
                remedy="Save it without a password",
            )
        if info.file_size > max(info.compress_size, 1) * _RATIO and info.compress_type == 8:
            raise self.error(f"claims a size for its part {name} that it cannot have")
        return info

    def _piece(self, member: IO[bytes]) -> bytes:
        piece = member.read(_PIECE)
        self._left -= len(piece)
        if self._left < 0:
            raise self._swollen()
        return piece

    def _swollen(self) -> SourceError:
        return SourceError(
            self._path,
            f"holds more than {LIMIT >> 20} MB when unpacked",
            remedy="Leave it out, or save it in parts",
        )

    def error(self, why: str) -> SourceError:
        return SourceError(self._path, why, remedy="Save it anew, or leave it out")
