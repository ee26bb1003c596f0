"""What live events are worth: recall on truth of the next search where the past is live, and where it is frozen.

Run: python benchmarks/live_history.py --workspace SHOP   (a simulated marketplace, trained with history.enabled=true)
Every test search whose shopper did at least three things since the log was frozen is answered twice, by the same model:
once with the past as of the freeze, once with the events since then as a live shop holds them. Frozen "at the import":
at the beginning of the test window; "before the visit": half an hour before the search, so that only what the shopper
did in this visit differs. Broad: the query is of the head band. "No past": of nobody, for comparison. Truth = what this
shopper would buy if everything were examined. Intervals: bootstrap over shoppers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from aisle.core.ids import IdMap
from aisle.core.ranking import PastEvents, QueryBatch
from aisle.core.shopper import Shopper
from aisle.evaluation import EvaluatedSearches, OnSale, bootstrap_ratio_intervals
from aisle.index import load_index
from aisle.live.ids import LiveIds
from aisle.live.pasts import Pasts
from aisle.live.shoppers import LiveShoppers
from aisle.mining import MinedLog
from aisle.pipelines.boosted import boosted_index, semantic_retriever
from aisle.pipelines.catalogue import read_products
from aisle.pipelines.logged_searches import logged_searches
from aisle.pipelines.mining import load_mined
from aisle.pipelines.searching import check_current
from aisle.pipelines.training import load_encoder, load_model
from aisle.retrieval import ActorLog, Shoppers
from aisle.store import JournalEvent
from aisle.store.journal_records import from_micros
from aisle.tables import Stage
from aisle.workspace import Workspace
from results_file import arguments, publish

CUTS = (10, 100)
DEPTH = 1000
LEAST_EVENTS = 3
VISIT_US = 30 * 60_000_000
FOREVER_US = 10**15
ACTIONS = {int(stage): stage.name.lower() for stage in Stage}
AT_ONCE = 2_000


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--workspace", type=Path, required=True, help="a trained and indexed simulated marketplace")
    parser.add_argument("--searches", type=int, default=20_000, help="test searches at most, drawn evenly")
    options = parser.parse_args()
    shop = Shop(Workspace.open(options.workspace), 400 if options.quick else options.searches)
    rows = [
        row
        for name, freeze in (("at the import", shop.test_from), ("before the visit", shop.searches.at - VISIT_US))
        for row in shop.compare(name, np.broadcast_to(freeze, shop.searches.at.shape))
    ]
    head = (
        "| log frozen | searches | shoppers | "
        + " | ".join(f"R@{k} no past | frozen | live | lift" for k in CUTS)
        + " |"
    )
    table = [head, "|---" * (3 + 4 * len(CUTS)) + "|", *map(line, rows)]
    publish("live_history", {"rows": rows, "least_events": LEAST_EVENTS, "simulated": True}, table, options)


@dataclass(frozen=True)
class FrozenLog:
    """A log that ends at some time."""

    log: ActorLog
    freeze_us: int

    def spans(self, actor_ids: Sequence[str | None], before_us: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Find each actor's events before a time, or before the freeze."""
        return self.log.spans(actor_ids, np.minimum(before_us, self.freeze_us))

    def past(self, begin: np.ndarray, end: np.ndarray, searched_us: np.ndarray) -> PastEvents:
        """Return the events of some spans."""
        return self.log.past(begin, end, searched_us)


