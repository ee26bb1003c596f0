"""Typing errors and easy queries in a live shop: index, version, store and journal together."""

import numpy as np

from aisle.core.shopper import Shopper
from aisle.live import LiveSearch
from aisle.live.building import FillHere


class OpenGate:
    """Calls every query easy."""

    def opens(self, texts, lexical, *, k):
        return np.ones(len(texts), bool)


def found(shop, query, **options):
    return [hit.product_id for hit in shop.search(LiveSearch(query, **options)).hits]


def test_a_slip_is_mended_and_told(learnt):
    answer = learnt.search(LiveSearch("thnig", mode="lexical"))
    assert answer.corrected == "thing"
    assert [hit.product_id for hit in answer.hits] == found(learnt, "thing", mode="lexical")
    assert learnt.search(LiveSearch("thing", mode="lexical")).corrected is None
    semantic = learnt.search(LiveSearch("thnig", mode="semantic"))
    assert semantic.corrected == "thing"
    assert [hit.product_id for hit in semantic.hits] == found(learnt, "thing", mode="semantic")
    assert learnt.search(LiveSearch("thnig")).corrected == "thing"


def test_words_of_a_new_product_are_known_at_once_and_after_a_start(learnt_folder, open_shop):
    shop = open_shop(learnt_folder)
    assert shop.search(LiveSearch("thingo", mode="lexical")).corrected == "thing"
    shop.put([{"product_id": "new", "title": "thingo flumph"}])
    for _ in range(2):
        assert found(shop, "thingo", mode="lexical") == ["new"]
        assert found(shop, "flumphh", mode="lexical") == ["new"]
        shop.close()
        shop = open_shop(learnt_folder)


def test_words_that_the_journal_brought_are_known_to_the_next_version(learnt_folder, open_shop):
    shop = open_shop(learnt_folder, fill=FillHere())
    shop.put([{"product_id": "new", "title": "thingo flumph"}])
    built = shop.build_version()
    shop.close()  # waits for a build that cannot be given up
    shop = open_shop(learnt_folder)
    shop.switch_version(built.id)
    assert found(shop, "thingo", mode="lexical") == ["new"]


def test_an_easy_query_is_not_encoded(learnt, monkeypatch):
    monkeypatch.setattr(learnt._serving.loaded, "gate", OpenGate())
    answer = learnt.search(LiveSearch("word3", k=3))
    assert (answer.mode, answer.gated) == ("hybrid", True)
    assert "encode" not in answer.stage_ms
    assert [hit.product_id for hit in answer.hits] == ["p3"]
    assert not learnt.search(LiveSearch("word3", k=3, mode="lexical")).gated
    monkeypatch.undo()
    answer = learnt.search(LiveSearch("word3", k=3))
    assert (answer.gated, len(answer.hits)) == (False, 3)
    assert "encode" in answer.stage_ms


def test_an_actor_with_a_past_is_not_left_to_words(learnt, monkeypatch):
    monkeypatch.setattr(learnt._serving.loaded, "gate", OpenGate())
    who = Shopper(user_id="u1")
    assert not learnt.search(LiveSearch("word3", shopper=who)).gated
    assert learnt.search(LiveSearch("word3", shopper=who, personalise=False)).gated
