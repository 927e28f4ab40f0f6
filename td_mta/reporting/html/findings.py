"""First section: how far to trust the model, warnings, and that the credits add up."""

import math

from td_mta.reporting.html.elements import bullets, folded, number
from td_mta.reporting.run_tables import RunTables, model_name

SIMPLER = ("logistic", "base_rate")  # models that ours should be better than
NOISE = 2.0  # standard errors that chance alone may give, where the run does not say
ROUNDING = 1e-6  # of the conversions: what sums of floats may be off


def findings(run: RunTables) -> str:
    """The verdict on the model, warnings, notes, and the result in one line."""
    return "\n".join([verdict(run), _warnings(run), _notes(run), _conservation(run)])


def verdict(run: RunTables) -> str:
    """Whether the credits rest on a model that predicts better than simpler ones.

    Empty where nothing was held out, or only users with one outcome, of whom any low rate is right.
    """
    used = run.section("model").get("network", "")
    loss = run.number("holdout", f"{used}_log_loss")
    advantages = _advantages(run, used, loss)
    if not advantages or not _has_both_outcomes(run):
        return ""
    start = f"On held-out examples the model (log loss {loss:.5f}) predicts"
    noise = run.number("comparison", "errors_beyond_noise")
    noise = NOISE if math.isnan(noise) else noise
    if math.isinf(noise):
        return (
            f'<p class="verdict">Held-out conversions are too few to tell whether the model '
            f"(log loss {loss:.5f}) predicts better than {' and '.join(advantages)}.</p>"
        )
    better = [model for model, errors in advantages.items() if errors > noise]
    equal = [model for model, errors in advantages.items() if abs(errors) <= noise]
    worse = [model for model, errors in advantages.items() if errors < -noise]
    if worse:
        return (
            f'<p class="verdict broken">{start} worse than {" and ".join(worse)}. '
            "Do not rely on the credits below until this is resolved.</p>"
        )
    parts = [f"better than {' and '.join(better)}"] if better else []
    if equal:
        parts.append(f"as well as {' and '.join(equal)} within {noise:.1f} standard errors")
    return f'<p class="verdict">{start} {", and ".join(parts)}.</p>'


def _has_both_outcomes(run: RunTables) -> bool:
    """Whether some held-out examples convert and some do not: else they have no AUC."""
    measured = "base_rate_auc" in run.section("holdout")
    return not measured or math.isfinite(run.number("holdout", "base_rate_auc"))


def _advantages(run: RunTables, used: str, loss: float) -> dict[str, float]:
    """By simpler model, named with its log loss, how much lower ours is in standard errors."""
    advantages = {}
    for model in SIMPLER:
        if model == used:
            continue
        baseline_loss = run.number("holdout", f"{model}_log_loss")
        difference = baseline_loss - loss
        if math.isfinite(difference):
            error = run.number("comparison", f"{used}_minus_{model}_error")
            advantages[f"{model_name(model)} ({baseline_loss:.5f})"] = _in_errors(difference, error)
    return advantages


def _in_errors(difference: float, error: float) -> float:
    """A difference in standard errors; without an error any difference counts."""
    if math.isfinite(error) and error > 0:
        return difference / error
    return math.copysign(math.inf, difference) if difference else 0.0


def _warnings(run: RunTables) -> str:
    warnings = run.sentences("warnings")
    look = "warnings" if warnings else "no-warnings"
    content = bullets(warnings) if warnings else "<p>None.</p>"
    return f'<div class="{look}"><h2>Warnings</h2>\n{content}</div>'


def _notes(run: RunTables) -> str:
    notes = run.sentences("notes")
    if not notes:
        return ""
    return folded(f"Notes on the input and the run ({len(notes)})", bullets(notes))


def _conservation(run: RunTables) -> str:
    """Baseline and channels as a sum, and whether it is the observed conversions."""
    baseline, channels, conversions = run.conservation
    credited = baseline + channels
    tolerance = ROUNDING * max(abs(conversions), 1.0)
    adds_up = abs(credited - conversions) <= tolerance
    off_integer = [abs(amount - round(amount)) for amount in (baseline, channels)]
    decimals = 0 if max(off_integer) < ROUNDING else 2
    sum_decimals = 0 if adds_up else decimals
    equation = (
        f"baseline {number(baseline, decimals)} + channels {number(channels, decimals)} = "
        f"{number(credited, sum_decimals)} conversions"
    )
    if adds_up:
        return f'<p class="balance">{equation}</p>'
    return (
        f'<p class="balance broken">{equation}, but {number(conversions)} were observed: '
        "the credits do not add up.</p>"
    )
