-- A row is a conversion, with its user's conversions before and after it and the touches around it.
-- Reads ${counts_table}_rows. Makes ${counts_table}_purchases (dropped at the end).
with

in_order as (
    select
        user_key,
        time,
        day,
        conversion,
        row_in_order,
        touches_of_user,
        min(if(is_touch, day)) over (partition by user_key) as first_touch_day,
        max(if(is_touch, day)) over (
            partition by user_key
            order by row_in_order
            rows between unbounded preceding and current row
        ) as last_touch_day,
        min(if(is_touch, day)) over (
            partition by user_key
            order by row_in_order desc
            rows between unbounded preceding and 1 preceding
        ) as next_touch_day
    from ${counts_table}_rows
    where conversions_of_user > 0
)

select
    user_key,
    day,
    touches_of_user,
    first_touch_day,
    last_touch_day,
    next_touch_day,
    row_number() over (partition by user_key order by row_in_order) as number,
    time - lag(time) over (partition by user_key order by row_in_order) as seconds_since,
    day - lag(day) over (partition by user_key order by row_in_order) as days_since,
    lead(day) over (partition by user_key order by row_in_order) as next_day
from in_order
where conversion = 1
