-- A row is a channel that touches anyone, and its place among their names.
-- Reads ${counts_table}_read. Makes ${counts_table}_channels (dropped at the end).
with

touching as (
    select channel
    from ${counts_table}_read
    where
        channel is not null
        and (
            ${conversion_row_is_touch}
            or '${conversion_flag}' = 'journey'
            or conversion = 0
        )
    group by 1
)

select
    row_number() over (order by channel) - 1 as position,
    channel
from touching
order by position
