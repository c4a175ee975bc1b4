"""SQLite's own files on a failing disk: its file system layer, with some functions exchanged."""

from __future__ import annotations

import ctypes
from ctypes import CFUNCTYPE, c_int, c_int64, c_void_p, cast, memmove, string_at
from pathlib import Path
from typing import Any

from tests.support.disk import Disk

FULL, WRITE, FSYNC, TRUNCATE, DELETE = 13, 778, 1034, 1546, 2570
"""SQLite's codes of what went wrong: the disk is full, or an error of the device."""
_POINTER = ctypes.sizeof(c_void_p)
_METHODS = 19
"""Words of ``sqlite3_io_methods`` in version 3."""
_WRITE, _TRUNCATE, _SYNC = 3, 4, 5
_VFS = 21
"""Words of ``sqlite3_vfs`` in version 3: two of numbers, three of pointers, then its functions."""
_NEXT, _NAME, _OPEN, _DELETE = 2, 3, 5, 6
Open = CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_int, c_void_p)
Delete = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int)
Write = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)
Truncate = CFUNCTYPE(c_int, c_void_p, c_int64)
Sync = CFUNCTYPE(c_int, c_void_p, c_int)


def library() -> ctypes.CDLL | None:
    """The SQLite that Python uses, if it lets us at it."""
    import _sqlite3

    maps = Path("/proc/self/maps").read_text().split()
    for file in [*(word for word in maps if "/libsqlite3" in word), _sqlite3.__file__]:
        found = ctypes.CDLL(file)
        if hasattr(found, "sqlite3_vfs_register"):
            return found
    return None


def take_over(disk: Disk, sqlite: ctypes.CDLL) -> list[Any]:
    """Stand between SQLite and its files, for good; what has to be kept alive for it."""
    sqlite.sqlite3_vfs_find.restype = c_void_p
    real = _words(sqlite.sqlite3_vfs_find(None), _VFS)
    real_open, real_delete = Open(real[_OPEN]), Delete(real[_DELETE])
    tables: dict[int, Any] = {}
    kept: list[Any] = [tables]

    def methods(of: int) -> Any:
        table = _words(of, _METHODS)
        write, truncate = Write(table[_WRITE]), Truncate(table[_TRUNCATE])

        def writing(file: int, data: int, size: int, at: int) -> int:
            if disk.fails("write"):
                write(file, data, size // 2, at)
                return FULL
            return write(file, data, size, at)

        functions = {
            _WRITE: Write(writing),
            _TRUNCATE: Truncate(
                lambda file, size: TRUNCATE if disk.fails("truncate") else truncate(file, size)
            ),
            _SYNC: Sync(lambda file, flags: FSYNC if disk.fails("fsync") else 0),
        }
        kept.append(functions)
        for at, function in functions.items():
            table[at] = cast(function, c_void_p).value
        return table

    def opening(vfs: int, name: int, file: int, flags: int, out: int) -> int:
        code = real_open(vfs, name, file, flags, out)
        of = _words(file, 1)[0]
        if code == 0 and of:
            if of not in tables:
                tables[of] = methods(of)
            memmove(file, ctypes.byref(c_void_p(ctypes.addressof(tables[of]))), _POINTER)
        return code

    functions = {
        _OPEN: Open(opening),
        _DELETE: Delete(
            lambda vfs, name, sync: DELETE if disk.fails("unlink") else real_delete(vfs, name, 0)
        ),
    }
    ours, name = (c_void_p * _VFS)(*real), ctypes.create_string_buffer(b"failing")
    ours[_NEXT], ours[_NAME] = None, ctypes.addressof(name)
    for at, function in functions.items():
        ours[at] = cast(function, c_void_p).value
    if sqlite.sqlite3_vfs_register(ctypes.byref(ours), 1):
        raise OSError("SQLite does not take it")
    return [*kept, functions, ours, name]


def _words(address: int, count: int) -> Any:
    """A copy of ``count`` words of memory."""
    return (c_void_p * count).from_buffer_copy(string_at(address, count * _POINTER))
