"""Train one unit on one operation: all seeds and all ranges side by side."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sharplib.arithmetic import Unit, ramp
from sharplib.studies._record import Progress
from sharplib.studies.single_module import _loops, _wide
from sharplib.studies.single_module.settings import (
    OPERATIONS,
    RANGES,
    UNITS,
    Recipe,
    Settings,
    recipe,
)

__all__ = ["Models", "answers", "inputs", "train"]

_CHUNK = 100  # steps whose random numbers are drawn at once
_LOOPS = {
    "NAC+": _loops.nac_add,
    "NAC•": _loops.nac_mul,
    "NAC•,σ": _loops.nac_mul_sigmoid,
    "NAC•,NMU": _loops.nac_mul_nmu,
    "NALU": _loops.nalu,
    "G-NALU": _loops.golden_nalu,
    "SNALU": _loops.snalu,
    "iNALU": _loops.inalu,
    "NAU": _loops.nau,
    "NMU": _loops.nmu,
    "sigmoid NMU": _loops.sigmoid_nmu,
    "sNMU": _loops.snmu,
    "batch sNMU": _loops.snmu,
    "NPU": _loops.npu,
    "Real NPU": _loops.real_npu,
    "modified Real NPU": _loops.real_npu,
    "NRU": _loops.nru,
    "NMRU": _loops.nmru,
    "MC-FC": _loops.mcfc,
    "MulMCFC": _loops.mul_mcfc,
    "MulMCFC + iNALU sign": _loops.mul_mcfc_sign_inalu,
    "MulMCFC + Real NPU sign": _loops.mul_mcfc_sign_real_npu,
}
_WIDE = {
    "NAU": _wide.nau,
    "NMU": _wide.nmu,
    "sNMU": _wide.snmu,
    "batch sNMU": _wide.snmu,
    "Real NPU": _wide.real_npu,
    "modified Real NPU": _wide.real_npu,
    "NRU": _wide.nru,
    "NMRU": _wide.nmru,
}
_UNIT_RANGE = {"NAC•,NMU", "NMU", "sNMU", "batch sNMU", "NMRU"}  # weights in [0, 1]

# What the random numbers of a seed are for, and of those that all seeds share.
_BATCHES, _NOISE = range(2)
_VALIDATION, _TEST = 43_953_907, 8_689_336  # the seeds of the public benchmark


def answers(operation: str, x: Tensor) -> Tensor:
    """The right results for inputs of shape (..., I), of shape (..., 1)."""
    one, other = x[..., :1], x[..., 1:2]
    if operation == "add":
        return one + other
    if operation == "sub":
        return one - other
    return one * other if operation == "mul" else one / other


def inputs(settings: Settings, *, test: bool) -> Tensor:
    """What all models are validated or tested on, of shape (ranges, tests, I)."""
    rng = np.random.default_rng(_TEST if test else _VALIDATION)
    random = rng.random((settings.tests, settings.inputs))
    signs = rng.choice([-1.0, 1.0], size=random.shape)
    x = np.empty((len(RANGES), *random.shape))
    for row, numbers in zip(x, RANGES, strict=True):
        low, high = numbers[2:4] if test else numbers[:2]
        row[:] = low + (high - low) * random
        if test and numbers.mirrored:
            row *= signs
    return torch.from_numpy(x.astype(np.float32))


class Models:
    """A matrix of parameters, a row for each range and seed, and the unit that it belongs to."""

    def __init__(self, unit: str, seeds: Sequence[int], inputs: int = 2) -> None:
        self.unit, self.seeds, self.inputs = unit, tuple(seeds), inputs
        one = np.stack([self.fresh(seed) for seed in seeds])
        # As in the public code, models of one seed start from the same numbers in every range.
        self.parameters: NDArray[np.float32] = np.tile(one, (len(RANGES), 1))

    def fresh(self, seed: int, restart: int = 0) -> NDArray[np.float32]:
        """Initial parameters of one model."""
        words = np.random.SeedSequence(seed, spawn_key=(99, restart)).generate_state(1, np.uint64)
        generator = torch.Generator().manual_seed(int(words[0] >> 1))
        values = UNITS[self.unit](self.inputs, 1, generator=generator).parameters()
        return torch.cat([value.detach().flatten() for value in values]).numpy()

    def within(self, range_: int) -> Unit:
        """The models of one range, as a stack of units in evaluation mode."""
        count = len(self.seeds)
        rows = torch.from_numpy(self.parameters[range_ * count : (range_ + 1) * count].copy())
        stack = UNITS[self.unit](self.inputs, 1)
        stack = type(stack).stack([stack] * count).eval()
        first = 0
        for value in stack.parameters():
            last = first + value[0].numel()
            value.data = rows[:, first:last].reshape(value.shape)
            first = last
        return stack

    @torch.no_grad()
    def errors(self, x: Tensor, operation: str) -> NDArray[np.float64]:
        """Mean squared errors of shape (ranges, seeds), for inputs of `inputs`."""
        found = [
            (self.within(r)(x[r]) - answers(operation, x[r])).square().mean((-2, -1))
            for r in range(len(RANGES))
        ]
        return torch.stack(found).double().numpy()

    @torch.no_grad()
    def sparsity_errors(self) -> NDArray[np.float64]:
        """See `Unit.sparsity_error`; of shape (ranges, seeds)."""
        found = [self.within(r).sparsity_error() for r in range(len(RANGES))]
        return torch.stack(found).double().numpy()


@dataclass(frozen=True)
class Log:
    """The models after so many steps."""

    step: int
    models: Models


def train(
    settings: Settings,
    unit: str,
    operation: str,
    seeds: Sequence[int],
    progress: Progress | None = None,
) -> Iterator[Log]:
    """Train, and hand out the models every `settings.log_every` steps; look before you go on."""
    models = Models(unit, seeds, settings.inputs)
    step = _Step(settings, models, operation)
    for done in range(settings.steps + 1):
        if done % settings.log_every == 0:
            if progress is not None:
                progress(f"{unit}, {operation}", done, settings.steps)
            yield Log(done, models)
        if done < settings.steps:
            step.take(done)


class _Step:
    """What a step needs, laid out once."""

    def __init__(self, settings: Settings, models: Models, operation: str) -> None:
        self.settings, self.models = settings, models
        self.recipe = _hurried(recipe(models.unit, operation, settings.inputs), settings.hurry)
        self.operation = OPERATIONS.index(operation)
        self.loop = (_LOOPS if settings.inputs == 2 else _WIDE)[models.unit]
        shape = (len(RANGES), len(models.seeds))
        self.x = np.empty((*shape, settings.inputs, settings.batch), np.float32)
        self.target = np.empty((*shape, settings.batch), np.float32)
        self.noise = np.empty_like(self.x)
        self.low = np.array([numbers.low for numbers in RANGES])
        self.width = np.array([numbers.high - numbers.low for numbers in RANGES])
        p = models.parameters
        self.gradient, self.first, self.second = (np.zeros_like(p) for _ in range(3))
        self.loss = np.empty(len(p), np.float32)
        noisy = models.unit in ("sNMU", "batch sNMU")
        self.draws = [_random(seed, _BATCHES) for seed in models.seeds]
        self.noises = [_random(seed, _NOISE) for seed in models.seeds] if noisy else []
        self.restarts = _Restarts(models, settings.hurry) if self.recipe.restarts else None

    def take(self, done: int) -> None:
        place = done % _CHUNK
        if place == 0:
            self.random = self._chunk(self.draws)
            self.random_noise = self._chunk(self.noises) if self.noises else None
        x, target, noise = self.x, self.target, self.noise
        _loops.draw(self.random[place], self.low, self.width, self.operation, x, target)
        if self.random_noise is not None:
            by_batch = self.models.unit == "batch sNMU"
            low, high = np.float32(1), np.float32(5)
            _loops.draw_noise(self.random_noise[place], x, low, high, by_batch, noise)
        p, gradient, loss = self.models.parameters, self.gradient, self.loss
        flat = (a.reshape(len(p), *a.shape[2:]) for a in (x, target, noise))
        self.loop(p, *flat, gradient, loss)
        self._regularise(done)
        how = self.recipe
        if min(how.largest_gradient, how.largest_norm) < inf:
            _loops.limit(np.float32(how.largest_gradient), np.float32(how.largest_norm), gradient)
        rate = np.float32(how.learning_rate)
        _loops.adam(p, gradient, self.first, self.second, rate, done + 1)
        self._clip()
        if self.restarts is not None:
            self.restarts.note(done + 1, loss)

    def _chunk(self, generators: list[np.random.Generator]) -> NDArray[np.float64]:
        """Uniform numbers of shape (steps, seeds, I, batch)."""
        shape = (_CHUNK, self.settings.inputs, self.settings.batch)
        return np.stack([generator.random(shape) for generator in generators], axis=1)

    def _regularise(self, done: int) -> None:
        how, p, gradient = self.recipe, self.models.parameters, self.gradient
        first, last = how.l1
        if first:
            l1 = min(first * 10.0 ** (done * self.settings.hurry // 10_000), last)
            _loops.shrink(p, np.float32(l1), gradient)
        weight = how.sparsity * ramp(done, *how.ramp)
        if not weight:
            return
        unit, count = self.models.unit, p.shape[1]
        if unit == "iNALU":
            _loops.push_out(p, np.float32(weight), self.loss, gradient)
        elif "MC" in unit:
            _loops.saturate(p, np.float32(weight), gradient)
        elif unit == "modified Real NPU":
            half = count // 2  # powers, then gates
            _loops.pull_to_one(p, 0, half, np.float32(weight / half), gradient)
            _loops.pull(p, half, count, True, np.float32(weight / half), gradient)
        else:
            signed = unit not in _UNIT_RANGE
            _loops.pull(p, 0, count, signed, np.float32(weight / count), gradient)

    def _clip(self) -> None:
        unit, p = self.models.unit, self.models.parameters
        if unit in _UNIT_RANGE:
            np.clip(p, 0, 1, out=p)
        elif unit in ("NAU", "NRU"):
            np.clip(p, -1, 1, out=p)
        elif unit == "modified Real NPU":
            half = p.shape[1] // 2
            np.clip(p[:, :half], -1, 1, out=p[:, :half])
            np.clip(p[:, half:], 0, 1, out=p[:, half:])


def _random(seed: int, purpose: int) -> np.random.Generator:
    """A stream for one seed, common to all ranges."""
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed, spawn_key=(purpose,))))


def _hurried(how: Recipe, hurry: int) -> Recipe:
    start, end = how.ramp
    return replace(
        how,
        learning_rate=how.learning_rate * hurry,
        ramp=(start // hurry, max(end // hurry, start // hurry + 1)),
    )


class _Restarts:
    """Start a model of iNALU afresh where its loss stays above 1 and does not fall.

    The authors compare the two halves of the losses since the last start: the mean of the first may
    not be above the mean plus the deviation of the second. We look every 1,000 steps, at losses of
    batches, once there are more than 5,000 of them.
    """

    def __init__(self, models: Models, hurry: int) -> None:
        self.models, self.block = models, max(1, 1_000 // hurry)
        count = len(models.parameters)
        self.since = [[] for _ in range(count)]  # type: list[list[tuple[float, float]]]
        self.restarts = np.zeros(count, int)
        self.sums: Any = np.zeros((2, count))

    def note(self, done: int, loss: NDArray[np.float32]) -> None:
        loss = loss.astype(np.float64)
        self.sums += (loss, loss * loss)
        if done % self.block:
            return
        for m, (total, squares) in enumerate(self.sums.T / self.block):
            blocks = self.since[m]
            blocks.append((total, squares))
            if len(blocks) > 5 and self._stuck(blocks):
                seed = self.models.seeds[m % len(self.models.seeds)]
                self.restarts[m] += 1
                self.models.parameters[m] = self.models.fresh(seed, int(self.restarts[m]))
                blocks.clear()
        self.sums[:] = 0

    def _stuck(self, blocks: list[tuple[float, float]]) -> bool:
        half = len(blocks) // 2
        early, late = np.array(blocks[:half]).mean(0), np.array(blocks[half:]).mean(0)
        deviation = np.sqrt(max(late[1] - late[0] ** 2, 0.0))
        return bool(early[0] <= late[0] + deviation and late[0] > 1)
