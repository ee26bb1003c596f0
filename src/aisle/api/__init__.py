"""What the HTTP interface takes and gives: the models that the service checks requests against and the client returns.

They stand by themselves above `core`, so that a client needs nothing of the service.
"""

from aisle.api.events import EventDocument
from aisle.api.health import CatalogueState, Liveness, Readiness
from aisle.api.limits import (
    DEFAULT_K,
    MAX_BULK_LINES,
    MAX_FACETS,
    MAX_FILTER_VALUES,
    MAX_ID_CHARS,
    MAX_LINE_BYTES,
    MAX_QUERY_CHARS,
)
from aisle.api.problem import PROBLEM_JSON, Problem
from aisle.api.products import ProductDocument
from aisle.api.search_answers import (
    ExplanationView,
    FacetValue,
    HitView,
    ProductView,
    SearchResponse,
    SideView,
)
from aisle.api.searching import SearchFilters, SearchRequest
from aisle.api.versions import VersionChoice, VersionDocument, VersionList
from aisle.api.writes import ACTOR_KINDS, ActorKind, ErasedDocument, WriteDocument

__all__ = [
    "ACTOR_KINDS",
    "DEFAULT_K",
    "MAX_BULK_LINES",
    "MAX_FACETS",
    "MAX_FILTER_VALUES",
    "MAX_ID_CHARS",
    "MAX_LINE_BYTES",
    "MAX_QUERY_CHARS",
    "PROBLEM_JSON",
    "ActorKind",
    "CatalogueState",
    "ErasedDocument",
    "EventDocument",
    "ExplanationView",
    "FacetValue",
    "HitView",
    "Liveness",
    "Problem",
    "ProductDocument",
    "ProductView",
    "Readiness",
    "SearchFilters",
    "SearchRequest",
    "SearchResponse",
    "SideView",
    "VersionChoice",
    "VersionDocument",
    "VersionList",
    "WriteDocument",
]
