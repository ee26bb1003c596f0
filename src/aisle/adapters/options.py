"""What may be said to an encoding method in the manner of sentence-transformers."""

from __future__ import annotations

from typing import Any, TypedDict

from aisle.core.errors import UsageError

__all__ = ["EncodeOptions", "check_options"]


class EncodeOptions(TypedDict, total=False):
    """Options that change the form of vectors, or that are known and change nothing."""

    prompt_name: str | None
    """Side that `encode` takes: "query", or "document" (also "passage" and "corpus"); None is "document"."""

    batch_size: int
    """Changes nothing: texts are sorted by length and encoded in blocks of the model's own."""

    show_progress_bar: bool | None
    """Whether a bar shows the texts."""

    convert_to_numpy: bool
    """One numpy array, as by default; False: a list of tensors, one per text."""

    convert_to_tensor: bool
    """One tensor; goes before `convert_to_numpy`."""

    normalize_embeddings: bool
    """Whether vectors are scaled to length one. It changes no ranking: the vectors of products are equally long."""


_NEUTRAL: dict[str, object] = {
    "precision": "float32",
    "output_value": "sentence_embedding",
    "prompt": "",
    "chunk_size": None,
}
"""Options of sentence-transformers, and what else than None they may be here: what they mean by default."""


def check_options(options: dict[str, Any]) -> None:
    """Refuse what a model of Aisle cannot do, rather than pass over it.

    Raises:
        UsageError: Naming all such options.
    """
    known = EncodeOptions.__annotations__
    refused = {
        name: value
        for name, value in options.items()
        if name not in known and value is not None and value != _NEUTRAL.get(name)
    }
    if refused:
        raise UsageError(
            "Vectors are float32 and whole, made without prompts on the model's own device",
            received=refused,
            remedy=f"Leave these out; {', '.join(known)} are known.",
        )
