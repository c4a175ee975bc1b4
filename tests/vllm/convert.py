"""The default model as a folder that vLLM serves: dequantised, in bfloat16.

Usage: ``python -m tests.vllm.convert FOLDER``, where transformers, gguf and torch are installed.
"""

from __future__ import annotations

import sys

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

from rag import models
from rag.settings import Settings


def main(folder: str) -> None:
    file = models.pull("smollm2", Settings.load().cache, print)
    tokenizer = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
    model = AutoModelForCausalLM.from_pretrained(
        file.parent,
        gguf_file=file.name,
        dtype=torch.bfloat16,
        quantization_config=GgufConfig(dequantize=True),
    )
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


if __name__ == "__main__":
    main(sys.argv[1])
