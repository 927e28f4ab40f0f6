"""The whole workflow on Treasure Data's protocols: beside a local run, under faults, on Digdag."""
