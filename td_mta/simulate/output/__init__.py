"""Simulated worlds as a warehouse would hold them: page views, form fills, costs, and their truth.

`shop.py` and `media.py` make the columns, `facts.py` the content of `truth.json`; `files.py` and
`folders.py` write.
"""
