"""A small transformer for many replicas at once: seeds, step sizes, or anything of equal shape.

Every parameter has the replicas as its first dimension, and so has every input. A replica has its
own start, batches, step size and clipping, and is to rounding the model that it would be alone.

**Model.** Learned positions; blocks with the norm first; ReLU; no bias in queries, keys and values.
The norms have no gain of their own, since the linear map that follows can learn it. Patches are
classified by the mean over tokens, text goes on character by character behind a causal mask.

**Attention.** Scores are divided by the root of the head's width. Then `modulate` may bend them,
then future tokens are masked with -inf, and then `weigh` turns rows into weights. Both are made
once for each layer by a function of the number of replicas, such as a class of modules whose
parameters have the replicas as their first dimension:

    Transformer(shape, seeds, weigh=lambda replicas: sharplib.sparsemax, modulate=MyModule)
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import cos, pi, sqrt
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, layer_norm

from sharplib.studies._record import Progress
from sharplib.studies.max_retrieval._numerics import careful

__all__ = ["Make", "Seen", "Shape", "Transformer", "losses", "train"]

Make = Callable[[int], Callable[[Tensor], Tensor]]
"""From the number of replicas to a function of scores (replicas, batch, heads, queries, keys)."""

_INITIAL = 7010  # what a random number is for
_CLIP = 1.0
_BETAS = 0.9, 0.99


@dataclass(frozen=True)
class Shape:
    """Sizes of a model. `tokens` characters for text, or else patches of `patch` numbers."""

    outputs: int
    length: int
    tokens: int = 0
    patch: int = 0
    depth: int = 2
    heads: int = 2
    width: int = 32
    hidden: int = 64

    def __post_init__(self) -> None:
        if (self.tokens > 0) == (self.patch > 0):
            raise ValueError(
                "one of tokens and patch must be above 0, "
                f"got tokens {self.tokens!r} and patch {self.patch!r}"
            )
        if self.width % self.heads:
            raise ValueError(f"width must be a multiple of heads {self.heads}, got {self.width!r}")


class Seen(NamedTuple):
    """What one layer of attention did, each (replicas, batch, heads, queries, keys)."""

    scores: Tensor
    """Before modulation and mask."""
    weights: Tensor


class Transformer(torch.nn.Module):
    """One model per replica, all in one.

    Parameters
    ----------
    shape
        Sizes, common to all replicas.
    seeds
        One for each replica; equal seeds give equal starts.
    weigh, modulate
        Makers of what a layer does to masked rows of scores, and to scores before the mask; by
        default softmax, and nothing.
    finish
        Maker of what is done to the output logits (replicas, batch, ..., outputs); by default
        nothing.

    Examples
    --------
    >>> model = Transformer(Shape(outputs=10, length=16, patch=4), seeds=[0, 1])
    >>> model(torch.zeros(2, 5, 16, 4)).shape
    torch.Size([2, 5, 10])
    """

    def __init__(
        self,
        shape: Shape,
        seeds: Sequence[int],
        weigh: Make | None = None,
        modulate: Make | None = None,
        finish: Make | None = None,
        device: str = "cpu",
    ) -> None:
        super().__init__()
        self.shape, self.seeds = shape, tuple(seeds)
        self.body = torch.nn.ParameterDict(_initial(shape, self.seeds))
        replicas, layers = len(self.seeds), range(shape.depth)
        self._weigh = [_softmax if weigh is None else weigh(replicas) for _ in layers]
        self._modulate = [None if modulate is None else modulate(replicas) for _ in layers]
        self._finish = None if finish is None else finish(replicas)
        made = [*self._weigh, *self._modulate, self._finish]
        self.made = torch.nn.ModuleList([m for m in made if isinstance(m, torch.nn.Module)])
        mask = torch.full((shape.length, shape.length), -torch.inf).triu(1)
        self.register_buffer("_mask", mask if shape.tokens else None)
        self.to(device)

    def forward(self, inputs: Tensor, seen: list[Seen] | None = None) -> Tensor:
        """Give logits; what each layer of attention did goes into `seen`.

        Characters (replicas, batch, length) give (replicas, batch, length, outputs); patches
        (replicas, batch, length, patch) give (replicas, batch, outputs).
        """
        w, shape = self.body, self.shape
        replicas, batch, length = inputs.shape[:3]
        if shape.tokens:
            x = w["embed"][torch.arange(replicas)[:, None], inputs.flatten(1)]
        else:
            x = torch.bmm(inputs.flatten(1, 2), w["embed"])
        x = (x.view(replicas, batch, length, -1) + w["position"][:, None, :length]).flatten(1, 2)
        for layer in range(shape.depth):
            x = x + self._attend(layer, _norm(x), batch, length, seen)
            y = torch.baddbmm(w[f"in_bias_{layer}"], _norm(x), w[f"in_{layer}"]).relu_()
            x = x + torch.baddbmm(w[f"out_bias_{layer}"], y, w[f"out_{layer}"])
        x = _norm(x)
        if not shape.tokens:
            x = x.view(replicas, batch, length, -1).mean(2)
        logits = torch.baddbmm(w["head_bias"], x, w["head"])
        if shape.tokens:
            logits = logits.view(replicas, batch, length, -1)
        return logits if self._finish is None else self._finish(logits)

    def _attend(
        self, layer: int, x: Tensor, batch: int, length: int, seen: list[Seen] | None
    ) -> Tensor:
        w, heads = self.body, self.shape.heads
        whole = (len(x), batch, heads, length, length)
        x = torch.bmm(x, w[f"qkv_{layer}"]).view(len(x), batch, length, 3, heads, -1)
        query, key, value = x.permute(3, 0, 1, 4, 2, 5).flatten(1, 3)  # (..., length, head width)
        mask = None if self._mask is None else self._mask[:length, :length]
        bend = self._modulate[layer]
        scale = 1 / sqrt(query.shape[-1])
        if bend is None and mask is not None and seen is None:
            masked = torch.baddbmm(mask, query, key.mT, alpha=scale).view(whole)
        else:
            scores = (torch.bmm(query, key.mT) * scale).view(whole)
            masked = scores if bend is None else bend(scores)
            masked = masked if mask is None else masked + mask
        weights = self._weigh[layer](masked)
        if seen is not None:
            seen.append(Seen(scores.detach(), weights.detach()))
        pooled = torch.bmm(weights.flatten(0, 2), value).view(*whole[:4], -1)
        pooled = pooled.transpose(2, 3).reshape(len(x), batch * length, -1)
        return torch.baddbmm(w[f"mix_bias_{layer}"], pooled, w[f"mix_{layer}"])


def _softmax(scores: Tensor) -> Tensor:
    return torch.softmax(scores, -1)


def _norm(x: Tensor) -> Tensor:
    return layer_norm(x, x.shape[-1:])


def _initial(shape: Shape, seeds: Sequence[int]) -> dict[str, torch.nn.Parameter]:
    """Uniform numbers up to 1/sqrt(fan-in); a seed's are the same whatever the others are."""
    m, hidden = shape.width, shape.hidden
    sizes = {
        # A character picks one row, so its fan-in counts as the width.
        "embed": (shape.tokens or shape.patch, m, m if shape.tokens else shape.patch),
        "position": (shape.length, m, m),
        "head": (m, shape.outputs, m),
        "head_bias": (1, shape.outputs, m),
    }
    for layer in range(shape.depth):
        blocks = {"qkv": (m, 3 * m), "mix": (m, m), "in": (m, hidden), "out": (hidden, m)}
        for name, (fan_in, fan_out) in blocks.items():
            sizes[f"{name}_{layer}"] = fan_in, fan_out, fan_in
            if name != "qkv":
                sizes[f"{name}_bias_{layer}"] = 1, fan_out, fan_in
    weights: dict[str, list[np.ndarray]] = {name: [] for name in sizes}
    for seed in seeds:
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(_INITIAL,)))
        for name, (rows, columns, fan_in) in sizes.items():
            weights[name].append(rng.uniform(-1, 1, (rows, columns)) / sqrt(fan_in))
    return {
        name: torch.nn.Parameter(torch.tensor(np.stack(value), dtype=torch.float32))
        for name, value in weights.items()
    }


