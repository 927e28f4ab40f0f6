-- A row is a unit, a pattern in a stratum, and the conversions that saw it. The twin of
-- td_mta/journeys/credited.py.
-- Reads ${counts_table}_windows. Makes ${counts_table}_credited.
with

-- Values are multiples of 2^-20, whose sums are the same in any order.
units as (
    select
        pattern,
        calendar_day,
        user_activity,
        user_activity_past,
        since_conversion,
        count(*) as conversions,
        sum(floor(coalesce(value, 0e0) * 1048576e0 + 0.5e0) / 1048576e0) as value,
        sum(has_converted) as "returning"
    from ${counts_table}_windows
    where row_in_order > 0
    group by 1, 2, 3, 4, 5
)

select
    row_number() over (
        order by
            pattern,
            calendar_day,
            user_activity,
            user_activity_past,
            since_conversion
    ) - 1 as unit,
    pattern,
    calendar_day,
    user_activity,
    user_activity_past,
    since_conversion,
    conversions,
    value,
    "returning"
from units
