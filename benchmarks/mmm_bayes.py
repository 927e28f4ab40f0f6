"""`python -m benchmarks.mmm_bayes [--world shop] [--seed 42]`: the media mix model sampled by NUTS.

The same parameters, priors and sales as in `td_mta.mmm.model`, of geometric adstock and Hill
curves, written once more for NumPyro, which the extra `bayes` installs: pip install -e '.[bayes]'.
It checks the intervals around the best parameters, and prints both beside the truth.
"""

import argparse
import time
from typing import Any, NamedTuple

import numpy as np

from td_mta.mmm import draws, effects
from td_mta.mmm.checks.known_truth import data_of
from td_mta.mmm.effects import Answers
from td_mta.mmm.fit import Fit, fit
from td_mta.mmm.model import Form, Model
from td_mta.mmm.transforms import Floats
from td_mta.simulate.media_mix.worlds import MEDIA_WORLDS

CHAINS, WARM_UP, SAMPLES = 2, 500, 500
MISSING = "NumPyro is not installed: pip install -e '.[bayes]'"


class Sampled(NamedTuple):
    """Draws `(number, size)`, and how well the chains mixed."""

    p: Floats
    r_hat: float  # the largest
    effective: float  # draws, the fewest
    divergent: int


def main() -> None:
    """Print contribution and ROI by channel: the truth, the best fit's, the posterior's."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mmm_bayes", description=__doc__)
    parser.add_argument("--world", choices=sorted(MEDIA_WORLDS), default="shop")
    parser.add_argument("--seed", type=int, default=42)
    options = parser.parse_args()
    world = MEDIA_WORLDS[options.world](options.seed)
    model = Model(data=data_of(world))
    started = time.process_time()
    ours = fit(model, np.random.default_rng(options.seed))
    many = effects.answers(model, draws.laplace(ours, np.random.default_rng(options.seed)))
    middle = time.process_time()
    try:
        off = slopes_off(model, ours)
        sampled = sample(model, options.seed)
    except ImportError:
        raise SystemExit(MISSING) from None
    print(f"slopes of the log density by JAX and by the fit: {off:.1e} apart, relative")
    ended = time.process_time()
    theirs = effects.answers(model, sampled.p)
    print(
        f"CPU seconds: fit and Laplace {middle - started:.1f}, NUTS {ended - middle:.1f}; R-hat at "
        f"most {sampled.r_hat:.3f}, at least {sampled.effective:.0f} effective draws of "
        f"{len(sampled.p)}, {sampled.divergent} divergent"
    )
    best = effects.answers(model, ours.p)
    truth = {"contribution": world.contribution(), "roi": world.roi()}
    truth["marginal_roi"] = world.marginal_roi()
    for name, true in truth.items():
        for c, channel in enumerate(world.channels):
            print(
                f"{name} of {channel}: truth {true[c]:,.3g}; "
                f"fit {_shown(best, many, name, c)}; "
                f"NUTS {_shown(None, theirs, name, c)}"
            )


def slopes_off(model: Model, ours: Fit) -> float:
    """The largest difference of JAX's slopes from the fit's, relative to the largest of them, at
    parameters around the best ones; raises `ImportError` without JAX.
    """
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    slopes_of = jax.grad(log_density, argnums=1)
    sales, apart = model.data.sales / model.data.sales_scale, []
    for shift in np.random.default_rng(1).standard_normal((5, model.size)):
        p = ours.p + shift * model.prior[1] / 10
        residuals = model.residuals(p, ours.sigma, sales, model.prior[0])
        exact = -model.jacobian(p, ours.sigma).T @ residuals
        slopes = np.asarray(slopes_of(model, jnp.asarray(p), ours.sigma, jnp))
        apart.append(np.abs(slopes - exact).max() / np.abs(exact).max())
    return float(max(apart))


def sample(model: Model, seed: int) -> Sampled:
    """Draws by NUTS; raises `ImportError` without NumPyro."""
    import jax
    import jax.numpy as jnp
    import numpyro
    import numpyro.distributions as dist
    from numpyro.diagnostics import summary
    from numpyro.infer import MCMC, NUTS

    jax.config.update("jax_enable_x64", True)
    mean, spread = model.prior
    sales, known = model.data.sales / model.data.sales_scale, model.is_known

    def law() -> None:
        # Of standard deviation 1 for all: the same law, and steps of one size suit every parameter.
        z = numpyro.sample("z", dist.Normal(0, 1).expand([model.size]).to_event(1))
        sigma = numpyro.sample("sigma", dist.HalfNormal(1.0))
        expected = fitted(model, mean + spread * z, jnp)
        numpyro.sample("sales", dist.Normal(expected[known], sigma), obs=sales[known])

    kernel = NUTS(law, dense_mass=True, target_accept_prob=0.9)
    chains = MCMC(
        kernel,
        num_warmup=WARM_UP,
        num_samples=SAMPLES,
        num_chains=CHAINS,
        chain_method="sequential",
        progress_bar=False,
    )
    chains.run(jax.random.PRNGKey(seed), extra_fields=("diverging",))
    found = summary({"z": np.asarray(chains.get_samples(group_by_chain=True)["z"])})["z"]
    return Sampled(
        mean + spread * np.asarray(chains.get_samples()["z"]),
        float(found["r_hat"].max()),
        float(found["n_eff"].min()),
        int(chains.get_extra_fields()["diverging"].sum()),
    )


def log_density(model: Model, p: Any, sigma: Any, xp: Any) -> Any:
    """Log likelihood of the known sales plus log prior of `p`, up to a constant.

    `xp` is numpy or jax.numpy.
    """
    mean, spread = model.prior
    known = model.is_known
    misfit = fitted(model, p, xp)[known] - model.data.sales[known] / model.data.sales_scale
    of_prior = (p - mean) / spread
    return (
        -(misfit @ misfit) / (2 * sigma**2) - known.sum() * xp.log(sigma) - of_prior @ of_prior / 2
    )


def fitted(model: Model, p: Any, xp: Any) -> Any:
    """Expected sales `(n,)` in units of their standard deviation, by plain arithmetic.

    Raises `ValueError` for another form than geometric adstock and Hill curves.
    """
    if model.form != Form() or model.multiplicative:
        raise ValueError("only geometric adstock and Hill curves are written here")
    decay, slope, half_at, effect = model.media(p)
    theta, steep, half = 1 / (1 + xp.exp(-decay)), xp.exp(slope), xp.exp(half_at)
    carried, reach = (1 - theta) * model.scaled_spend, 1
    while reach < len(carried):  # sums of 1, 2, 4 … periods
        earlier = xp.concatenate([np.zeros((reach, model.channels)), carried[:-reach]])
        carried, reach = carried + theta**reach * earlier, 2 * reach
    carried = carried + theta ** np.arange(1, len(carried) + 1)[:, None] * model.scaled_before
    powers = xp.where(carried > 0, carried, 1.0) ** steep
    curve = xp.where(carried > 0, powers / (half**steep + powers), 0.0)
    media = xp.exp(effect) * curve * (half**steep + 1)
    return media.sum(axis=1) + model.columns @ p[model.media_size :]


def _shown(best: Answers | None, many: Answers, name: str, channel: int) -> str:
    values = getattr(many, name)[:, channel]
    middle = values.mean() if best is None else getattr(best, name)[channel]
    low, high = np.quantile(values, [0.05, 0.95])
    return f"{middle:,.3g} [{low:,.3g}, {high:,.3g}]"


if __name__ == "__main__":
    main()
