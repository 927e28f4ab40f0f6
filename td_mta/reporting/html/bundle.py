"""The drawing library inside of every report: plotly.js with bars and lines alone, a quarter of it.

`python -m td_mta.reporting.html.bundle` fetches it with npm, checks that it is the one whose digest
stands here, and puts it beside this file; the version is that of the Python package's own copy.
"""

import base64
import hashlib
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from td_mta import failures
from td_mta.atomic_files import replacing
from td_mta.errors import MtaError
from td_mta.reporting.html.page import BUNDLE

PACKAGE, VERSION = "plotly.js-basic-dist-min", "4.1.1"
INTEGRITY = (
    "sha512-1oNF8PeQx2hv/y7tqEVWKD3JGwn/MGEMQ8mL9HUwsaqG"
    "9FGy/OU5FHUHvzqbqxN4mnwZGI9abTiE775C4kkjMQ=="
)
LICENCE = "plotly-licence.txt"
DIGEST = "99784e3abfb07b142a15e521a439e6d9addceadb3f79553fd24c72774f0649ba"  # SHA-256 of the file
MEMBERS = {"package/plotly-basic.min.js": BUNDLE, "package/LICENSE": LICENCE}


def main() -> int:
    """Fetch the library, or say why not; returns the exit code."""
    return failures.exit_code(fetch)


def fetch() -> None:
    """Put the library beside this file; raises `MtaError` where it is another one."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", "--silent", f"{PACKAGE}@{VERSION}", "--pack-destination", folder]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise MtaError(f"npm could not fetch {PACKAGE} {VERSION}: {error}") from error
        (archive,) = Path(folder).glob("*.tgz")
        digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        if f"sha512-{digest}" != INTEGRITY:
            raise MtaError(f"{PACKAGE} {VERSION} is not the one that is known: sha512-{digest}")
        with tarfile.open(archive) as files:
            for member, name in MEMBERS.items():
                content = files.extractfile(member)
                assert content is not None
                with replacing(Path(__file__).with_name(name)) as path:
                    path.write_bytes(content.read())


if __name__ == "__main__":
    sys.exit(main())
