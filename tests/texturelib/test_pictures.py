"""Pictures that can be looked at, whatever they are of."""

import matplotlib.pyplot as plt

from texturelib.pictures import MOST_PANELS, panels


def test_of_a_thousand_panels_the_first_are_drawn_and_the_picture_says_so() -> None:
    figure, axes = panels(1000)

    assert len(axes) == MOST_PANELS
    assert figure.get_suptitle() == f"the first {MOST_PANELS} of 1000"
    plt.close(figure)


def test_a_few_panels_are_all_drawn() -> None:
    figure, axes = panels(5)

    assert len(axes) == 5
    assert figure.get_suptitle() == ""
    plt.close(figure)
