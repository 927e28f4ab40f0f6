"""Every error that td_mta raises.

MtaError                    exit code 1: something failed during the run
├── WarehouseError          a table could not be read or written
└── WrongInput              exit code 2: the user can correct it; nothing was written
    ├── ConfigError         a parameter: names the file, the key, what was wanted, what came
    ├── DataError           a table: names the table, the column, what was wanted, what came
    └── Refused             a construct without a proven local meaning: names it, its file and line
"""


class MtaError(Exception):
    """An error with a message for the user."""

    exit_code = 1


class WarehouseError(MtaError):
    """A table could not be read or written, through no fault of its content."""


class WrongInput(MtaError):  # noqa: N818
    """Wrong input or configuration, found before any work is lost."""

    exit_code = 2


class ConfigError(WrongInput):
    """A parameter is unknown, of the wrong type or out of range."""


class DataError(WrongInput):
    """A table misses what the run needs, or holds a value that cannot be used."""


class Refused(WrongInput):
    """A workflow or SQL construct that is not known to mean the same here as on the real engine."""
