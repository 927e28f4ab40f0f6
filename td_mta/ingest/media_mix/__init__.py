"""Spend and sales by period from a table as people have it.

`media_names.py` knows what columns are called, `columns.py` finds which one is what, `cells.py` and
`dates.py` turn columns into arrays, `periods.py` finds days, weeks or months, `by_period.py` sums
rows by them and finds holes. `tables.py` reads wide and long tables into one form, `experiments.py`
the experiments; `refusals.py` says what cannot be fitted.
"""
