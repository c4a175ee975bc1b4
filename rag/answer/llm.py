"""The `LLM` protocol, and the one that the settings ask for.

Knows no prompt and no passage, and no wire: that is in `rag.answer.endpoint`, which every
implementation talks through.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from rag.answer.endpoint import HttpLLM
from rag.answer.tokens import estimate_tokens
from rag.errors import ConfigError
from rag.types import Message

if TYPE_CHECKING:
    from rag.settings import Settings

__all__ = ["LLM", "HttpLLM", "estimate_tokens", "load_llm"]


class LLM(Protocol):
    """A language model that continues a chat.

    Attributes
    ----------
    name
        The model's name, as people see it.
    endpoint
        The URL or file that errors name.
    context_tokens
        Tokens of prompt and output together that the model can attend to.
    languages
        The languages that it writes; empty where it is not known to lack any.
    at_once
        Calls that are worth making at the same time.
    """

    @property
    def name(self) -> str: ...

    @property
    def endpoint(self) -> str: ...

    @property
    def context_tokens(self) -> int: ...

    @property
    def languages(self) -> tuple[str, ...]: ...

    @property
    def at_once(self) -> int: ...

    def count(self, text: str) -> int:
        """Tokens of ``text``, without those that a chat template adds."""
        ...

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
        """The reply, piece by piece; closing the iterator stops the generation.

        Parameters
        ----------
        schema
            A JSON Schema that the reply shall be of, where the endpoint can hold it to that; it
            is told nothing of it in words.
        seconds
            How long the call may take as a whole; ten times the silence that is allowed by
            default.

        Raises
        ------
        LLMUnavailable, LLMTimeout
            Possibly after some pieces: those that arrived are delivered first.
        BadQuery
            The messages do not fit the model's window.
        """
        ...

    def ready(self) -> None:
        """Return if the model can be used, as far as a cheap look tells.

        Raises
        ------
        LLMUnavailable, LLMTimeout
        """
        ...

    def close(self) -> None: ...


def load_llm(settings: Settings) -> LLM | None:
    """The language model that the settings ask for; ``None`` where they ask for none.

    Raises
    ------
    ConfigError
        ``llm`` is no model and no file, ``llm_url``, ``llm_key`` or ``vllm_args`` is malformed.
    ModelMissing
        The default model has not been fetched.
    DependencyMissing
        The model would run on this machine, and xllamacpp or vLLM is not installed.
    LLMUnavailable
        The file is not a GGUF file, or vLLM cannot load the model in this process.
    """
    if settings.llm_url:
        return HttpLLM(settings.llm_url, settings.llm_model, settings.llm_key, settings.llm_timeout)
    if settings.llm == "none":
        return None
    where, _, model = settings.llm.partition(":")
    if where == "vllm" and model:
        from rag.answer.vllm import ServedVLLM

        return ServedVLLM(
            model, settings.vllm_args, adapter=settings.llm_model, timeout=settings.llm_timeout
        )
    if where == "vllm-inprocess" and model:
        from rag.answer.vllm_batch import BatchVLLM

        return BatchVLLM(model, settings.vllm_args)
    from rag import models
    from rag.answer.embedded import EmbeddedLLM

    if settings.llm in models.MODELS and models.MODELS[settings.llm].kind == "llm":
        file = models.path(settings.llm, settings.cache)
        languages = models.MODELS[settings.llm].languages
    else:
        file, languages = Path(settings.llm).expanduser(), ()
        if file.suffix != ".gguf" or not file.is_file():
            raise ConfigError(
                f"llm = '{settings.llm}' is no model that can be loaded",
                remedy="Use smollm2, the path of an existing .gguf file, vllm:MODEL, or none; "
                "or set llm_url",
            )
    return EmbeddedLLM(file, timeout=settings.llm_timeout, languages=languages)
