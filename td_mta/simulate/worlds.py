"""The worlds by name. A new one is an entry here; the command, the tests and the files follow.

The first four are those that attribution is judged on: they have day-of-week patterns, conversions
without a touch and repeat conversions with value, and last four weeks. `hazard` is the smallest one
with decay, an interaction and a harmful channel; `demo` is a shop's.
"""

from td_mta.simulate.hazard import Hazard, Interaction
from td_mta.simulate.plan import WorldPlan
from td_mta.simulate.touching import Intent, Touching

CHANNELS = ("Direct", "Display", "Email", "Organic Search", "Paid Search", "Social")
DIRECT, DISPLAY, EMAIL, ORGANIC, PAID, SOCIAL = range(6)
RATES = (0.05, 0.07, 0.05, 0.05, 0.04, 0.06)
WORKING_DAYS = (1.1, 1.15, 1.1, 1.1, 1.0, 0.75, 0.8)  # Monday first

DEMO_CHANNELS = (
    *("Affiliates", "Direct", "Display", "Email", "Organic Search"),
    *("Other Advertising", "Paid Search", "Referral", "Social"),
)

WORLDS: dict[str, WorldPlan] = {
    "independent": WorldPlan(
        about="no interactions, no decay: a touch has one strength all through the window",
        hazard=Hazard(
            channels=CHANNELS,
            base=0.004,
            relative_risks=(1.1, 1.2, 2.0, 1.6, 2.5, 1.4),
            decay=1.0,
            interactions=(),
        ),
        touching=Touching(rates=RATES, weekday=WORKING_DAYS),
    ),
    "interactions": WorldPlan(
        about="interactions, a decay per channel, and channels that follow on each other",
        hazard=Hazard(
            channels=CHANNELS,
            base=0.003,
            relative_risks=(1.5, 1.3, 3.0, 2.0, 4.0, 1.6),
            decay=(0.4, 0.8, 0.6, 0.5, 0.4, 0.7),
            interactions=(
                Interaction(EMAIL, PAID, 3.0),
                Interaction(DISPLAY, ORGANIC, 2.5),
                Interaction(DIRECT, SOCIAL, 0.4),
            ),
        ),
        touching=Touching(
            rates=RATES,
            weekday=WORKING_DAYS,
            follow=(
                (1.5, 0.8, 1.0, 1.0, 0.8, 0.8),
                (1.0, 1.2, 0.8, 1.8, 1.6, 0.9),
                (1.6, 0.8, 1.2, 0.8, 0.8, 0.8),
                (1.2, 1.0, 0.8, 1.3, 1.5, 0.8),
                (1.4, 1.2, 1.0, 1.0, 1.4, 0.8),
                (1.5, 1.0, 0.8, 1.4, 1.0, 1.3),
            ),
        ),
    ),
    "harmful": WorldPlan(
        about="Display drives customers away",
        hazard=Hazard(
            channels=CHANNELS,
            base=0.003,
            relative_risks=(1.4, 0.5, 3.5, 2.5, 4.5, 1.7),
            decay=(0.5, 0.6, 0.7, 0.6, 0.5, 0.8),
            interactions=(),
        ),
        touching=Touching(rates=RATES, weekday=WORKING_DAYS),
    ),
    "confounded": WorldPlan(
        about="an unseen wish to buy drives search and direct; direct visits do nothing themselves",
        hazard=Hazard(
            channels=CHANNELS,
            base=0.002,
            relative_risks=(1.0, 1.5, 3.0, 1.2, 1.3, 1.6),
            decay=(0.5, 0.8, 0.6, 0.5, 0.5, 0.7),
            interactions=(),
        ),
        touching=Touching(rates=(0.02, 0.07, 0.05, 0.03, 0.02, 0.06), weekday=WORKING_DAYS),
        intent=Intent(probability=0.03, drives=(20.0, 1.0, 1.0, 10.0, 12.0, 1.0), risk=15.0),
    ),
    "hazard": WorldPlan(
        about="decay, one interaction and one harmful channel, every day and user alike",
        hazard=Hazard(),
        touching=Touching(rates=(0.05, 0.05, 0.08, 0.05, 0.05)),
        trial_time="day_end",
        days=30,
    ),
    "demo": WorldPlan(
        about="a shop of nine channels, two of them harmful, in January 2026",
        hazard=Hazard(
            channels=DEMO_CHANNELS,
            base=0.004,
            relative_risks=(1.8, 1.6, 0.8, 3.0, 2.2, 0.6, 4.0, 1.5, 1.2),
            window=3,
            interactions=(Interaction(3, 6, 1.5),),
        ),
        touching=Touching(rates=(0.02, 0.05, 0.04, 0.03, 0.05, 0.02, 0.03, 0.02, 0.04)),
        days=30,
        users=20_000,
    ),
}
