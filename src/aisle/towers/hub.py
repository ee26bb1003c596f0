"""Models on the Hugging Face Hub: whole folders as `aisle train` wrote them, checked before a byte of them is read."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from huggingface_hub import HfApi
from huggingface_hub.errors import (
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RevisionResolutionError,
)

from aisle.core.errors import ModelError, UsageError, WorkspaceError
from aisle.workspace import CARD, Manifest, verify_files

__all__ = ["fetch_model", "push_model", "verified_model"]

_MANIFEST = "manifest.json"
_UNREAD = frozenset({CARD, "LICENSE", "LICENSE.md", "LICENSE.txt"})
"""Files that a person may add or edit on the Hub: nothing reads them."""

_HUB_ERRORS: tuple[type[Exception], ...] = (
    HfHubHTTPError,
    # The HTTP client's own error, for want of an answer; which client that is changes with the library's version.
    cast(type[Exception], HfHubHTTPError.__bases__[0]),
    HFValidationError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RevisionResolutionError,
    OSError,
)


def verified_model(folder: Path) -> Path:
    """Check a model's folder: every file as its manifest records it, and no other file that could be read.

    Returns:
        `folder`.

    Raises:
        ModelError: If there is no manifest, a file is missing or differs, or one is there that it does not name.
    """
    try:
        files = {name: sha for name, sha in Manifest.read(folder).files.items() if name not in _UNREAD}
        verify_files(folder, files)
    except WorkspaceError as error:
        raise ModelError(
            "A model must be whole and as its manifest records it",
            received={"model": str(folder), "problem": str(error)},
            remedy="Name a folder that `aisle train` wrote, or download the model again.",
        ) from error
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    visible = (name.as_posix() for name in found if not any(part.startswith(".") for part in name.parts))
    unnamed = sorted(name for name in visible if name not in files and name not in _UNREAD and name != _MANIFEST)
    if unnamed:
        raise ModelError(
            "A model must hold no files but those of its manifest",
            received={"model": str(folder), "others": unnamed[:5]},
            remedy="Remove them: a file that was never checked must not be read.",
        )
    return folder


def push_model(
    folder: Path,
    repo_id: str,
    *,
    private: bool = True,
    revision: str | None = None,
    token: str | None = None,
    endpoint: str | None = None,
    message: str = "Model of Aisle",
) -> str:
    """Upload a model's folder as one commit; files of an earlier model go.

    Args:
        folder: The folder, which is checked first.
        repo_id: Repository, `owner/name`; it is made where it is not there.
        private: Whether a repository that is made is private.
        revision: Branch, made where it is not there; None for the main one.
        token: Token of the Hub; None for that of `hf auth login`.
        endpoint: Address of another Hub.
        message: Message of the commit.

    Returns:
        The commit's hash, by which `fetch_model` gets these very files.

    Raises:
        ModelError: If the folder is no whole model.
        UsageError: If the Hub cannot be reached or refuses.
    """
    verified_model(folder)
    api = HfApi(endpoint=endpoint, token=token, library_name="aisle")
    try:
        api.create_repo(repo_id, private=private, exist_ok=True)
        if revision is not None:
            api.create_branch(repo_id, branch=revision, exist_ok=True)
        done = api.upload_folder(
            repo_id=repo_id, folder_path=folder, revision=revision, commit_message=message, delete_patterns="*"
        )
    except _HUB_ERRORS as error:
        raise UsageError(
            "The Hub must take the model",
            received={"repo_id": repo_id, "revision": revision, "problem": _first_line(error)},
            remedy="Check the name (owner/name), the network and the token (`hf auth login`).",
        ) from error
    return str(done.oid)


def fetch_model(
    name: str | Path,
    *,
    revision: str | None = None,
    token: str | None = None,
    endpoint: str | None = None,
    cache_dir: Path | None = None,
    local_files_only: bool = False,
) -> Path:
    """Return the checked folder of a model: a local one, or one of the Hub, downloaded where it is not in the cache.

    Args:
        name: Folder, or repository `owner/name`.
        revision: Branch, tag or, to get the very same files for ever, a commit's hash; of a repository alone.
        token: Token of the Hub; None for that of `hf auth login`.
        endpoint: Address of another Hub.
        cache_dir: Where downloads go; None for the Hub's usual cache.
        local_files_only: Never ask the network.

    Raises:
        UsageError: If it is neither a folder nor a repository that can be read, or a folder is given a revision.
        ModelError: If the model is not whole.
    """
    if Path(name).is_dir():
        if revision is not None:
            raise UsageError(
                "A revision must come with a repository of the Hub",
                received={"name": str(name), "revision": revision},
                remedy="Leave it out for a local folder.",
            )
        return verified_model(Path(name))
    api = HfApi(endpoint=endpoint, token=token, library_name="aisle")
    try:
        found = api.snapshot_download(
            str(name), revision=revision, cache_dir=cache_dir, local_files_only=local_files_only
        )
    except _HUB_ERRORS as error:
        raise UsageError(
            "A model must be a folder, or a repository of the Hub that can be read",
            received={"name": str(name), "revision": revision, "problem": _first_line(error)},
            remedy="Check the name (owner/name), the revision, the network and the token (`hf auth login`).",
        ) from error
    return verified_model(Path(found))


def _first_line(error: Exception) -> str:
    return next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
