"""`aisle import` and `aisle simulate`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aisle.cli.options import JsonOption, WorkspaceOption
from aisle.cli.output import print_json, print_step, say
from aisle.core.errors import UsageError

if TYPE_CHECKING:
    from rich.table import Table

    from aisle.pipelines.importing import ImportOutcome
    from aisle.simulation import MarketplaceConfig
    from aisle.simulation.realism import Comparison

__all__ = ["import_", "simulate"]


_FILE = "CSV, TSV, JSONL or Parquet file of"
_Products = Annotated[Path | None, typer.Option("--products", help=f"{_FILE} products.")]
_Searches = Annotated[
    Path | None, typer.Option("--searches", help=f"{_FILE} searches: search_id, query, searched_at …")
]
_Impressions = Annotated[
    Path | None,
    typer.Option("--impressions", help=f"{_FILE} products shown: search_id, product_id, position, clicked_at …"),
]
_Events = Annotated[Path | None, typer.Option("--events", help=f"{_FILE} other behaviour: actor_id, at, action …")]
_Users = Annotated[Path | None, typer.Option("--users", help=f"{_FILE} users: user_id, location …")]
_Judgments = Annotated[
    Path | None, typer.Option("--judgments", help=f"{_FILE} graded judgments: query, product_id, grade.")
]
_Map = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        metavar="COLUMN=SOURCE",
        help="Columns of the file, with commas (`title=name,price=price/100`), or a TOML file. Where several files "
        "are given, `judgments.grade=stars` names the table.",
    ),
]
_Grades = Annotated[
    str | None,
    typer.Option(
        "--grades", help="Grade at which each stage begins (`ordered=3,clicked=2`): judgments can then train."
    ),
]
_From = Annotated[
    str | None,
    typer.Option(
        "--from",
        help="A known data set: ubi, esci, wands, icecat, kuaisearch, jdsearch, diginetica, bestbuy, multicpr, amazon "
        "or beir; see docs/import.md.",
    ),
]
_SourcePath = Annotated[
    Path | None,
    typer.Option("--path", help="Local folder or file of the data set; without it, it is downloaded."),
]
_ProductKey = Annotated[
    str | None,
    typer.Option("--product-key", help="Column of the products by which the other tables name them, such as `ean`."),
]
_Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="A setting of the data set's loader; may be repeated."),
]

_Add = Annotated[
    bool,
    typer.Option(
        "--add",
        help="Join the rows to those that were imported, such as a new day of the log; rows of the same key replace.",
    ),
]


def import_(
    workspace: WorkspaceOption = Path("workspace"),
    products: _Products = None,
    searches: _Searches = None,
    impressions: _Impressions = None,
    events: _Events = None,
    users: _Users = None,
    judgments: _Judgments = None,
    mapping: _Map = None,
    grades: _Grades = None,
    source: _From = None,
    path: _SourcePath = None,
    product_key: _ProductKey = None,
    overrides: _Settings = None,
    add: _Add = False,
    as_json: JsonOption = False,
) -> None:
    """Validate tables and bring them into the workspace; bad rows go to a quarantine with their reasons.

    Example: `aisle import --workspace shop --products catalogue.csv --map title=name,price=price/100`

    Example: `aisle import --workspace shop --from ubi --path logs/ --product-key ean`

    Example: `aisle import --workspace shop --add --searches monday.csv --impressions monday_shown.csv`
    """
    from platformdirs import user_cache_path

    from aisle.core.config import apply_overrides
    from aisle.pipelines.column_maps import read_column_maps
    from aisle.pipelines.importing import import_files, import_source
    from aisle.tables import parse_grades
    from aisle.workspace import Workspace

    given = {"products": products, "searches": searches, "impressions": impressions, "events": events, "users": users}
    files = {name: file for name, file in {**given, "judgments": judgments}.items() if file is not None}
    _check_import(files, source=source, path=path, mapping=mapping, overrides=overrides)
    maps = read_column_maps(mapping or [], tables=list(files))
    grade_map = parse_grades(grades) if grades is not None else None
    planned = Workspace.plan(workspace)
    if source is None:
        outcome = import_files(planned, files, mapping=maps, grades=grade_map, product_key=product_key, add=add)
    else:
        outcome = import_source(
            planned,
            source,
            path=path,
            cache=user_cache_path("aisle"),
            settings=apply_overrides({}, overrides or []),
            files=files,
            mapping=maps,
            grades=grade_map,
            product_key=product_key,
            add=add,
        )
    _print_import(outcome, as_json=as_json)


def _check_import(
    files: Mapping[str, Path],
    *,
    source: str | None,
    path: Path | None,
    mapping: list[str] | None,
    overrides: list[str] | None,
) -> None:
    if not files and source is None:
        raise UsageError(
            "Import takes own files, a known data set, or both",
            received={"files": [], "from": None},
            remedy="Give --products and other files, or --from NAME.",
        )
    if mapping and not files:
        raise UsageError(
            "--map must come with own files",
            received={"map": mapping, "from": source},
            remedy="Leave it out: a known data set brings its own mapping.",
        )
    if source is None and (path is not None or overrides):
        raise UsageError(
            "--path and --set must come with --from",
            received={"path": str(path) if path else None, "set": overrides},
            remedy="Leave them out; own files are named by --products and so on.",
        )


def simulate(
    workspace: WorkspaceOption = Path("workspace"),
    products: Annotated[int | None, typer.Option(min=100, help="Products of the catalogue (default 5,000).")] = None,
    searches: Annotated[
        int | None, typer.Option(min=100, help="Searches of a log with known truth; without it there is no log.")
    ] = None,
    users: Annotated[int | None, typer.Option(min=10, help="Shoppers (default: one per six searches).")] = None,
    days: Annotated[int | None, typer.Option(min=10, help="Days of the log (default 90).")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed; the same seed gives the same tables (default 0).")] = None,
    config: Annotated[
        str | None, typer.Option(help="A frozen marketplace instead of sizes and seed: small or default.")
    ] = None,
    catalogue: Annotated[
        Path | None, typer.Option(help="File of a products table to sell, instead of a generated catalogue.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="HTML file to write: plots and a table of the log beside published figures.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Generate a shop, all of it simulated: a catalogue with graded queries, or a marketplace with its search log.

    With `--searches` or `--config`: products, users, searches, impressions, events, and the truth, which only
    evaluation may read.

    Example: `aisle simulate --workspace shop --products 20000 --searches 150000 --seed 7`
    """
    from aisle.workspace import Workspace

    sizes = {"products": products, "searches": searches, "users": users, "days": days, "seed": seed}
    given = {name: value for name, value in sizes.items() if value is not None}
    if config is None and searches is None:
        _refuse_log_options({"users": users, "days": days, "catalogue": catalogue, "report": report})
        _simulate_catalogue(workspace, products=products or 5_000, seed=seed or 0, as_json=as_json)
        return
    chosen = _marketplace_config(config, given, has_catalogue=catalogue is not None)
    from aisle.pipelines.realism import report_realism
    from aisle.pipelines.simulating import simulate_marketplace

    opened = Workspace.open(workspace, create=True)
    result = simulate_marketplace(opened, chosen, catalogue=catalogue)
    summary = dict(result.manifest.summary)
    if config is not None:
        summary["frozen"] = _compare_with_frozen(config, summary)
    lines = report_realism(opened, report) if report is not None else []
    if as_json and lines:
        summary["comparison"] = [asdict(line) for line in lines]
    print_step("simulate", summary, skipped=result.skipped, as_json=as_json)
    if report is not None and not as_json:
        _print_comparison(lines)
        say(f"Page: {report}")


