"""What a run says of experiments: facts for run_info, warnings on conflicts, notes on others."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from td_mta.ingest.beside.experiments import RecordExperiments, describe
from td_mta.ingest.beside.tables import date


class Compared(NamedTuple):
    """An experiment beside the model's credit of the conversions on its days."""

    channel: int
    first_day: int  # since 1970
    last_day: int
    incremental: float  # conversions that it found on the credited ones of its days
    error: float  # the standard error of that
    before: float  # what the model credits the channel with on these days
    after: float  # the same, corrected by all experiments
    z: float  # experiment minus model, in standard errors of that difference
    conflict: bool


def facts(
    compared: Sequence[Compared], unknown: float, channels: Sequence[str]
) -> Mapping[str, object]:
    """The section `experiments` of run_info: names like `1 z`, for each in the table's order."""
    if not compared:
        return {}
    by_name: dict[str, object] = {}
    for number, of in enumerate(compared, start=1):
        values = of._asdict() | {
            "channel": channels[of.channel],
            "first_day": str(date(of.first_day)),
            "last_day": str(date(of.last_day)),
        }
        by_name |= {f"{number} {name}": value for name, value in values.items()}
    return by_name | {"unknown_relative_error": unknown}


def warnings(compared: Sequence[Compared], unknown: float, channels: Sequence[str]) -> list[str]:
    """A sentence for each experiment in conflict with the model, then what follows from it."""
    sentences = [
        f"{_found(of, channels)}. That is {abs(of.z):.1f} standard errors apart, so one of them is "
        "wrong, most likely the model, which does not see who was about to buy anyway. Corrected "
        f"by the experiments it is {of.after:,.1f}; the table of models has the credit without "
        "them too."
        for of in compared
        if of.conflict
    ]
    if sentences:
        sentences.append(
            "After such a conflict every other channel's credit may be off as well, by about "
            f"{unknown:.0%} of it, so its full interval is that wide. An experiment on it would "
            "narrow it."
        )
    return sentences


def notes(
    experiments: RecordExperiments, compared: Sequence[Compared], channels: Sequence[str]
) -> list[str]:
    """Which columns were read, joined channels, and the experiments that agree with the model."""
    sentences = [f"Experiments of table {experiments.table}: {describe(experiments.columns)}."]
    if experiments.joined:
        pairs = ", ".join(f"{name} to {channel}" for name, channel in experiments.joined.items())
        sentences.append(
            "Experiments were joined to the channels whose names differ by letter case, blanks, - "
            f"or _ alone: {pairs}."
        )
    return sentences + [
        f"{_found(of, channels)}. They agree ({abs(of.z):.1f} standard errors apart), and together "
        f"give {of.after:,.1f}."
        for of in compared
        if not of.conflict
    ]


def _found(of: Compared, channels: Sequence[str]) -> str:
    return (
        f"The experiment on {channels[of.channel]} from {date(of.first_day)} to "
        f"{date(of.last_day)} gives it {of.incremental:,.1f} of the credited conversions of these "
        f"days (standard error {of.error:,.1f}), the model {of.before:,.1f}"
    )
