import asyncio

import httpx
import pytest

from aisle.client import AsyncClient, Client, Deletion, ProblemError, Retries, UnreachableError

CLICK = {"action_name": "click", "user_id": "u1", "event_id": "e1"}


def ask(service, key, question):
    async def run():
        async with AsyncClient(service, key=key, retries=Retries(most=0)) as client:
            return await question(client)

    return asyncio.run(run())


def test_it_has_the_methods_of_the_other():
    def public(one):
        return {name for name in dir(one) if not name.startswith("_")}

    assert public(AsyncClient) == public(Client)


def test_every_route_answers(service, key, shop):
    async def question(client):
        await client.put_product("lamp", {"title": "Lamp"})
        answers = await asyncio.gather(*(client.search("lamp") for _ in range(5)))
        results = [one async for one in client.put_products([Deletion("lamp"), {"title": "no id"}])]
        await client.add_event(CLICK)
        events = [one async for one in client.add_events([CLICK, CLICK])]
        erased = await client.erase_actor("user", "u1")
        await client.build_version()
        await client.switch_version("v1")
        states = (await client.health()).status, (await client.readiness()).state.version, await client.metrics()
        deleted = await client.delete_product("gone")
        return answers, results, events, erased, [one.id for one in await client.versions()], states, deleted

    answers, results, events, erased, versions, states, deleted = ask(service, key, question)
    assert {answer.hits[-1].product_id for answer in answers} == {"lamp"}
    assert [one.status for one in results] == ["written", "refused"]
    assert [one.line for one in events] == [1, 2]
    assert (erased.events, versions, states[:2]) == (3, ["v2", "v1"], ("alive", "v1"))
    assert "aisle_products" in states[2]
    assert (deleted.status, shop.current) == ("written", "v1")


def test_a_refusal_carries_its_document(service, key):
    with pytest.raises(ProblemError) as caught:
        ask(service, key, lambda client: client.switch_version("v9"))
    assert caught.value.problem.status == 422


def test_what_may_be_sent_again_is_and_what_may_not_is_not(flaky):
    async def run(transport, question):
        async with AsyncClient("http://shop", transport=transport, retries=Retries(first_wait_s=0)) as client:
            return await question(client)

    transport = flaky(503, httpx.ReadError("lost"))
    assert asyncio.run(run(transport, lambda client: client.health())).status == "alive"
    assert transport.num_sent == 3
    transport = flaky(httpx.ReadError("lost"))
    with pytest.raises(UnreachableError):
        asyncio.run(run(transport, lambda client: client.build_version()))
    assert transport.num_sent == 1
