"""The classic world: touches add up their channels' rates, and the last one converts or not.

A user has Poisson(λ) touches, each of a channel drawn by relative frequency. At the last one the
user converts with the sum of the touches' conversion rates as the probability, 1 at most; the
order's value is normal around what the last touch's channel sells for. Nothing converts without a
touch.

The probability is additive, v(S) = sum of the rates in S, so below 1 a touch's Shapley credit is
its rate over the sum of rates. Above 1 the same share is given, which is then a convention.
"""
