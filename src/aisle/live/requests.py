"""What a live shop is asked, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from aisle.core.shopper import NOBODY, Shopper
from aisle.retrieval import Hit
from aisle.store import NO_FILTER, FacetCount, ProductFilter

__all__ = ["Erased", "LiveAnswer", "LiveSearch", "LiveState", "Sort", "VersionView", "WriteResult"]

Sort = Literal["relevance", "price_asc", "price_desc", "newest"]


@dataclass(frozen=True)
class LiveSearch:
    """One search of a live shop.

    Attributes:
        query: As typed.
        k: Most results.
        mode: "hybrid", "semantic" or "lexical"; None: the default one.
        shopper: Who searches, and from where.
        where: What results may hold.
        sort: Order of the results; other than by relevance, that of the `k` most relevant products.
        min_score: Results of a lower score are left out; None: none are.
        facets: Fields whose values are counted among the products that pass the filter.
        collapse: Show one product only, the best, of those that share a `group_id`.
        pinned: Product ids that stand first, in this order, where they are on sale and pass the filter.
        explain: Tell what each score is made of.
        personalise: Whether the shopper's past counts.
    """

    query: str
    k: int = 24
    mode: str | None = None
    shopper: Shopper = NOBODY
    where: ProductFilter = NO_FILTER
    sort: Sort = "relevance"
    min_score: float | None = None
    facets: tuple[str, ...] = ()
    collapse: bool = False
    pinned: tuple[str, ...] = ()
    explain: bool = False
    personalise: bool = True


@dataclass(frozen=True)
class LiveAnswer:
    """The answer to one search.

    Attributes:
        hits: Best first, or in the order that was asked for.
        mode: How it was searched.
        corrected: What the query was taken for; None where that is what was typed.
        gated: Whether an easy query was left to words alone though the mode was hybrid.
        matching: Products that pass the filter; None where there is no filter and no facet.
        facets: By field.
        version: Id of the version that answered.
        stage_ms: Milliseconds by stage: "encode", "search", "words", "fuse", "fetch", "facets".
    """

    hits: list[Hit]
    mode: str
    version: str
    corrected: str | None = None
    gated: bool = False
    matching: int | None = None
    facets: Mapping[str, list[FacetCount]] = field(default_factory=dict)
    stage_ms: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class WriteResult:
    """What became of one product or event of a request.

    Attributes:
        line: Its place in the request, from 1.
        id: Product or event id; None where it could not be read.
        status: "written", "stale" (an older `updated_at` than what is there), "absent" (deleted, but it was not there)
            or "refused".
        offset: Journal offset at which it is durable; None where it was not written.
        problem: What must hold, what was received and what to do; None where nothing is wrong. Beside "written": values
            that were left out because they could not be read.
    """

    line: int
    id: str | None
    status: Literal["written", "stale", "absent", "refused"]
    offset: int | None = None
    problem: str | None = None


@dataclass(frozen=True)
class Erased:
    """What was erased of one actor.

    Attributes:
        kind: "user", "client" or "session".
        id: The actor's id.
        events: Events taken out of the journal and of memory.
    """

    kind: str
    id: str
    events: int


@dataclass(frozen=True)
class VersionView:
    """One version that can be served.

    Attributes:
        id: Of the version.
        state: "current", "ready" (can be switched to), "building" or "failed".
        created_at: Time of building, UTC, ISO 8601.
        num_products: Products in its store.
        applied_offset: Journal offset up to which it has every change.
        details: Hashes of model and index, kind of the store, and the problem of a failed one.
    """

    id: str
    state: Literal["current", "ready", "building", "failed"]
    created_at: str
    num_products: int
    applied_offset: int
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class LiveState:
    """Gauges of a live shop at one moment.

    Attributes:
        version: Id of the version that answers.
        store: Kind of its store.
        num_products: Products that can be found.
        version_age_s: Seconds since the version was built.
        journal_head: Offset of the newest entry of the journal.
        applied_offset: Journal offset up to which every change of a product can be found.
        cache_hits: Searches whose vector was there already.
        cache_misses: Searches that were encoded.
        actors: Actors with events in memory.
        building: Whether a version is being built.
    """

    version: str
    store: str
    num_products: int
    version_age_s: float
    journal_head: int
    applied_offset: int
    cache_hits: int
    cache_misses: int
    actors: int
    building: bool

    @property
    def lag(self) -> int:
        """Entries of the journal that are not applied yet."""
        return max(0, self.journal_head - self.applied_offset)
