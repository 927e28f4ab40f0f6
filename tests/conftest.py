"""Settings of Hypothesis for all tests."""

from hypothesis import settings

# How long an example takes says how busy the machine is.
settings.register_profile("td_mta", deadline=None)
settings.load_profile("td_mta")
