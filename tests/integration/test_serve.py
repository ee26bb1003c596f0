"""`aisle serve` as a process: it answers in every mode, and ends when it is told to."""

import json
import signal
import subprocess
import sys
import urllib.request

import pytest


@pytest.fixture
def service(built_shop):
    command = [sys.executable, "-c", "from aisle.cli import main; main()", "serve", "--port", "0", "--json"]
    process = subprocess.Popen(
        [*command, "--workspace", str(built_shop.path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    yield process
    process.kill()
    process.communicate()


@pytest.mark.slow
def test_it_answers_in_every_mode_and_ends_cleanly(service, simulated):
    # The object is there as soon as requests are answered, while the service goes on.
    address = json.loads("".join(service.stdout.readline() for _ in range(3)))["address"]
    assert address.startswith("http://127.0.0.1:")
    query = simulated.judgments.column("query")[0].as_py()
    for mode in ("lexical", "semantic", "hybrid"):
        body = json.dumps({"query": query, "k": 3, "mode": mode}).encode()
        request = urllib.request.Request(f"{address}v1/search", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as response:
            answer = json.load(response)
        assert answer["mode"] == mode
        assert [hit["rank"] for hit in answer["hits"]] == [1, 2, 3]
    with urllib.request.urlopen(address, timeout=60) as response:
        assert b"<html" in response.read()
    service.send_signal(signal.SIGTERM)
    out, err = service.communicate(timeout=60)
    assert (out, err) == ("", "")
    assert service.returncode in (0, -signal.SIGTERM)
