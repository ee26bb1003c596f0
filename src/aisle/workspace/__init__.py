"""The folder that holds a shop's artefacts: each written whole with a manifest, skipped when nothing changed."""

from aisle.workspace.hashing import file_sha256, fingerprint
from aisle.workspace.manifest import CARD, QUARANTINE, Manifest, verify_files
from aisle.workspace.workspace import StepResult, Workspace

__all__ = ["CARD", "QUARANTINE", "Manifest", "StepResult", "Workspace", "file_sha256", "fingerprint", "verify_files"]
