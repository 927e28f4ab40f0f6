"""The two API keys that the emulator knows: others in every process that serves.

They open nothing but the emulator.
"""

import hmac
import secrets

API_KEY = f"1/{secrets.token_hex(20)}"  # of the form that td-client-java takes for a key
READ_ONLY_KEY = f"2/{secrets.token_hex(20)}"


def may(key: str) -> str | None:
    """What a key allows: `write`, `read`, or None for an unknown key.

    td-client-java 0.9 sends the bare key where td-client of Python puts `TD1 ` before it.
    """
    given = key.removeprefix("TD1 ").strip().encode()
    # Both are compared, each in the same time whatever is equal.
    writes = hmac.compare_digest(given, API_KEY.encode())
    reads = hmac.compare_digest(given, READ_ONLY_KEY.encode())
    return "write" if writes else "read" if reads else None
