"""How fast max retrieval trains: all seeds as one model, against one plain model after another.

The plain loop is what one would write from the paper: `torch.nn` layers where the paper has them,
AdamW and threads as torch sets them up. Both are timed on the same machine in one run, at the
paper's width and batch. The plain loop is timed a second time after some thousand steps, when
denormal numbers have crept into its optimizer.

    python benchmarks/max_retrieval.py [later]

`later` is the number of steps before the second timing, 6,000 by default.
"""

import math
import os
import sys
import time

import pandas as pd
import torch
from _measure import keep
from joblib import Parallel, delayed
from torch import Tensor, nn

from sharplib.studies.max_retrieval import Trainer, Training

STEPS = 300


class Plain(nn.Module):
    """One head, as the paper describes it."""

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()

        def mlp(fan_in: int, fan_out: int) -> nn.Module:
            return nn.Sequential(nn.Linear(fan_in, width), nn.GELU(), nn.Linear(width, fan_out))

        self.item, self.query, self.read = (
            mlp(1 + classes, width),
            mlp(1, width),
            mlp(width, classes),
        )
        self.q, self.k, self.v = (nn.Linear(width, width) for _ in range(3))

    def forward(self, items: Tensor, query: Tensor) -> Tensor:
        seen, asked = self.item(items), self.q(self.query(query))
        logits = torch.einsum("sm,snm->sn", asked, self.k(seen)) / math.sqrt(asked.shape[-1])
        return self.read(torch.einsum("sn,snm->sm", torch.softmax(logits, -1), self.v(seen)))


class PlainLoop:
    """Trains one head."""

    def __init__(self, training: Training) -> None:
        torch.manual_seed(0)
        self.training = training
        self.model = Plain(training.width, training.classes)
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), training.learning_rate, weight_decay=training.weight_decay
        )

    def advance(self, steps: int) -> None:
        training = self.training
        for _ in range(steps):
            size = int(torch.randint(training.smallest_set, training.largest_set + 1, ()))
            priority = torch.rand(training.batch, size)
            kind = torch.randint(training.classes, (training.batch, size))
            classes = nn.functional.one_hot(kind, training.classes)
            items = torch.cat([priority[..., None], classes], -1)
            answer = kind.gather(1, priority.argmax(1, keepdim=True))[:, 0]
            scores = self.model(items, torch.rand(training.batch, 1))
            loss = nn.functional.cross_entropy(scores, answer)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()


def timed(loop: PlainLoop, steps: int) -> float:
    """Steps per second."""
    start = time.perf_counter()
    loop.advance(steps)
    return steps / (time.perf_counter() - start)


def ours(first_seed: int, training: Training) -> float:
    """Steps per second of one process, times the heads that it trains at once."""
    seeds = range(first_seed, first_seed + training.seeds_together)
    trainer = Trainer(training, seeds)
    trainer.advance(100)
    start = time.perf_counter()
    trainer.advance(100 + STEPS)
    return training.seeds_together * STEPS / (time.perf_counter() - start)


def main() -> None:
    """Time both, print the table and keep it."""
    later = int(sys.argv[1]) if len(sys.argv) > 1 else 6_000
    training, cores = Training(), os.cpu_count() or 1
    loop = PlainLoop(training)
    loop.advance(100)
    plain = timed(loop, STEPS)
    loop.advance(max(0, later - 100 - STEPS))
    aged = timed(loop, STEPS)
    single = ours(0, training)
    firsts = range(0, cores * training.seeds_together, training.seeds_together)
    together = sum(Parallel(n_jobs=cores)(delayed(ours)(first, training) for first in firsts))
    rows = [
        (f"plain loop, {torch.get_num_threads()} threads", plain),
        (f"the same after {later:,} steps", aged),
        (f"{training.seeds_together} heads in one process, 1 thread", single),
        (f"{cores * training.seeds_together} heads in {cores} processes", together),
    ]
    table = pd.DataFrame(rows, columns=["training", "steps x heads per second"])
    table["times the plain loop"] = (table.iloc[:, 1] / plain).round(1)
    hours = 10 * training.steps / table.iloc[:, 1] / 3600
    table["hours for the paper's ten heads"] = hours.round(2)
    table.iloc[:, 1] = table.iloc[:, 1].round(0)
    keep("max_retrieval", table, width=training.width, batch=training.batch, steps_timed=STEPS)


if __name__ == "__main__":
    main()
