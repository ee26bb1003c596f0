import pytest

NOON_US = 1_800_000_000_000_000
"""A moment of 2027, after all that the shops of the tests hold."""


class Clock:
    """A clock that is set."""

    def __init__(self):
        self.now_us = NOON_US

    def __call__(self):
        return self.now_us

    def advance(self, seconds):
        self.now_us += int(seconds * 1e6)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(scope="session")
def _versioned_shop(_built_shop, tmp_path_factory):
    import shutil

    from aisle.live import LiveShop
    from aisle.pipelines.versions import WorkspaceSource
    from aisle.workspace import Workspace

    path = tmp_path_factory.mktemp("versioned") / "shop"
    shutil.copytree(_built_shop, path)
    LiveShop(path, WorkspaceSource(Workspace.open(path))).close()
    return path


@pytest.fixture(scope="session")
def _versioned_learnt_shop(_learnt_shop, tmp_path_factory):
    import shutil

    from aisle.live import LiveShop
    from aisle.pipelines.versions import WorkspaceSource
    from aisle.workspace import Workspace

    path = tmp_path_factory.mktemp("versioned_learnt") / "shop"
    shutil.copytree(_learnt_shop, path)
    LiveShop(path, WorkspaceSource(Workspace.open(path))).close()
    return path


@pytest.fixture
def open_shop(clock):
    """Open a folder as a live shop; all are closed at the end."""
    from aisle.live import LiveShop
    from aisle.pipelines.versions import WorkspaceSource
    from aisle.workspace import Workspace

    opened = []

    def open_at(path, **options):
        source = options.pop("source", None) or WorkspaceSource(Workspace.open(path))
        shop = LiveShop(path, source, now_us=clock, **options)
        opened.append(shop)
        return shop

    yield open_at
    for shop in opened:
        shop.close()


@pytest.fixture
def live_folder(_versioned_shop, tmp_path):
    """A copy of a small shop of 300 products, with one version."""
    import shutil

    return shutil.copytree(_versioned_shop, tmp_path / "live")


@pytest.fixture
def learnt_folder(_versioned_learnt_shop, tmp_path):
    """A copy of a small shop with a log and a model that reads the past, with one version."""
    import shutil

    return shutil.copytree(_versioned_learnt_shop, tmp_path / "live")


@pytest.fixture
def shop(live_folder, open_shop):
    return open_shop(live_folder)


@pytest.fixture
def learnt(learnt_folder, open_shop):
    return open_shop(learnt_folder)
