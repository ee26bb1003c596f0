from aisle.serving import LOOPBACK_NAMES, ServiceSettings


def test_by_default_only_this_machine_is_heard_and_nothing_is_logged():
    settings = ServiceSettings()
    assert settings.hosts == LOOPBACK_NAMES == {"localhost", "127.0.0.1", "[::1]"}
    assert (settings.keys, settings.log_queries) == (None, False)
