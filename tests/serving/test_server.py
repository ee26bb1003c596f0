import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from aisle.api.limits import MAX_BULK_LINES
from aisle.core.errors import UsageError
from aisle.serving import KeyRing, ServiceSettings, create_app
from aisle.serving.server import check_port, run, run_in_background

SERVE = """
import sys
from fastapi import FastAPI
from aisle.serving.server import run

app = FastAPI()

@app.get("/hello")
async def hello() -> str:
    return "hello"

run(app, port=0, on_ready=lambda address: print(address, flush=True))
print("ended", flush=True)
"""


def fetch(address):
    with urllib.request.urlopen(address, timeout=30) as response:
        return json.loads(response.read())


def can_bind_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def test_port_0_serves_on_a_free_port_and_gives_it_back(app):
    with run_in_background(app) as address:
        assert address.startswith("http://127.0.0.1:")
        assert not address.endswith(":0/")
        assert fetch(address + "healthz") == {"status": "alive"}
    with pytest.raises(OSError, match="refused"):
        fetch(address + "healthz")


def test_two_services_stand_side_by_side(app):
    with run_in_background(app) as one, run_in_background(app) as other:
        assert one != other
        assert fetch(one + "readyz") == fetch(other + "readyz")


@pytest.mark.skipif(not can_bind_ipv6(), reason="this machine has no IPv6 loopback")
def test_an_ipv6_address_is_written_in_brackets(app):
    with run_in_background(app, host="::1") as address:
        assert address.startswith("http://[::1]:")
        assert fetch(address + "healthz") == {"status": "alive"}


def test_localhost_is_loopback(app):
    with run_in_background(app, host="localhost") as address:
        assert fetch(address + "healthz") == {"status": "alive"}


def test_a_port_in_use_is_told_before_anything_starts(app):
    with run_in_background(app) as address:
        port = int(address.rstrip("/").rsplit(":", 1)[1])
        with pytest.raises(UsageError) as caught:
            run(app, port=port)
    assert str(caught.value) == (
        f"The port must be free. Received: host='127.0.0.1', port={port}. Choose another --port."
    )


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_out_of_range_is_refused(app, port):
    with pytest.raises(UsageError, match=rf"must lie in 0\.\.65535\. Received: port={port}\."):
        run(app, port=port)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "shop.example", "", "localhost.example"])
def test_a_host_that_others_reach_is_refused(app, host):
    with pytest.raises(UsageError, match=r"must be a loopback address.*Received: host=.*--api-key-file"):
        run(app, host=host, port=0)
    with pytest.raises(UsageError, match="must be a loopback address"):
        check_port(host, 0)


def test_with_a_key_others_may_reach_it(backend):
    check_port("0.0.0.0", 0, has_key=True)
    settings = ServiceSettings(hosts=None, keys=KeyRing.of("a-key-of-many-characters"))
    guarded = create_app(backend, info={}, settings=settings)
    with run_in_background(guarded, host="0.0.0.0") as address:
        port = address.rstrip("/").rsplit(":", 1)[1]
        assert fetch(f"http://127.0.0.1:{port}/healthz") == {"status": "alive"}
        with pytest.raises(urllib.error.HTTPError, match="401"):
            fetch(f"http://127.0.0.1:{port}/readyz")


def test_no_query_reaches_a_log(app, capfd):
    with run_in_background(app) as address:
        body = json.dumps({"query": "very private"}).encode()
        request = urllib.request.Request(address + "v1/search", body, {"content-type": "application/json"})
        assert fetch(request)["query"] == "very private"
        fetch(address + "readyz?q=very+private")
    out, err = capfd.readouterr()
    assert (out, err) == ("", "")


def test_a_client_that_sends_all_before_it_reads_gets_every_result(app, backend):
    body = b"\n".join(b'{"product_id": "p%d", "title": "Product"}' % number for number in range(MAX_BULK_LINES))
    with run_in_background(app) as address:
        headers = {"content-type": "application/x-ndjson"}
        request = urllib.request.Request(address + "v1/products", body, headers, method="PUT")
        with urllib.request.urlopen(request, timeout=120) as response:
            results = [json.loads(line) for line in response]
    assert [one["line"] for one in results] == list(range(1, MAX_BULK_LINES + 1))
    assert {one["status"] for one in results} == {"written"}
    assert len(backend.written) == MAX_BULK_LINES


def test_an_escaped_escape_in_an_id_stays_one(app):
    with run_in_background(app) as address:
        headers = {"content-type": "application/json"}
        path = "v1/products/%252e%252e%2Fa"
        request = urllib.request.Request(address + path, b'{"title": "A"}', headers, method="PUT")
        assert fetch(request)["id"] == "%2e%2e/a"


@pytest.mark.skipif(os.name != "posix", reason="signals are sent as on POSIX")
def test_ctrl_c_ends_the_service_quietly():
    with subprocess.Popen(
        [sys.executable, "-c", SERVE], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        address = process.stdout.readline().strip()
        assert fetch(address + "hello") == "hello"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (0, "ended\n", "")
