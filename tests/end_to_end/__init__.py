"""The whole workflow on Treasure Data's protocols: against a local run, under faults, on Digdag."""