def _print_comparison(lines: Sequence[Comparison]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title="beside published figures", title_justify="left")
    for heading in ("measure", "simulated", "published", "source"):
        table.add_column(heading, justify="right" if heading in {"simulated", "published"} else "left")
    for line in lines:
        published = "" if line.published is None else f"{line.published:,.4g}"
        table.add_row(line.measure, f"{line.simulated:,.4g}", published, line.source)
    Console().print(table)


def _refuse_log_options(options: Mapping[str, object]) -> None:
    given = {name: str(value) for name, value in options.items() if value is not None}
    if given:
        raise UsageError(
            "--users, --days, --catalogue and --report must come with a log",
            received=dict(given),
            remedy="Give --searches too.",
        )


def _marketplace_config(name: str | None, given: Mapping[str, int], *, has_catalogue: bool) -> MarketplaceConfig:
    from aisle.core.config import config_from_dict
    from aisle.simulation import MarketplaceConfig, frozen_config

    if has_catalogue and "products" in given:
        raise UsageError(
            "A catalogue of one's own must be sold whole",
            received={"products": given["products"]},
            remedy="Leave out --products.",
        )
    if name is None:
        users = max(10, given.get("searches", 0) // 6)
        return config_from_dict(MarketplaceConfig, {"products": 5_000, "users": users, **given})
    if given or has_catalogue:
        raise UsageError(
            "A frozen marketplace must be taken as it is",
            received={"config": name, **given, **({"catalogue": True} if has_catalogue else {})},
            remedy="Leave out --config, or the other options.",
        )
    return frozen_config(name)


def _compare_with_frozen(name: str, summary: Mapping[str, object]) -> str:
    from aisle.simulation import frozen_figures

    other = {key: value for key, value in frozen_figures(name).items() if summary.get(key) != value}
    return "as frozen" if not other else f"differs from what was frozen: {', '.join(sorted(other))}"


def _simulate_catalogue(workspace: Path, *, products: int, seed: int, as_json: bool) -> None:
    from aisle.pipelines.importing import import_tables
    from aisle.pipelines.simulating import SIMULATED, refuse_own_tables
    from aisle.simulation import generate_catalogue
    from aisle.sources import SourceTables
    from aisle.workspace import Workspace

    opened = Workspace.open(workspace, create=True)
    refuse_own_tables(opened)
    simulated = generate_catalogue(products, seed=seed)
    tables = {"products": simulated.products, "judgments": simulated.judgments}
    outcome = import_tables(opened, SourceTables(tables, {}, {"source": SIMULATED, "seed": seed}))
    _print_import(outcome, as_json=as_json)


def _print_import(outcome: ImportOutcome, *, as_json: bool) -> None:
    if as_json:
        print_json(outcome.as_dict())
        return
    from rich.console import Console

    console = Console()
    console.print(_tables_table(outcome))
    if outcome.accounts:
        console.print(_accounts_table(outcome))
    for name, report in outcome.reports.items():
        for line in (*map(str, report.problems), *report.notes):
            say(f"{name}: {line}")
    for note in outcome.notes:
        say(note)
    for file in outcome.quarantine:
        say(f"Set aside, with reasons: {file}")


def _tables_table(outcome: ImportOutcome) -> Table:
    table = _table("import", ["table", "rows", "usable", "set aside", "lines not read", ""])
    for name, report in outcome.reports.items():
        aside = report.num_rows - report.num_usable
        state = "unchanged: skipped" if name in outcome.skipped else "done"
        row = (f"{report.num_rows:,}", f"{report.num_usable:,}", f"{aside:,}", f"{outcome.rejected.get(name, 0):,}")
        table.add_row(name, *row, state)
    return table


def _accounts_table(outcome: ImportOutcome) -> Table:
    table = _table("where the rows went", ["input", "rows", "went to", "of them"])
    for account in outcome.accounts:
        for place, (fate, num_rows) in enumerate(account.fates.items()):
            first = (account.name, f"{account.num_rows:,}") if place == 0 else ("", "")
            table.add_row(*first, fate, f"{num_rows:,}")
    return table


def _table(title: str, headings: list[str]) -> Table:
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for heading in headings:
        table.add_column(heading, justify="left" if heading in {"table", "input", "went to", ""} else "right")
    return table
