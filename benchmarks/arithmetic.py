"""How fast the single-module task trains: all models side by side, against one after another.

The plain loop is what one would write from the papers, and what the public benchmark does: one
model, its batch, `torch.optim.Adam`, the penalty, the clamp. The batched way is the same text with
a stack of all 225 models. Ours are the compiled loops of the study, whose gradients equal those of
the units. All use one thread, and the clock counts the time that the processor worked, so that
other work on the machine matters little.

    python benchmarks/arithmetic.py
"""

import time

import pandas as pd
import torch
from _measure import keep

from sharplib.arithmetic import Unit, ramp
from sharplib.studies.single_module import PRESETS, UNITS, Models, Settings, recipe, train
from sharplib.studies.single_module.settings import RANGES

SEEDS = tuple(range(25))
MODELS = len(SEEDS) * len(RANGES)


def plain(unit: str, stacked: bool, steps: int) -> float:
    """Models times steps per second of a loop in torch, one model or a stack of all."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    how = recipe(unit, "mul")
    models: Unit = UNITS[unit](2, 1)
    low = torch.tensor([numbers.low for numbers in RANGES]).reshape(-1, 1, 1, 1)
    width = torch.tensor([numbers.high for numbers in RANGES]).reshape(-1, 1, 1, 1) - low
    shape: tuple[int, ...] = (128, 2)
    if stacked:
        rows = [type(models).stack([UNITS[unit](2, 1) for _ in SEEDS]) for _ in RANGES]
        models, shape = type(models).stack(rows), (1, len(SEEDS), 128, 2)
    else:
        low, width = 1.0, 1.0
    optimiser = torch.optim.Adam(models.parameters(), lr=how.learning_rate)

    def advance(steps: int) -> None:
        for done in range(steps):
            x = low + width * torch.rand(shape)
            target = x[..., :1] * x[..., 1:]
            loss = (models(x) - target).square().mean((-2, -1))
            loss = loss + how.sparsity * ramp(30_000 + done, *how.ramp) * models.penalty()
            optimiser.zero_grad()
            loss.sum().backward()
            optimiser.step()
            models.clip()

    advance(20)
    start = time.process_time()
    advance(steps)
    count = MODELS if stacked else 1
    return count * steps / (time.process_time() - start)


def ours(unit: str, steps: int) -> float:
    """Models times steps per second of the study's training, without its tests."""
    settings = Settings(((unit, "mul"),), steps=2 * steps, log_every=steps)
    times = []
    for log in train(settings, unit, "mul", SEEDS):
        assert isinstance(log.models, Models)
        times.append(time.process_time())
    return MODELS * steps / (times[2] - times[1])  # the first part may compile


def main() -> None:
    """Time all, print the table and keep it."""
    rows = []
    for unit in ("NMU", "sNMU", "batch sNMU", "Real NPU"):
        alone = plain(unit, stacked=False, steps=500)
        rates = {
            "one model after another": alone,
            f"{MODELS} models in one tensor": plain(unit, stacked=True, steps=60),
            f"{MODELS} models in compiled loops": ours(unit, steps=2_000),
        }
        settings, seeds = PRESETS["paper"]
        work = settings.steps * len(seeds) * len(RANGES)
        for way, rate in rates.items():
            rows.append((unit, way, round(rate), round(rate / alone, 1), round(work / rate, 1)))
    columns = ["unit", "way", "models x steps per second", "times the loop", "seconds per table"]
    keep("arithmetic", pd.DataFrame(rows, columns=columns), batch=128, models=MODELS)


if __name__ == "__main__":
    main()
