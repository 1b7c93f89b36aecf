"""Train one head per seed, all as one batched model, so that a kill costs at most a minute."""

import io
import time
from collections.abc import Sequence
from itertools import islice
from math import cos, pi

import torch
from torch.nn.functional import cross_entropy

from sharplib.studies._record import Progress
from sharplib.studies._storage import Store
from sharplib.studies.max_retrieval import data
from sharplib.studies.max_retrieval._numerics import careful
from sharplib.studies.max_retrieval.model import Heads, attend, initial
from sharplib.studies.max_retrieval.settings import Training

__all__ = ["Trainer", "train"]


class Trainer:
    """Heads in the making.

    Parameters
    ----------
    training, seeds, device
        What to train. The seeds of one trainer are one batched model, however many they are.
    store
        Where to keep checkpoints. A trainer whose store holds one starts from there, and ends with
        the same digits as if it had never stopped.

    Examples
    --------
    >>> trainer = Trainer(Training(width=4, batch=2), seeds=[0, 1])
    >>> trainer.advance(3)
    >>> trainer.step, trainer.heads.weights["q"].shape
    (3, torch.Size([2, 4, 4]))
    """

    def __init__(
        self,
        training: Training,
        seeds: Sequence[int],
        device: str = "cpu",
        *,
        store: Store | None = None,
    ) -> None:
        self.training, self.seeds, self.device = training, tuple(seeds), device
        self.step = 0
        self._heads = initial(training, seeds, device)
        self._parameters = [weight.requires_grad_() for weight in self._heads.weights.values()]
        self._optimizer = torch.optim.AdamW(
            self._parameters, training.learning_rate, weight_decay=training.weight_decay, fused=True
        )
        self._store = store
        if store is not None and (checkpoint := store.read("heads.pt")) is not None:
            self._load(checkpoint)

    @property
    def heads(self) -> Heads:
        """The heads as they are now."""
        return Heads(
            self.seeds, {name: w.detach().clone() for name, w in self._heads.weights.items()}
        )

    def advance(
        self,
        until: int,
        *,
        progress: Progress | None = None,
        checkpoint_seconds: float = 60.0,
    ) -> None:
        """Train up to step `until`, and keep a checkpoint there and every so many seconds.

        `progress` is called with "training", steps done and steps in all, once for every hundred.
        """
        training, kept = self.training, time.monotonic()
        if progress is not None:
            progress("training", self.step, training.steps)
        with careful():
            while self.step < until:
                chunk, done = divmod(self.step, data.CHUNK)
                batches = data.training_batches(training, self.seeds, chunk, self.device)
                for sets in islice(batches, done, min(data.CHUNK, until - self.step + done)):
                    self._learn(sets)
                if self.step == until or time.monotonic() - kept > checkpoint_seconds:
                    self._keep()
                    kept = time.monotonic()
                if progress is not None:
                    progress("training", self.step, training.steps)

    def _learn(self, sets: data.Sets) -> None:
        heads, training = self._heads, self.training
        seen = heads.features(sets.priority, sets.kind)
        asked = heads.queries(sets.query).flatten(0, 1)
        pooled = attend(asked, seen.view(len(asked), -1, training.width), training.attention)
        scores = heads.read(pooled.view(len(self.seeds), training.batch, training.width))
        # The sum over seeds, so that each gets the gradient that it would get alone.
        loss = cross_entropy(scores.flatten(0, 1), sets.answer.flatten()) * len(self.seeds)
        for group in self._optimizer.param_groups:
            group["lr"] = learning_rate(training, self.step)
        self._optimizer.zero_grad()
        loss.backward()
        self._optimizer.step()
        self.step += 1

    def _keep(self) -> None:
        if self._store is None:
            return
        file = io.BytesIO()
        state = {
            "step": self.step,
            "parameters": self._parameters,
            "optimizer": self._optimizer.state_dict(),
        }
        torch.save(state, file)
        self._store.write("heads.pt", file.getvalue())

    def _load(self, checkpoint: bytes) -> None:
        saved = torch.load(io.BytesIO(checkpoint), map_location=self.device, weights_only=True)
        self.step = saved["step"]
        self._optimizer.load_state_dict(saved["optimizer"])
        with torch.no_grad():
            for parameter, value in zip(self._parameters, saved["parameters"], strict=True):
                parameter.copy_(value)


def learning_rate(training: Training, step: int) -> float:
    """The learning rate of a step, counted from 0.

    >>> [learning_rate(Training(steps=4, schedule="cosine"), step) for step in (0, 2)]
    [0.001, 0.0005]
    """
    if training.schedule == "constant":
        return training.learning_rate
    return training.learning_rate * (1 + cos(pi * step / training.steps)) / 2


def train(
    training: Training,
    seeds: Sequence[int],
    device: str = "cpu",
    *,
    store: Store | None = None,
    progress: Progress | None = None,
    checkpoint_seconds: float = 60.0,
) -> Heads:
    """Train one head per seed, all at once, to the last step; see `Trainer` and its `advance`."""
    trainer = Trainer(training, seeds, device, store=store)
    trainer.advance(training.steps, progress=progress, checkpoint_seconds=checkpoint_seconds)
    return trainer.heads
