"""``rag models``: the default models and where they are."""

from __future__ import annotations

from typing import Annotated

import typer

from rag.cli import options, view

app = typer.Typer(help="The default models: list, fetch, find.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="A name from `rag models list`.")]


@app.command("list")
def list_models(as_json: options.Json = False) -> None:
    """Show the models that Saem knows how to get."""
    from rag import models
    from rag.errors import ModelMissing

    cache = options.settings(None, None).cache
    rows = []
    for model in models.MODELS.values():
        try:
            where = str(models.path(model.name, cache))
        except ModelMissing:
            where = ""
        rows.append(
            {
                "name": model.name,
                "kind": model.kind,
                "licence": model.licence,
                "bytes": model.size_bytes,
                "path": where,
                "description": model.description,
            }
        )
    if as_json:
        view.print_json({"models": rows})
    else:
        view.print_models(rows)


@app.command("pull")
def pull(
    names: Annotated[
        list[str] | None, typer.Argument(help="Those that the settings name, when none is given.")
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Fetch models into the cache; what is there already is checked and kept."""
    from rag import models

    settings = options.settings(None, None)
    needed = [name for name in (settings.encoder, settings.llm) if name in models.MODELS]
    cache = settings.cache
    paths = {}
    for name in names or needed:
        paths[name] = str(models.pull(name, cache, lambda _: None if as_json else view.say(_)))
    if as_json:
        view.print_json({"models": paths})


@app.command("path")
def path(name: Name, as_json: options.Json = False) -> None:
    """Print where a model is."""
    from rag import models

    found = str(models.path(name, options.settings(None, None).cache))
    if as_json:
        view.print_json({"name": name, "path": found})
    else:
        view.say(found)
