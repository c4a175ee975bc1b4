"""A folder of hostile files, with good ones among them, made anew and always the same."""

from __future__ import annotations

import contextlib
import os
import random
import socket
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tests.support.bombs import deep, swollen, wide
from tests.support.samples import ENCODINGS, SAMPLES, encoded

Fate = Literal["good", "bad", "any", "skipped"]
SECRET = "outsidezz"
"""A word of files that are not in the folder."""
_BINARY = (
    ".pdf", ".docx", ".xlsx", ".pptx", ".hwp", ".hwpx", ".odt", ".ods", ".epub", ".ipynb", ".rtf",
    ".eml",
)  # fmt: skip
_NAMES = (
    b"new\nline.md", b"not \xff\xfe utf-8.md", "띄어 쓴 이름.md".encode(), b"-rf.md", b"%00.md",
    b"a" * 240 + b".md", b"'; drop table chunks; --.md", "\u202egpj.md".encode(), b"tab\t.md",
    b"\x1b[31mred.md", b"no suffix", b"UPPER.MD", b"two.dots.md",
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A file, what is to become of it, the word to find, and what is said where it is refused."""

    name: str
    fate: Fate
    word: str = ""
    why: str = ""


def write(folder: Path) -> list[Case]:
    """All of them; hundreds of files, some 400 MB."""
    cases = [*good(folder / "good"), *damaged(folder / "damaged"), *bombs(folder / "bombs")]
    cases += special(folder / "special")
    return cases


def good(folder: Path) -> Iterator[Case]:
    folder.mkdir(parents=True)
    for n, (suffix, maker) in enumerate(SAMPLES.items()):
        word = letters("zzgood", n)
        (folder / f"sample{suffix}").write_bytes(maker(word))
        yield Case(f"good/sample{suffix}", "good", word)
    for n, encoding in enumerate(ENCODINGS):
        word = letters("zzcoded", n)
        (folder / f"{encoding}.txt").write_bytes(encoded(encoding, word))
        yield Case(f"good/{encoding}.txt", "good", word)
    for n, name in enumerate(_NAMES):
        word = letters("zznamed", n)
        (folder / os.fsdecode(name)).write_bytes(SAMPLES[".md"](word))
        yield Case(f"good/{os.fsdecode(name)}", "good", word)


def letters(word: str, n: int) -> str:
    """A word of its own for each ``n``, which no analyser takes apart."""
    return word + "".join("bcdfghklmp"[int(digit)] for digit in f"{n:02}")


def damaged(folder: Path) -> Iterator[Case]:
    """Good files cut short, with bits flipped, filled with zeros, under another's name."""
    folder.mkdir(parents=True)
    for n, suffix in enumerate(_BINARY):
        data = SAMPLES[suffix]("tea")
        other = SAMPLES[_BINARY[n - 1]]("tea")
        chance = random.Random(n)
        made = {f"cut{part}": data[: len(data) * part // 100] for part in (1, 10, 50, 90, 99)}
        made |= {f"flip{count}": flipped(data, count, chance) for count in (1, 4, 16, 64, 256)}
        made |= {f"only{size}": data[:size] for size in (4, 8, 100)}
        made["zeros"] = data[: len(data) // 3] + bytes(len(data) // 3) + data[len(data) // 3 * 2 :]
        made["middle"] = data[len(data) // 2 :] + data[: len(data) // 2]
        made["noise"] = chance.randbytes(10_000)
        made["twice"] = data + data
        made["other"] = other
        for name, content in made.items():
            (folder / f"{name}{suffix}").write_bytes(content)
            yield Case(f"damaged/{name}{suffix}", "any")


def flipped(data: bytes, count: int, chance: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(count):
        out[chance.randrange(len(out))] ^= 1 << chance.randrange(8)
    return bytes(out)


def bombs(folder: Path) -> Iterator[Case]:
    folder.mkdir(parents=True)
    for name, content in (*deep(), *wide()):
        (folder / name).write_bytes(content)
        yield Case(f"bombs/{name}", "any")
    for name, content, why in swollen():
        (folder / name).write_bytes(content)
        yield Case(f"bombs/{name}", "bad" if why else "any", why=why)


def special(folder: Path) -> Iterator[Case]:
    """What is no file, or no file to be read: links, pipes, devices, nothing, far too much."""
    outside = folder.parent.with_name("outside")
    outside.mkdir()
    (outside / "secret.md").write_text(f"# {SECRET}\n\n{SECRET}\n")
    folder.mkdir(parents=True)
    (folder / "loop").symlink_to(folder)
    (folder / "self.md").symlink_to("self.md")
    (folder / "out.md").symlink_to(outside / "secret.md")
    (folder / "out").symlink_to(outside)
    (folder / "nothing.md").symlink_to("gone.md")
    (folder / "device.md").symlink_to("/dev/zero")
    os.mkfifo(folder / "pipe.md")
    with contextlib.chdir(folder), socket.socket(socket.AF_UNIX) as bound:
        bound.bind("socket.md")  # its full path may be longer than a socket's may be
    links = ["self.md", "out.md", "nothing.md", "device.md"]
    yield from (Case(f"special/{name}", "skipped", why="is a link") for name in links)
    yield Case("special/pipe.md", "skipped", why="is a pipe")
    yield Case("special/socket.md", "skipped", why="is a socket")
    with contextlib.suppress(PermissionError):  # for root alone
        os.mknod(folder / "zero.md", stat.S_IFCHR | 0o600, os.makedev(1, 5))
        yield Case("special/zero.md", "skipped", why="is a device")
    (folder / "folder.md").mkdir()
    for name in ("empty.md", "empty.pdf", "empty.docx", "empty.hwp"):
        (folder / name).touch()
        yield Case(f"special/{name}", "bad", why="is empty")
    for name, size in (("sparse.md", 10 << 30), ("sparse.pdf", 10 << 30), ("sparse.zip", 1 << 40)):
        with (folder / name).open("wb") as file:
            file.truncate(size)
        if name != "sparse.zip":
            yield Case(f"special/{name}", "bad", why="more than may be read")
    if os.geteuid() != 0:  # root may read it
        (folder / "locked.md").write_text("locked")
        (folder / "locked.md").chmod(0)
        yield Case("special/locked.md", "bad", why="Permission denied")
    for name in ("changing.md", "growing.txt"):
        (folder / name).write_text("tea\n" * 1000)
        yield Case(f"special/{name}", "any")
