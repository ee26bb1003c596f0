"""The whole examination."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from aisle.core.errors import AisleError
from aisle.core.progress import progress_bar
from aisle.pipelines.doctor.artefacts import artefact_findings, num_files
from aisle.pipelines.doctor.finding import DAMAGE, Finding
from aisle.pipelines.doctor.installation import disk_finding, installation_findings
from aisle.pipelines.doctor.served import served_findings
from aisle.workspace import Workspace

__all__ = ["Examination", "examine"]


@dataclass(frozen=True)
class Examination:
    """All that was found.

    Attributes:
        findings: In the order of looking.
    """

    findings: tuple[Finding, ...]

    @property
    def num_problems(self) -> int:
        """Things that keep something from working."""
        return sum(one.state == "problem" for one in self.findings)

    @property
    def num_warnings(self) -> int:
        """Things to know."""
        return sum(one.state == "warning" for one in self.findings)

    def as_dict(self) -> dict[str, object]:
        """Return plain JSON values."""
        told = [asdict(one) for one in self.findings]
        return {"problems": self.num_problems, "warnings": self.num_warnings, "findings": told}


def examine(path: Path) -> Examination:
    """Look at the installation, a workspace, its served versions and its journal; whatever is damaged is told.

    Args:
        path: Folder of the workspace, which may be missing.
    """
    return Examination((*installation_findings(), disk_finding(path), *_workspace(path)))


def _workspace(path: Path) -> Iterator[Finding]:
    if not path.exists():
        told = f"there is none at {path}"
        yield Finding("workspace", "workspace", "warning", told, "Name one with --workspace, or run `aisle import`.")
        return
    try:
        workspace = Workspace.open(path)
        total = num_files(workspace)
    except AisleError as error:
        yield Finding("workspace", "workspace", "problem", str(error), error.remedy)
        return
    except DAMAGE as error:
        told, remedy = f"{path} cannot be read: {error}", "Mend its permissions."
        yield Finding("workspace", "workspace", "problem", told, remedy)
        return
    yield Finding("workspace", "workspace", "ok", str(path.resolve()))
    with progress_bar("Checking files", total=total, unit="artefacts") as advance:
        yield from artefact_findings(workspace, advance)
    yield from served_findings(path)
