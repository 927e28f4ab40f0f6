"""What the rest of the run sees of a model: sets of cells in, log-odds f or probabilities out.

f is a linear sum in float64 and, on the upper rungs, a network's log-odds beside it. TensorFlow is
imported where there is a network, and for the files.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from td_mta.atomic_files import replacing
from td_mta.errors import DataError
from td_mta.journeys.touchpoints import Floats
from td_mta.model.terms import Terms

if TYPE_CHECKING:
    import keras

NETWORK, CALIBRATION = "model.keras", "calibration.json"
FILES = re.compile(re.escape(NETWORK) + "|" + re.escape(CALIBRATION))  # what `save` writes


@dataclass(frozen=True)
class Calibration:
    """What is added to the log-odds of the model file, and the controls' weights.

    `prior` is 0, since models are fitted at natural prevalence; files of earlier versions have
    another. `intercept` is what was left to correct.
    """

    prior: float = 0.0
    intercept: float = 0.0
    controls: Mapping[str, list[float]] = field(default_factory=dict)  # by control, by column


@dataclass(frozen=True)
class Linear:
    """A linear sum: terms and their weights."""

    terms: Terms
    weights: Floats  # (terms,)


@dataclass(frozen=True)
class Network:
    """A Keras model, which takes the oldest day first, and its log-odds, day 0 first."""

    model: "keras.Model"
    log_odds: Callable[[npt.NDArray[np.float32]], Floats]


@dataclass(frozen=True)
class Predictor:
    """f of sets of cells, `(n, days, channels)`, day 0 first: the sum of its parts."""

    linear: Linear | None
    network: Network | None = None
    calibration: Calibration = Calibration()

    def log_odds(self, cells: npt.NDArray[np.float32]) -> Floats:
        """At natural prevalence and without controls, `(n,)`."""
        log_odds = np.full(len(cells), self.calibration.prior + self.calibration.intercept)
        if self.linear is not None:
            log_odds += self.linear.terms.log_odds(self.linear.weights, cells)
        if self.network is not None:
            log_odds += self.network.log_odds(cells)
        return log_odds

    def __call__(self, cells: npt.NDArray[np.float32]) -> Floats:
        return expit(self.log_odds(cells))

    def shifted(self, intercept: float) -> "Predictor":
        """With so much more log-odds everywhere."""
        moved = self.calibration.intercept + intercept
        return replace(self, calibration=replace(self.calibration, intercept=moved))

    def save(self, folder: Path) -> None:
        """Write the model and its calibration to `folder`, which `load` reads."""
        folder.mkdir(parents=True, exist_ok=True)
        # Keras chooses the format by the suffix, which the temporary name therefore keeps
        with replacing(folder / NETWORK, f"part-{NETWORK}") as temporary:
            self._keras_model().save(temporary)
        text = json.dumps(asdict(self.calibration), indent=1)
        with replacing(folder / CALIBRATION) as temporary:
            temporary.write_text(text, encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "Predictor":
        """What was saved, its numbers the same to single precision; `DataError` without a file."""
        if not (folder / NETWORK).exists():
            raise DataError(f"{folder} must hold a trained model, got no file {NETWORK}")
        import keras

        from td_mta.model import layers

        model = keras.models.load_model(folder / NETWORK)
        calibration = json.loads((folder / CALIBRATION).read_text(encoding="utf-8"))
        return cls(None, Network(model, layers.log_odds_of(model)), Calibration(**calibration))

    def _keras_model(self) -> "keras.Model":
        from td_mta.model import layers

        network = self.network.model if self.network is not None else None
        if self.linear is None:
            return network
        return layers.whole(self.linear.terms, self.linear.weights, network)