class Shop:
    """A marketplace's test searches with their shoppers, and what answers them."""

    def __init__(self, workspace: Workspace, most: int) -> None:
        check_current(workspace)
        mined, self.products = load_mined(workspace), read_products(workspace)
        self.test_from = mined.windows.validation_until
        self.searches: EvaluatedSearches = logged_searches(
            workspace, labels="truth", split="test", max_searches=most, seed=0
        )
        self.actor = actors(mined, self.searches)
        self.log, self.events = ActorLog(mined), Events(mined, self.products["product_id"].to_pylist())
        model = load_model(workspace)
        boosted = boosted_index(workspace)
        index = load_index(boosted or workspace.verified("index") / "semantic")
        encoder = load_encoder(workspace, model, self.products)
        self.retriever = semantic_retriever(model, encoder, index, is_boosted=boosted is not None)
        self.on_sale = OnSale.of_products(self.products)
        self.ids = LiveIds(self.products["product_id"])

    def compare(self, name: str, freeze_us: np.ndarray) -> list[dict[str, object]]:
        """Measure both pasts on the searches with enough events since the freeze."""
        since = [
            self.events.between(one, freeze, at)
            for one, freeze, at in zip(self.actor, freeze_us, self.searches.at, strict=True)
        ]
        chosen = np.flatnonzero([len(events) >= LEAST_EVENTS for events in since])
        rows = chosen.tolist()
        asked = {
            "none": [self.asked(row, 0, []) for row in rows],
            "frozen": [self.asked(row, freeze_us[row], []) for row in rows],
            "live": [self.asked(row, freeze_us[row], since[row]) for row in rows],
        }
        recall = {side: self.recall(chosen, searches) for side, searches in asked.items()}
        broad = self.searches.slices["head"][chosen]
        parts = (("broad", broad), ("other", ~broad))
        return [self.row(f"{name}, {part} search", chosen, recall, mask) for part, mask in parts]

    def asked(self, row: int, freeze_us: int, events: Sequence[JournalEvent]) -> QueryBatch:
        """Complete a search as a live shop does that was given these events."""
        pasts = Pasts(retention_us=FOREVER_US)
        pasts.add(events)
        shoppers = LiveShoppers(
            pasts,
            self.ids,
            places=Shoppers(reads_places=True),
            log=FrozenLog(self.log, int(freeze_us)),  # type: ignore[arg-type]
            log_products=np.arange(self.products.num_rows),
        )
        place = self.searches.locations[row] if self.searches.locations is not None else None
        who = Shopper(user_id=self.actor[row], location=place)
        return shoppers.search(self.searches.texts[row], who, now_us=int(self.searches.at[row])).batch

    def recall(self, chosen: np.ndarray, asked: Sequence[QueryBatch]) -> dict[int, np.ndarray]:
        """Return the recall of every search at every cut, among what was on sale."""
        found = np.empty((len(chosen), max(CUTS)), np.int64)
        for start in range(0, len(chosen), AT_ONCE):
            rows = slice(start, start + AT_ONCE)
            ranking = self.retriever.retrieve(together(asked[rows]), k=DEPTH)
            found[rows] = self.on_sale.keep(ranking, self.searches.at[chosen[rows]]).product_index[:, : max(CUTS)]
        wanted = self.searches.wanted
        truth = [wanted.product_index[wanted.offsets[row] : wanted.offsets[row + 1]] for row in chosen.tolist()]
        hits = {
            k: [np.isin(one, got[:k]).mean() if len(one) else np.nan for one, got in zip(truth, found, strict=True)]
            for k in CUTS
        }
        return {k: np.array(values) for k, values in hits.items()}

    def row(
        self, name: str, chosen: np.ndarray, recall: dict[str, dict[int, np.ndarray]], mask: np.ndarray
    ) -> dict[str, object]:
        """Return the means of both sides and their paired difference with its interval over shoppers."""
        mask = mask & ~np.isnan(recall["live"][CUTS[0]])
        _, shopper = np.unique(np.array(self.actor, dtype=object)[chosen[mask]].astype(str), return_inverse=True)
        told: dict[str, object] = {
            "name": name,
            "searches": int(mask.sum()),
            "shoppers": int(shopper.max(initial=-1)) + 1,
        }
        count = np.bincount(shopper).astype(np.float64)
        for k in CUTS:
            frozen, live = recall["frozen"][k][mask], recall["live"][k][mask]
            sums = np.bincount(shopper, live - frozen)[:, None]
            low, high = bootstrap_ratio_intervals(sums, count, seed=0)
            told[f"R@{k}"] = {
                "none": round(float(recall["none"][k][mask].mean()), 4),
                "frozen": round(float(frozen.mean()), 4),
                "live": round(float(live.mean()), 4),
                "lift": round(float((live - frozen).mean()), 4),
                "low": round(float(low[0]), 4),
                "high": round(float(high[0]), 4),
            }
        return told


class Events:
    """Every actor's events of the log, as a shop would have sent them."""

    def __init__(self, mined: MinedLog, product_ids: list[str]) -> None:
        table = mined.table("histories")
        texts = mined.table("queries")["text"].to_pylist()
        names = mined.table("actors")["actor_id"].to_pylist()
        self._of: dict[str, list[tuple[int, int, int, int]]] = {}
        columns = (
            table["actor_index"],
            table["at"].cast("int64"),
            table["product_index"],
            table["stage"],
            table["query_index"],
        )
        for actor, *event in zip(*(column.to_pylist() for column in columns), strict=True):
            self._of.setdefault(names[actor], []).append(tuple(event))
        self._products, self._texts = product_ids, texts

    def between(self, actor: str | None, begin_us: int, end_us: int) -> list[JournalEvent]:
        """Return an actor's events from one time to just before another."""
        return [
            JournalEvent(
                from_micros(at),
                ACTIONS[stage],
                user_id=actor,
                product_id=self._products[product],
                query=self._texts[query] if query >= 0 else None,
            )
            for at, product, stage, query in self._of.get(actor or "", ())
            if begin_us <= at < end_us
        ]


def actors(mined: MinedLog, searches: EvaluatedSearches) -> list[str | None]:
    """Return the actor of every search."""
    examples = mined.table("examples", "test")
    row = IdMap(examples["search_id"]).index_of(list(searches.ids or ()))
    index = examples["actor_index"].to_numpy()[row]
    names = mined.table("actors")["actor_id"].to_pylist()
    return [names[one] if one >= 0 else None for one in index.tolist()]


def together(asked: Sequence[QueryBatch]) -> QueryBatch:
    """Join searches into one batch."""
    pasts = [one.past for one in asked]
    length = [0 if past is None else len(past.stage) for past in pasts]
    known = [past for past in pasts if past is not None]
    return QueryBatch(
        [text for one in asked for text in one.texts],
        [one.locations[0] if one.locations is not None else None for one in asked],
        PastEvents(
            offsets=np.concatenate([[0], np.cumsum(length)]).astype(np.int64),
            queries=[query for past in known for query in past.queries],
            product_index=np.concatenate([np.empty(0, np.int64), *(past.product_index for past in known)]),
            stage=np.concatenate([np.empty(0, np.int64), *(past.stage for past in known)]),
            age_s=np.concatenate([np.empty(0, np.float32), *(past.age_s for past in known)]),
        ),
    )


def line(row: dict[str, object]) -> str:
    cells = [str(row["name"]), f"{row['searches']:,}", f"{row['shoppers']:,}"]
    for k in CUTS:
        of = row[f"R@{k}"]
        cells += [
            f"{of['none']:.3f}",
            f"{of['frozen']:.3f}",
            f"{of['live']:.3f}",
            f"{of['lift']:+.3f} ({of['low']:+.3f} … {of['high']:+.3f})",
        ]
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main()
