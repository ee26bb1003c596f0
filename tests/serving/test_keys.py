import pytest

from aisle.core.errors import UsageError
from aisle.serving.keys import KEY_VARIABLE, MIN_KEY_CHARS, READ_KEY_VARIABLE, KeyRing, load_keys

KEY, READ_KEY = "k" * MIN_KEY_CHARS, "r" * MIN_KEY_CHARS


def test_a_key_opens_what_it_is_for():
    keys = KeyRing.of(KEY, read_key=READ_KEY)
    assert [keys.access(key) for key in (KEY, READ_KEY, "", KEY + "k", KEY[:-1], "ключ")] == [
        *("write", "read", "none", "none", "none", "none")
    ]


def test_without_a_key_for_reading_nothing_else_reads():
    keys = KeyRing.of(KEY)
    assert (keys.access(KEY), keys.access(READ_KEY), keys.access("")) == ("write", "none", "none")


def test_keys_are_compared_in_constant_time(monkeypatch):
    compared = []

    def compare(given, kept):
        compared.append((len(given), len(kept)))
        return False

    monkeypatch.setattr("hmac.compare_digest", compare)
    KeyRing.of(KEY).access("x")
    KeyRing.of(KEY, read_key=READ_KEY).access("y" * 1000)
    assert compared == [(32, 32)] * 4


def test_a_key_is_never_shown():
    assert KEY not in repr(KeyRing.of(KEY))
    with pytest.raises(UsageError) as caught:
        KeyRing.of("hunter2")
    assert "hunter2" not in str(caught.value)
    assert "at least 16 characters. Received: characters=7. Make one with `openssl rand -hex 32`." in str(caught.value)


@pytest.mark.parametrize("key", ["", "k" * (MIN_KEY_CHARS - 1), "k" * 16 + " x", "ж" * 16, "k" * 16 + "\n"])
def test_a_weak_or_unsendable_key_is_refused(key):
    with pytest.raises(UsageError, match="A key must"):
        KeyRing.of(key)


def test_two_keys_must_differ():
    with pytest.raises(UsageError, match="must be another one"):
        KeyRing.of(KEY, read_key=KEY)


def test_keys_come_from_files_or_the_environment(tmp_path):
    (tmp_path / "key").write_text(KEY + "\n")
    (tmp_path / "read").write_text(READ_KEY + "\n")
    environment = {KEY_VARIABLE: "e" * 16, READ_KEY_VARIABLE: READ_KEY}
    assert load_keys(None, None, {}) is None
    assert load_keys(None, None, {KEY_VARIABLE: ""}) is None
    assert load_keys(tmp_path / "key", None, {}) == KeyRing.of(KEY)
    assert load_keys(tmp_path / "key", tmp_path / "read", environment) == KeyRing.of(KEY, read_key=READ_KEY)
    assert load_keys(None, None, environment) == KeyRing.of("e" * 16, read_key=READ_KEY)


def test_a_key_for_reading_alone_is_refused():
    with pytest.raises(UsageError, match="must stand beside one that may write"):
        load_keys(None, None, {READ_KEY_VARIABLE: READ_KEY})


@pytest.mark.parametrize("content", [None, b"", b"\xff" * 20])
def test_a_file_without_a_key_is_refused(tmp_path, content):
    if content is not None:
        (tmp_path / "key").write_bytes(content)
    with pytest.raises(UsageError, match="key must"):
        load_keys(tmp_path / "key", None, {KEY_VARIABLE: KEY})
