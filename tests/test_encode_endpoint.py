"""The encoder behind an endpoint, against a real server on this machine."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import numpy as np
import pytest

from rag.encode.endpoint import EndpointEncoder
from rag.encode.hashing import HashingEncoder
from rag.errors import LLMTimeout, LLMUnavailable, Overloaded, SourceError
from tests.support.embeddings import TEXTS, EmbeddingServer


@pytest.fixture
def server() -> Iterator[EmbeddingServer]:
    with EmbeddingServer() as made:
        yield made


def client(server: EmbeddingServer) -> EndpointEncoder:
    return EndpointEncoder(server.url, "m", "secret", pause=0.01)


def test_the_request_and_the_order_of_rows(server: EmbeddingServer) -> None:
    vectors = client(server).passages(TEXTS)
    np.testing.assert_allclose(vectors, HashingEncoder(16).passages(TEXTS), atol=1e-6)
    (request,) = server.seen
    assert request["path"] == "/v1/embeddings"
    assert request["key"] == "Bearer secret"
    assert request["model"] == "m"
    assert request["input"] == TEXTS


def test_many_texts_go_in_batches(server: EmbeddingServer) -> None:
    assert client(server).passages([f"text {i}" for i in range(150)]).shape == (150, 16)
    assert [len(request["input"]) for request in server.seen] == [64, 64, 22]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_passing_failure_is_tried_again(server: EmbeddingServer, status: int) -> None:
    server.script += [(status, {}, "")] * 2 + [(status, {"retry-after": "0"}, "")]
    assert client(server).query("q").shape == (16,)
    assert len(server.seen) == 4


def test_no_more_than_four_attempts(server: EmbeddingServer) -> None:
    server.script += [(429, {"retry-after": "0.01"}, "")] * 9
    with pytest.raises(Overloaded, match=f"{server.url}/embeddings"):
        client(server).query("q")
    assert len(server.seen) == 4
    server.script[:] = [(503, {}, "out of memory")] * 9
    with pytest.raises(LLMUnavailable, match="HTTP 503: out of memory"):
        client(server).query("q")


def test_a_refusal_is_not_tried_again_and_hides_the_key(server: EmbeddingServer) -> None:
    server.script += [(401, {}, "bad key")]
    with pytest.raises(LLMUnavailable, match="HTTP 401: bad key") as caught:
        client(server).query("q")
    assert len(server.seen) == 1
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "answer",
    [
        "<html>",
        "[]",
        '{"data": []}',
        '{"data": [{"index": 0, "embedding": "AAAA"}]}',
        '{"data": [{"index": 0, "embedding": []}, {"index": 1, "embedding": []}]}',
    ],
)
def test_nonsense_is_an_error_that_names_the_endpoint(server: EmbeddingServer, answer: str) -> None:
    server.script += [(200, {}, answer)]
    with pytest.raises(LLMUnavailable, match=f"{server.url}/embeddings"):
        client(server).query("q")


def test_a_vector_of_no_number_is_an_error(server: EmbeddingServer) -> None:
    server.script += [(200, {}, '{"data": [{"index": 0, "embedding": [NaN, 1]}]}')]
    with pytest.raises(SourceError, match="m at http"):
        client(server).query("q")


def test_silence_is_a_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(LLMTimeout, match=r"0\.1 s"):
            EndpointEncoder(url, "m", timeout=0.1).query("q")


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
    with pytest.raises(LLMUnavailable, match=f"{url}/embeddings"):
        EndpointEncoder(url, "m").query("q")


def test_what_people_see_holds_no_password() -> None:
    encoder = EndpointEncoder("http://me:pw@host/v1/embeddings?t=1", "m")
    assert encoder.name == "m at http://host/v1/embeddings"
    assert encoder.fingerprint == "endpoint:m"
