"""Any Hugging Face encoder as the transformer of the text part."""

from __future__ import annotations

import sys
from pathlib import Path

from jaxtyping import Bool, Float, Int64
from safetensors import SafetensorError
from torch import Tensor, nn

from aisle.core.errors import ModelError
from aisle.encoders.attention import with_cheap_attention
from aisle.encoders.dropout import with_cheap_dropout
from aisle.encoders.precision import cast_output

__all__ = ["PretrainedTransformer"]


class PretrainedTransformer(nn.Module):
    """Wraps a Hugging Face encoder; only its token-level output is used.

    Args:
        model: An encoder, as `transformers.AutoModel` builds it.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = with_cheap_attention(with_cheap_dropout(model))
        self.hidden_dim = int(model.config.hidden_size)  # type: ignore[union-attr, arg-type]
        # Encoders with relative positions read texts of any length.
        self.max_tokens = int(getattr(model.config, "max_position_embeddings", None) or sys.maxsize)
        embeddings = getattr(model, "embeddings", None)
        if isinstance(embeddings, nn.Module):
            embeddings.register_forward_hook(cast_output)

    @classmethod
    def from_checkpoint(cls, checkpoint: str) -> PretrainedTransformer:
        """Load an encoder with its weights.

        Args:
            checkpoint: A local folder or a hub name. Weights are read from safetensors alone, never from a pickle.

        Raises:
            ModelError: If it cannot be loaded.
        """
        from transformers import AutoModel

        try:
            return cls(
                AutoModel.from_pretrained(
                    checkpoint,
                    use_safetensors=True,
                    trust_remote_code=False,
                    attn_implementation="eager",
                    dtype="float32",
                )
            )
        except (OSError, ValueError, KeyError, AttributeError, ImportError, SafetensorError) as error:
            raise ModelError(
                "text.init and pretrain.init must name a Hugging Face encoder with safetensors weights",
                received={"checkpoint": checkpoint, "problem": str(error).partition("\n")[0]},
                remedy="Give a local folder with config.json and model.safetensors, or a hub name while online.",
            ) from error

    @classmethod
    def from_config(cls, folder: Path) -> PretrainedTransformer:
        """Build the architecture that `save_config` described, with weights to be loaded after.

        Raises:
            ModelError: If the folder does not describe one.
        """
        from transformers import AutoConfig, AutoModel

        try:
            # A folder that is missing would be taken for a name on the hub.
            config = AutoConfig.from_pretrained((folder / "config.json").resolve(strict=True), trust_remote_code=False)
            return cls(AutoModel.from_config(config, trust_remote_code=False, attn_implementation="eager"))
        except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
            raise ModelError(
                "A model with a pre-trained text part must hold its architecture",
                received={"path": str(folder / "config.json"), "problem": str(error).partition("\n")[0]},
                remedy="Train the model again.",
            ) from error

    def save_config(self, folder: Path) -> None:
        """Write the architecture, without weights, as `config.json` of the folder."""
        self.model.config.save_pretrained(folder)  # type: ignore[union-attr, operator]

    @property
    def num_tokens(self) -> int:
        """Rows of the table of tokens."""
        return int(self.model.get_input_embeddings().num_embeddings)  # type: ignore[operator]

    def token_vectors(self, ids: Int64[Tensor, "*shape"]) -> Float[Tensor, "*shape width"]:
        """Look up the vectors of tokens, before any context."""
        vectors: Tensor = self.model.get_input_embeddings()(ids)  # type: ignore[operator]
        return vectors

    def forward(
        self, ids: Int64[Tensor, "rows tokens"], real: Bool[Tensor, "rows tokens"]
    ) -> Float[Tensor, "rows tokens hidden"]:
        """Encode every token in its context; what stands at padding is meaningless."""
        return self.in_context(self.token_vectors(ids), real)

    def in_context(
        self, vectors: Float[Tensor, "rows tokens width"], real: Bool[Tensor, "rows tokens"]
    ) -> Float[Tensor, "rows tokens hidden"]:
        """Encode tokens whose own vectors are looked up already; what stands at padding is meaningless."""
        output: Tensor = self.model(inputs_embeds=vectors, attention_mask=real.long()).last_hidden_state
        return output
