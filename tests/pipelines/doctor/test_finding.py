import dataclasses

import pytest

from aisle.pipelines.doctor import Finding
from aisle.pipelines.doctor.finding import DAMAGE


def test_a_finding_needs_no_remedy_and_cannot_be_changed():
    finding = Finding("journal", "journal", "ok", "fine")
    assert finding.remedy == ""
    with pytest.raises(dataclasses.FrozenInstanceError):
        finding.state = "problem"


@pytest.mark.parametrize("error", [FileNotFoundError(), UnicodeDecodeError("utf-8", b"", 0, 1, ""), KeyError("files")])
def test_what_reading_damaged_files_raises_is_damage(error):
    assert isinstance(error, DAMAGE)
    assert not isinstance(KeyboardInterrupt(), DAMAGE)
