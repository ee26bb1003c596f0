import asyncio
import threading

import pytest
from starlette.exceptions import HTTPException

from aisle.serving import ServiceSettings
from aisle.serving.workers import Worker, Workers


def test_calls_run_in_one_named_thread_and_give_back_what_they_return():
    worker = Worker("search", most=2, timeout_s=30)

    async def ask():
        return [await worker.run(lambda add: (threading.current_thread().name, 1 + add), add=one) for one in range(3)]

    answers = asyncio.run(ask())
    assert [value for _, value in answers] == [1, 2, 3]
    assert {name for name, _ in answers} == {"aisle-search_0"}
    assert worker.num_open == 0


def test_an_error_comes_through_and_frees_the_place():
    worker = Worker("search", most=1, timeout_s=30)

    def fail():
        raise ValueError("as told")

    for _ in range(3):
        with pytest.raises(ValueError, match="as told"):
            asyncio.run(worker.run(fail))
    assert worker.num_open == 0


def test_a_full_queue_refuses_at_once_and_says_when_to_come_back():
    worker = Worker("write", most=2, timeout_s=30)
    finish = threading.Event()

    async def ask():
        waiting = [asyncio.create_task(worker.run(finish.wait, 30)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(HTTPException) as caught:
            await worker.run(print)
        assert worker.num_open == 2
        finish.set()
        assert await asyncio.gather(*waiting) == [True, True]
        return caught.value

    refusal = asyncio.run(ask())
    assert (refusal.status_code, refusal.headers) == (503, {"Retry-After": "1"})
    assert refusal.detail == "At most 2 requests of kind write may wait. Received: more. Try again later."
    assert (worker.num_refused, worker.num_late, worker.num_open) == (1, 0, 0)


def test_a_late_answer_is_given_up_and_calls_behind_it_are_dropped():
    worker = Worker("search", most=8, timeout_s=0)
    finish, done = threading.Event(), []

    async def ask():
        with pytest.raises(HTTPException) as caught:
            await worker.run(finish.wait, 30)
        with pytest.raises(HTTPException):
            await worker.run(done.append, 1)
        return caught.value

    refusal = asyncio.run(ask())
    finish.set()
    worker.close()
    assert (refusal.status_code, worker.num_late, done) == (503, 2, [])
    assert refusal.detail.startswith("The search must be done within 0 s.")


def test_a_service_has_a_thread_for_each_kind_of_work():
    workers = Workers(ServiceSettings(most_searches=3))
    assert [worker.name for worker in workers.all] == ["search", "write", "manage", "watch"]


def test_searches_that_wait_for_a_cluster_run_beside_each_other():
    workers = Workers(ServiceSettings(search_threads=2))
    together = threading.Barrier(2)

    async def both():
        return await asyncio.gather(*(workers.search.run(together.wait, 5) for _ in range(2)))

    assert sorted(asyncio.run(both())) == [0, 1]
    workers.close()


def test_a_service_that_was_closed_may_be_started_again():
    workers = Workers(ServiceSettings())
    for _ in range(2):
        assert asyncio.run(workers.search.run(lambda: 5)) == 5
        workers.close()
