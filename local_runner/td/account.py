"""Where Treasure Data's API is and the key to it, in the order of precedence that Digdag has.

A secret beats a parameter (`td: {endpoint, use_ssl}`), and both beat the environment. The key comes
from the secret td.apikey or from TD_API_KEY alone, and is part of no message and no `repr`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import urlsplit

from local_runner.workflow.yaml_types import Value
from td_mta.errors import ConfigError
from td_mta.warehouse.td_address import DEFAULT_SERVER, server_address
from td_mta.warehouse.td_patience import Patience

KEY, SERVER = "TD_API_KEY", "TD_API_SERVER"
# What py> does not inherit: as on Digdag, only a task's own _env brings it.
WITHHELD = frozenset({KEY, SERVER})
DEFAULT_HOST = urlsplit(DEFAULT_SERVER).netloc
NO_KEY = (
    "the secret td.apikey is missing: export TD_API_KEY with the account's master key, "
    "or give --secret td.apikey=..."
)


# Digdag polls so, and would repeat a request for many minutes without a word.
DIGDAG_PATIENCE = Patience(
    connect=3, answer=120, tries=8, pause=0.5, longest_pause=16, poll=1, longest_poll=30
)


class ApiAccess(NamedTuple):
    """An API's address without a slash at its end, what named it, and the key."""

    url: str
    named_by: str
    key: str

    def __repr__(self) -> str:
        return f"Connection({self.url})"


@dataclass(frozen=True, kw_only=True)
class Account:
    """What the command line (`secrets`) and the environment state about Treasure Data.

    `answered` are the servers that did so in this run: for these a pause is worth a longer wait.
    """

    secrets: Mapping[str, str] = field(repr=False)
    environment: Mapping[str, str] = field(repr=False)
    patience: Patience = DIGDAG_PATIENCE
    answered: set[str] = field(default_factory=set)

    @property
    def key(self) -> str:
        """The API key; empty where there is none."""
        return (self.secrets.get("td.apikey") or self.environment.get(KEY, "")).strip()

    def connection(self, settings: Mapping[str, Value]) -> ApiAccess:
        """Address and key for a task with these settings; raises `ConfigError`."""
        if not self.key:
            raise ConfigError(NO_KEY)
        return ApiAccess(*self.server(settings), self.key)

    def elsewhere(
        self, settings: Mapping[str, Value], environment: Mapping[str, str]
    ) -> str | None:
        """Why a process with this environment would not find the tables of td>, if so."""
        process_server = environment.get(SERVER)
        server, named_by = self.server(settings)
        if not process_server or urlsplit(process_server).netloc == urlsplit(server).netloc:
            return None
        return f"its {SERVER} is {process_server}, while td> goes to {server} ({named_by})"

    def for_templates(self) -> dict[str, str]:
        """The values of `${secret:...}`: those of the command line, and Treasure Data's own."""
        url, _ = self.server({})
        secrets = {"td.endpoint": urlsplit(url).netloc, "td.apiserver": f"{url}/", **self.secrets}
        return secrets | ({"td.apikey": self.key} if self.key else {})

    def server(self, settings: Mapping[str, Value]) -> tuple[str, str]:
        """The address for a task with these settings, and what named it; raises `ConfigError`."""
        use_ssl = self.secrets.get("td.use_ssl", settings.get("use_ssl", True))
        scheme = "https" if str(use_ssl).lower() == "true" else "http"
        hosts = {
            "the secret td.endpoint": self.secrets.get("td.endpoint"),
            "the parameter td.endpoint": settings.get("endpoint"),
        }
        for named_by, host in hosts.items():
            if host:
                return _address_of_host(str(host), scheme, named_by), named_by
        servers = {
            "the secret td.apiserver": self.secrets.get("td.apiserver"),
            SERVER: self.environment.get(SERVER),
        }
        for named_by, server in servers.items():
            if server:
                return server_address(server, named_by), named_by
        return f"{scheme}://{DEFAULT_HOST}", f"no {SERVER}, so the default"


def _address_of_host(host: str, scheme: str, named_by: str) -> str:
    if "/" in host:
        raise ConfigError(
            f"{named_by} must be a host, or host:port, without a scheme (td.use_ssl decides on "
            f"it), got {host}"
        )
    return server_address(f"{scheme}://{host}", named_by)
