"""Which channels are direct visits, which the rule `last_non_direct` passes over."""

from collections.abc import Sequence

DEFAULT = "Direct"
SYNONYMS = (
    *("direct", "(direct)", "(none)", "direct traffic", "direct visit", "direct entry"),
    *("(direct) / (none)", "(direct)/(none)", "direct / none", "direct/none"),
)


def direct_channels(channels: Sequence[str], parameter: str) -> list[int]:
    """The indices of the channels that `direct_channel` names, in any letter case.

    The default stands for all `SYNONYMS`; another value is one name, or several with commas.

    >>> direct_channels(["(none)", "Email", "direct"], "Direct")
    [0, 2]
    """
    names = _names(channels, parameter)
    return [index for index, channel in enumerate(channels) if channel.lower() in names]


def missing_names(channels: Sequence[str], parameter: str) -> list[str]:
    """Names of another value than the default that no channel has."""
    if parameter == DEFAULT:
        return []
    existing = {channel.lower() for channel in channels}
    return [name for name in _names(channels, parameter) if name not in existing]


def _names(channels: Sequence[str], parameter: str) -> Sequence[str]:
    """In lower case; a channel's name may itself hold a comma."""
    if parameter == DEFAULT:
        return SYNONYMS
    whole = parameter.strip().lower()
    if whole in (channel.lower() for channel in channels):
        return [whole]
    return [name.strip() for name in whole.split(",") if name.strip()]
