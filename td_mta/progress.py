"""How long a step will still take, estimated from its first part.

Treasure Data stops a task after a day, so a step that would take longer is a warning.
"""

import logging

log = logging.getLogger(__name__)

TASK_LIMIT = 24 * 3600  # seconds
WORTH_LOGGING = 60  # seconds


def log_time_left(step: str, seconds: float) -> None:
    """Log an estimate of over a minute; a warning with remedies where it is over 24 hours."""
    if seconds > TASK_LIMIT:
        log.warning(
            "%s needs about %.0f hours more, and Treasure Data stops a task after 24 hours: "
            "lower lookback_window_days, train_epochs or the number of channels, "
            "or run it on another machine",
            step,
            seconds / 3600,
        )
    elif seconds > WORTH_LOGGING:
        log.info("%s needs about %.0f minutes more", step, seconds / 60)
