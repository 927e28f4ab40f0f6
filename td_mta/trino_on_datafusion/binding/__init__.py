"""From names to columns: a parsed Trino query becomes DataFusion text whose parts have types."""
