"""The fast way for arrays of any size, or for none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sharplib._autograd import FASTER
from sharplib.kernels import _rules


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loops wherever they apply."""
    for name in _rules.RULES:
        monkeypatch.setitem(FASTER, name, _rules.faster(name, smallest=0))


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Any]], Any]:
    """Call something with the plain text alone."""

    def run(work: Callable[[], Any]) -> Any:
        with monkeypatch.context() as patch:
            for name in list(FASTER):
                patch.delitem(FASTER, name)
            return work()

    return run
