"""The address of Treasure Data's API: one rule for the command line, parameters and secrets."""

import pytest

from td_mta.errors import ConfigError
from td_mta.warehouse.td_address import server_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("https://api.treasuredata.com", "https://api.treasuredata.com"),
        ("https://api.treasuredata.com/", "https://api.treasuredata.com"),
        ("api.treasuredata.co.jp", "https://api.treasuredata.co.jp"),
        ("http://127.0.0.1:8801/", "http://127.0.0.1:8801"),
        ("http://[::1]:8801", "http://[::1]:8801"),
    ],
)
def test_an_address_has_a_scheme_and_no_slash_at_its_end(text: str, address: str) -> None:
    assert server_address(text, "TD_API_SERVER") == address


@pytest.mark.parametrize(
    "text",
    ["", "ftp://api.treasuredata.com", "https://host/v3", "https://a b", "https://host:port"],
)
def test_anything_else_is_refused_with_what_named_it(text: str) -> None:
    with pytest.raises(ConfigError, match="TD_API_SERVER must be an address such as https://api"):
        server_address(text, "TD_API_SERVER")


def test_a_password_in_an_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(ConfigError, match=r"got 'https://host'$"):
        server_address("https://user:secret@host", "the secret td.apiserver")
