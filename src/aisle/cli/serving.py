"""`aisle search`, `aisle serve` and `aisle demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from aisle.cli.evaluation import print_outcome
from aisle.cli.options import JsonOption, RecipeOption, SetOption, WorkspaceOption
from aisle.cli.output import print_json, say

__all__ = ["demo", "search", "serve"]

HostOption = Annotated[str, typer.Option(help="Loopback address to listen on.")]
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
    as_json: JsonOption = False,
) -> None:
    """Search the catalogue from the terminal.

    Example: `aisle search "gaming laptop" --workspace shop --k 5`
    """
    from aisle.pipelines.searching import load_engine
    from aisle.workspace import Workspace

    engine = load_engine(Workspace.open(workspace))
    hits = engine.search(query, k=k, mode=mode)
    if as_json:
        rows = [{"rank": hit.rank, "product_id": hit.product_id, "score": hit.score, **hit.product} for hit in hits]
        print_json({"query": query, "mode": mode or engine.default_mode, "hits": rows})
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(f"{query} ({mode or engine.default_mode})"), title_justify="left")
    for heading in ("", "score", "product", "title", "price"):
        table.add_column(heading, justify="right" if heading in {"", "score", "price"} else "left")
    for hit in hits:
        price = hit.product.get("price")
        cells = (hit.product_id, str(hit.product.get("title") or ""), f"{price:,.2f}" if price is not None else "")
        table.add_row(str(hit.rank), f"{hit.score:.3f}", *map(Text, cells))
    Console().print(table)


def serve(
    workspace: WorkspaceOption = Path("workspace"),
    host: HostOption = "127.0.0.1",
    port: PortOption = 8000,
) -> None:
    """Serve `POST /v1/search` and a page that shows the systems side by side, until Ctrl-C.

    Example: `aisle serve --workspace shop --port 8080`
    """
    from aisle.pipelines.serving import serve as run
    from aisle.workspace import Workspace

    run(Workspace.open(workspace), host=host, port=port, on_ready=_say_ready)


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
    from aisle.pipelines.serving import check_serving
    from aisle.pipelines.serving import serve as run
    from aisle.workspace import Workspace

    if serve_page:
        check_serving(host="127.0.0.1", port=port)
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
        run(opened, host="127.0.0.1", port=port, on_ready=_say_ready)


def _say_ready(address: str) -> None:
    say(f"The search page is at {address} (Ctrl-C ends it).")
