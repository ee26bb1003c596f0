from aisle.live.forgotten import Forgotten


def test_the_forgotten_stay_so_and_are_named_nowhere(tmp_path):
    path = tmp_path / "forgotten"
    assert "u1" not in Forgotten(path)
    forgotten = Forgotten(path)
    forgotten.add("u1")
    forgotten.add("u1")
    forgotten.add("ü2")
    again = Forgotten(path)
    assert [name in again for name in ("u1", "ü2", "u3")] == [True, True, False]
    assert len(path.read_text().split()) == 2
    assert "u1" not in path.read_text()
