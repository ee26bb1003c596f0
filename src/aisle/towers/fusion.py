"""Two ways to fuse the parts into one served vector; both are served as one inner product."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import accumulate
from types import MappingProxyType

import torch
from jaxtyping import Float
from torch import Tensor, nn

from aisle.towers.prefix import prefix_dims

__all__ = ["ConcatFusion", "Fusion", "PostFusion"]

Parts = Mapping[str, Float[Tensor, "rows part_dim"]]
"""Unit vectors of each part, or of each query-side channel, by name."""

_NO_EXTRA: Mapping[str, int] = MappingProxyType({})


class Fusion(nn.Module):
    """Turns unit vectors of the parts into served vectors, the query's and the product's.

    Args:
        part_dims: Dimensions of every part of the product; the query has a channel of the same name and
            dimensions for each.
        extra_channels: Dimensions of further query-side channels, which no part of the product answers to.
        absent: Parts that queries have no channel for.
    """

    def __init__(
        self,
        part_dims: Mapping[str, int],
        extra_channels: Mapping[str, int] = _NO_EXTRA,
        *,
        absent: Collection[str] = (),
    ) -> None:
        super().__init__()
        self.part_dims = dict(part_dims)
        present = {name: dim for name, dim in part_dims.items() if name not in absent}
        self.channel_dims = {**present, **extra_channels}

    @property
    def served_dims(self) -> tuple[int, ...]:
        """Return the sizes of the blocks of a served vector that have a length of their own."""
        raise TypeError("a fusion defines served_dims")

    def query(self, channels: Parts) -> Float[Tensor, "rows dim"]:
        """Fuse a query's channels."""
        raise TypeError("a fusion defines query()")

    def product(self, parts: Parts) -> Float[Tensor, "rows dim"]:
        """Fuse a product's parts."""
        raise TypeError("a fusion defines product()")

    def contributions(
        self, query: Float[Tensor, "rows dim"], product: Float[Tensor, "rows dim"]
    ) -> dict[str, Float[Tensor, " rows"]]:
        """Split the score of each pair into signed contributions by name, which add up to it."""
        raise TypeError("a fusion defines contributions()")

    @torch.no_grad()
    def start_absent_from(
        self, part: str, channel: str, weight: Float[Tensor, "part_dim channel_dim"], bias: Float[Tensor, " part_dim"]
    ) -> None:
        """Let a query's vector for a part without a channel start as a linear map of another channel."""
        layer, rows = self._layer_of(part)
        layer.weight[rows] = 0.0
        layer.weight[rows, _places(self.channel_dims)[channel]] = weight
        layer.bias[rows] = bias

    def _layer_of(self, part: str) -> tuple[nn.Linear, slice]:
        """Return the query-side layer whose rows make a part's vector, and these rows."""
        raise TypeError("a fusion defines _layer_of()")

    def _together(self, channels: Parts) -> Float[Tensor, "rows width"]:
        return torch.cat([channels[name] for name in self.channel_dims], dim=1)


