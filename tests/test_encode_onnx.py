"""The default model on the CPU: its vectors against sentence-transformers', its folder, threads."""

from __future__ import annotations

import logging
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Event, current_thread, main_thread
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rag import models
from rag.encode import device, e5, e5_graph, load_encoder
from rag.encode.onnx_encoder import OnnxEncoder, Run, session
from rag.encode.sentence import SentenceEncoder
from rag.errors import DependencyMissing, SourceError
from rag.settings import Settings
from tests.support.embeddings import TEXTS

ROOT = Path(__file__).parents[1]
NAME = "multilingual-e5-small"
VERSION = models.MODELS[NAME].member_sha256[:16]
EXACT = f"{NAME}:1:{VERSION}"
INT8 = f"{EXACT}:int8-1"
ODD = ["", "\t\n", "half a character: \ud83d", "제주도의 화산과 오름 " * 400, "word " * 3000, "강"]

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def packed(models_cache: Path) -> Path:
    return models.path(NAME, models_cache)


@pytest.fixture(scope="module")
def folder(packed: Path) -> Path:
    """What the 8-bit encoder is made of."""
    return e5.onnx_folder(packed, VERSION, "int8")


@pytest.fixture(scope="module")
def encoder(folder: Path) -> OnnxEncoder:
    return OnnxEncoder("e5", "f", lambda: folder)


@pytest.fixture(scope="module")
def oracle(packed: Path) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Vectors of the same texts, as passages and as questions, by sentence-transformers."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(e5.folder(packed, VERSION)), device="cpu").float().eval()
    texts = [text.encode("utf-8", "replace").decode() for text in TEXTS + ODD]
    return model.encode_document(texts), model.encode_query(texts)


@pytest.mark.parametrize(("precision", "least"), [("int8", 0.998), ("float32", 0.999999)])
def test_vectors_are_those_of_sentence_transformers(
    packed: Path,
    oracle: tuple[NDArray[np.float32], NDArray[np.float32]],
    precision: e5_graph.Precision,
    least: float,
) -> None:
    made = OnnxEncoder("e5", "f", partial(e5.onnx_folder, packed, VERSION, precision))
    passages, questions = oracle
    assert (made.passages(TEXTS + ODD) * passages).sum(axis=1).min() > least
    found = np.stack([made.query(text) for text in TEXTS + ODD])
    assert (found * questions).sum(axis=1).min() > least


def test_a_text_has_one_vector_whatever_stands_beside_it(encoder: OnnxEncoder) -> None:
    alone = np.concatenate([encoder.passages([text]) for text in TEXTS + ODD])
    np.testing.assert_array_equal(encoder.passages(TEXTS + ODD), alone)
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(encoder.passages, [TEXTS + ODD] * 4))
    np.testing.assert_array_equal(together, [alone] * 4)


def test_a_question_is_remembered_and_cannot_be_changed(folder: Path) -> None:
    runs: list[int] = []

    def load(file: Path) -> Run:
        run = session(file)

        def counted(x: NDArray[np.float32]) -> NDArray[np.float32]:
            runs.append(x.shape[1])
            return run(x)

        return counted

    encoder = OnnxEncoder("e5", "f", lambda: folder, load)
    first = encoder.query("훈민정음")
    assert encoder.query("훈민정음") is first
    assert len(runs) == 1
    with pytest.raises(ValueError, match="read-only"):
        first[0] = 0


def test_a_question_waits_for_no_passage(folder: Path) -> None:
    begun, go = Event(), Event()

    def load(file: Path) -> Run:
        run = session(file)

        def waiting(x: NDArray[np.float32]) -> NDArray[np.float32]:
            if current_thread() is not main_thread():
                begun.set()
                go.wait(60)
            return run(x)

        return waiting

    encoder = OnnxEncoder("e5", "f", lambda: folder, load)
    with ThreadPoolExecutor(1) as pool:
        passages = pool.submit(encoder.passages, TEXTS)
        assert begun.wait(60)
        question = encoder.query("훈민정음을 만든 사람은 누구인가?")
        assert not passages.done()
        go.set()
        assert (passages.result() @ question).argmax() == 0


