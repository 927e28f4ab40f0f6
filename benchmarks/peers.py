r"""`PYTHON benchmarks/peers.py PATHS.csv`: other packages' credit of the same paths, as JSON.

`benchmarks.truth --peers PYTHON` calls it. It runs in an environment of its own, made with
Python 3.11, and imports nothing of this project:

    python3.11 -m venv peers
    peers/bin/pip install channelattribution matplotlib marketing-attribution-models mta \
        do-attribution

Columns of the file: path ("Email > Social"), conversions, value, nulls; one row per path. The last
line printed holds `credits`, conversions by model and channel, and `notes`, a line per package.
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

Credit = dict[str, float]  # conversions by channel
Models = Callable[[pd.DataFrame], Iterator[tuple[str, Credit]]]
MAX_JOURNEYS = 5_000_000  # written out one by one where a package takes no counts


def channel_attribution(paths: pd.DataFrame) -> Iterator[tuple[str, Credit]]:
    """Models of the package channelattribution."""
    package: Any = importlib.import_module("ChannelAttribution")
    converting = paths[paths["conversions"] > 0]
    rules = package.heuristic_models(converting, "path", "conversions", sep=">")
    for name in ("first_touch", "last_touch", "linear_touch"):
        yield name, dict(zip(rules["channel_name"], rules[name], strict=True))
    for order in (1, 2):
        answer = package.markov_model(
            paths, "path", "conversions", var_null="nulls", sep=">", order=order, seed=18
        )
        # some versions wrap the frame in a dict
        yield (
            f"markov order {order}",
            _credit(answer["result"] if isinstance(answer, dict) else answer),
        )


def marketing_attribution_models(paths: pd.DataFrame) -> Iterator[tuple[str, Credit]]:
    """Models of the package marketing-attribution-models."""
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
        yield name, _credit(getattr(model, f"run_{name}")().to_pandas())


def mta(paths: pd.DataFrame) -> Iterator[tuple[str, Credit]]:
    """Models of the package mta."""
    package: Any = importlib.import_module("mta")
    data = paths.rename(columns={"conversions": "total_conversions", "nulls": "total_null"})
    model = package.MTA(data, sep=" > ", allow_loops=True, add_timepoints=True)
    total = paths["conversions"].sum()
    for name in ("linear", "position_based", "time_decay", "markov", "shao", "shapley"):
        getattr(model, name)(normalize=True)
        yield name, {key: share * total for key, share in model.attribution[name].items()}


def do_attribution(paths: pd.DataFrame) -> Iterator[tuple[str, Credit]]:
    """Models of the package do-attribution."""
    package: Any = importlib.import_module("do_attribution")
    journeys = _one_by_one(paths)
    total = paths["conversions"].sum()
    models = {"markov": package.MarkovAttribution(order=1), "shapley": package.ShapleyAttribution()}
    for name, model in models.items():
        converts = journeys["converts"].astype(int).tolist()
        shares = model.fit(journeys["path"].tolist(), converts)["attribution"] or {}
        yield name, {key: share * total for key, share in shares.items()}


PEERS: dict[str, Models] = {
    "channelattribution": channel_attribution,
    "marketing-attribution-models": marketing_attribution_models,
    "mta": mta,
    "do-attribution": do_attribution,
}


def main() -> None:
    """Print the credits of all packages that are installed."""
    paths = pd.read_csv(sys.argv[1])
    credits: dict[str, Credit] = {}
    notes: list[str] = []
    for package, models in PEERS.items():
        try:
            version = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            notes.append(f"{package}: not installed, left out")
            continue
        name = f"{package} {version}"
        try:
            with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                for model, credit in models(paths.copy()):
                    if credit and np.isfinite(list(credit.values())).all():
                        credits[f"{package}: {model}"] = {c: float(x) for c, x in credit.items()}
                    else:
                        notes.append(f"{name}: {model} gives no shares here")
            notes.append(name)
        except Exception as error:  # foreign code may raise anything: a note, not a failure
            notes.append(f"{name}: {type(error).__name__}: {str(error)[:200]}")
    print(json.dumps({"credits": credits, "notes": notes}))


def _credit(table: pd.DataFrame) -> Credit:
    """Credit by channel from a table whose first columns are channel and credit."""
    return dict(zip(table.iloc[:, 0], table.iloc[:, 1], strict=True))


def _one_by_one(paths: pd.DataFrame) -> pd.DataFrame:
    """A row per journey, `path` and whether it `converts`; of too many journeys, every n-th."""
    parts = [
        pd.DataFrame(
            {"path": np.repeat(paths["path"], paths[column].astype(int)), "converts": flag}
        )
        for column, flag in (("conversions", True), ("nulls", False))
    ]
    rows = pd.concat(parts, ignore_index=True)
    step = -(-len(rows) // MAX_JOURNEYS)  # rounded up
    return rows[::step].reset_index(drop=True)


if __name__ == "__main__":
    main()
