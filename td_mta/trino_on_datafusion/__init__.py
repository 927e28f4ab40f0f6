"""Trino's SQL on local files: translated to Apache DataFusion, or refused by name.

parse -> query (relations, sources, scopes, set_operations) -> expressions (values, conditions,
aggregates, windows) -> calls (catalog, catalog_times, specials; functions/) -> engine runs it.
What no table of these modules has is refused before the query runs.
"""
