"""What a binary file is, told from its own bytes: signatures, a ZIP's names, an OLE2's streams."""

from __future__ import annotations

from collections.abc import Iterator

from indexer.readers.refusals import Unknown
from rag.errors import SourceError

_TAIL = 1 << 16
_NAMES = 5000
_END = b"PK\x05\x06"
_ENTRY = b"PK\x01\x02"
_MIMETYPES = (
    (b"application/vnd.oasis.opendocument", "odf"),
    (b"application/epub+zip", "epub"),
    (b"application/hwp+zip", "hwpx"),
)
_ZIPPED = (
    ("word/", "docx"),
    ("ppt/", "pptx"),
    ("xl/", "xlsx"),
    ("Contents/section", "hwpx"),
    ("META-INF/container.xml", "epub"),
    ("content.xml", "odf"),
)
_CONTROLS = frozenset(range(9))
_OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_UNREADABLE = (
    ("EncryptedPackage", "is encrypted", "Save it without a password"),
    ("WordDocument", "is a Word document of before 2007", "Save it as .docx"),
    ("PowerPoint Document", "is a PowerPoint file of before 2007", "Save it as .pptx"),
    ("__properties_version1.0", "is an Outlook message", "Save it as .eml"),
)
_SIGNATURES = (
    (b"HWP Document File V", "is a Hangul document of before 2000", "Save it as .hwpx"),
    (b"PK\x07\x08", "is a part of a split ZIP archive", "Unpack it"),
    (b"\x1f\x8b", "is a gzip archive", "Unpack it"),
    (b"BZh", "is a bzip2 archive", "Unpack it"),
    (b"\xfd7zXZ\x00", "is an xz archive", "Unpack it"),
    (b"7z\xbc\xaf\x27\x1c", "is a 7z archive", "Unpack it"),
    (b"Rar!\x1a\x07", "is a RAR archive", "Unpack it"),
    (b"\x28\xb5\x2f\xfd", "is a zstd archive", "Unpack it"),
    (b"\x89PNG\r\n", "is a PNG image", "Leave it out"),
    (b"GIF8", "is a GIF image", "Leave it out"),
    (b"\xff\xd8\xff", "is a JPEG image", "Leave it out"),
    (b"II*\x00", "is a TIFF image", "Leave it out"),
    (b"MM\x00*", "is a TIFF image", "Leave it out"),
    (b"RIFF", "is a RIFF file (image, sound or film)", "Leave it out"),
    (b"ID3", "is an MP3 file", "Leave it out"),
    (b"OggS", "is an Ogg file", "Leave it out"),
    (b"fLaC", "is a FLAC file", "Leave it out"),
    (b"\x7fELF", "is a program", "Leave it out"),
    (b"\xca\xfe\xba\xbe", "is a program", "Leave it out"),
    (b"SQLite format 3\x00", "is an SQLite database", "Export its tables as CSV"),
    (b"\x89HDF\r\n", "is an HDF5 file", "Leave it out"),
)


def contained(data: bytes, path: str) -> str:
    """The name of the binary format that ``data`` is of; empty where it may be text.

    Raises
    ------
    Unknown
        It is something that holds no text for us.
    SourceError
        It is a document that cannot be read as it is.
    """
    if _is_pdf(data, path):
        return "pdf"
    if data.startswith((b"PK\x03\x04", _END)):
        return _zipped(data, path)
    if data.startswith(_OLE2):
        return _compound(data, path)
    if not _CONTROLS.intersection(data[:512]):  # "RIFF" may begin a sentence
        return ""
    for sign, what, remedy in _SIGNATURES:
        if data.startswith(sign):
            raise Unknown(path, what, remedy)
    if data[4:8] == b"ftyp":
        raise Unknown(path, "is an MP4 file or a HEIF image", "Leave it out")
    return ""


def _is_pdf(data: bytes, path: str) -> bool:
    """Whether it begins as a PDF; one may follow other bytes, and a text may tell of PDF."""
    at = data.find(b"%PDF-", 0, 1024)
    begins = at >= 0 and not data[:at].strip(b"\xef\xbb\xbf\0\t\n\r ")
    named = path.lower().endswith(".pdf")
    return begins or (at >= 0 and (named or b"startxref" in data[-1024:]))


def _zipped(data: bytes, path: str) -> str:
    if data[30:38] == b"mimetype":
        for mimetype, name in _MIMETYPES:
            if mimetype in data[38:150]:
                return name
    names = list(_names(data))
    for start, name in _ZIPPED:
        if any(n.startswith(start) for n in names):
            return name
    if not names:
        raise SourceError(path, "is a damaged ZIP file", remedy="Get it again, or save it anew")
    raise Unknown(path, "is a ZIP archive", "Unpack it")


def _names(data: bytes) -> Iterator[str]:
    """Names in a ZIP's directory, up to some thousand; what does not parse ends them."""
    end = data.rfind(_END, max(0, len(data) - _TAIL - 22))
    size = int.from_bytes(data[end + 12 : end + 16], "little")
    at = end - size if end >= 0 else len(data)
    if data[at : at + 4] != _ENTRY:
        at = int.from_bytes(data[end + 16 : end + 20], "little")
    for _ in range(_NAMES):
        if data[at : at + 4] != _ENTRY:
            return
        size, extra, comment = (
            int.from_bytes(data[at + i : at + i + 2], "little") for i in (28, 30, 32)
        )
        yield data[at + 46 : at + 46 + size].decode("utf-8", "replace")
        at += 46 + size + extra + comment


def _compound(data: bytes, path: str) -> str:
    def has(stream: str) -> bool:
        return stream.encode("utf-16-le") in data

    if b"HWP Document File" in data and has("FileHeader"):
        return "hwp"
    for stream, what, remedy in _UNREADABLE:
        if has(stream):
            raise SourceError(path, what, remedy=remedy)
    if has("Workbook") or has("Book"):
        return "xlsx"
    if has("FileHeader"):
        return "hwp"
    raise Unknown(path, "is a compound file (OLE2) of no known kind", "Leave it out")
