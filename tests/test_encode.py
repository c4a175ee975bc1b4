"""Encoders: the same promises for each kind, then what is particular to one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from rag import models
from rag.encode import Encoder, load_encoder
from rag.encode.base import unit
from rag.encode.endpoint import EndpointEncoder
from rag.encode.hashing import HashingEncoder
from rag.encode.sentence import folder_fingerprint
from rag.errors import (
    ConfigError,
    DependencyMissing,
    ModelMissing,
    SourceError,
)
from rag.settings import Settings
from tests.support.embeddings import TEXTS, EmbeddingServer

ROOT = Path(__file__).parents[1]


@pytest.fixture
def server() -> Iterator[EmbeddingServer]:
    with EmbeddingServer() as made:
        yield made


@pytest.fixture(scope="module")
def default(models_cache: Path) -> Encoder:
    """The default model, loaded once."""
    encoder = load_encoder(Settings(cache=models_cache))
    assert encoder is not None
    return encoder


def client(server: EmbeddingServer) -> EndpointEncoder:
    return EndpointEncoder(server.url, "m", "secret", pause=0.01)


@pytest.fixture(
    params=["hashing", "endpoint", pytest.param("default", marks=pytest.mark.models)],
)
def encoder(request: pytest.FixtureRequest) -> Encoder:
    if request.param == "hashing":
        return HashingEncoder()
    if request.param == "endpoint":
        return client(request.getfixturevalue("server"))
    made: Encoder = request.getfixturevalue("default")
    return made


class TestEveryEncoder:
    def test_vectors_are_float32_of_unit_norm(self, encoder: Encoder) -> None:
        vectors = encoder.passages([*TEXTS, "", "\t\n"])
        assert vectors.dtype == np.float32
        assert vectors.shape == (7, encoder.dim)
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
        query = encoder.query("세종대왕")
        assert query.dtype == np.float32
        assert query.shape == (encoder.dim,)
        assert np.linalg.norm(query) == pytest.approx(1, abs=1e-5)

    def test_no_texts_give_no_rows(self, encoder: Encoder) -> None:
        assert encoder.passages([]).shape == (0, encoder.dim)

    def test_a_batch_equals_its_texts_one_by_one(self, encoder: Encoder) -> None:
        single = np.concatenate([encoder.passages([text]) for text in TEXTS])
        np.testing.assert_allclose(encoder.passages(TEXTS), single, atol=1e-2)

    def test_a_lone_surrogate_is_no_reason_to_fail(self, encoder: Encoder) -> None:
        assert np.isfinite(encoder.query("half a character: \ud83d")).all()

    def test_it_may_be_asked_by_many_threads(self, encoder: Encoder) -> None:
        expected = encoder.passages(TEXTS)
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda text: encoder.passages([text])[0], TEXTS))
        np.testing.assert_allclose(found, expected, atol=1e-2)


class TestUnit:
    @pytest.mark.parametrize("bad", [0.0, np.nan, np.inf])
    def test_a_vector_without_direction_never_comes_out(self, bad: float) -> None:
        with pytest.raises(SourceError, match="encoder e: gave a vector that is zero or no number"):
            unit([[3.0, 4.0], [bad, bad]], "e")

    def test_rows_keep_their_direction(self) -> None:
        np.testing.assert_allclose(unit([[3, 4], [0, -1e-30]], "e"), [[0.6, 0.8], [0, -1]])


class TestHashing:
    def test_the_same_in_every_process(self) -> None:
        code = (
            "from rag.encode.hashing import HashingEncoder as H;"
            "print(H(64).query('훈민정음 hello').tobytes().hex())"
        )
        run = [sys.executable, "-c", code]
        found = subprocess.run(
            run, cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout.strip()
        assert found == HashingEncoder(64).query("훈민정음 hello").tobytes().hex()

    def test_shared_spelling_is_near(self) -> None:
        encoder = HashingEncoder()
        scores = encoder.passages(TEXTS) @ encoder.query("훈민정음을 창제한 세종대왕")
        assert scores.argmax() == 0
        assert scores[0] > 2 * np.sort(scores)[-2]

    def test_case_width_and_space_do_not_matter(self) -> None:
        encoder = HashingEncoder()
        np.testing.assert_array_equal(encoder.query("Ａb  c\n"), encoder.query("aB C"))


class TestLoadEncoder:
    def test_none_and_hashing(self) -> None:
        assert load_encoder(Settings(encoder="none")) is None
        found = load_encoder(Settings(encoder="hashing"))
        assert found is not None
        assert (found.name, found.fingerprint, found.dim) == ("hashing", "hashing:1:512", 512)

    def test_endpoint(self, server: EmbeddingServer) -> None:
        found = load_encoder(Settings(encoder=server.url, encoder_model="m", encoder_key="k"))
        assert found is not None
        assert found.dim == 16
        assert server.seen[0]["key"] == "Bearer k"

    def test_endpoint_without_a_model(self) -> None:
        with pytest.raises(ConfigError, match="encoder_model"):
            load_encoder(Settings(encoder="http://localhost:1/v1"))

    def test_the_default_model_before_it_was_pulled(self, tmp_path: Path) -> None:
        with pytest.raises(ModelMissing, match="rag models pull"):
            load_encoder(Settings(cache=tmp_path))

    @pytest.mark.parametrize("choice", ["nobody/no-such-model", "/no/such/folder", "a b c"])
    def test_neither_folder_nor_fetched_model(self, choice: str, tmp_path: Path) -> None:
        with pytest.raises(ModelMissing, match=f"'{choice}' is not on this machine"):
            load_encoder(Settings(encoder=choice, cache=tmp_path))

    def test_a_folder_that_holds_no_model(self, tmp_path: Path) -> None:
        with pytest.raises(ModelMissing, match=r"no modules\.json"):
            load_encoder(Settings(encoder=str(tmp_path)))

    def test_a_damaged_model_folder(self, tmp_path: Path) -> None:
        (tmp_path / "config.json").write_text("{")
        found = load_encoder(Settings(encoder=str(tmp_path)))
        assert found is not None
        with pytest.raises(SourceError, match="no usable encoder"):
            found.query("q")

    def test_without_the_extra(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("rag.encode.find_spec", lambda _name: None)
        with pytest.raises(DependencyMissing, match=r"onnxruntime is not .* 'saem\[local\]'"):
            load_encoder(Settings(), "cpu")
        with pytest.raises(DependencyMissing, match="sentence-transformers is not installed"):
            load_encoder(Settings(encoder="/a/folder"))

    def test_nothing_heavy_is_imported(self, tmp_path: Path) -> None:
        file = models.location("multilingual-e5-small", tmp_path)
        file.parent.mkdir()
        with file.open("wb") as f:
            f.truncate(models.MODELS["multilingual-e5-small"].size_bytes)
        code = (
            "import sys; from pathlib import Path\n"
            "from rag.settings import Settings; from rag.encode import load_encoder\n"
            "e = load_encoder(Settings(cache=Path(sys.argv[1])), 'cpu')\n"
            "print(e.name, e.dim, bool(e.fingerprint))\n"
            "heavy = {'torch', 'transformers', 'onnx', 'onnxruntime', 'tokenizers'}\n"
            "print(heavy & set(sys.modules))"
        )
        run = [sys.executable, "-c", code, str(tmp_path)]
        found = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        assert found.splitlines() == ["multilingual-e5-small 384 True", "set()"]


class TestFolderFingerprint:
    def test_it_follows_content_and_not_place(self, tmp_path: Path) -> None:
        for name, weights in (("a", b"w" * (5 << 20)), ("b", b"w" * (5 << 20)), ("c", b"v")):
            (tmp_path / name / "sub").mkdir(parents=True)
            (tmp_path / name / "config.json").write_text("{}")
            (tmp_path / name / "sub" / "model.safetensors").write_bytes(weights)
        (tmp_path / "b" / "README.md").write_text("of no consequence")
        prints = [folder_fingerprint(tmp_path / name) for name in "abc"]
        assert prints[0] == prints[1] != prints[2]
        (tmp_path / "b" / "config.json").write_text('{"prompts": 1}')
        assert folder_fingerprint(tmp_path / "b") != prints[0]
