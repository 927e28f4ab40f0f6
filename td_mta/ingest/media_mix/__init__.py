"""Spend and sales by period from a table as people have it.

`columns.py` finds which column is what, `cells.py` turns columns into arrays, `periods.py` finds
days, weeks or months and the holes between them. `tables.py` reads wide and long tables into one
form, `experiments.py` the experiments; `refusals.py` says what cannot be fitted.
"""
