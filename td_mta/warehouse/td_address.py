"""The address of Treasure Data's API, which differs between its regions."""

import re

from td_mta.errors import ConfigError

DEFAULT_SERVER = "https://api.treasuredata.com"
# a scheme, a host name or IP address, perhaps a port; no user, no path
ADDRESS = r"https?://(?:[\w.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]+)?/?"
_PASSWORD = re.compile(r"(?<=//)[^/]*@")


def check_key(key: str, named_by: str) -> None:
    """Raise `ConfigError` for what is no key, such as one with a line break; it is not shown."""
    if not re.fullmatch(r"[!-~]+", key):
        raise ConfigError(
            f"{named_by} must hold the account's master key, ACCOUNT/KEY, got one with a space or "
            "a character that no key has; copy the key again"
        )


def server_address(text: str, named_by: str) -> str:
    """`text` as `scheme://host[:port]`, without a slash at its end; https where it has no scheme.

    Raises `ConfigError`, which says that `named_by` gave it, and repeats no password.

    >>> server_address("api.treasuredata.co.jp/", "TD_API_SERVER")
    'https://api.treasuredata.co.jp'
    """
    address = text if "://" in text else f"https://{text}"
    if not re.fullmatch(ADDRESS, address):
        shown = _PASSWORD.sub("", text)
        raise ConfigError(f"{named_by} must be an address such as {DEFAULT_SERVER}, got {shown!r}")
    return address.rstrip("/")
