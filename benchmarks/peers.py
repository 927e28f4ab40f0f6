r"""`PYTHON benchmarks/peers.py PATHS.csv`: other packages' credit of the same paths, as JSON.

It runs in an environment of its own, made with Python 3.11, and needs nothing of ours:

    python3.11 -m venv peers
    peers/bin/pip install channelattribution matplotlib marketing-attribution-models mta \
        do-attribution

Columns of the file: path ("Email > Social"), conversions, value, nulls; one row a path. The last
line printed holds `credits`, conversions by model and channel, and `told`, a line a package.
"""

import contextlib
import importlib
import importlib.metadata
import io
import json
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd

Credit = dict[str, float]
CELLS = 5_000_000  # touches of paths written out one by one, where a package takes no counts


def channel_attribution(paths: pd.DataFrame) -> Iterator[tuple[str, Credit]]:
    package: Any = importlib.import_module("ChannelAttribution")
    some = paths[paths["conversions"] > 0]
    rules = package.heuristic_models(some, "path", "conversions", sep=">")
    for name in ("first_touch", "last_touch", "linear_touch"):
        yield name, dict(zip(rules["channel_name"], rules[name], strict=True))
    for order in (1, 2):
        found = package.markov_model(
            paths, "path", "conversions", var_null="nulls", sep=">", order=order, seed=18
        )
        found = found["result"] if isinstance(found, dict) else found
        yield f"markov order {order}", dict(zip(found.iloc[:, 0], found.iloc[:, 1], strict=True))


def marketing_attribution_models(paths: pd.DataFrame) -> Iterator[tuple[str, Credit]]:
    package: Any = importlib.import_module("mam")
    journeys = _one_by_one(paths)
    journeys["user"] = np.arange(len(journeys)).astype(str)
    journeys["time"] = [
        " > ".join(map(str, range(path.count(">") + 1, 0, -1))) for path in journeys["path"]
    ]
    model = package.MAM(
        journeys,
        "format_2",
        channels_colname="path",
        journey_with_conv_colname="converts",
        user_id_colname="user",
        time_till_conv_colname="time",
    )
    for name in ("linear", "position_based", "time_decay", "markov", "shapley"):
        found = getattr(model, f"run_{name}")().to_pandas()
        yield name, dict(zip(found.iloc[:, 0], found.iloc[:, 1], strict=True))


def mta(paths: pd.DataFrame) -> Iterator[tuple[str, Credit]]:
    package: Any = importlib.import_module("mta")
    data = paths.rename(columns={"conversions": "total_conversions", "nulls": "total_null"})
    model = package.MTA(data, sep=" > ", allow_loops=True, add_timepoints=True)
    total = paths["conversions"].sum()
    for name in ("linear", "position_based", "time_decay", "markov", "shao", "shapley"):
        getattr(model, name)(normalize=True)
        yield name, {key: share * total for key, share in model.attribution[name].items()}


def do_attribution(paths: pd.DataFrame) -> Iterator[tuple[str, Credit]]:
    package: Any = importlib.import_module("do_attribution")
    journeys = _one_by_one(paths)
    total = paths["conversions"].sum()
    models = {"markov": package.MarkovAttribution(order=1), "shapley": package.ShapleyAttribution()}
    for name, model in models.items():
        found = model.fit(journeys["path"].tolist(), journeys["converts"].astype(int).tolist())
        shares = found["attribution"] or {}
        yield name, {key: share * total for key, share in shares.items()}


PEERS: dict[str, Callable[[pd.DataFrame], Iterator[tuple[str, Credit]]]] = {
    "channelattribution": channel_attribution,
    "marketing-attribution-models": marketing_attribution_models,
    "mta": mta,
    "do-attribution": do_attribution,
}


def main() -> None:
    paths = pd.read_csv(sys.argv[1])
    credits: dict[str, Credit] = {}
    told = []
    for package, models in PEERS.items():
        try:
            version = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            told.append(f"{package}: not installed, left out")
            continue
        try:
            with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                for name, credit in models(paths.copy()):
                    if credit and np.isfinite(list(credit.values())).all():
                        credits[f"{package}: {name}"] = {c: float(x) for c, x in credit.items()}
                    else:
                        told.append(f"{package} {version}: {name} gives no shares here")
            told.append(f"{package} {version}")
        except Exception as error:  # another's code: whatever it raises is told, not ours to mend
            told.append(f"{package} {version}: {type(error).__name__}: {str(error)[:200]}")
    print(json.dumps({"credits": credits, "told": told}))


def _one_by_one(paths: pd.DataFrame) -> pd.DataFrame:
    """A row a journey: `path` and whether it `converts`; of too many, every n-th."""
    parts = [
        pd.DataFrame(
            {"path": np.repeat(paths["path"], paths[column].astype(int)), "converts": flag}
        )
        for column, flag in (("conversions", True), ("nulls", False))
    ]
    rows = pd.concat(parts, ignore_index=True)
    return rows[:: -(-len(rows) // CELLS)].reset_index(drop=True)


if __name__ == "__main__":
    main()
