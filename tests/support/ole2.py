"""Writes OLE2 compound files (MS-CFB, version 3) and property sets (MS-OLEPS), for tests.

Streams below 4,096 bytes go into the mini stream, as the format demands.
"""

from __future__ import annotations

import struct
from datetime import UTC, datetime

_SECTOR, _MINI, _CUTOFF = 512, 64, 4096
_FREE, _END, _FAT, _NONE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFF
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)


def compound_file(streams: dict[str, bytes]) -> bytes:
    """``streams`` by path (``BodyText/Section0``); at most some 6 MB."""
    sectors: list[bytes] = []
    fat: list[int] = []

    def store(data: bytes) -> int:
        """Append ``data`` as a chain of sectors; its first."""
        if not data:
            return _END
        first = len(sectors)
        pieces = [data[i : i + _SECTOR] for i in range(0, len(data), _SECTOR)]
        sectors.extend(piece.ljust(_SECTOR, b"\0") for piece in pieces)
        fat.extend([*range(first + 1, first + len(pieces)), _END])
        return first

    entries = _entries(streams)
    mini, mini_fat = b"", []
    for entry in entries:
        data = entry["data"]
        if data is None:
            continue
        if 0 < len(data) < _CUTOFF:
            entry["start"] = len(mini_fat)
            count = -(-len(data) // _MINI)
            mini += data.ljust(count * _MINI, b"\0")
            mini_fat += [*range(entry["start"] + 1, entry["start"] + count), _END]
        else:
            entry["start"] = store(data)
    entries[0]["start"], entries[0]["size"] = store(mini), len(mini)
    mini_start = store(struct.pack(f"<{len(mini_fat)}I", *mini_fat).ljust(_SECTOR, b"\xff"))
    directory = b"".join(_directory_entry(entry) for entry in entries)
    directory_start = store(directory + b"\0" * (-len(directory) % _SECTOR))
    fat_sectors = 1
    while fat_sectors * 128 < len(fat) + fat_sectors:
        fat_sectors += 1
    places = list(range(len(fat), len(fat) + fat_sectors))
    fat += [_FAT] * fat_sectors
    table = struct.pack(f"<{len(fat)}I", *fat).ljust(fat_sectors * _SECTOR, b"\xff")
    header = struct.pack(
        "<8s16xHHHHH6xIIIIIIIIII",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        *(0x3E, 3, 0xFFFE, 9, 6),
        *(0, fat_sectors, directory_start, 0, _CUTOFF),
        *(mini_start, -(-len(mini_fat) // 128), _END, 0, places[0]),
    )
    header += struct.pack(f"<{len(places) - 1}I", *places[1:])
    return header.ljust(_SECTOR, b"\xff") + b"".join(sectors) + table


def _entries(streams: dict[str, bytes]) -> list[dict]:
    """Directory entries, the root first, each folder's as a balanced tree of its members."""
    entries = [{"name": "Root Entry", "kind": 5, "data": None, "path": ""}]
    for path, data in streams.items():
        parts = path.split("/")
        for depth in range(1, len(parts)):
            folder = "/".join(parts[:depth])
            if all(entry["path"] != folder for entry in entries):
                entries.append({"name": parts[depth - 1], "kind": 1, "data": None, "path": folder})
        entries.append({"name": parts[-1], "kind": 2, "data": data, "path": path})
    for entry in entries:
        entry |= {"start": 0, "size": len(entry["data"] or b""), "left": _NONE, "right": _NONE}
    for entry in entries:
        members = [
            i
            for i, other in enumerate(entries)
            if i and other["path"].rpartition("/")[0] == entry["path"] and entry["kind"] != 2
        ]
        members.sort(key=lambda i: (len(entries[i]["name"]), entries[i]["name"].upper()))
        entry["child"] = _tree(entries, members)
    return entries


def _tree(entries: list[dict], members: list[int]) -> int:
    if not members:
        return _NONE
    middle = len(members) // 2
    entries[members[middle]]["left"] = _tree(entries, members[:middle])
    entries[members[middle]]["right"] = _tree(entries, members[middle + 1 :])
    return members[middle]


def _directory_entry(entry: dict) -> bytes:
    name = entry["name"].encode("utf-16-le") + b"\0\0"
    return struct.pack(
        "<64sHBBIII36xIQ",
        name,
        len(name),
        entry["kind"],
        1,
        *(entry["left"], entry["right"], entry["child"]),
        entry["start"],
        entry["size"],
    )


def property_set(values: dict[int, str | datetime]) -> bytes:
    """A property set stream of texts and times."""
    body, offsets = b"", []
    start = 8 + 8 * len(values)
    for key, value in values.items():
        offsets.append((key, start + len(body)))
        if isinstance(value, str):
            text = value.encode("utf-16-le") + b"\0\0"
            body += struct.pack("<II", 31, len(text) // 2) + text + b"\0" * (-len(text) % 4)
        else:
            ticks = int((value - _EPOCH).total_seconds() * 10_000_000)
            body += struct.pack("<IQ", 64, ticks)
    section = struct.pack("<II", start + len(body), len(values))
    section += b"".join(struct.pack("<II", *pair) for pair in offsets) + body
    return struct.pack("<HHI16xI16xI", 0xFFFE, 0, 0, 1, 48) + section
