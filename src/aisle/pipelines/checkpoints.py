"""Hugging Face checkpoints as inputs of steps: a folder, a hub name, or the workspace's own pre-trained encoder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from aisle.encoders import TextEncoderConfig
from aisle.encoders.config import OWN
from aisle.workspace import Workspace, file_sha256, fingerprint

__all__ = ["PRETRAINED", "checkpoint_hash", "init_hash", "with_own_checkpoint"]

PRETRAINED = "pretrained"
"""The artefact that `aisle pretrain` makes."""

_READ = {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}


def checkpoint_hash(checkpoint: Path) -> str:
    """Hash a local checkpoint's files; a hub name stands for itself."""
    if not checkpoint.is_dir():
        return f"hub:{checkpoint}"
    files = sorted(path for path in checkpoint.iterdir() if path.suffix in {".json", ".safetensors", ".txt"})
    return fingerprint({path.name: file_sha256(path) for path in files})


def init_hash(workspace: Workspace, text: TextEncoderConfig) -> str:
    """Hash the checkpoint that a text part starts from.

    Of the workspace's own one only what is read counts: figures and times of its making are no input.

    Raises:
        WorkspaceError: If the workspace's own one is asked for and nothing was pre-trained.
    """
    if text.init != OWN:
        return checkpoint_hash(Path(str(text.init)))
    files = workspace.manifest(PRETRAINED).files
    return fingerprint({name: digest for name, digest in files.items() if name in _READ})


def with_own_checkpoint(workspace: Workspace, text: TextEncoderConfig) -> TextEncoderConfig:
    """Return the settings with the folder of the workspace's own checkpoint in place of its word.

    The folder is for loading alone: what is saved keeps the word, so that a workspace may be moved.

    Raises:
        WorkspaceError: If nothing was pre-trained, or a file is not as written.
    """
    return replace(text, init=str(workspace.verified(PRETRAINED))) if text.is_on and text.init == OWN else text
