"""vLLM in this process, for evaluation: what is asked at the same time is generated together.

Knows no prompt. A reply comes whole, when its batch is done, so that deadlines and closing stop
nothing here; a service has `rag.answer.vllm` for that.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from threading import Lock
from typing import Any

from rag.answer import replies
from rag.answer.vllm import extra_arguments
from rag.errors import BadQuery, ConfigError, DependencyMissing, LLMUnavailable, RagError
from rag.types import Message


@dataclass(slots=True, eq=False)
class _Job:
    """A chat that waits for its batch; ``reply`` or ``error`` is what became of it."""

    messages: list[dict[str, str]]
    params: Any
    reply: str | None = None
    error: RagError | None = None


class BatchVLLM:
    """A model that vLLM runs in this process, loaded at once.

    Asked by one thread it answers one after the other; asked by many (``at_once``), whatever came
    while a batch was under way is the next batch.

    Parameters
    ----------
    model
        A folder or hub id, as `vllm serve` takes it.
    arguments
        More of its arguments for the engine, as a shell reads them.

    Raises
    ------
    DependencyMissing
        vLLM is not installed in this environment.
    ConfigError
        An argument makes no sense.
    LLMUnavailable
        The model cannot be loaded.
    """

    languages: tuple[str, ...] = ()
    at_once = 64

    def __init__(self, model: str, arguments: str = "") -> None:
        if find_spec("vllm") is None:
            raise DependencyMissing("vllm", "gpu")
        self.name = model
        self.endpoint = f"vllm-inprocess:{model}"
        self._engine = _engine(model, arguments, self.endpoint)
        self._tokenizer = self._engine.get_tokenizer()
        self.context_tokens: int = self._engine.model_config.max_model_len
        self._waiting: deque[_Job] = deque()
        self._turn = Lock()

    def count(self, text: str) -> int:
        """Tokens of ``text`` by the model's tokenizer."""
        return len(self._tokenizer.encode(text, add_special_tokens=False)) if text else 0

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
        from vllm import SamplingParams
        from vllm.sampling_params import StructuredOutputsParams

        chat = [{"role": m.role, "content": m.content} for m in messages]
        self._check_length(chat, max_tokens)
        form = None if schema is None else StructuredOutputsParams(json=dict(schema))
        params = SamplingParams(
            max_tokens=max_tokens,
            temperature=temperature,
            stop=list(stop),
            structured_outputs=form,
        )
        yield from replies.said(iter([self._ask(_Job(chat, params))]))

    def ready(self) -> None:
        """It is, from its making on."""

    def close(self) -> None:
        """Stop the engine's processes and free its memory."""
        self._engine.llm_engine.engine_core.shutdown()

    def _check_length(self, chat: list[dict[str, str]], max_tokens: int) -> None:
        prompt = self._tokenizer.apply_chat_template(
            chat, add_generation_prompt=True, return_dict=False
        )
        if len(prompt) + max_tokens > self.context_tokens:
            raise BadQuery(
                f"the prompt is longer than the window of the model {self.endpoint}",
                remedy="Ask a shorter question, or lower context_tokens",
            )

    def _ask(self, job: _Job) -> str:
        self._waiting.append(job)
        with self._turn:
            if job.reply is None and job.error is None:
                self._generate([self._waiting.popleft() for _ in range(len(self._waiting))])
        if job.reply is None:
            raise job.error or LLMUnavailable(self.endpoint, "it gave no reply")
        return job.reply

    def _generate(self, jobs: Sequence[_Job]) -> None:
        """Have ``jobs`` answered, each alone if vLLM refuses them together."""
        try:
            done = self._engine.chat(
                [job.messages for job in jobs], [job.params for job in jobs], use_tqdm=False
            )
        except Exception as e:  # the engine's kinds of error are many, and not documented
            if len(jobs) > 1:
                for job in jobs:
                    self._generate([job])
            elif jobs[0].params.structured_outputs:
                jobs[0].params.structured_outputs = None  # a schema that it cannot guide by
                self._generate(jobs)
            else:
                jobs[0].error = LLMUnavailable(self.endpoint, f"{type(e).__name__}: {e}"[:300])
            return
        for job, output in zip(jobs, done, strict=True):
            job.reply = output.outputs[0].text


def _engine(model: str, arguments: str, endpoint: str) -> Any:  # noqa: ANN401
    from vllm import LLM, EngineArgs
    from vllm.utils.argparse_utils import FlexibleArgumentParser

    given = ["--model", model, "--enable-prefix-caching", *extra_arguments(arguments)]
    try:
        parser = EngineArgs.add_cli_args(FlexibleArgumentParser(exit_on_error=False))
        return LLM.from_engine_args(EngineArgs.from_cli_args(parser.parse_args(given)))
    except SystemExit as e:
        raise ConfigError(f"vllm_args = '{arguments}' is not understood by vLLM") from e
    except (ValueError, OSError, RuntimeError) as e:
        raise LLMUnavailable(endpoint, f"{type(e).__name__}: {e}"[:300]) from e
