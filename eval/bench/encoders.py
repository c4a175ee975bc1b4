"""One encoder in several libraries, to compare Saem's with. Knows no texts and no clock."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag import models
from rag.encode import Encoder, load_encoder
from rag.encode.onnx_encoder import OnnxEncoder, Run
from rag.errors import ConfigError, DependencyMissing, RagError
from rag.settings import Settings

SAEM = "saem"
FLOAT32 = "sentence-transformers float32"
BFLOAT16 = "sentence-transformers bfloat16"
TORCH_INT8 = "sentence-transformers int8"
OPENVINO = "openvino float32"
ROSTER = (SAEM, FLOAT32, BFLOAT16, TORCH_INT8, "onnxruntime float32", OPENVINO,
          "openvino bfloat16", "openvino int8")  # fmt: skip


class Plain:
    """A sentence-transformers model with the library's defaults."""

    def __init__(self, folder: Path, precision: str) -> None:
        import torch
        from sentence_transformers import SentenceTransformer

        model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
        dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
        self._model: Any = model.to(dtype).eval()
        if precision == "int8":
            from torch.ao.quantization import quantize_dynamic

            self._model = quantize_dynamic(model, {torch.nn.Linear}, torch.qint8)

    def passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        found = self._model.encode_document(list(texts), show_progress_bar=False)
        return np.asarray(found, np.float32)

    def query(self, text: str) -> NDArray[np.float32]:
        found = self._model.encode_query(text, show_progress_bar=False)
        return np.asarray(found, np.float32)


def openvino(file: Path, precision: str, threads: int) -> Run:
    """The network in ``file`` in OpenVINO, a request a thread.

    ``int8`` keeps weights in 8 bits, quantises inputs by groups of 128 and does the rest in
    bfloat16, where the processor has it.
    """
    from openvino import Core

    core = Core()
    network = core.read_model(file)
    options: dict[str, Any] = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": threads}
    options["INFERENCE_PRECISION_HINT"] = "f32" if precision == "float32" else "bf16"
    if precision == "int8":
        options["DYNAMIC_QUANTIZATION_GROUP_SIZE"] = 128
        _compress(network)
    compiled = core.compile_model(network, "CPU", options)
    free: SimpleQueue[Any] = SimpleQueue()
    for _ in range(threads):
        free.put(compiled.create_infer_request())

    def run(x: NDArray[np.float32]) -> NDArray[np.float32]:
        request = free.get()
        try:
            return np.array(request.infer({"x": x})["mean"])
        finally:
            free.put(request)

    return run


def _compress(network: Any) -> None:  # noqa: ANN401
    """Constant weights (inputs, outputs) become 8-bit ones, with a scale for each output."""
    from openvino import opset13 as ops

    for node in network.get_ops():
        if node.get_type_name() != "MatMul":
            continue
        constant = node.input_value(1).get_node()
        if constant.get_type_name() != "Constant":
            continue
        scale = np.abs(constant.data).max(axis=0, keepdims=True) / np.float32(127)
        whole = np.rint(constant.data / scale).astype(np.int8)
        small = ops.multiply(ops.convert(ops.constant(whole), "f32"), ops.constant(scale))
        node.input(1).replace_source_output(small.output(0))


def lacking(name: str, settings: Settings) -> str:
    """Why the encoder ``name`` cannot be made here; empty where it can."""
    library = name.split()[0]
    if library == "sentence-transformers":
        try:
            weights(settings)
        except RagError as e:
            return str(e)
    elif library != SAEM and not find_spec(library):
        return f"{library} is not installed"
    if library in ("onnxruntime", "openvino") and settings.encoder not in models.MODELS:
        return f"the encoder '{settings.encoder}' is not one that Saem writes for {library}"
    return ""


def weights(settings: Settings) -> Path:
    """The sentence-transformers folder of the encoder that is set.

    Raises
    ------
    ConfigError
        It is none of sentence-transformers.
    ModelMissing, DependencyMissing
        Its files, or the library, are not on this machine.
    """
    if not find_spec("sentence_transformers"):
        raise DependencyMissing("sentence-transformers", "torch")
    if settings.encoder in models.MODELS:
        from rag.encode import e5

        return e5.folder(*_packed(settings))
    if (folder := Path(settings.encoder).expanduser()).is_dir():
        return folder
    raise ConfigError(f"the encoder '{settings.encoder}' has no sentence-transformers folder")


def make(name: str, settings: Settings, threads: int) -> Encoder | Plain:
    """The encoder ``name`` of `ROSTER`, for the model that is set."""
    library, _, precision = name.partition(" ")
    if library == "sentence-transformers":
        return Plain(weights(settings), precision)
    if library == SAEM:
        found = load_encoder(settings, "cpu")
        if found is None:
            raise ConfigError("no encoder is set", remedy="Name one with RAG_ENCODER")
        return found
    from rag.encode import e5
    from rag.encode.onnx_encoder import session

    run: Callable[[Path], Run] = session
    if library == "openvino":
        run = partial(openvino, precision=precision, threads=threads)
    folder = partial(e5.onnx_folder, *_packed(settings), "float32")
    return OnnxEncoder(name, name, folder, run)


def _packed(settings: Settings) -> tuple[Path, str]:
    file = models.path(settings.encoder, settings.cache)
    return file, models.MODELS[settings.encoder].member_sha256[:16]


if __name__ == "__main__":  # the first vector of a fresh process
    sys.stdout.write(f"{len(make(sys.argv[1], Settings.load(), int(sys.argv[2])).query('first'))}")