class PostFusion(Fusion):
    """Late fusion: `s = Σ_k g_k ⟨q_k, p_k⟩` with `g ≥ 0`, `Σ g = 1`.

    For every part k a head over all query-side channels gives the unit vector q_k: the query's own part plus a
    correction by the channels, which starts at zero. The graph part meets the query's own neighbours, the context part
    the search's place and past; history has no part of its own and corrects all of them. Served as one vector: query
    `[g_k q_k]`, product `[p_k]`, whose norm is √K.

    A part that queries have no channel for has a head of the others alone. It starts as one vector at random, the same
    for all queries and never zero, or from `start_absent_from`.

    Args:
        part_dims: Dimensions of every part.
        extra_channels: Dimensions of channels without a part.
        absent: Parts that queries have no channel for.

    Source: our reconstruction in the style of JD's post-fusion (Wang et al. 2023); the paper's formula is not public.
    """

    def __init__(
        self,
        part_dims: Mapping[str, int],
        extra_channels: Mapping[str, int] = _NO_EXTRA,
        *,
        absent: Collection[str] = (),
    ) -> None:
        super().__init__(part_dims, extra_channels, absent=absent)
        width = sum(self.channel_dims.values())
        self.corrections = nn.ModuleDict({name: nn.Linear(width, dim) for name, dim in self.part_dims.items()})
        self.gate = nn.Linear(width, len(self.part_dims))
        for layer in (*self.corrections.values(), self.gate):
            nn.init.zeros_(layer.weight)  # type: ignore[arg-type]
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
        for name in self.part_dims:
            if name not in self.channel_dims:
                layer, _ = self._layer_of(name)
                nn.init.normal_(layer.bias, std=len(layer.bias) ** -0.5)

    @property
    def served_dims(self) -> tuple[int, ...]:
        """Return the sizes of the parts, which stand side by side."""
        return tuple(self.part_dims.values())

    def query(self, channels: Parts) -> Float[Tensor, "rows dim"]:
        """Fuse a query's channels: every part's head, times its gate."""
        together = self._together(channels)
        gates = self.gate(together).float().softmax(1)
        heads = [
            nn.functional.normalize((channels.get(name, 0) + correction(together)).float(), dim=1)
            for name, correction in self.corrections.items()
        ]
        return torch.cat([head * gates[:, [k]] for k, head in enumerate(heads)], dim=1)

    def product(self, parts: Parts) -> Float[Tensor, "rows dim"]:
        """Fuse a product's parts: they stand side by side."""
        return torch.cat([parts[name].float() for name in self.part_dims], dim=1)

    def contributions(
        self, query: Float[Tensor, "rows dim"], product: Float[Tensor, "rows dim"]
    ) -> dict[str, Float[Tensor, " rows"]]:
        """Split the score of each pair into signed contributions of the parts, which add up to it."""
        # Vectors that were cut to a smaller size hold the parts alike, each with fewer dimensions.
        sizes = prefix_dims(self.served_dims, query.shape[1])
        pieces = torch.split(query * product, sizes, dim=1)
        return {name: piece.sum(1) for name, piece in zip(self.part_dims, pieces, strict=True)}

    def _layer_of(self, part: str) -> tuple[nn.Linear, slice]:
        layer = self.corrections[part]
        assert isinstance(layer, nn.Linear)
        return layer, slice(None)


class ConcatFusion(Fusion):
    """Early fusion: concatenated parts, projected onto the unit sphere, on each side.

    Args:
        part_dims: Dimensions of every part; their sum is the served dimension.
        extra_channels: Dimensions of channels without a part.
        absent: Parts that queries have no channel for: their dimensions start at zero in a query, or from
            `start_absent_from`.

    Source: Etsy's unified embedding concatenates its encoders before a projection (Jha et al. 2023, section 3).
    """

    def __init__(
        self,
        part_dims: Mapping[str, int],
        extra_channels: Mapping[str, int] = _NO_EXTRA,
        *,
        absent: Collection[str] = (),
    ) -> None:
        super().__init__(part_dims, extra_channels, absent=absent)
        width = sum(self.part_dims.values())
        self.query_projection = nn.Linear(sum(self.channel_dims.values()), width)
        self.product_projection = nn.Linear(width, width)
        for layer, channels in (
            (self.query_projection, self.channel_dims),
            (self.product_projection, self.part_dims),
        ):
            # Both sides start as the identity: projections that start apart would forget that the parts are shared.
            # Channels without a part, and parts without a channel, start at zero.
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
            for part, columns in _places(channels).items():
                if part in self.part_dims:
                    nn.init.eye_(layer.weight.data[_places(self.part_dims)[part], columns])

    @property
    def served_dims(self) -> tuple[int, ...]:
        """Return the whole size: parts cannot be told apart behind the projection."""
        return (sum(self.part_dims.values()),)

    def query(self, channels: Parts) -> Float[Tensor, "rows dim"]:
        """Fuse a query's channels."""
        return nn.functional.normalize(self.query_projection(self._together(channels)).float(), dim=1)

    def product(self, parts: Parts) -> Float[Tensor, "rows dim"]:
        """Fuse a product's parts."""
        together = torch.cat([parts[name] for name in self.part_dims], dim=1)
        return nn.functional.normalize(self.product_projection(together).float(), dim=1)

    def contributions(
        self, query: Float[Tensor, "rows dim"], product: Float[Tensor, "rows dim"]
    ) -> dict[str, Float[Tensor, " rows"]]:
        """Return the whole score under one name: a projection of all parts together cannot be told apart."""
        return {"all": (query * product).sum(1)}

    def _layer_of(self, part: str) -> tuple[nn.Linear, slice]:
        return self.query_projection, _places(self.part_dims)[part]


def _places(dims: Mapping[str, int]) -> dict[str, slice]:
    """Return where each part stands in all of them side by side."""
    ends = accumulate(dims.values())
    return {name: slice(end - dims[name], end) for name, end in zip(dims, ends, strict=True)}
