"""The two API keys that the emulator knows. They open nothing but the emulator."""

API_KEY = "1/" + "5ca1ab1e" * 5  # of the form that td-client-java takes for a key
READ_ONLY_KEY = "2/" + "ba5eba11" * 5


def may(key: str) -> str | None:
    """What a key allows: `write`, `read`, or None for an unknown key.

    td-client-java 0.9 sends the bare key where td-client of Python puts `TD1 ` before it.
    """
    return {API_KEY: "write", READ_ONLY_KEY: "read"}.get(key.removeprefix("TD1 ").strip())
