"""The worlds by name, each a function of a seed, of the noise in sales and of a number of weeks.

`shop` has three channels, one of them almost saturated, and independent spend. The worlds after it
are the same shop with one thing that a media mix model does not know of. `retail` has offline
channels, holiday weeks and growth.
"""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np

from td_mta.simulate.media_mix.world import ChannelLaw, Floats, MediaWorld

WEEKS = 104
NOISE = 1000.0  # standard deviation of a week's sales
WEEKS_PER_YEAR = 52

SHOP = (
    ChannelLaw("Shopify", decay=0.5, slope=2.0, half_at=10_000, most=15_000),
    ChannelLaw("TikTok", decay=0.2, slope=2.5, half_at=12_000, most=25_000),
    ChannelLaw("Meta", decay=0.7, slope=3.0, half_at=8_000, most=10_000),
)
SHOPIFY, TIKTOK, META = range(3)
BASE, SEASON, PROMOTION = 5000.0, 4000.0, 8000.0  # sales per week
PROMOTED = 0.15  # of the weeks
LEAST, USUAL, MOST = 2000.0, 11_000.0, 20_000.0  # spend per week and channel
SPREAD = 5196.0  # standard deviation of the uniform law between LEAST and MOST

RETAIL = (
    ChannelLaw("TV", decay=0.6, slope=1.5, half_at=90_000, most=110_000),
    ChannelLaw("Digital", decay=0.2, slope=1.2, half_at=30_000, most=80_000),
    ChannelLaw("Radio", decay=0.4, slope=1.2, half_at=20_000, most=25_000),
    ChannelLaw("Print", decay=0.3, slope=1.0, half_at=15_000, most=12_000),
    ChannelLaw("Social", decay=0.3, slope=1.3, half_at=16_000, most=45_000),
)
RETAIL_SPEND = (30_000.0, 22_000.0, 10_000.0, 7_000.0, 12_000.0)  # mean per week
HOLIDAY_WEEKS = (46, 47, 50, 51)  # of the year, from 0
HOLIDAY_SALES = 60_000.0


def shop(seed: int, noise: float = NOISE, weeks: int = WEEKS) -> MediaWorld:
    """Uniform spend. Draws come from NumPy's legacy generator, in the order that is long known."""
    rng = np.random.RandomState(seed)
    spend = np.stack([rng.uniform(LEAST, MOST, weeks) for _ in SHOP], axis=1)
    promoted = (rng.rand(weeks) < PROMOTED).astype(float)
    return _sold(SHOP, spend, promoted, rng.normal(0, noise, weeks))


def logistic(seed: int, noise: float = NOISE, weeks: int = WEEKS) -> MediaWorld:
    """The shop with concave curves of the same half and height."""
    laws = tuple(law._replace(curve="logistic") for law in SHOP)
    rng = np.random.RandomState(seed)
    spend = np.stack([rng.uniform(LEAST, MOST, weeks) for _ in SHOP], axis=1)
    promoted = (rng.rand(weeks) < PROMOTED).astype(float)
    return _sold(laws, spend, promoted, rng.normal(0, noise, weeks))


def flighted(seed: int, noise: float = NOISE, weeks: int = WEEKS) -> MediaWorld:
    """Spend that follows last week's, and Meta in flights of six weeks with four without spend."""
    rng = np.random.RandomState(seed)
    waves = np.stack([_wave(rng, weeks) for _ in SHOP], axis=1)
    spend = np.clip(USUAL + SPREAD * waves, LEAST, MOST)
    spend[np.arange(weeks) % 10 >= 6, META] = 0.0
    promoted = (rng.rand(weeks) < PROMOTED).astype(float)
    return _sold(SHOP, spend, promoted, rng.normal(0, noise, weeks))


def falling(seed: int, noise: float = NOISE, weeks: int = WEEKS) -> MediaWorld:
    """TikTok's effect falls from 1.3 to 0.7 times its law."""
    rng = np.random.RandomState(seed)
    spend = np.stack([rng.uniform(LEAST, MOST, weeks) for _ in SHOP], axis=1)
    promoted = (rng.rand(weeks) < PROMOTED).astype(float)
    strength = np.ones((weeks, len(SHOP)))
    strength[:, TIKTOK] = np.linspace(1.3, 0.7, weeks)
    return _sold(SHOP, spend, promoted, rng.normal(0, noise, weeks), strength)


