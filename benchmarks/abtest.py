"""An A/B test in a simulated marketplace: the unified model's hybrid against lexical, and 200 A/A tests.

Run: python benchmarks/abtest.py [--config small|default] [--workspace FOLDER] [--searches 200000] [--paired]
Shoppers are split at random between the two, behind one fixed ranker (simulated). With --workspace a marketplace that
was simulated, mined, trained and indexed there is taken; what is missing is made. The live figures beside ours are
those that Etsy reports of its unified embedding (Jha et al. 2023): another shop, another ranker, another predecessor.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from aisle.evaluation import p_text
from aisle.pipelines.abtesting import (
    LIVE_CONVERSION_LIFT,
    LIVE_PURCHASE_LIFT,
    ABTestConfig,
    ab_test,
    read_result,
)
from results_file import arguments, publish
from shops import trained_shop

METRICS = {"purchase_rate_lift": "search purchase rate", "conversion_lift": "site-wide conversion"}
LIVE = {"purchase_rate_lift": LIVE_PURCHASE_LIFT, "conversion_lift": LIVE_CONVERSION_LIFT}
GUARD = {"click_rate_lift": "searches with a click"}


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--config", choices=("small", "default"), default="small")
    parser.add_argument("--workspace", type=Path, help="keep the shop and its model there, or take them from there")
    parser.add_argument("--searches", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--paired", action="store_true", help="all shoppers meet both too: three times the searches")
    options = parser.parse_args()
    config = ABTestConfig(
        searches=5_000 if options.quick else options.searches,
        seed=options.seed,
        paired=options.paired,
        aa_runs=20 if options.quick else 200,
    )
    with tempfile.TemporaryDirectory() as folder:
        shop = options.workspace or Path(folder) / "shop"
        workspace = trained_shop(shop, options.config, quick=options.quick)
        result = read_result(workspace, ab_test(workspace, "lexical", "hybrid", config=config))
    publish(f"abtest_{options.config}", {**result, "live": LIVE}, table(result), options)


def table(result: dict) -> list[str]:
    """Lay the results out for people."""
    found = f"{result['searches']:,} searches, split by shopper; [95 % interval, delta method by shopper]"
    lines = [f"Simulated. {found}", "", *head("what", "lexical", "hybrid", "lift, simulated", "p", "lift, live (Etsy)")]
    for key, name in {**METRICS, **GUARD}.items():
        live = f"{LIVE[key]:+.2%}" if key in LIVE else "–"
        lines.append(line(name, *rates(result[key]), lift(result[key]), p(result[key]), live))
    lines += ["", *head("band", "lexical", "hybrid", "lift", "p", "points of the whole lift")]
    for band, one in result["bands"].items():
        lines.append(line(band, *rates(one), lift(one), p(one), lift(one["adds"])))
    lines += ["", *head("true products", "searches", "candidates: lexical", "hybrid", "page: lexical", "hybrid")]
    for label, sides in result["funnel"].items():
        shares = [f"{sides[side][name]:.3f}" for name in ("candidates", "page") for side in "ab"]
        lines.append(line(label, f"{sides['a']['searches']:,}", *shares))
    lines += ["", *head("end of day", "searches", "lift [95 % confidence sequence]", "always-valid p")]
    for one in result["looks"]:
        lines.append(line(str(one["day"]), f"{one['searches']:,}", lift(one), p(one)))
    return [*lines, "", *paired(result), *notes(result)]


def paired(result: dict) -> list[str]:
    if "paired" not in result:
        return []
    lines = head("the same shoppers and needs meet both", "lexical", "hybrid", "lift", "p")
    by_name = {name: result["paired"][key] for key, name in {**METRICS, **GUARD}.items()}
    by_name |= {f"purchase rate, {band}": one for band, one in result["paired"]["bands"].items()}
    return [*lines, *(line(name, *rates(one), lift(one), p(one)) for name, one in by_name.items()), ""]


def notes(result: dict) -> list[str]:
    power = result["power"]["purchase_rate"]
    speed = result["searches_per_second"]
    return [
        f"- A/A: {result['aa_rejections']} of {result['aa_runs']} splits rejected at 0.05 (4 to 16 expected of 200)",
        f"- power, estimated beforehand: a purchase-rate lift of {power['minimal_lift']:.1%} is found 4 times out of 5",
        f"- searches answered in a second: lexical {speed['a']:,.0f}, hybrid {speed['b']:,.0f}",
    ]


def head(*cells: str) -> list[str]:
    return [line(*cells), "|---" * len(cells) + "|"]


def line(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


def rates(one: dict) -> tuple[str, str]:
    return tuple(f"{one[side]['value']:.2%}" for side in "ab")


def lift(one: dict) -> str:
    return "–" if one["value"] is None else f"{one['value']:+.1%} [{one['low']:+.1%}, {one['high']:+.1%}]"


def p(one: dict) -> str:
    return "–" if one["p"] is None else p_text(one["p"]).removeprefix("p").removeprefix("=")


if __name__ == "__main__":
    main()
