"""The SQL twin of the rules gives what Python gives, on tables full of ties, gaps and repeats."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from td_mta.baselines.methods import RULES, ModelTotals
from td_mta.config import placeholders
from td_mta.config.attribution import Config
from td_mta.dataset.build import models_of
from td_mta.dataset.period import period_of
from td_mta.ingest.pages import TouchpointTable
from td_mta.ingest.settings import TableSettings
from td_mta.journeys.paths import conversion_paths
from td_mta.warehouse.local import LocalWarehouse
from tests.queries import counting
from tests.queries.odd_tables import READINGS, parameters
from tests.queries.option_sets import pairwise

QUERY = Path(__file__).parents[2] / "queries" / "shapley_rules.sql"
SETS = [parameters(chosen) for chosen in pairwise(READINGS)]


def by_python(warehouse: LocalWarehouse, config: Config, spill: Path) -> pd.DataFrame:
    touchpoints = TouchpointTable(TableSettings.of(config), warehouse, spill)
    models: ModelTotals = models_of(touchpoints.channels, config)
    first_day = period_of(touchpoints, config).first_day
    for page in touchpoints.pages("test"):
        paths = conversion_paths(page.journeys, config.rules_window_days, first_day)
        models.add(paths, held_out=False)
    credits = {name: credit for name, credit in models.credits().items() if name in RULES}
    names = [*touchpoints.channels, "(baseline)"]
    rows = {
        (model, channel): credit[:, at]
        for model, credit in credits.items()
        for at, channel in enumerate(names)
    }
    return pd.DataFrame(rows, index=["conversions", "value"]).T


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(SETS)))
def test_the_query_credits_what_python_credits(number: int, tmp_path: Path) -> None:
    config = counting.config_of(SETS[number], tmp_path)
    warehouse = LocalWarehouse(None, tmp_path, now=0)
    warehouse.write(config.table, counting.table_of(number), "overwrite")
    found = warehouse.query(placeholders.statement(QUERY, config)).to_pandas()
    found = found.set_index(["model", "channel"])
    wanted = by_python(warehouse, config, tmp_path)
    found = found.reindex(wanted.index).fillna(0.0)  # a channel that is on no path has no row
    for column in ("conversions", "value"):
        assert found[column].to_numpy() == pytest.approx(wanted[column].to_numpy(), rel=1e-9)
    shares = found["share"].groupby(level=0).sum()
    assert shares.to_numpy() == pytest.approx(np.ones(len(RULES)))
    assert set(shares.index) == set(RULES)
