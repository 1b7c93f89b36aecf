"""The page's table for users of the package entmax: complete, and both sides of each line agree."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import entmax
import numpy as np
import pytest
import torch

import sharplib
import sharplib.nn

PAGE = (Path(__file__).resolve().parents[2] / "book" / "library.md").read_text("utf-8")
PAIRS = re.findall(r"^\| `(entmax\..+?)` \| `(sharplib\..+?)` \|$", PAGE, re.M)


def test_every_public_name_has_its_line():
    modules = {"activations", "losses", "root_finding"}
    public = {name for name in dir(entmax) if not name.startswith("_")} - modules
    assert {theirs.split("(")[0].removeprefix("entmax.") for theirs, _ in PAIRS} == public


def test_the_page_names_all_that_must_be_imported():
    imports = re.findall(r"`(import sharplib[.\w]*)`", PAGE)
    names = {ours.split("(")[0] for _, ours in PAIRS}
    code = "; ".join([*imports, *sorted(names)])
    subprocess.run([sys.executable, "-c", code], check=True)


def call(code: str, x: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    """The value of one side, and the gradient of a weighted sum of it."""
    scores = torch.tensor(x, requires_grad=True)
    names = {"entmax": entmax, "sharplib": sharplib, "x": scores, "y": torch.tensor([0, 2, 1, 0])}
    value = eval(code, names)
    weights = torch.arange(1, value.numel() + 1, dtype=value.dtype).reshape(value.shape)
    (gradient,) = torch.autograd.grad((weights * value).sum(), scores)
    return value.detach(), gradient


@pytest.mark.parametrize(("theirs", "ours"), PAIRS, ids=[theirs for theirs, _ in PAIRS])
def test_both_sides_agree(theirs, ours, rng):
    x = rng.standard_normal((4, 5))
    for expected, result in zip(call(theirs, x), call(ours, x), strict=True):
        # Their 50 halvings leave 1e-15; a root of that, where weights enter, in the gradient.
        torch.testing.assert_close(result, expected, rtol=0, atol=1e-7)


def test_one_alpha_per_row_and_its_gradient(rng):
    x = torch.tensor(rng.standard_normal((3, 6)))
    alphas = torch.tensor([[1.2], [1.5], [2.25]]).double()
    results = []
    for function in (entmax.entmax_bisect, sharplib.entmax):
        alpha = alphas.clone().requires_grad_()
        value = function(x, alpha)
        (gradient,) = torch.autograd.grad(value[:, 0].sum(), alpha)
        results.append((value.detach(), gradient))
    # Their formula for the gradient divides a difference at rounding by 0.04.
    torch.testing.assert_close(results[1], results[0], rtol=0, atol=1e-9)
