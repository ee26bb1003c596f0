"""`aisle search`, `aisle serve` and `aisle demo`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from aisle.cli.evaluation import print_outcome
from aisle.cli.hits import print_hits
from aisle.cli.options import JsonOption, RecipeOption, SetOption, WorkspaceOption
from aisle.cli.output import print_json, say

__all__ = ["demo", "search", "serve"]

HostOption = Annotated[str, typer.Option(help="Address to listen on; one that others reach needs a key.")]
DemoWorkspaceOption = Annotated[
    Path | None,
    typer.Option(
        "--workspace",
        "-w",
        envvar="AISLE_WORKSPACE",
        help="Folder that holds a shop's artefacts.",
        show_default="demo-workspace/DATA",
    ),
]
PortOption = Annotated[int, typer.Option(help="Port to listen on; 0 picks a free one.")]


def search(
    query: Annotated[str, typer.Argument(help="What a shopper types.")],
    workspace: WorkspaceOption = Path("workspace"),
    k: Annotated[int, typer.Option(help="Results, 1 to 1000.")] = 10,
    mode: Annotated[str | None, typer.Option(help="hybrid, semantic or lexical.")] = None,
    user: Annotated[str | None, typer.Option(help="user_id of who searches: the past in the log counts.")] = None,
    client: Annotated[str | None, typer.Option(help="client_id, where nobody is signed in.")] = None,
    session: Annotated[str | None, typer.Option(help="session_id, where no client is known either.")] = None,
    location: Annotated[str | None, typer.Option(help="Country or region that the search comes from.")] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Show what each score is made of.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Search the catalogue from the terminal.

    Example: `aisle search "gaming laptop" --workspace shop --k 5 --user u17 --location de --explain`
    """
    from aisle.core.shopper import Shopper
    from aisle.pipelines.searching import load_engine
    from aisle.workspace import Workspace

    engine = load_engine(Workspace.open(workspace))
    shopper = Shopper(user_id=user, client_id=client, session_id=session, location=location)
    hits = engine.search(query, k=k, mode=mode, shopper=shopper, explain=explain)
    shown = mode or engine.default_mode
    corrected = engine.corrected(query)
    if as_json:
        told = ({"explanation": hit.explanation} if explain else {} for hit in hits)
        rows = [
            {"rank": hit.rank, "product_id": hit.product_id, "score": hit.score, **hit.product, **more}
            for hit, more in zip(hits, told, strict=True)
        ]
        print_json({"query": query, "corrected": corrected, "mode": shown, "hits": rows})
        return
    if corrected is not None:
        say(f"Searched as: {corrected}")
    print_hits(f"{query} ({shown})", hits)
    if explain and hits and hits[0].explanation is None:
        say(f"A {shown} score has no parts to be told apart.")
    if explain and any("sides" in (hit.explanation or {}) for hit in hits):
        say("A hybrid's scores are normalised per query: they order its results, and say nothing beside another's.")


def serve(
    workspace: WorkspaceOption = Path("workspace"),
    host: HostOption = "127.0.0.1",
    port: PortOption = 8000,
    store: Annotated[
        Literal["qdrant-edge", "qdrant-cluster", "faiss"],
        typer.Option(help="Engine in this process, a cluster of it, or a snapshot that cannot be written to."),
    ] = "qdrant-edge",
    recipe: RecipeOption = None,
    overrides: SetOption = None,
    api_key_file: Annotated[
        Path | None, typer.Option(help="File with the key that requests must carry; else $AISLE_API_KEY.")
    ] = None,
    read_key_file: Annotated[
        Path | None, typer.Option(help="File with a key that may only search; else $AISLE_READ_KEY.")
    ] = None,
    allowed_host: Annotated[
        list[str] | None, typer.Option(help="Name by which the service may be asked; may be given several times.")
    ] = None,
    log_queries: Annotated[
        bool, typer.Option("--log-queries", help="Write queries and who asked them into the log.")
    ] = False,
    accept_loss: Annotated[
        bool, typer.Option("--accept-loss", help="Go on with a journal that lacks what was acknowledged, for good.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Serve searches, live products and events over HTTP, and a page that shows the systems side by side, until Ctrl-C.

    Example: `aisle serve --workspace shop --port 8080`
    or `aisle serve --workspace shop --store qdrant-cluster --set store.url=http://qdrant.internal:6333`
    """
    from aisle.pipelines.recipe import load_recipe
    from aisle.pipelines.serving import ServiceOptions
    from aisle.pipelines.serving import serve as run
    from aisle.workspace import Workspace

    names = tuple(allowed_host or ())
    options = ServiceOptions(
        host, port, api_key_file, read_key_file, names, log_queries=log_queries, accept_loss=accept_loss
    )
    on_ready = _print_ready if as_json else _say_ready
    config = load_recipe(recipe, overrides or []).store
    run(Workspace.open(workspace), options, on_ready=on_ready, store=store, store_config=config, warn=say)


def demo(
    workspace: DemoWorkspaceOption = None,
    data: Annotated[
        str, typer.Option(help="`generated`, or the name of a known data set, such as icecat.")
    ] = "generated",
    data_dir: Annotated[Path | None, typer.Option(help="Local folder of the data set.")] = None,
    products: Annotated[int, typer.Option(min=100, help="Products of the generated catalogue.")] = 5_000,
    serve_page: Annotated[bool, typer.Option("--serve/--no-serve", help="Serve the page at the end.")] = True,
    port: PortOption = 8000,
    recipe: RecipeOption = None,
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Go the whole way once: import, train, index, evaluate, then serve the page.

    Example: `aisle demo --no-serve`
    """
    from aisle.pipelines.demo import run_demo
    from aisle.pipelines.recipe import DEMO_RECIPE, load_recipe
    from aisle.pipelines.serving import ServiceOptions, check_serving
    from aisle.pipelines.serving import serve as run
    from aisle.workspace import Workspace

    options = ServiceOptions(port=port)
    if serve_page:
        check_serving(options)
    settings = load_recipe(recipe or (DEMO_RECIPE if data == "generated" else None), overrides or [])
    opened = Workspace.open(workspace or Path("demo-workspace") / data, create=True)
    outcome = run_demo(opened, settings, data=data, data_dir=data_dir, num_products=products, say=say)
    if as_json:
        print_json(outcome.as_dict())
    else:
        print_outcome(outcome)
        if data == "generated":
            say("Measured on a generated shop: these figures are simulated.")
        say(f'Try: aisle search "…" --workspace {opened.path}')
    if serve_page:
        run(opened, options, on_ready=_say_ready, warn=say)


def _print_ready(address: str) -> None:
    """Print the address for a program that waits for it: at once, as the service goes on."""
    print_json({"address": address})
    sys.stdout.flush()


def _say_ready(address: str) -> None:
    say(f"The search page is at {address} (Ctrl-C ends it).")
