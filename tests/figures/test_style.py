"""The look that all figures share."""

from __future__ import annotations

from matplotlib import pyplot as plt

from sharplib.figures import style


def test_names_at_the_ends_of_lines_keep_apart() -> None:
    figure, ax = style.subplots()
    style.label_ends(ax, [(1, 0.5, "b", "k"), (1, 0.1, "a", "k"), (1, 0.52, "c", "k")], apart=0.1)
    plt.close(figure)
    assert [(text.get_text(), text.xy) for text in ax.texts] == [
        ("a", (1, 0.1)),
        ("b", (1, 0.5)),
        ("c", (1, 0.6)),
    ]
