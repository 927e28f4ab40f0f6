"""Units of patterns and strata: each has a key of its own."""

import numpy as np

from td_mta.journeys.credited import Credited
from td_mta.journeys.patterns import Grid, of_cells


def test_no_two_units_share_a_key_where_cells_have_hashes() -> None:
    """A stratum is hashed too, and must not look like a cell."""
    wide, strata = Grid(5, 40), 300
    assert not wide.has_exact_keys
    cells = np.arange(wide.cells)
    patterns = of_cells(cells, cells, wide.cells, wide)
    pattern, stratum = (x.ravel() for x in np.meshgrid(cells, np.arange(strata)))
    nothing = np.zeros(len(pattern))
    keys = Credited(patterns, pattern, stratum, np.stack([nothing, nothing]), nothing).keys
    assert len(np.unique(keys)) == wide.cells * strata
