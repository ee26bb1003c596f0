"""Holds the running service to its own description: schemathesis over every route, and noise in lists of lines.

Run: python benchmarks/conformance.py --requests 6000
Against a real shop of 600 generated products (or `--workspace`, a copy: products are put into it and taken out of it),
over sockets. `server_errors` and `not_conforming` must be 0: no answer of 500 and more, and every answer of a status,
media type and form that `/openapi.json` names. Lists of lines are cut, filled with wrong types, deep nests, huge
numbers and bytes that are no UTF-8; each line must have a result, and none may say that the service failed.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from results_file import arguments, publish
from service import built, service

NDJSON = {"content-type": "application/x-ndjson"}
# Rules between fields stand in no schema, so these two would take a rightly refused search for a fault.
NOT_CHECKED = [positive_data_acceptance, negative_data_rejection]


@schemathesis.serializer("application/x-ndjson")
def as_lines(_context, value: object) -> bytes:
    """Send what was drawn as it is, whatever it is."""
    if isinstance(value, bytes):
        return value
    return (value if isinstance(value, str) else json.dumps(value)).encode("utf-8", "surrogatepass")


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--requests", type=int, default=6_000, help="requests by schemathesis, over all routes")
    parser.add_argument("--lists", type=int, default=300, help="noisy lists of lines")
    parser.add_argument("--workspace", type=Path, help="an indexed workspace; a copy")
    options = parser.parse_args()
    if options.quick:
        options.requests, options.lists = 200, 20
    with TemporaryDirectory() as folder:
        path = options.workspace or built(Path(folder) / "shop", 600, quick=True)
        with service(path) as address:
            results = {**conform(address, options.requests), **noisy_lists(address, options.lists)}
    table = ["| what | number |", "|---|---|", *(f"| {name} | {value} |" for name, value in results.items())]
    publish("conformance", results, table, options)


def conform(address: str, num_requests: int) -> dict[str, object]:
    """Ask every route what its description allows, and what it does not."""
    schema = schemathesis.openapi.from_url(f"{address}openapi.json")
    operations = [one.ok() for one in schema.get_all_operations()]
    statuses: Counter[int] = Counter()
    failures: Counter[str] = Counter()
    with_input = [one for one in operations if one.body or one.path_parameters or one.query]
    each = num_requests // (2 * len(with_input)) + 1
    for operation in operations:
        # What takes nothing has one request, and cannot be asked wrongly.
        wrong = [GenerationMode.NEGATIVE] if operation in with_input else []
        for mode in (GenerationMode.POSITIVE, *wrong):
            ask(address, operation.as_strategy(generation_mode=mode), each, statuses=statuses, failures=failures)
    return {
        "requests": sum(statuses.values()),
        "routes": len(operations),
        "server_errors": sum(count for status, count in statuses.items() if status >= 500),
        "not_conforming": sum(failures.values()),
        "statuses": {str(status): count for status, count in sorted(statuses.items())},
        "failures": dict(failures.most_common(20)),
    }


def ask(address: str, strategy: st.SearchStrategy, num: int, *, statuses: Counter[int], failures: Counter[str]) -> None:
    """Send so many requests of one route, and count what came back."""

    @settings(
        max_examples=num,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy)
    def send(case) -> None:
        response = case.call(base_url=address.rstrip("/"), timeout=60)
        statuses[response.status_code] += 1
        try:
            case.validate_response(response, excluded_checks=NOT_CHECKED)
        except FailureGroup as group:
            for failure in group.exceptions:
                failures[f"{case.method} {case.operation.path}: {type(failure).__name__}"] += 1

    send()


def noisy_lists(address: str, num: int) -> dict[str, object]:
    """Send lists of which some lines are noise."""
    rng = random.Random(0)
    found: Counter[str] = Counter()
    with httpx.Client(base_url=address, timeout=60) as client:
        for _ in range(num):
            lines = [noisy_line(rng) for _ in range(rng.randrange(1, 60))]
            path, method = rng.choice([("/v1/products", "PUT"), ("/v1/events", "POST")])
            response = client.request(method, path, content=b"\n".join(lines), headers=NDJSON)
            expected = sum(bool(line.strip()) for one in lines for line in one.split(b"\n"))
            results = [json.loads(line) for line in response.text.splitlines()]
            found["lines"] += expected
            found["lines_failed"] += sum("The service failed" in (one["problem"] or "") for one in results)
            found["lines_without_result"] += abs(expected - len(results)) + (response.status_code != 200)
            found["lines_written"] += sum(one["status"] == "written" for one in results)
    return {"lists": num, **found}


def noisy_line(rng: random.Random) -> bytes:
    """Return a product or event, whole or spoilt."""
    product = {"product_id": f"n{rng.randrange(50)}", "title": "Noise", "price": rng.choice([5, -1, 1e300, "5", None])}
    event = {"action_name": "click", "user_id": "u", "event_attributes": rng.choice([{}, [], {"object": 5}])}
    spoilt = [
        {**product, rng.choice(["category", "attributes", "updated_at", "in_stock", "mine"]): wrong(rng)},
        {**product, "product_id": rng.choice(["../../etc/passwd", "\x00", "", "x" * 300, 5, None, "a\nb"])},
        {**event, rng.choice(["timestamp", "user_id", "action_name", "event_id"]): wrong(rng)},
        {"delete": wrong(rng)},
        wrong(rng),
    ]
    text = json.dumps(rng.choice([product, event, *spoilt])).encode()
    cut = text[: rng.randrange(len(text) + 1)]
    return rng.choice([text, text, cut, text + b"\xff", b"[" * 5_000, b'{"price": ' + b"9" * 5_000 + b"}", b"\x00\xfe"])


def wrong(rng: random.Random) -> object:
    """Return a value of any kind."""
    deep: object = "x"
    for _ in range(rng.randrange(60)):
        deep = [deep]
    return rng.choice([None, True, 10**25, -1, 1.5, float("nan"), "", "9999-99-99", {"a": {"b": []}}, [1, "a"], deep])


if __name__ == "__main__":
    main()
