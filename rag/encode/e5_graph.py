"""Writes the network of ``multilingual-e5-small`` for ONNX Runtime. Knows no tokens and no torch.

Input ``x`` is (1, tokens, 384) float32, the sum of a text's embeddings before their normalisation;
output ``mean`` is (1, 384) float32, the mean over its tokens. One text a run needs no mask and no
padding, and gives it the same vector whatever else is encoded.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from rag.encode.e5_file import SHAPE, Packed
from rag.errors import DependencyMissing

Precision = Literal["float32", "int8"]
FORMAT = 1
"""Raised when the 8-bit vectors change."""

_HIDDEN, _LAYERS, _HEADS = SHAPE[:3]
_OURS = "com.microsoft"
_LARGEST = 64
"""Of an 8-bit weight: two products with 8-bit inputs then fit the 16 bits that processors without
VNNI add them in, so every processor gives the same sums."""
_LOUD = {0: 318, 1: 1462, 2: 354, 4: 778, 5: 658, 6: 1152, 7: 413}
"""Layer to the one inner unit that ``<s>`` and ``</s>`` drive to 11 to 68 where all else stays at 7
or below. A scale that covers it leaves the rest too few steps: least cosine 0.994 in place of
0.997, so this unit is multiplied in float32."""
_LOUD_HIDDEN, _DAMPED = (15, 35, 321), np.float32(0.25)
"""The same tokens' loud places after an attention, up to 44 among 4; damped there, and their
weights raised: least cosine 0.9987. A factor of 8 costs the weights more than it gives."""


def write(packed: Packed, file: Path, precision: Precision) -> None:
    """Write the network to ``file``; ``int8`` multiplies 8-bit weights by 8-bit inputs.

    Raises
    ------
    DependencyMissing
        The package ``onnx`` is not installed.
    """
    try:
        import onnx
    except ImportError as e:
        raise DependencyMissing("onnx", "local") from e
    file.write_bytes(_Graph(onnx, packed, precision).model().SerializeToString())


class _Graph:
    """The nodes and constants so far. A value is called by its node's name."""

    def __init__(self, onnx: Any, packed: Packed, precision: Precision) -> None:  # noqa: ANN401
        self._onnx = onnx
        self._tensors = packed.tensors
        self._epsilon = packed.epsilon
        self._int8 = precision == "int8"
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def model(self) -> Any:  # noqa: ANN401
        """The whole network as an ``onnx.ModelProto``."""
        x = self._normalised("x", "embeddings.LayerNorm")
        for i in range(_LAYERS):
            x = self._layer(x, i)
        self._op("ReduceMean", "mean", x, self._constant("tokens", np.array([1])), keepdims=0)
        helper, kind = self._onnx.helper, self._onnx.TensorProto.FLOAT
        graph = helper.make_graph(
            self._nodes,
            "multilingual-e5-small",
            [helper.make_tensor_value_info("x", kind, [1, "tokens", _HIDDEN])],
            [helper.make_tensor_value_info("mean", kind, [1, _HIDDEN])],
            self._constants,
        )
        opsets = [helper.make_opsetid("", 18), helper.make_opsetid(_OURS, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=9)

    def _layer(self, x: str, i: int) -> str:
        bert, attention = f"encoder.layer.{i}", f"encoder.layer.{i}.attention"
        parts = [f"{attention}.self.{name}" for name in ("query", "key", "value")]
        weight, bias = (
            np.concatenate([self._tensors[f"{part}.{kind}"] for part in parts])
            for kind in ("weight", "bias")
        )
        together = self._linear(f"{i}.qkv", x, weight, bias)
        heads = [f"{i}.q", f"{i}.k", f"{i}.v"]
        self._nodes.append(
            self._onnx.helper.make_node("Split", [together], heads, axis=-1, num_outputs=3)
        )
        mixed = self._op("MultiHeadAttention", f"{i}.mixed", *heads, domain=_OURS, num_heads=_HEADS)
        out = self._dense(f"{i}.out", mixed, f"{attention}.output.dense")
        x = self._normalised(self._op("Add", f"{i}.a", out, x), f"{attention}.output.LayerNorm")
        return self._normalised(
            self._op("Add", f"{i}.b", self._feed_forward(x, i), x), f"{bert}.output.LayerNorm"
        )

    def _feed_forward(self, x: str, i: int) -> str:
        up, down = f"encoder.layer.{i}.intermediate.dense", f"encoder.layer.{i}.output.dense"
        weight, bias = self._tensors[f"{up}.weight"], self._tensors[f"{up}.bias"]
        back = self._tensors[f"{down}.weight"]
        loud = [_LOUD[i]] if self._int8 and i in _LOUD else []
        quiet, silent, less = weight.copy(), bias.copy(), back.copy()
        quiet[loud], silent[loud], less[:, loud] = 0, 0, 0
        even = x
        if self._int8:
            damping = np.ones(_HIDDEN, np.float32)
            damping[list(_LOUD_HIDDEN)] = _DAMPED
            even = self._op("Mul", f"{i}.even", x, self._constant(f"{i}.damping", damping))
            quiet /= damping
        inner = self._linear(f"{i}.up", even, quiet, silent)
        inner = self._op("Gelu", f"{i}.gelu", inner, domain=_OURS)
        found = self._linear(f"{i}.down", inner, less, self._tensors[f"{down}.bias"])
        if loud:
            one = self._exact(f"{i}.loud", x, weight[loud], bias[loud])
            one = self._op("Gelu", f"{i}.loud.gelu", one, domain=_OURS)
            one = self._product(f"{i}.loud.down", one, back[:, loud])
            found = self._op("Add", f"{i}.both", found, one)
        return found

    def _dense(self, name: str, x: str, bert: str) -> str:
        return self._linear(name, x, self._tensors[f"{bert}.weight"], self._tensors[f"{bert}.bias"])

    def _linear(
        self, name: str, x: str, weight: NDArray[np.float32], bias: NDArray[np.float32]
    ) -> str:
        """``x`` times ``weight`` (outputs, inputs), plus ``bias``."""
        if not self._int8:
            return self._exact(name, x, weight, bias)
        scale = np.abs(weight).max(axis=1) / np.float32(_LARGEST)
        scale[scale == 0] = 1
        whole = np.rint(weight / scale[:, None]).astype(np.int8)
        inputs = {
            "weight": whole.T,
            "scale": scale,
            "zero": np.zeros(len(scale), np.int8),
            "bias": bias,
        }
        constants = [self._constant(f"{name}.{kind}", array) for kind, array in inputs.items()]
        return self._op("DynamicQuantizeMatMul", name, x, *constants, domain=_OURS)

    def _exact(
        self, name: str, x: str, weight: NDArray[np.float32], bias: NDArray[np.float32]
    ) -> str:
        product = self._product(f"{name}.product", x, weight)
        return self._op("Add", name, product, self._constant(f"{name}.bias", bias))

    def _product(self, name: str, x: str, weight: NDArray[np.float32]) -> str:
        return self._op("MatMul", name, x, self._constant(f"{name}.weight", weight.T))

    def _normalised(self, x: str, bert: str) -> str:
        constants = [self._constant(f"{bert}.{k}", self._tensors[f"{bert}.{k}"])
                     for k in ("weight", "bias")]  # fmt: skip
        return self._op("LayerNormalization", bert, x, *constants, epsilon=self._epsilon)

    def _op(self, kind: str, name: str, *inputs: str, domain: str = "", **options: Any) -> str:  # noqa: ANN401
        node = self._onnx.helper.make_node(
            kind, list(inputs), [name], name=name, domain=domain, **options
        )
        self._nodes.append(node)
        return name

    def _constant(self, name: str, array: NDArray[Any]) -> str:
        from_array = self._onnx.numpy_helper.from_array
        self._constants.append(from_array(np.ascontiguousarray(array), name))
        return name
