"""Media mix: what each channel's spend brought, from spend and sales by period; numpy and scipy.

A period's sales are a sum: an intercept and controls, and per channel its carried-over spend
(adstock) through a curve that levels off (saturation). `transforms.py` holds both, `media.py` the
data, `controls.py` trend and seasons as columns. `model.py` is the model with its priors
and derivatives, `fit.py` its best parameters, `draws.py` what else fits as well, `effects.py` what
follows: contribution, ROI, marginal ROI and curves, all by taking spend away or adding some.
`experiments.py` joins experiments, `budget.py` splits money, `what_to_test.py` says where another
experiment would teach most; `checks/` judges a fit.
"""
