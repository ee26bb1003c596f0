from dataclasses import asdict

import pytest
from pydantic import ValidationError

from aisle.api import VersionChoice, VersionDocument, VersionList
from aisle.live import VersionView


def test_versions_of_the_shop_fit():
    view = VersionView("v1", "ready", "2026-05-17T09:30:00Z", 6, 4, {"store": "memory"})
    found = VersionList.model_validate({"versions": [asdict(view)]}).versions
    assert found == [VersionDocument(**asdict(view))]


@pytest.mark.parametrize("choice", [{}, {"id": ""}, {"id": 1}, {"id": "v1", "force": True}])
def test_a_choice_is_one_id(choice):
    assert VersionChoice.model_validate({"id": "v1"}).id == "v1"
    with pytest.raises(ValidationError):
        VersionChoice.model_validate(choice)
