"""The mean of several trainings' weights, as one reader: `python -m eval.reader_average OUT STATE STATE...`.

Trainings that begin from the same model and the same heads lie in one valley, where the mean of the weights reads about
as well as asking all of them ("model soups", Wortsman et al. 2022) and costs what one costs.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from eval.reader_model import weights_of

if TYPE_CHECKING:
    from torch import Tensor


def mean_of(trainings: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Return the mean of each weight over trainings, in float32.

    Raises:
        ValueError: Nothing was given, or the trainings do not have the same weights in the same shapes.
    """
    if not trainings:
        raise ValueError("there is no training to take the mean of: name at least one state")
    shapes = {name: weight.shape for name, weight in trainings[0].items()}
    for at, training in enumerate(trainings[1:], start=2):
        other = {name: weight.shape for name, weight in training.items()}
        if other != shapes:
            differing = min(name for name in shapes.keys() | other.keys() if shapes.get(name) != other.get(name))
            raise ValueError(f"training {at} differs from the first one in {differing}: average trainings of one plan")
    return {name: sum(one[name].float() for one in trainings) / len(trainings) for name in shapes}  # type: ignore[misc]


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the mean of the states to the first path: shipped weights, or what a training kept."""
    from safetensors.torch import save_file

    out, *states = map(Path, sys.argv[1:] if arguments is None else arguments)
    mean = mean_of([weights_of(state) for state in states])
    out.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: weight.contiguous() for name, weight in mean.items()}, str(out))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
