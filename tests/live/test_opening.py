import shutil

import pytest

from aisle.core.errors import WorkspaceError
from aisle.core.shopper import Shopper
from aisle.live import LiveSearch
from aisle.pipelines.versions import WorkspaceSource
from aisle.workspace import Workspace


class Source:
    """A workspace whose content can be told to be another, or in the middle of a change."""

    def __init__(self, path, *, content=None, broken=False):
        self.source, self.other, self.broken = WorkspaceSource(Workspace.open(path)), content, broken
        self.num_read = 0

    def content(self):
        if self.broken:
            raise WorkspaceError("The index must be of the present products")
        return {**self.source.content(), **(self.other or {})}

    def read(self):
        from dataclasses import replace

        self.num_read += 1
        return replace(self.source.read(), content=self.content())


def version_folders(folder):
    return sorted(path for path in (folder / "versions").iterdir() if path.is_dir())


def test_a_version_of_the_same_content_is_not_built_again(live_folder, open_shop):
    source = Source(live_folder)
    shop = open_shop(live_folder, source=source)
    assert source.num_read == 0
    assert [view.state for view in shop.versions()] == ["current"]


def test_a_workspace_that_has_come_further_is_built_and_one_that_went_back_stays(live_folder, open_shop):
    [first] = version_folders(live_folder)
    newer = Source(live_folder, content={"model": "newer"})
    shop = open_shop(live_folder, source=newer)
    assert [view.state for view in shop.versions()] == ["ready", "current"]
    shop.switch_version(first.name)
    shop.close()
    again = open_shop(live_folder, source=newer)
    assert (again.state().version, newer.num_read) == (first.name, 1)


def test_a_workspace_in_the_middle_of_a_change_is_passed_over(live_folder, open_shop):
    told = []
    shop = open_shop(live_folder, source=Source(live_folder, broken=True), warn=told.append)
    assert len(shop.search(LiveSearch("lamp", k=3)).hits) == 3
    assert "The index must be of the present products" in told[0]
    shop.close()
    shutil.rmtree(live_folder / "versions")
    with pytest.raises(WorkspaceError, match="present products"):
        open_shop(live_folder, source=Source(live_folder, broken=True))
    open_shop(live_folder)  # the journal was let go of


@pytest.mark.parametrize("damage", ["deleted", "flipped"])
def test_a_store_that_is_lost_is_built_again_and_brought_up_to_date(live_folder, open_shop, damage):
    shop = open_shop(live_folder)
    shop.put([{"product_id": "new", "title": "zorblax"}])
    shop.delete([shop.search(LiveSearch("lamp")).hits[0].product_id])
    before = shop.num_products
    shop.close()
    [folder] = version_folders(live_folder)
    if damage == "deleted":
        shutil.rmtree(folder / "store")
    else:
        path = max(
            (path for path in (folder / "store" / "data").rglob("*") if path.is_file()),
            key=lambda one: one.stat().st_size,
        )
        path.write_bytes(path.read_bytes()[:-1] + b"\x7f")
    again = open_shop(live_folder)
    assert again.num_products == before
    assert [hit.product_id for hit in again.search(LiveSearch("zorblax", mode="lexical")).hits] == ["new"]


def test_a_damaged_model_is_told_before_it_is_read(live_folder, open_shop):
    [folder] = version_folders(live_folder)
    weights = folder / "model" / "model.safetensors"
    content = weights.read_bytes()
    weights.unlink()
    weights.write_bytes(content[:-1] + b"\x7f")
    with pytest.raises(WorkspaceError, match=r"as its manifest records it.*model\.safetensors.*changed"):
        open_shop(live_folder)


def test_users_have_the_places_that_were_imported(learnt):
    shoppers = learnt._serving.shoppers
    asked = [shoppers.search("x", Shopper(user_id=name), now_us=0).batch.locations for name in ("u1", "u2", "stranger")]
    assert asked == [["fr"], None, None]


def test_one_process_serves_a_folder(live_folder, open_shop):
    open_shop(live_folder)
    with pytest.raises(WorkspaceError, match="Only one process may write to a journal"):
        open_shop(live_folder)
