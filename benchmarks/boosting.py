"""What boosting by quality earns on a simulated marketplace: weights from validation orders, reported once on the test.

Run: python benchmarks/boosting.py [--config small|default] [--workspace FOLDER] [--trials 200]
A thin caller of `aisle boost`. With --workspace a marketplace that was simulated, mined, trained and indexed there is
taken; what is missing is made. Orders are those of the log, whose search ranks by popularity too; truth is what each
shopper would order if everything were examined. Both are simulated.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aisle.evaluation import p_text
from aisle.pipelines.boosting import BoostConfig, boost_workspace
from results_file import arguments, publish
from shops import trained_shop

SLICES = ("all", "head", "torso", "tail", "unseen")


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--config", choices=("small", "default"), default="small")
    parser.add_argument("--workspace", type=Path, help="keep the shop and its model there, or take them from there")
    parser.add_argument("--trials", type=int, default=BoostConfig.trials)
    parser.add_argument("--max-searches", type=int, default=BoostConfig.max_searches)
    options = parser.parse_args()
    config = BoostConfig(10 if options.quick else options.trials, options.max_searches)
    with tempfile.TemporaryDirectory() as folder:
        workspace = trained_shop(options.workspace or Path(folder) / "shop", options.config, quick=options.quick)
        found = boost_workspace(workspace, config).manifest.summary
    publish(f"boosting_{options.config}", {"config": options.config, **found}, table(found), options)


def table(found: Mapping[str, Any]) -> list[str]:
    """Lay the weights and gains out for people."""
    kept = "kept" if found["kept"] else "not kept: the figures are what the best weights would have done"
    weights = ", ".join(f"{name} {value:+.4f}" for name, value in found["weights"].items())
    lines = ["Simulated.", "", f"- {kept} ({found['reason']})", f"- weights: {weights}"]
    for name, gain in (found["validation"]["gain"] or {}).items():
        searches = found["validation"]["searches"]
        lines.append(f"- validation, cross-fitted over {searches:,} searches: {name} {interval(gain)}")
    for labels in (found["test"] or {}).values():
        for system, slices in labels["systems"].items():
            lines += ["", *gains(f"{labels['labelled']}, {system}", slices)]
    return lines


def gains(told: str, slices: Mapping[str, Any]) -> list[str]:
    measures = [name for name in slices["all"] if name != "searches"]
    lines = [f"| {told} | searches | {' | '.join(measures)} |", "|---" * (len(measures) + 2) + "|"]
    for name in (one for one in SLICES if one in slices):
        one = slices[name]
        cells = [f"{one[each]['without']:.3f} → {one[each]['with']:.3f} {interval(one[each])}" for each in measures]
        lines.append(f"| {name} | {one['searches']:,} | {' | '.join(cells)} |")
    return lines


def interval(gain: Mapping[str, Any]) -> str:
    if gain["low"] is None:
        return f"{gain['gain']:+.4f}"
    return f"{gain['gain']:+.4f} [{gain['low']:+.4f}, {gain['high']:+.4f}] {p_text(gain['p'])}"


if __name__ == "__main__":
    main()
