-- A row is a user with days at risk: the touch with which they begin.
-- Reads ${counts_table}_rows. Makes ${counts_table}_users (dropped at the end).
with

-- Of each user the first day, or where the second one is wanted every day.
touched_days as (
    select
        user_key,
        ${days_at_risk == 'returning' ? 'day' : 'min(day)'} as day,
        min(row_in_order) as row_in_order,
        min_by(second, row_in_order) as second,
        min(touches_of_user) as touches_of_user
    from ${counts_table}_rows
    where is_touch
    group by 1${days_at_risk == 'returning' ? ', 2' : ''}
),

numbered as (
    select
        *,
        row_number() over (partition by user_key order by day) as number
    from touched_days
)

select
    user_key,
    touches_of_user,
    day as entry_day,
    second as entry_second,
    row_in_order as entry_row
from numbered
where number = ${days_at_risk == 'returning' ? '2' : '1'}
