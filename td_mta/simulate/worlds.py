"""The worlds by name. A new one is an entry here; the command, the tests and the files follow.

The first four are those that attribution is judged on: they have day-of-week patterns, conversions
without a touch and repeat conversions with value, and last four weeks. From `season` on, each has
one fact of ordinary marketing data that can fool attribution, most of them beside the plain law
`LAW`. `hazard` is the smallest world with decay, an interaction and a harmful channel; `demo` is a
shop's.
"""

from dataclasses import replace

from td_mta.simulate.drivers import Activity, Intent, LostIds, Renewal, Season
from td_mta.simulate.hazard import Hazard, Interaction
from td_mta.simulate.plan import WorldPlan
from td_mta.simulate.touching import Touching

CHANNELS = ("Direct", "Display", "Email", "Organic Search", "Paid Search", "Social")
DIRECT, DISPLAY, EMAIL, ORGANIC, PAID, SOCIAL = range(6)
RATES = (0.05, 0.07, 0.05, 0.05, 0.04, 0.06)
WORKING_DAYS = (1.1, 1.15, 1.1, 1.1, 1.0, 0.75, 0.8)  # Monday first

DEMO_CHANNELS = (
    *("Affiliates", "Direct", "Display", "Email", "Organic Search"),
    *("Other Advertising", "Paid Search", "Referral", "Social"),
)

# what the worlds with a fact of their own share
LAW = Hazard(
    channels=CHANNELS,
    base=0.003,
    relative_risks=(1.4, 1.2, 3.0, 2.0, 3.5, 1.6),
    decay=0.7,
    interactions=(),
)
TOUCHING = Touching(rates=RATES, weekday=WORKING_DAYS)

NOISE = tuple(f"Noise {number:02}" for number in range(1, 31))

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
    "season": WorldPlan(
        about="demand rises and falls and has special days, and what is spent on media follows it",
        hazard=LAW,
        touching=TOUCHING,
        drivers=(
            Season(
                swing=0.7,
                period=28,
                special_days=(9, 23, 24),
                special=2.5,
                spend=(1.0, 1.6, 0.2, 0.8, 0.4, 1.2),
            ),
        ),
        days=56,
    ),
    "heavy_users": WorldPlan(
        about="some users are touched more often, and buy more often whatever touches them",
        hazard=replace(LAW, base=0.002),
        touching=Touching(rates=tuple(0.7 * rate for rate in RATES), weekday=WORKING_DAYS),
        drivers=(Activity(spread=0.8, touches=(1.0,) * 6),),
    ),
    "renewals": WorldPlan(
        about="who bought renews every 14 days, and gets more mail all the while",
        hazard=replace(LAW, base=0.002, relative_risks=(1.4, 1.2, 1.1, 1.8, 2.5, 1.5)),
        touching=TOUCHING,
        drivers=(Renewal(risk=100.0, drives=(1.0, 1.0, 8.0, 1.0, 1.0, 1.0)),),
        days=84,
        burn_in=70,
    ),
    "lost_ids": WorldPlan(
        about="70 % of the ids are seen on one day only",
        hazard=replace(LAW, base=0.006),
        touching=TOUCHING,
        drivers=(LostIds(share=0.73),),
    ),
    "record_cut": WorldPlan(
        about="the record begins in the middle, and touches have their effect for ten days",
        hazard=replace(LAW, base=0.002, decay=0.9, window=10),
        touching=Touching(rates=tuple(0.6 * rate for rate in RATES), weekday=WORKING_DAYS),
    ),
    "lasting": WorldPlan(
        about="a conversion does not use up the touches before it",
        hazard=replace(
            LAW, base=0.01, relative_risks=(2.0, 1.5, 5.0, 3.0, 6.0, 2.5), decay=0.9, window=7
        ),
        touching=Touching(rates=tuple(0.4 * rate for rate in RATES), weekday=WORKING_DAYS),
        window_after_conversion="keep",
    ),
    "counts": WorldPlan(
        about="a second touch on a day has an effect of its own, and many on a day do less each",
        hazard=replace(LAW, second_risks=(2.0, 1.5, 3.0, 2.0, 3.0, 2.0), saturation=1.2),
        touching=Touching(rates=tuple(1.3 * rate for rate in RATES), repeat=0.4),
    ),
    "delayed": WorldPlan(
        about="touches have their largest effect some days later, in a window of two weeks",
        hazard=replace(
            LAW, base=0.001, window=14, decay=0.95, peaks=(1.0, 4.0, 2.0, 3.0, 1.0, 5.0)
        ),
        touching=Touching(rates=tuple(0.5 * rate for rate in RATES), weekday=WORKING_DAYS),
        days=42,
    ),
    "rare": WorldPlan(
        about="conversions on one of two thousand days of a user",
        hazard=replace(LAW, base=0.0003),
        touching=TOUCHING,
    ),
    "forty_channels": WorldPlan(
        about="forty channels, of which thirty do nothing",
        hazard=Hazard(
            channels=(*CHANNELS, "Affiliates", "Referral", "Podcast", "Print", *NOISE),
            base=0.003,
            relative_risks=(1.4, 1.2, 3.0, 2.0, 3.5, 1.6, 2.5, 1.8, 1.5, 2.2, *(1.0,) * 30),
            decay=0.7,
            interactions=(),
        ),
        touching=Touching(rates=(0.02, 0.03, 0.02, 0.01) * 10, weekday=WORKING_DAYS),
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
