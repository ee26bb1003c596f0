"""What each channel, loss and kind of negatives earns: recall on a simulated marketplace's truth, several seeds.

Run: python benchmarks/quality.py [--config small|default] [--seeds 3] [--rows unified,"term only"] [--workspace FOLDER]
Truth = what each shopper would order if everything on sale were examined (simulated). A thin caller of `aisle ablate`:
every row has the same examples, served dimensions, stopping rule and time limit, differs from its baseline by the
settings in the specification, and is measured through the exact index. With --workspace a run that was killed goes on.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from aisle.experiments import READY_SPECIFICATION
from aisle.pipelines.ablating import AblationSettings, ablate
from aisle.pipelines.mining import mine
from aisle.pipelines.recipe import load_recipe
from aisle.pipelines.simulating import simulate_marketplace
from aisle.simulation import MarketplaceConfig, frozen_config
from aisle.workspace import Workspace
from results_file import arguments, publish, shown

QUICK = MarketplaceConfig(products=600, searches=4_000, users=800, seed=1)


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--config", choices=("small", "default"), default="small")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rows", help="rows of the specification, with commas; without it all")
    parser.add_argument("--spec", type=Path, default=READY_SPECIFICATION, help="TOML file of the rows")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time")
    parser.add_argument("--workspace", type=Path, help="keeps the marketplace and what was measured")
    parser.add_argument("--set", dest="overrides", action="append", default=[], metavar="A.B=VALUE")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.workspace or Path(scratch)
        shop = marketplace(folder / "shop", QUICK if options.quick else frozen_config(options.config))
        settings = AblationSettings(
            specification=options.spec,
            overrides=tuple(options.overrides),
            rows=options.rows.split(",") if options.rows else None,
            seeds=options.seeds,
            jobs=options.jobs,
            quick=options.quick,
        )
        outcome = ablate(shop, settings)
    table = [line for one in outcome.tables for line in (*one.markdown(), "")]
    table += [computed_time(float(outcome.values["cpu_minutes"])), ""]
    values = {**outcome.values, "overrides": [shown(override) for override in options.overrides]}
    publish(f"quality_{options.config}", {"config": options.config, **values}, table, options)


def computed_time(cpu_minutes: float) -> str:
    """Tell how long two cores that do nothing else would take: the machine that measured may have been busy."""
    return (
        f"All runs together computed for {cpu_minutes:.0f} CPU minutes, each once: about {cpu_minutes / 2:.0f} minutes "
        "on two cores that do nothing else (computed, not measured; features and texts, which runs share, come on top)."
    )


def marketplace(path: Path, config: MarketplaceConfig) -> Workspace:
    """Simulate and mine, where that was not done."""
    workspace = Workspace.open(path, create=True)
    simulate_marketplace(workspace, config)
    mine(workspace, load_recipe(None, []).mining)
    return workspace


if __name__ == "__main__":
    main()