def hidden_demand(
    seed: int,
    noise: float = NOISE,
    weeks: int = WEEKS,
    *,
    channel: int = TIKTOK,
    share: float = 0.9,
    sales: float = 3000.0,
) -> MediaWorld:
    """Demand that nobody records drives one channel's spend, correlated by `share`, and sales."""
    rng = np.random.RandomState(seed)
    spend = np.stack([rng.uniform(LEAST, MOST, weeks) for _ in SHOP], axis=1)
    promoted = (rng.rand(weeks) < PROMOTED).astype(float)
    errors = rng.normal(0, noise, weeks)
    demand = _wave(rng, weeks)
    own = rng.normal(0, 1, weeks)
    driven = share * demand + np.sqrt(1 - share**2) * own
    spend[:, channel] = np.clip(USUAL + SPREAD * driven, LEAST, MOST)
    return _sold(SHOP, spend, promoted, errors, hidden=sales * demand)


def collinear(seed: int, noise: float = NOISE, weeks: int = WEEKS) -> MediaWorld:
    """Shopify and TikTok are planned together: their spend is correlated by about 0.95."""
    rng = np.random.RandomState(seed)
    spend = np.stack([rng.uniform(LEAST, MOST, weeks) for _ in SHOP], axis=1)
    apart = rng.normal(0, 0.33 * SPREAD, weeks)
    spend[:, TIKTOK] = np.clip(spend[:, SHOPIFY] + apart, LEAST, MOST)
    promoted = (rng.rand(weeks) < PROMOTED).astype(float)
    return _sold(SHOP, spend, promoted, rng.normal(0, noise, weeks))


def few_weeks(seed: int, noise: float = NOISE, weeks: int = 40) -> MediaWorld:
    """The shop, 40 weeks of it."""
    return shop(seed, noise, weeks)


def retail(seed: int, noise: float = 8000.0, weeks: int = WEEKS) -> MediaWorld:
    """TV, digital, radio, print and social; a season, holiday weeks with more spend, and growth."""
    rng = np.random.RandomState(seed)
    week = np.arange(weeks)
    is_holiday = np.isin(week % WEEKS_PER_YEAR, HOLIDAY_WEEKS).astype(float)
    waves = np.stack([_wave(rng, weeks) for _ in RETAIL], axis=1)
    spend = np.array(RETAIL_SPEND) * np.exp(0.5 * waves) * (1 + 0.4 * is_holiday)[:, None]
    spend[week % 8 >= 5, 0] = 0.0  # TV is on air five weeks of eight
    season = 20_000 * np.cos(2 * np.pi * (week - 48) / WEEKS_PER_YEAR)
    base = 150_000 + 300.0 * week + season + HOLIDAY_SALES * is_holiday
    errors = rng.normal(0, noise, weeks)
    return _world(RETAIL, spend, base, {"holiday": is_holiday}, errors)


def _sold(
    laws: tuple[ChannelLaw, ...],
    spend: Floats,
    promoted: Floats,
    errors: Floats,
    strength: Floats | None = None,
    hidden: Floats | float = 0.0,
) -> MediaWorld:
    season = SEASON * np.sin(2 * np.pi * np.arange(1, len(spend) + 1) / WEEKS_PER_YEAR)
    base = BASE + season + PROMOTION * promoted + hidden
    return _world(laws, spend, base, {"promotions": promoted}, errors, strength)


def _world(
    laws: tuple[ChannelLaw, ...],
    spend: Floats,
    base: Floats,
    controls: Mapping[str, Floats],
    errors: Floats,
    strength: Floats | None = None,
) -> MediaWorld:
    world = MediaWorld(
        laws=laws,
        spend=spend,
        strength=np.ones_like(spend) if strength is None else strength,
        base=base,
        controls=controls,
        sales=errors,
    )
    sales = np.maximum(base + world.effects().sum(axis=1) + errors, 0.0)
    return MediaWorld(**{**vars(world), "sales": sales})


def _wave(rng: np.random.RandomState, weeks: int, memory: float = 0.7) -> Floats:
    """An autoregression of first order with standard deviation 1, `(weeks,)`."""
    shocks = rng.normal(0, 1, weeks)
    wave = np.empty(weeks)
    last = shocks[0]
    for week in range(weeks):
        last = memory * last + np.sqrt(1 - memory**2) * shocks[week] if week else last
        wave[week] = last
    return wave


MEDIA_WORLDS: Mapping[str, Callable[..., MediaWorld]] = {
    "shop": shop,
    "logistic": logistic,
    "flighted": flighted,
    "falling": falling,
    "demand_a": hidden_demand,
    "demand_b": partial(hidden_demand, share=0.6),
    "demand_n": partial(hidden_demand, share=-0.7),
    "demand_s": partial(hidden_demand, channel=SHOPIFY, sales=2500.0),
    "demand_m": partial(hidden_demand, channel=META, sales=2500.0),
    "collinear": collinear,
    "few_weeks": few_weeks,
    "retail": retail,
}
