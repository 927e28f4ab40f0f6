"""Cells as people write them: what a value means, and what the values of its column say together.

plain_columns.py   columns in the types that reading knows, whatever a Parquet file gave them
control_columns.py what describes users or days, as levels
flags.py           whether a row converts: 0 and 1, yes and no, names of events
money.py           the meanings of one amount: $1,234.50 or 1.234,50 €
amounts.py         a column of them, which decides about its decimal mark
spellings.py       names of channels that are one but for letter case and blanks
"""
