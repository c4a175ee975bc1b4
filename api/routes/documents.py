"""Documents and collections: list, read, upload, delete."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated, Any
from unicodedata import normalize

from fastapi import APIRouter, File, Form, UploadFile

from api import schemas
from api.state import Saem
from indexer.reading import Job
from indexer.rows import make_rows
from indexer.rules import ruled
from rag.errors import NotFound
from rag.index import Known, Stat
from rag.types import Filter, encodable

router = APIRouter(tags=["documents"])
_WAIT = 10.0
_TRIES = 5


@router.get("/collections", response_model=schemas.Collections)
def collections(saem: Saem) -> dict[str, Any]:
    """The collections and their state."""
    found, failed = [], []
    for name in saem.names():
        try:
            found.append(asdict(saem.collection(name).status()))
        except Exception as e:  # whatever is wrong with one, the others are there
            failed.append({"name": encodable(name), "error": encodable(str(e))})
    return {"collections": found, "failed": failed}


@router.get("/documents", response_model=schemas.Documents)
def documents(saem: Saem, collection: str | None = None) -> dict[str, Any]:
    """The documents of a collection, by path."""
    return {"documents": [_item(d) for d in saem.collection(collection).documents()]}


@router.get("/documents/{document}", response_model=schemas.DocumentText)
def document(
    document: str, saem: Saem, collection: str | None = None, version: str | None = None
) -> dict[str, Any]:
    """A document with the text that offsets refer to."""
    target = saem.collection(collection)
    for left in reversed(range(_TRIES)):
        found = target.documents(Filter({"document": (document,)}))
        if not found:
            break
        known = found[0]
        try:
            text = target.text(document, known.version)
        except NotFound:  # replaced or deleted in between
            if left:
                continue
            raise
        if version not in (None, known.version):
            raise NotFound(f"document '{document}' has changed: version '{version}' is gone")
        return _item(known) | {"uri": known.uri, "text": text}
    raise NotFound(f"there is no document '{document}' in collection '{target.name}'")


@router.post("/documents", response_model=schemas.Uploaded)
def upload(
    files: Annotated[list[UploadFile], File(description="Documents of the known types.")],
    saem: Saem,
    collection: Annotated[str | None, Form()] = None,
) -> dict[str, Any]:
    """Index files; one of the same name replaces its predecessor. Searchable on return."""
    recipe = saem.recipe()
    latest, failed, notes = {}, [], []
    for reading in saem.readers().read(_jobs(files)):
        notes += [{"path": reading.path, "note": note} for note in reading.notes]
        if reading.document:
            document = ruled(reading.document, saem.settings.rules)
            latest[document.id] = document, Stat(sha256=reading.sha256)
        else:
            failed.append({"path": reading.path, "error": str(reading.error)})
    if not latest:
        return {"documents": [], "failed": failed, "notes": notes}
    target = saem.collection(collection, create=True)
    target.ensure("analyser", recipe.analyser.fingerprint)
    rows = make_rows(list(latest.values()), recipe.chunker, recipe.analyser)
    target.upsert(rows, wait=_WAIT)
    known = target.documents(Filter({"document": tuple(latest)}))
    return {"documents": [_item(d) for d in known], "failed": failed, "notes": notes}


@router.delete("/documents/{document}", response_model=schemas.Deleted)
def delete(document: str, saem: Saem, collection: str | None = None) -> dict[str, int]:
    """Delete a document; it is found no more when this returns."""
    target = saem.collection(collection)
    deleted = target.delete([document], wait=_WAIT)
    if not deleted:
        raise NotFound(f"there is no document '{document}' in collection '{target.name}'")
    return {"deleted": deleted}


def _jobs(files: list[UploadFile]) -> Iterator[Job]:
    for file in files:
        name = _path(file.filename or "")
        yield Job(f"upload:{name}", name, data=file.file.read())


def _path(filename: str) -> str:
    """The relative path that an upload is named by, whatever the client sends."""
    text = normalize("NFC", encodable(filename.replace("\\", "/")))
    parts = [part for part in text.split("/") if part.strip() not in ("", ".", "..")]
    return "/".join(parts) or "unnamed.txt"


def _item(d: Known) -> dict[str, Any]:
    return {
        "id": d.id,
        "version": d.version,
        "path": d.path,
        "title": d.title,
        "language": d.language,
        "passages": d.chunks,
        "aliases": list(d.aliases),
    }
