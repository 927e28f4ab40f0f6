"""Media mix from a table to tables and a report: `fitting.py` answers, `run.py` writes."""