def losses(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean cross-entropy of each replica, in nats: logits (replicas, ..., outputs) -> (replicas,).

    >>> losses(torch.zeros(2, 5, 4), torch.zeros(2, 5, dtype=torch.long))
    tensor([1.3863, 1.3863])
    """
    each = cross_entropy(logits.flatten(0, -2), targets.flatten(), reduction="none")
    return each.view(len(logits), -1).mean(1)


def train(
    model: Transformer,
    batches: Iterable[tuple[Tensor, Tensor]],
    steps: int,
    rates: float | Sequence[float],
    *,
    warmup: int = 20,
    weight_decay: float = 0.1,
    progress: Progress | None = None,
) -> Tensor:
    """Train every replica with AdamW, and return the losses on the way, (steps, replicas).

    The step size rises to `rates` (one, or one per replica) over `warmup` steps and falls like half
    a cosine to 0. Matrices decay; biases and what `weigh`, `modulate` and `finish` learn do not.
    The gradient of each replica is clipped to the norm 1, that of the maps' parameters separately.
    """
    device = model.body["head"].device
    top = torch.as_tensor(rates, dtype=torch.float32).expand(len(model.seeds)).to(device)
    weights, biases = [], []
    for name, parameter in model.body.items():
        (biases if "_bias" in name else weights).append(parameter)
    body, maps = weights + biases, list(model.made.parameters())
    parameters = body + maps
    first = [torch.zeros_like(p) for p in parameters]
    second = [torch.zeros_like(p) for p in parameters]
    lost = []
    with careful():
        for step, (inputs, targets) in zip(range(steps), batches, strict=False):
            if progress is not None:
                progress("training", step, steps)
            loss = losses(model(inputs.to(device)), targets.to(device))
            # The sum, so that each replica gets the gradient that it would get alone.
            gradients = [*torch.autograd.grad(loss.sum(), parameters)]
            lost.append(loss.detach())
            _clip(gradients[: len(body)])
            _clip(gradients[len(body) :])
            part = min((step + 1) / warmup, (1 + cos(pi * step / steps)) / 2)
            with torch.no_grad():
                for i, (p, g) in enumerate(zip(parameters, gradients, strict=True)):
                    rate = (part * top).view(-1, *[1] * (p.ndim - 1))
                    first[i].lerp_(g, 1 - _BETAS[0])
                    second[i].lerp_(g * g, 1 - _BETAS[1])
                    size = (second[i] / (1 - _BETAS[1] ** (step + 1))).sqrt_().add_(1e-8)
                    if i < len(weights):
                        p.mul_(1 - weight_decay * rate)
                    p.sub_(first[i].div(size).mul_(rate / (1 - _BETAS[0] ** (step + 1))))
    if progress is not None:
        progress("training", steps, steps)
    return torch.stack(lost)


def _clip(gradients: list[Tensor]) -> None:
    """Shorten each replica's gradient to the norm 1, in place, where it is longer."""
    if not gradients:
        return
    squares = torch.stack([g.reshape(len(g), -1).square().sum(1) for g in gradients]).sum(0)
    shrink = (_CLIP / squares.sqrt().clamp_min(_CLIP)).to(gradients[0])
    for g in gradients:
        g.mul_(shrink.view(-1, *[1] * (g.ndim - 1)))
