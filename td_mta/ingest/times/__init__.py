"""Times as people write them: what each value means, and what the column says together.

numbers.py  what a number counts, by its size: seconds, microseconds, days of Excel, 20240304
texts.py    what a text says, by rules that the SQL has too
clocks.py   what the clock of a time zone shows, and back
reader.py   a column of them, which decides whether day or month comes first
"""
