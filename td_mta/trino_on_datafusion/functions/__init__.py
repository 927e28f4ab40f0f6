"""The allow-list: which functions of Trino run here, in which forms, and how a call is matched."""
