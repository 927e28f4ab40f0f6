"""The tests' own modules are imported by name."""

import sys
from pathlib import Path

from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))

# How long an example takes says how busy the machine is.
settings.register_profile("td_mta", deadline=None)
settings.load_profile("td_mta")
