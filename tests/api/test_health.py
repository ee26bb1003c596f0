from aisle.api import CatalogueState, Liveness, Readiness


def test_readiness_says_so():
    state = CatalogueState(version="v1", num_products=6, journal_head=4, applied_offset=3, store_kind="memory")
    ready = Readiness(modes=["lexical"], default_mode="lexical", state=state, info={})
    assert (ready.status, ready.state.journal_head) == ("ready", 4)
    assert Liveness().model_dump() == {"status": "alive"}