def test_a_passage_that_fails_is_told(folder: Path) -> None:
    def broken(_x: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.full((1, e5.DIM), np.nan, np.float32)

    encoder = OnnxEncoder("e5", "f", lambda: folder, lambda _file: broken)
    with pytest.raises(SourceError, match="encoder e5: gave a vector that is zero or no number"):
        encoder.passages(TEXTS)


class TestFolder:
    @pytest.fixture
    def copy(self, folder: Path, tmp_path: Path) -> Path:
        """A folder of links to the real files."""
        made = tmp_path / "onnx"
        made.mkdir()
        for file in folder.iterdir():
            (made / file.name).symlink_to(file)
        return made

    @pytest.mark.parametrize("how", ["flipped", "cut", "gone"])
    @pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json", "words.npy", "positions.npy"])
    def test_damage_is_told_before_a_library_reads_it(
        self, copy: Path, name: str, how: str
    ) -> None:
        data = bytearray((copy / name).read_bytes())
        (copy / name).unlink()
        if how != "gone":
            data[len(data) // 2] ^= 1
            (copy / name).write_bytes(data if how == "flipped" else data[:-1])
        encoder = OnnxEncoder("e5", "f", lambda: copy)
        with pytest.raises(SourceError, match=name) as caught:
            encoder.query("q")
        assert f"Delete the folder {copy}" in str(caught.value)

    @pytest.mark.parametrize("sums", ["", "[]", "7", "{", "{}", '{"model.onnx": 1}'])
    def test_damaged_checksums(self, copy: Path, sums: str) -> None:
        (copy / "sha256.json").unlink()
        (copy / "sha256.json").write_text(sums)
        with pytest.raises(SourceError, match="Delete the folder"):
            OnnxEncoder("e5", "f", lambda: copy).query("q")

    def test_a_network_that_this_version_cannot_run(self, tmp_path: Path) -> None:
        (tmp_path / "model.onnx").write_bytes(b"no network")
        with pytest.raises(SourceError, match="is no model for onnxruntime"):
            session(tmp_path / "model.onnx")

    def test_it_is_made_again_after_it_was_deleted(self, packed: Path, tmp_path: Path) -> None:
        file = tmp_path / packed.name
        file.symlink_to(packed)
        first = e5.onnx_folder(file, VERSION, "int8")
        sums = (first / "sha256.json").read_bytes()
        first.rename(tmp_path / "old")
        assert e5.onnx_folder(file, VERSION, "int8") == first
        assert (first / "sha256.json").read_bytes() == sums
        e5.check(first)


class TestPackages:
    def test_nothing_of_torch_is_imported(self, models_cache: Path) -> None:
        code = (
            "import sys; from pathlib import Path\n"
            "from rag.settings import Settings; from rag.encode import load_encoder\n"
            "e = load_encoder(Settings(cache=Path(sys.argv[1])), 'cpu')\n"
            "print(e.passages(['a', 'b']).shape, e.query('q').shape)\n"
            "heavy = {'torch', 'transformers', 'onnx', 'huggingface_hub'}\n"
            "print(heavy & set(sys.modules))"
        )
        run = [sys.executable, "-c", code, str(models_cache)]
        done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=True)
        assert done.stdout.splitlines() == ["(2, 384) (384,)", "set()"]
        assert done.stderr == ""

    @pytest.mark.parametrize("package", ["onnxruntime", "tokenizers"])
    def test_one_that_is_missing(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, package: str
    ) -> None:
        monkeypatch.setitem(sys.modules, package, None)
        with pytest.raises(DependencyMissing, match=rf"{package} is not .* 'saem\[local\]'"):
            OnnxEncoder("e5", "f", lambda: folder).query("q")

    def test_onnx_is_needed_to_convert(
        self, packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / packed.name).symlink_to(packed)
        monkeypatch.setitem(sys.modules, "onnx", None)
        with pytest.raises(DependencyMissing, match="onnx is not installed"):
            e5.onnx_folder(tmp_path / packed.name, VERSION, "int8")
        assert [file.name for file in tmp_path.iterdir()] == [packed.name]


class TestChoice:
    @pytest.mark.parametrize(
        ("where", "asked", "kind", "fingerprint"),
        [
            ("cpu", None, OnnxEncoder, INT8),
            ("cpu", "another model's", OnnxEncoder, INT8),
            ("cpu", EXACT, OnnxEncoder, EXACT),
            ("cuda", None, SentenceEncoder, EXACT),
            ("cuda", EXACT, SentenceEncoder, EXACT),
            ("cuda", INT8, OnnxEncoder, INT8),
        ],
    )
    def test_the_format_follows_the_device_and_the_collection(
        self,
        models_cache: Path,
        monkeypatch: pytest.MonkeyPatch,
        where: str,
        asked: str | None,
        kind: type,
        fingerprint: str,
    ) -> None:
        monkeypatch.setattr("rag.encode.pick", lambda _device: where)
        found = load_encoder(Settings(cache=models_cache), fingerprint=asked)
        assert found is not None
        assert isinstance(found, kind)
        assert found.fingerprint == fingerprint

    def test_what_was_encoded_exactly_is_searched_exactly(
        self, models_cache: Path, oracle: tuple[NDArray[np.float32], Any]
    ) -> None:
        found = load_encoder(Settings(cache=models_cache), "cpu", EXACT)
        assert found is not None
        assert (found.passages(TEXTS) * oracle[0][: len(TEXTS)]).sum(axis=1).min() > 0.999999


class TestDevice:
    @pytest.mark.parametrize("driver", [False, True])
    def test_without_a_gpu(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, driver: bool
    ) -> None:
        monkeypatch.setattr(device, "_driver", lambda: driver)
        monkeypatch.setattr("torch.cuda.is_available", lambda: False)
        with caplog.at_level(logging.INFO, "saem"):
            assert device.pick("cpu") == device.pick("auto") == "cpu"
            assert not caplog.records
            assert device.pick("cuda") == "cpu"
        assert [r.getMessage() for r in caplog.records] == [
            "encoding on the CPU: torch finds no CUDA GPU on this machine"
        ]

    def test_with_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(device, "_driver", lambda: True)
        monkeypatch.setattr("torch.cuda.is_available", lambda: True)
        assert device.pick("auto") == device.pick("cuda") == "cuda"
        assert device.pick("cpu") == "cpu"
