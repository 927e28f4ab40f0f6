"""The model: residuals whose squares sum to -2 log posterior, with their exact derivatives.

    sales_t = intercept + controls_t · b + Σ_c m_c h(A_ct) / h(1) + noise of standard deviation s

A is adstock of spend in units of the channel's usual spend, h its saturation. m, the effect of
usual spend when it is held, has the prior, since ROI = m / usual spend is what people know
something of; a Hill curve's own height is not known from any ordinary record. All parameters are
free numbers with independent normal priors. Sales are in units of their standard deviation.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from td_mta.mmm.media import MediaData
from td_mta.mmm.transforms import ADSTOCKS, SATURATIONS, AdstockName, Floats, SaturationName


@dataclass(frozen=True, kw_only=True)
class Priors:
    """Means and standard deviations of the free parameters, by name."""

    shape: Mapping[str, tuple[float, float]] = field(
        default_factory=lambda: {
            "decay": (-0.4, 1.0),  # logit
            "peak": (-1.1, 1.0),  # logit of a share of LATEST_PEAK
            "slope": (float(np.log(2)), 0.4),  # logarithm
            "half_at": (float(np.log(0.7)), 0.7),  # logarithm, in units of usual spend
        }
    )
    roi: float = 1.0  # median of sales per unit of spend at usual spend
    roi_spread: float = 0.7  # of its logarithm
    discrepancy: float = 0.5  # of ROI, for tested channels
    intercept: float = 3.0  # times the mean of sales
    control: float = 2.0  # effect of a control's standard deviation, in that of sales


@dataclass(frozen=True)
class Form:
    """Which adstock and which saturation."""

    adstock: AdstockName = "geometric"
    saturation: SaturationName = "hill"


@dataclass(frozen=True, kw_only=True)
class Model:
    """A form of the model for some data. Parameters `p` are one array: media, then linear ones.

    Media parameters are `(len(names), c)`, flattened by rows. With `additive` a tested channel has
    term g (x - mean x) beside its curve, and with `lasting` another one h (u - mean u), where u is
    the mean spend of the period before and the one after. With `multiplicative` its curve counts
    e^d times.
    """

    data: MediaData
    form: Form = Form()
    priors: Priors = Priors()
    additive: tuple[int, ...] = ()
    lasting: bool = True
    multiplicative: tuple[int, ...] = ()

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of a channel's parameters."""
        adstock, saturation = ADSTOCKS[self.form.adstock], SATURATIONS[self.form.saturation]
        return (*adstock.names, *saturation.names, "effect")

    @cached_property
    def channels(self) -> int:
        """How many."""
        return int(self.data.spend.shape[1])

    @cached_property
    def media_size(self) -> int:
        """How many media parameters, those of `multiplicative` aside."""
        return len(self.names) * self.channels

    @cached_property
    def size(self) -> int:
        """How many parameters."""
        return int(self.media_size + len(self.multiplicative) + self.columns.shape[1])

    @cached_property
    def scaled_spend(self) -> Floats:
        """Spend in units of usual spend, `(n, c)`."""
        return self.data.spend / self._unit

    @cached_property
    def is_known(self) -> npt.NDArray[np.bool_]:
        """Where sales are known, `(n,)`."""
        return np.isfinite(self.data.sales)

    @cached_property
    def scaled_before(self) -> Floats:
        """Earlier spend in units of usual spend, `(c,)`."""
        return self.data.before / self._unit

    @cached_property
    def _unit(self) -> Floats:
        return np.where(self.data.usual_spend > 0, self.data.usual_spend, 1.0)

    @cached_property
    def columns(self) -> Floats:
        """Columns of the linear part: intercept, controls, then for the channels of `additive`
        their spend and, with `lasting`, their spend around each period, `(n, k)`.
        """
        spend = self.scaled_spend[:, list(self.additive)]
        around = (np.vstack([spend[:1], spend[:-1]]) + np.vstack([spend[1:], spend[-1:]])) / 2
        tested = np.hstack([spend, around]) if self.lasting else spend
        intercept = np.ones((len(spend), 1))
        return np.hstack([intercept, self._controls, tested - tested.mean(axis=0)])

    @cached_property
    def column_names(self) -> list[str]:
        """Names of the linear part's columns."""
        tested = [self.data.channels[c] for c in self.additive]
        columns = ("discrepancy", "discrepancy around")[: 1 + self.lasting]
        of_spend = [f"{column} of {name}" for column in columns for name in tested]
        return ["intercept", *self.data.control_names, *of_spend]

    @cached_property
    def _controls(self) -> Floats:
        raw = self.data.controls
        spread = raw.std(axis=0)
        return np.asarray((raw - raw.mean(axis=0)) / np.where(spread > 0, spread, 1.0), np.float64)

    @cached_property
    def prior(self) -> tuple[Floats, Floats]:
        """Means and standard deviations, `(size,)` each."""
        scale, priors = self.data.sales_scale, self.priors
        roi = np.log(priors.roi * self._unit / scale)
        rows = [np.full((2, self.channels), [[m], [s]]) for m, s in map(self._shape, self.names)]
        rows[-1] = np.stack([roi, np.full(self.channels, priors.roi_spread)])
        level = np.nanmean(np.abs(self.data.sales)) / scale
        controls = self._controls.shape[1]
        linear_mean = np.concatenate([[level / 2], np.zeros(self.columns.shape[1] - 1)])
        of_spend = priors.discrepancy * priors.roi * self._unit[list(self.additive)] / scale
        of_spend = np.tile(of_spend, 1 + self.lasting)
        linear_spread = [[priors.intercept * level], np.full(controls, priors.control), of_spend]
        times = len(self.multiplicative)
        mean = np.concatenate([*(row[0] for row in rows), np.zeros(times), linear_mean])
        of_times = np.full(times, priors.discrepancy)
        return mean, np.concatenate([*(row[1] for row in rows), of_times, *linear_spread])

    def _shape(self, name: str) -> tuple[float, float]:
        return self.priors.shape.get(name, (0.0, 1.0))

    def media(self, p: Floats) -> Floats:
        """A channel's parameters by name, `(..., len(names), c)`."""
        return p[..., : self.media_size].reshape(*p.shape[:-1], len(self.names), self.channels)

    def effect(self, p: Floats, channel: int, spend: Floats, before: float | None = None) -> Floats:
        """Sales by period, in units of `sales_scale`, of a path of scaled spend, `(periods,)`."""
        adstock, curve = ADSTOCKS[self.form.adstock], SATURATIONS[self.form.saturation]
        lag, shape, size = self._split(self.media(p)[:, channel])
        carried = adstock.carried(spend, lag, self._before(channel, before))
        return size * curve.value(carried, shape) / curve.value(np.ones(1), shape)

    def effect_gradient(
        self, p: Floats, channel: int, spend: Floats, before: float | None = None
    ) -> Floats:
        """Derivatives of `effect` by the channel's own parameters, `(len(names), periods)`."""
        return self._channel(p, channel, spend, self._before(channel, before))[1]

    def held(self, p: Floats, channel: int, spend: Floats) -> Floats:
        """Sales per period once a scaled spend has been held for long, the shape of `spend`."""
        shape, size = self._split(self.media(p)[:, channel])[1:]
        curve = SATURATIONS[self.form.saturation]
        return size * curve.value(spend, shape) / curve.value(np.ones(1), shape)

    def _before(self, channel: int, before: float | None) -> float:
        return float(self.scaled_before[channel]) if before is None else before

    def _split(self, own: Floats) -> tuple[Floats, Floats, float]:
        lags = len(ADSTOCKS[self.form.adstock].names)
        return own[:lags], own[lags:-1], float(np.exp(min(own[-1], 50.0)))

    def _channel(
        self, p: Floats, channel: int, spend: Floats, before: float
    ) -> tuple[Floats, Floats]:
        adstock, curve = ADSTOCKS[self.form.adstock], SATURATIONS[self.form.saturation]
        lag, shape, size = self._split(self.media(p)[:, channel])
        carried = adstock.carried(spend, lag, before)
        one = np.ones(1)
        at_one = curve.value(one, shape)
        scale = size / at_one
        value = scale * curve.value(carried, shape)
        by_lag = scale * curve.slope(carried, shape) * adstock.derivatives(spend, lag, before)
        by_shape = scale * curve.derivatives(carried, shape)
        by_shape -= value * (curve.derivatives(one, shape) / at_one)
        return value, np.concatenate([by_lag, by_shape, value[None]])

    def fitted(self, p: Floats) -> Floats:
        """Expected sales in units of `sales_scale`, `(n,)`."""
        return self._forward(p)[0]

    def _times(self, p: Floats) -> Floats:
        """What each channel's curve counts in sales, `(c,)`."""
        times = np.ones(self.channels)
        end = self.media_size + len(self.multiplicative)
        times[list(self.multiplicative)] = np.exp(p[self.media_size : end])
        return times

    def _forward(self, p: Floats) -> tuple[Floats, Floats]:
        """Expected sales and their derivatives, `(n,)` and `(n, size)`."""
        first = self.size - self.columns.shape[1]
        jacobian = np.empty((len(self.data.sales), self.size))
        jacobian[:, first:] = self.columns
        fitted = self.columns @ p[first:]
        times = self._times(p)
        for c in range(self.channels):
            value, gradient = self._channel(
                p, c, self.scaled_spend[:, c], float(self.scaled_before[c])
            )
            fitted += times[c] * value
            jacobian[:, c : self.media_size : self.channels] = times[c] * gradient.T
            if c in self.multiplicative:
                jacobian[:, self.media_size + self.multiplicative.index(c)] = times[c] * value
        return fitted, jacobian

    def residuals(self, p: Floats, sigma: float, sales: Floats, prior_mean: Floats) -> Floats:
        """Of scaled `sales`, those that are not known as 0, then of the priors, `(n + size,)`."""
        return self.linearised(p, sigma, sales, prior_mean)[0]

    def jacobian(self, p: Floats, sigma: float) -> Floats:
        """Derivatives of `residuals`, `(n + size, size)`."""
        return self._of_residuals(self._forward(p)[1], sigma)

    def linearised(
        self, p: Floats, sigma: float, sales: Floats, prior_mean: Floats
    ) -> tuple[Floats, Floats]:
        """`residuals` and `jacobian` together, for the time of one."""
        fitted, derivatives = self._forward(p)
        misfit = np.where(self.is_known, fitted - sales, 0.0)
        residuals = np.concatenate([misfit / sigma, (p - prior_mean) / self.prior[1]])
        return residuals, self._of_residuals(derivatives, sigma)

    def _of_residuals(self, derivatives: Floats, sigma: float) -> Floats:
        of_sales = derivatives * (self.is_known / sigma)[:, None]
        return np.concatenate([of_sales, np.diag(1 / self.prior[1])])


def shown_names(model: Model) -> Sequence[str]:
    """Names of a channel's parameters, the effect aside."""
    return model.names[:-1]


def shown(model: Model, p: Floats) -> Floats:
    """A channel's decay, slope and so on in the units that people read, `(len(names) - 1, c)`.

    `half_at` is in units of spend held.
    """
    adstock, curve = ADSTOCKS[model.form.adstock], SATURATIONS[model.form.saturation]
    media, lags = model.media(p), len(ADSTOCKS[model.form.adstock].names)
    shapes = np.array(curve.shown(media[lags:-1]))
    shapes[-1] *= model.data.usual_spend
    return np.concatenate([adstock.shown(media[:lags]), shapes])
