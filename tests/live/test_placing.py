from math import isnan

from aisle.live.placing import Place, choose, in_order


def place(rank, product_id, **fields):
    return Place({"product_id": product_id, **fields}, 1.0 - rank / 10, rank)


def ids(places):
    return [one.product_id for one in places]


def chosen(pinned, ranked, **options):
    first, rest = choose(pinned, ranked, **{"k": 10, "collapse": False, "min_score": None, **options})
    return ids(first), ids(rest)


RANKED = [place(0, "a", group_id="g"), place(1, "b"), place(2, "c", group_id="g"), place(3, "d"), place(4, "e")]


def test_the_best_stand_first():
    assert chosen([], RANKED, k=2) == ([], ["a", "b"])


def test_one_of_each_group():
    assert chosen([], RANKED, collapse=True) == ([], ["a", "b", "d", "e"])
    pinned = [{"product_id": "c", "group_id": "g"}]
    assert chosen(pinned, RANKED, collapse=True) == (["c"], ["b", "d", "e"])


def test_pinned_products_keep_their_order_and_take_places():
    pinned = [{"product_id": "x"}, {"product_id": "d"}]
    assert chosen(pinned, RANKED, k=3) == (["x", "d"], ["a"])
    assert chosen(pinned, RANKED, k=1) == (["x"], [])
    first, _ = choose(pinned, RANKED, k=3, collapse=False, min_score=None)
    assert isnan(first[0].score)
    assert (first[0].rank, first[1].score, first[1].rank) == (None, 0.7, 3)


def test_a_low_score_is_left_out_but_not_a_pinned_product():
    assert chosen([{"product_id": "e"}], RANKED, min_score=0.75) == (["e"], ["a", "b", "c"])


def test_orders():
    places = [
        place(0, "a", price=2.0),
        place(1, "b"),
        place(2, "c", price=1.0, created_at="2026"),
        place(3, "d", price=2.0),
    ]
    places.append(place(4, "e", created_at="2027"))
    assert ids(in_order(places, "relevance")) == ["a", "b", "c", "d", "e"]
    assert ids(in_order(places, "price_asc")) == ["c", "a", "d", "b", "e"]
    assert ids(in_order(places, "price_desc")) == ["a", "d", "c", "b", "e"]
    assert ids(in_order(places, "newest")) == ["e", "c", "a", "b", "d"]
