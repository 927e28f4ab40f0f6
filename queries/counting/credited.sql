-- A row is a unit, a pattern in a stratum, and the conversions that saw it. The twin of
-- td_mta/journeys/credited.py.
-- Reads ${counts_table}_windows. Makes ${counts_table}_credited.
with

-- Values are multiples of 2^-20, whose sums are the same in any order.
units as (
    select
        pattern,
        levels,
        count(*) as conversions,
        sum(floor(coalesce(value, 0e0) * 1048576e0 + 0.5e0) / 1048576e0) as value,
        sum(has_converted) as "returning"
    from ${counts_table}_windows
    where row_in_order > 0
    group by 1, 2
)

select
    row_number() over (order by pattern, levels) - 1 as unit,
    pattern,
    levels,
    conversions,
    value,
    "returning"
from units
