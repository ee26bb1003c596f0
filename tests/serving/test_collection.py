import gc
import weakref

from aisle.serving.collection import resettle, settled


class Ring:
    def __init__(self):
        self.itself = self


def test_what_is_there_is_left_out_of_collections_while_serving():
    kept = [[number] for number in range(1_000)]
    before = gc.get_freeze_count()
    with settled():
        assert gc.get_freeze_count() >= before + len(kept)
        assert not any(one is kept[0] for one in gc.get_objects())
    assert gc.get_freeze_count() == 0
    assert any(one is kept[0] for one in gc.get_objects())


def test_what_has_gone_by_a_switch_is_let_go():
    ring = Ring()
    gone = weakref.ref(ring)
    with settled():
        del ring
        gc.collect()
        assert gone() is not None
        resettle()
        assert gone() is None
        assert gc.get_freeze_count() > 0


def test_nothing_is_done_where_nobody_serves():
    resettle()
    assert gc.get_freeze_count() == 0
