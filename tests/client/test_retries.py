import httpx
import pytest

from aisle.client import Retries, calls

LOST = httpx.ReadTimeout("late")


def busy(status=503, **headers):
    return httpx.Response(status, headers={name.replace("_", "-"): value for name, value in headers.items()})


def test_waits_grow_and_end():
    retries = Retries(most=3, first_wait_s=0.5, most_wait_s=1)
    call = calls.search("usb")
    for attempt, longest in enumerate((0.5, 1, 1)):
        waits = [retries.wait_s(call, attempt, got=LOST) for _ in range(50)]
        assert 0 <= min(waits) < max(waits) <= longest
    assert retries.wait_s(call, 3, got=LOST) is None


def test_a_busy_service_says_when_to_come_back():
    call = calls.search("usb")
    assert Retries().wait_s(call, 0, got=busy(retry_after="2")) == 2
    assert Retries(most_wait_s=5).wait_s(call, 0, got=busy(retry_after="3600")) == 5
    assert Retries().wait_s(call, 0, got=busy(429, retry_after="Wed, 21 Oct 2026 07:28:00 GMT")) <= 0.2


@pytest.mark.parametrize("status", [200, 202, 400, 401, 404, 422, 500])
def test_an_answer_is_an_answer(status):
    assert Retries().wait_s(calls.search("usb"), 0, got=busy(status)) is None


@pytest.mark.parametrize("got", [LOST, busy(), httpx.ConnectError("refused")])
def test_what_counts_twice_is_never_sent_twice(got):
    assert Retries().wait_s(calls.build_version(), 0, got=got) is None
    assert Retries(most=0).wait_s(calls.search("usb"), 0, got=got) is None
