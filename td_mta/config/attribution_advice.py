"""Advice on the parameters of the attribution; none of it stops a run."""

import math

from td_mta.config.attribution import Config


def advice(config: Config) -> list[str]:
    """A sentence for each parameter that is likely a mistake."""
    sentences = []
    if not 0.4 <= config.dropout_rate <= 0.6:
        sentences.append(
            f"dropout_rate is {config.dropout_rate:g}; values from 0.4 to 0.6 have proven best."
        )
    if config.augment_last_day and config.examples == "person_days":
        sentences.append("augment_last_day has an effect only with examples: touch_days.")
    if config.examples == "touch_days":
        sentences += [
            f"{name} has an effect only with examples: person_days."
            for name, ineffective in (
                ("days_at_risk", config.days_at_risk == "all"),
                ("window_after_conversion", config.window_after_conversion == "cut"),
                ("history_days", not config.history_days),
            )
            if not ineffective
        ]
    if config.in_db != config.db and config.table == config.rand_shuffle:
        sentences.append(
            f"The SQL writes {config.table} to the database {config.in_db}, "
            f"while the model reads it from {config.db}."
        )
    return sentences


def page_advice(config: Config, users: int) -> list[str]:
    """A sentence when a page is not 2 to 3 % of the users, once they fill more than one page."""
    share = config.users_per_tfrecord / max(users, 1)
    if share >= 1 or 0.02 <= share <= 0.03:
        return []
    low = math.ceil(users * 0.02)
    high = math.floor(users * 0.03)
    return [
        f"users_per_tfrecord is {config.users_per_tfrecord}, {share:.1%} of {users} users; "
        f"2 to 3 % would be {low} to {high}."
    ]
