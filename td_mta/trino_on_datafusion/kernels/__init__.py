"""Trino's functions as vectorised functions over Arrow arrays; NULL in, NULL out."""
