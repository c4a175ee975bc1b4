"""Many chains of thought, and the answer that most come to (Wang et al. 2022, arXiv:2203.11171)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from rag.answer.alike import normalised
from rag.answer.programs.chain_of_thought import prompt
from rag.answer.reasoning import told_apart
from rag.answer.refusal import is_refusal
from rag.answer.task import Task
from rag.types import Step


def run(task: Task) -> Iterator[Step | str]:
    answers = []
    for reply in task.sample(prompt(task), task.settings.samples):
        answers.append(_answer(reply))
        yield Step("sample", answers[-1])
    keys = ["" if is_refusal(answer) else normalised(answer) for answer in answers]
    key, agreeing = Counter(keys).most_common(1)[0]
    yield Step("check", f"{agreeing} of {len(answers)} samples agree")
    yield answers[keys.index(key)]


def _answer(reply: str) -> str:
    """The answer alone; of a reply that marks none, the last line."""
    said = "".join(event for event in told_apart([reply]) if isinstance(event, str))
    return said.strip() or reply.rstrip().rpartition("\n")[2].strip()
