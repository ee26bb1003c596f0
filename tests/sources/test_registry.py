from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pytest

from aisle.core.errors import ConfigError, SourceError, UsageError
from aisle.sources import SOURCES, Loader, SourceTables, load_source


def load_users(folder):
    return SourceTables({"users": pa.table({"user_id": [(folder / "users.txt").read_text()]})})


def download_users(folder):
    folder.mkdir(parents=True)
    (folder / "users.txt").write_text("fetched")


SHOP = {"shop": Loader(load_users, download=download_users), "closed": Loader(load_users)}


def test_icecat_is_known_and_can_be_downloaded():
    assert SOURCES["icecat"].download is not None


def test_a_path_is_read_as_it_is(tmp_path):
    (tmp_path / "users.txt").write_text("own")
    source = load_source("shop", path=tmp_path, cache_dir=tmp_path / "cache", sources=SHOP)
    assert source.tables["users"]["user_id"].to_pylist() == ["own"]
    assert not (tmp_path / "cache").exists()


def test_a_download_is_kept(tmp_path):
    load_source("shop", path=None, cache_dir=tmp_path, sources=SHOP)
    (tmp_path / "shop" / "users.txt").write_text("cached")
    source = load_source("shop", path=None, cache_dir=tmp_path, sources=SHOP)
    assert source.tables["users"]["user_id"].to_pylist() == ["cached"]


def test_what_cannot_be_downloaded_needs_a_path(tmp_path):
    with pytest.raises(UsageError, match=r"closed must be given as a local copy.*--path"):
        load_source("closed", path=None, cache_dir=tmp_path, sources=SHOP)


def test_an_unknown_name_lists_the_known_ones(tmp_path):
    with pytest.raises(UsageError, match=r"must be one of closed, shop.*from='shpo'.*Did you mean shop\?"):
        load_source("shpo", path=None, cache_dir=tmp_path, sources=SHOP)


@dataclass(frozen=True)
class Size:
    num_users: int = 1


def test_settings_reach_the_loader():
    def load(_folder, config):
        return SourceTables({"users": pa.table({"user_id": ["u"] * config.num_users})})

    sources = {"sized": Loader(load, settings=Size), **SHOP}
    source = load_source("sized", path=Path(), cache_dir=Path(), settings={"num_users": 3}, sources=sources)
    assert source.tables["users"].num_rows == 3
    assert source.provenance["settings"] == {"num_users": 3}
    with pytest.raises(ConfigError, match="num_user is not a setting; did you mean num_users"):
        load_source("sized", path=Path(), cache_dir=Path(), settings={"num_user": 3}, sources=sources)
    with pytest.raises(ConfigError, match="without settings"):
        load_source("shop", path=Path(), cache_dir=Path(), settings={"num_user": 3}, sources=sources)


@pytest.mark.parametrize("name", [name for name, loader in SOURCES.items() if loader.download is None])
def test_sources_without_download_say_how_to_get_them(name, tmp_path):
    with pytest.raises(UsageError, match=r"must be given as a local copy.*--path"):
        load_source(name, path=None, cache_dir=tmp_path)


def test_a_path_that_does_not_exist_is_told(tmp_path):
    with pytest.raises(SourceError, match=r"The path must exist. Received: path='.*nowhere'"):
        load_source("shop", path=tmp_path / "nowhere", cache_dir=tmp_path, sources=SHOP)
