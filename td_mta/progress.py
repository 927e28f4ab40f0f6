"""How long a step will take, told after its first part. Treasure Data stops tasks after a day."""

import logging

log = logging.getLogger(__name__)

LONGEST = 24 * 3600
WORTH_SAYING = 60


def tell(step: str, seconds: float) -> None:
    """Log what is still to come; a warning where it would not end in time."""
    if seconds > LONGEST:
        log.warning(
            "%s needs about %.0f hours more and Treasure Data stops a task after 24: "
            "lower lookback_window_days, train_epochs or the number of channels, "
            "or run it on another machine",
            step,
            seconds / 3600,
        )
    elif seconds > WORTH_SAYING:
        log.info("%s needs about %.0f minutes more", step, seconds / 60)
