"""``POST /votes``: thumbs for the query log."""

from __future__ import annotations

from fastapi import APIRouter

from api.schemas import VoteRequest
from api.state import Log

router = APIRouter(tags=["query"])


@router.post("/votes", status_code=204)
def vote(body: VoteRequest, query_log: Log) -> None:
    """Say whether an answer, or one of its passages, helped; the last vote on each counts.

    Where `query_log` is on, the header `X-Saem-Query` of `/search`, `/ask` and
    `/v1/chat/completions` names the question.
    """
    query_log.vote(body.id, body.vote, body.hit, body.collection)
