"""`/metrics`: what the service does and how the shop is, in the text form that Prometheus reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from time import perf_counter

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aisle.serving.backend import ShopBackend
from aisle.serving.workers import Workers

__all__ = ["Meters", "RequestMeter", "metrics_router"]

_SECONDS = (0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
"""Bounds of latency: close together where searches lie."""

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"})


class Meters:
    """All measurements of one service, in a registry of their own.

    Labels are routes, methods, statuses and names of stages: never a query, an id or an address.
    """

    def __init__(self, backend: ShopBackend, workers: Workers) -> None:
        self.registry = CollectorRegistry()
        self._requests = Histogram(
            "aisle_request_seconds",
            "Time from a request's head to the end of its answer.",
            ("method", "route", "status"),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._stages = Histogram(
            "aisle_search_stage_seconds",
            "Time of each stage of a search.",
            ("mode", "stage"),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._errors = Counter(
            "aisle_errors", "Requests that failed by the service's own fault.", ("route",), registry=self.registry
        )
        self.registry.register(_ShopCollector(backend, workers))

    def note_request(self, method: str, route: str, *, status: int, seconds: float) -> None:
        """Count one answered request; those of status 500 and more are errors too."""
        self._requests.labels(method, route, str(status)).observe(seconds)
        if status >= 500:
            self._errors.labels(route).inc()

    def note_stages(self, mode: str, stage_ms: Mapping[str, float]) -> None:
        """Count the stages of one search."""
        for stage, took_ms in stage_ms.items():
            self._stages.labels(mode, stage).observe(took_ms / 1e3)


class _ShopCollector(Collector):
    """Asks the shop and the queues when somebody reads, so that nothing is kept twice."""

    def __init__(self, backend: ShopBackend, workers: Workers) -> None:
        self._backend = backend
        self._workers = workers

    def describe(self) -> list[Metric]:
        """Return nothing: a registry that asks would call the shop before it is loaded."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield the state of now."""
        state = self._backend.state()
        version = GaugeMetricFamily("aisle_version_info", "The version that answers.", labels=["version", "store"])
        version.add_metric([state.version, state.store], 1)
        yield version
        gauges = {
            "aisle_version_age_seconds": ("Time since the version was built.", state.version_age_s),
            "aisle_products": ("Products that can be found.", state.num_products),
            "aisle_journal_head": ("Place of the newest change in the journal.", state.journal_head),
            "aisle_journal_applied_offset": ("Place up to which changes are in the store.", state.applied_offset),
            "aisle_actors": ("Actors whose events are in memory.", state.actors),
            "aisle_building": ("Whether a version is being built.", int(state.building)),
            "aisle_journal_lag": ("Entries that are not applied yet.", state.lag),
        }
        for name, (says, value) in gauges.items():
            yield GaugeMetricFamily(name, says, value=value)
        says = "Searches by whether the query's vector was known."
        cache = CounterMetricFamily("aisle_query_cache", says, labels=["found"])
        cache.add_metric(["hit"], state.cache_hits)
        cache.add_metric(["miss"], state.cache_misses)
        yield cache
        yield from self._queues()

    def _queues(self) -> Iterator[Metric]:
        waiting = GaugeMetricFamily("aisle_queue_length", "Calls that wait or run.", labels=["queue"])
        refused = CounterMetricFamily("aisle_refused", "Calls that were refused or late.", labels=["queue", "reason"])
        for worker in self._workers.all:
            waiting.add_metric([worker.name], worker.num_open)
            refused.add_metric([worker.name, "full"], worker.num_refused)
            refused.add_metric([worker.name, "late"], worker.num_late)
        yield waiting
        yield refused


class RequestMeter:
    """Measure every request by method, route and status."""

    def __init__(self, app: ASGIApp, *, meters: Meters) -> None:
        self._app = app
        self._meters = meters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, taking its time."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = perf_counter()
        status = 500

        async def send_noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_noting)
        finally:
            took_s = perf_counter() - started
            method = scope["method"] if scope["method"] in _METHODS else "other"
            self._meters.note_request(method, _route_of(scope), status=status, seconds=took_s)


def _route_of(scope: Scope) -> str:
    """Return the template of the route that answered; a path itself may hold ids, and there is no end of paths."""
    path = getattr(scope.get("route"), "path", None)
    if path is not None:
        return str(path)
    return "/static" if scope["path"].startswith("/static/") else "none"


def metrics_router(meters: Meters, workers: Workers) -> APIRouter:
    """Return the route that Prometheus asks."""
    router = APIRouter(tags=["health"])

    @router.get("/metrics", summary="Measurements in Prometheus' text form", response_class=Response)
    async def metrics() -> Response:
        """Return latency by route and stage, version age, journal lag, cache hits, queues and errors."""
        text = await workers.watch.run(generate_latest, meters.registry)
        return Response(text, media_type=CONTENT_TYPE_LATEST)

    return router
