"""A file for each page: its widgets, and the view that they set. Logic is in `data/`."""
