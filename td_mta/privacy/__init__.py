"""Differential privacy of sums over users: bounds, noise, and a ledger of what was released.

`bounding.py` limits what a user can change, `noise.py` hides it, `ledger.py` keeps count of what
was spent of a data set. The unit is a user: all of a user's rows, not one of them.
"""
