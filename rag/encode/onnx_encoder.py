"""The default model on the CPU: ONNX Runtime and the ``tokenizers`` library, never torch.

Importing this module, and making an encoder, loads no library; the first text does.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.encode import e5
from rag.encode.base import unit
from rag.encode.e5_file import weights
from rag.encode.token_vectors import own
from rag.errors import DependencyMissing, SourceError
from rag.types import encodable

Run = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""A text's embeddings, (1, tokens, dim), to the mean of the last layer, (1, dim); or to itself."""


def session(file: Path) -> Run:
    """The network in ``file`` in ONNX Runtime, single-threaded.

    Raises
    ------
    SourceError
        This version of ONNX Runtime cannot run it.
    DependencyMissing
        The package ``onnxruntime`` is not installed.
    """
    return _session(file, file, "mean")


def last_layer(file: Path) -> Run:
    """As `session`, without the mean over tokens: the last layer, (1, tokens, dim)."""
    try:
        import onnx
    except ImportError as e:
        raise DependencyMissing("onnx", "local") from e
    model = onnx.load(file)
    layer = model.graph.node.pop().input[0]
    shape = [1, "tokens", e5.DIM]
    output = onnx.helper.make_tensor_value_info(layer, onnx.TensorProto.FLOAT, shape)
    model.graph.output[0].CopyFrom(output)
    return _session(model.SerializeToString(), file, layer)


def _session(network: Path | bytes, file: Path, output: str) -> Run:
    """``network``, that of ``file``, run for its ``output``; raises as `session` does."""
    try:
        import onnxruntime
    except ImportError as e:
        raise DependencyMissing("onnxruntime", "local") from e
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        made = onnxruntime.InferenceSession(
            network,
            options,
            providers=["CPUExecutionProvider"],
            # The fused operator is scalar code: a sixth of the whole time, in place of 3 %.
            disabled_optimizers=["SkipLayerNormFusion"],
        )
    except Exception as e:  # the library names no common one
        raise SourceError(
            str(file), f"is no model for onnxruntime {onnxruntime.__version__}: {e}"
        ) from e

    def run(x: NDArray[np.float32]) -> NDArray[np.float32]:
        found: NDArray[np.float32] = made.run([output], {"x": x})[0]
        return found

    return run


class OnnxEncoder:
    """A folder that `e5.onnx_folder` made. May be used by any number of threads.

    A text is one single-threaded run, without padding; passages have a thread for every core, and
    a question runs at once in its caller's, so it waits for none of them.

    Parameters
    ----------
    folder
        Gives the folder when it is first needed.
    load
        Makes its ``model.onnx`` ready to run, by any number of threads.
    """

    dim = e5.DIM

    def __init__(
        self,
        name: str,
        fingerprint: str,
        folder: Callable[[], Path],
        load: Callable[[Path], Run] = session,
    ) -> None:
        self.name = name
        self.fingerprint = fingerprint
        self._folder = folder
        self._load = load
        self._model: _Model | None = None
        self._token_model: _Model | None = None
        self._loading = threading.Lock()
        self._recent = lru_cache(maxsize=64)(self._query)

    def passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of passages, (n, dim) float32, unit norm; (0, dim) for no texts.

        Raises
        ------
        SourceError
            The model cannot be loaded, or gave a vector that is zero or no number.
        DependencyMissing
            The packages of the extra ``local`` are not installed.
        """
        vectors = np.zeros((len(texts), self.dim), np.float32)
        if not texts:
            return vectors
        model = self._loaded()
        longest = sorted(range(len(texts)), key=lambda i: len(texts[i]), reverse=True)

        def encode(i: int) -> None:
            vectors[i] = model.mean(e5.PASSAGE + encodable(texts[i]))

        if len(texts) == 1:
            encode(0)
        else:
            with ThreadPoolExecutor(min(_cores(), len(texts)), "encode") as pool:
                list(pool.map(encode, longest))
        return unit(vectors, self.name)

    def tokens(self, texts: Sequence[str], *, question: bool = False) -> list[NDArray[np.float32]]:
        """Vectors of each text's tokens, see `rag.encode.token_vectors.TokenEncoder`."""
        prompt = e5.QUERY if question else e5.PASSAGE
        with self._loading:
            if self._token_model is None:
                self._token_model = _Model(self._folder(), last_layer)
            model = self._token_model
        with ThreadPoolExecutor(min(_cores(), len(texts) or 1), "encode") as pool:
            found = pool.map(lambda text: model.tokens(prompt, encodable(text)), texts)
            return [unit(vectors, self.name) for vectors in found]

    def query(self, text: str) -> NDArray[np.float32]:
        """Vector of a question, (dim,) float32, unit norm; raises as `passages` does.

        The last ones are kept, as one answer asks for its question's several times.
        """
        return self._recent(text)

    def _query(self, text: str) -> NDArray[np.float32]:
        mean = self._loaded().mean(e5.QUERY + encodable(text))
        vector: NDArray[np.float32] = unit(mean[None], self.name)[0]
        vector.flags.writeable = False
        return vector

    def _loaded(self) -> _Model:
        with self._loading:
            if self._model is None:
                self._model = _Model(self._folder(), self._load)
            return self._model


class _Model:
    """What is loaded from a folder."""

    def __init__(self, folder: Path, load: Callable[[Path], Run]) -> None:
        try:
            import tokenizers
        except ImportError as e:
            raise DependencyMissing("tokenizers", "local") from e
        e5.check(folder)
        self._run = load(folder / "model.onnx")
        self._tokenizer: Any = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._positions = np.load(folder / "positions.npy", allow_pickle=False)
        self._words = np.load(folder / "words.npy", "r", allow_pickle=False)
        self._tokenizer.enable_truncation(len(self._positions))

    def mean(self, text: str) -> NDArray[np.float32]:
        """The mean of the last layer over the text's tokens, (dim,) float32."""
        (tokens,) = self._tokenizer.encode_batch_fast([text])  # unlike `encode`, drops the GIL
        return self._through(tokens.ids)

    def tokens(self, prompt: str, text: str) -> NDArray[np.float32]:
        """Of `last_layer`: what it says of each token of ``text``, (tokens, dim) float32."""
        (tokens,) = self._tokenizer.encode_batch([prompt + text])
        at = own(tokens.special_tokens_mask, tokens.offsets, len(prompt))
        return self._through(tokens.ids)[at]

    def _through(self, ids: list[int]) -> NDArray[np.float32]:
        x = weights(self._words[ids]) + self._positions[: len(ids)]
        found: NDArray[np.float32] = self._run(x[None])[0]
        return found


def _cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
