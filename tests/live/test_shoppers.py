import datetime

import numpy as np
import pytest

from aisle.core.shopper import Shopper
from aisle.live.ids import LiveIds
from aisle.live.pasts import Pasts
from aisle.live.shoppers import LiveShoppers
from aisle.mining import MinedLog
from aisle.pipelines.catalogue import read_products
from aisle.pipelines.searching import load_shoppers
from aisle.retrieval import ActorLog, Shoppers
from aisle.store import JournalEvent
from aisle.store.journal_records import to_micros
from aisle.tables import Stage

END = datetime.datetime(2025, 1, 11, tzinfo=datetime.UTC)
END_US = to_micros(END)


@pytest.fixture
def known(learnt_shop):
    """Shoppers of the log whose products are numbered backwards here, and the parts that they are made of."""
    ids = LiveIds(read_products(learnt_shop)["product_id"].combine_chunks()[::-1])
    pasts, forgotten = Pasts(retention_us=10**15), set()
    shoppers = LiveShoppers(
        pasts,
        ids,
        places=Shoppers(reads_places=True),
        log=ActorLog(MinedLog(learnt_shop.folder("mined"))),
        log_products=np.arange(32)[::-1].copy(),
        is_forgotten=forgotten.__contains__,
    )
    return shoppers, pasts, ids, forgotten


def clicked(product, *, seconds=1, **more):
    at = END - datetime.timedelta(seconds=seconds)
    return JournalEvent(at, "click", product_id=product, **{"user_id": "u3", **more})


def test_the_log_alone_gives_what_the_engine_reads(known, learnt_shop):
    shoppers, _, _, _ = known
    engine = load_shoppers(learnt_shop)
    engine.now_us = END_US
    asked, still = shoppers.search("word1", Shopper("u3"), now_us=END_US).batch, engine.search("word1", Shopper("u3"))
    assert asked.past.queries == still.past.queries
    assert (31 - asked.past.product_index).tolist() == still.past.product_index.tolist()
    assert (asked.past.stage.tolist(), asked.past.age_s.tolist()) == (
        still.past.stage.tolist(),
        still.past.age_s.tolist(),
    )


def test_what_was_done_since_stands_behind_the_log(known):
    shoppers, pasts, ids, _ = known
    before = shoppers.search("x", Shopper("u3"), now_us=END_US)
    pasts.add([clicked("p4", query="lamp"), clicked("unknown"), clicked("p5", seconds=60)])
    after = shoppers.search("x", Shopper("u3"), now_us=END_US)
    num = len(before.batch.past.queries)
    past = after.batch.past
    assert past.offsets.tolist() == [0, num + 2]
    assert past.product_index[num:].tolist() == ids.index_of(["p5", "p4"]).tolist()
    assert (list(past.queries[num:]), past.stage[num:].tolist()) == ([None, "lamp"], [Stage.CLICKED, Stage.CLICKED])
    assert past.age_s[num:].tolist() == [60, 1]
    assert (np.diff(past.age_s) <= 0).all()
    assert after.key != before.key


def test_what_the_log_holds_already_happened_once(known, learnt_shop):
    shoppers, pasts, _, _ = known
    before = shoppers.search("x", Shopper("u3"), now_us=END_US).batch.past
    ordered = datetime.datetime(2025, 1, 1, 3, tzinfo=datetime.UTC)
    pasts.add([JournalEvent(ordered, "purchase", user_id="u3", product_id="p3")])
    assert shoppers.search("x", Shopper("u3"), now_us=END_US).batch.past.age_s.tolist() == before.age_s.tolist()


def test_a_product_counts_from_when_it_is_known(known):
    shoppers, pasts, ids, _ = known
    stranger = Shopper(client_id="stranger")
    pasts.add([clicked("later", user_id=None, client_id="stranger")])
    assert shoppers.search("x", stranger, now_us=END_US).batch.past is None
    ids.claim(["later"])
    assert shoppers.search("x", stranger, now_us=END_US).batch.past.product_index.tolist() == [32]


def test_nobody_has_a_past(known):
    shoppers, pasts, _, forgotten = known
    pasts.add([clicked("p4")])
    for shopper, options in ((Shopper(), {}), (Shopper("u3"), {"personalise": False}), (Shopper(client_id="u9x"), {})):
        asked = shoppers.search("x", shopper, now_us=END_US, **options)
        assert asked.batch.past is None
        assert asked.key == (None, None)
    forgotten.add("u3")
    assert len(shoppers.search("x", Shopper("u3"), now_us=END_US).batch.past.queries) == 1, "what was done since counts"


def test_places_count_without_a_past(known):
    shoppers, _, _, _ = known
    asked = shoppers.search("x", Shopper(location="fr"), now_us=END_US)
    assert (asked.batch.locations, asked.key) == (["fr"], ("fr", None))


def test_ages_are_those_of_the_minutes(known):
    shoppers, pasts, _, _ = known
    pasts.add([clicked("p4")])
    keys = [shoppers.search("x", Shopper("u3"), now_us=END_US + minutes * 60_000_000).key for minutes in (0, 4, 5, 0)]
    assert keys[0] == keys[1] == keys[3] != keys[2]


def test_an_event_of_the_future_is_of_now(known):
    shoppers, pasts, _, _ = known
    pasts.add([clicked("p4", seconds=-30, user_id="new")])
    assert shoppers.search("x", Shopper("new"), now_us=END_US).batch.past.age_s.tolist() == [0]
