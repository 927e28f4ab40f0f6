-- A row is a unit, which is a pattern with levels of the controls, and the conversions that saw it.
-- Reads ${counts_table}_windows. Makes ${counts_table}_units (dropped at the end).
with

-- Values are multiples of 2^-20, whose sums are the same in any order.
counted as (
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
    row_number() over (order by pattern, mod(levels, 10000), levels) - 1 as unit,
    pattern,
    levels,
    conversions,
    value,
    "returning"
from counted
