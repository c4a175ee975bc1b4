"""The official `openai` client against the real service over a real socket."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import openai
import pytest

from rag.workspace import Workspace
from tests.support.fake_llm import FakeLLM
from tests.support.service import running

REPLY = "Black tea needs boiling water [1]."
QUESTION: list[openai.types.chat.ChatCompletionMessageParam] = [
    {"role": "user", "content": "How is black tea made?"}
]


@dataclass
class Pair:
    client: openai.OpenAI
    fake: FakeLLM


@pytest.fixture
def pair(saem: Workspace) -> Iterator[Pair]:
    with FakeLLM(reply=REPLY) as fake, running(saem.settings.replace(llm_url=fake.url)) as url:
        yield Pair(openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0), fake)


def test_models(pair: Pair) -> None:
    assert [m.id for m in pair.client.models.list()] == ["saem", "saem:default"]


def test_a_completion(pair: Pair) -> None:
    done = pair.client.chat.completions.create(model="saem", messages=QUESTION)
    assert done.choices[0].message.content == REPLY
    assert done.choices[0].finish_reason == "stop"
    assert done.model_extra is not None
    (citation,) = done.model_extra["rag"]["citations"]
    assert citation["path"] == "en/tea.md"


def test_a_stream(pair: Pair) -> None:
    chunks = list(
        pair.client.chat.completions.create(model="saem:default", messages=QUESTION, stream=True)
    )
    assert "".join(c.choices[0].delta.content or "" for c in chunks) == REPLY
    assert [c.choices[0].finish_reason for c in chunks][-1] == "stop"
    assert len({c.id for c in chunks}) == 1
    assert chunks[-1].model_extra is not None
    assert chunks[-1].model_extra["rag"]["citations"][0]["n"] == 1


def test_content_in_parts_unknown_parameters_and_history(pair: Pair) -> None:
    done = pair.client.chat.completions.create(
        model="saem",
        messages=[
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hello"},
            {"role": "assistant", "content": "Hello!"},
            {"role": "user", "content": [{"type": "text", "text": "How is black tea made?"}]},
        ],
        temperature=0.7,
        extra_body={"unheard_of": True},
    )
    assert done.choices[0].message.content == REPLY
    sent = pair.fake.requests[-1].body["messages"]
    assert [m["content"] for m in sent[1:3]] == ["Hello", "Hello!"]


def test_errors_are_the_clients_own(pair: Pair) -> None:
    with pytest.raises(openai.NotFoundError, match="no model 'gpt-4'"):
        pair.client.chat.completions.create(model="gpt-4", messages=QUESTION)
    with pytest.raises(openai.NotFoundError, match="nowhere"):
        pair.client.chat.completions.create(model="saem:nowhere", messages=QUESTION)
    with pytest.raises(openai.UnprocessableEntityError, match="messages"):
        pair.client.chat.completions.create(model="saem", messages=[])
    with pytest.raises(openai.UnprocessableEntityError, match="user's"):
        pair.client.chat.completions.create(
            model="saem", messages=[{"role": "assistant", "content": "Hi"}]
        )


def test_without_its_model_it_quotes(saem: Workspace) -> None:
    with FakeLLM(reply=REPLY) as fake:
        url = fake.url
    with running(saem.settings.replace(llm_url=url)) as service:
        client = openai.OpenAI(base_url=f"{service}/v1", api_key="none", max_retries=0)
        chunks = client.chat.completions.create(model="saem", messages=QUESTION, stream=True)
        streamed = "".join(c.choices[0].delta.content or "" for c in chunks)
        whole = client.chat.completions.create(model="saem", messages=QUESTION)
    assert "Black tea needs boiling water. [" in streamed
    assert whole.choices[0].message.content == streamed
    extension = whole.model_extra["rag"]
    assert extension["degraded"] == "LLMUnavailable"
    assert url in extension["warnings"][-1]


def test_an_unsupported_answer_is_followed_by_quotations(saem: Workspace) -> None:
    with (
        FakeLLM(reply="The moon is cheese.") as fake,
        running(saem.settings.replace(llm_url=fake.url)) as service,
    ):
        client = openai.OpenAI(base_url=f"{service}/v1", api_key="none", max_retries=0)
        chunks = client.chat.completions.create(model="saem", messages=QUESTION, stream=True)
        text = "".join(c.choices[0].delta.content or "" for c in chunks)
    assert "too little of the model's answer" in text
    assert "Black tea needs boiling water. [" in text
