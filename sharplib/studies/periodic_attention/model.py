"""The demo's vision transformer, small, and with all seeds as one batched model.

A stem of 3 x 3 convolutions with stride 2 and ReLU; no code for positions; pre-norm blocks whose
queries, keys and values pass a ReLU, so that every score is at least 0; the mean over tokens; a
linear layer. The leading dimension of every tensor is the seed.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["Network", "Weigh"]

Weigh = Callable[[Tensor, int], Tensor]
"""Scores, divided by the root of the key size, and that size, to weights along the last axis."""


class Network:
    """One network for each seed.

    Parameters
    ----------
    seeds
        A seed decides its own network, whatever the others are.
    weigh
        What turns scores into weights.
    channels, width, depth, heads, classes
        Of the images, of a token, and numbers of blocks, heads and classes.
    stem
        How many convolutions; each halves the image.

    Examples
    --------
    >>> network = Network([0, 1], lambda s, size: s.softmax(-1), 1, 8, 2, 2, 10, stem=1)
    >>> network(torch.rand(2, 5, 1, 8, 8)).shape
    torch.Size([2, 5, 10])
    """

    def __init__(
        self,
        seeds: Sequence[int],
        weigh: Weigh,
        channels: int,
        width: int,
        depth: int,
        heads: int,
        classes: int,
        stem: int,
    ) -> None:
        self.weigh, self.heads = weigh, heads
        sizes = [channels, *(max(width // 4 ** (stem - 1 - k), 1) for k in range(stem))]
        shapes = [(9 * fan_in, fan_out) for fan_in, fan_out in pairwise(sizes)]
        self.stem = len(shapes)
        block = [(width, 3 * width), (width, width), (width, 2 * width), (2 * width, width)]
        shapes += [*depth * block, (width, classes)]
        drawn = [_initial(shapes, seed) for seed in seeds]
        self.linear = [
            tuple(map(torch.stack, zip(*parts, strict=True))) for parts in zip(*drawn, strict=True)
        ]
        ones = torch.ones(len(drawn), 1, width)
        self.norms = [(ones.clone(), 0 * ones) for _ in range(2 * depth)]
        for part in self.parameters():
            part.requires_grad_()

    def parameters(self) -> list[Tensor]:
        """All that is learned."""
        return [part for pair in (*self.linear, *self.norms) for part in pair]

    def __call__(self, images: Tensor, seen: list[tuple[Tensor, Tensor]] | None = None) -> Tensor:
        """Logits (seeds, images, classes) of images (seeds, images, channels, height, width).

        Each block's scores and weights (seeds, images, heads, queries, keys) are added to `seen`.
        """
        seeds, count = images.shape[:2]
        linear, norms = iter(self.linear), iter(self.norms)

        def apply(x: Tensor) -> Tensor:
            weight, bias = next(linear)
            return torch.baddbmm(bias, x, weight)

        def norm(x: Tensor) -> Tensor:
            scale, shift = next(norms)
            return torch.addcmul(shift, F.layer_norm(x, x.shape[-1:]), scale)

        x = images.flatten(0, 1)
        for _ in range(self.stem):
            side = (x.shape[-1] + 1) // 2
            patches = F.unfold(x, 3, padding=1, stride=2).transpose(1, 2)
            tokens = apply(patches.reshape(seeds, -1, patches.shape[-1])).relu()
            x = tokens.reshape(seeds * count, side, side, -1).movedim(-1, 1)
        for _ in range(len(self.norms) // 2):
            parts = apply(norm(tokens)).relu().reshape(seeds, count, side**2, 3, self.heads, -1)
            q, v, k = parts.permute(3, 0, 1, 4, 2, 5)
            scores = (q / k.shape[-1] ** 0.5) @ k.mT
            weights = self.weigh(scores, k.shape[-1])
            if seen is not None:
                seen.append((scores, weights))
            pooled = (weights @ v).transpose(2, 3).reshape(tokens.shape)
            tokens = tokens + apply(pooled)
            tokens = tokens + apply(F.gelu(apply(norm(tokens))))
        return apply(tokens.reshape(seeds, count, side**2, -1).mean(2))


def _initial(shapes: Sequence[tuple[int, int]], seed: int) -> list[tuple[Tensor, Tensor]]:
    """Weights and biases, evenly from plus or minus one over the root of the fan-in."""
    generator = torch.Generator().manual_seed(seed)
    return [
        tuple(
            (2 * torch.rand(size, generator=generator) - 1) / shape[0] ** 0.5
            for size in (shape, (1, shape[1]))
        )
        for shape in shapes
    ]
