-- One row: how many rows ${table} has, from which count_in: auto decides where they are counted.
select count(*) as rows
from ${table}
