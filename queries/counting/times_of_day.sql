-- A row is a second of the day that cuts of days without a conversion are drawn from, and its place
-- among them: of conversions without a touch in their window or on their day, or of all where those
-- are fewer than 200. Where conversions are many, of a sample of the users. The twin of
-- `_times_of_day` in td_mta/dataset/build.py.
-- Reads ${counts_table}_rows, ${counts_table}_period. Makes ${counts_table}_times_of_day (dropped at
-- the end).
with

sampled as (
    select
        rows_read.user_key,
        rows_read.day,
        rows_read.second,
        rows_read.conversion,
        rows_read.is_touch,
        rows_read.path
    from ${counts_table}_rows as rows_read
    cross join ${counts_table}_period as period
    where
        '${examples}' = 'person_days'
        and not period.are_visits
        and rows_read.conversions_of_user > 0
        and rows_read.rnd < 200000e0 / period.conversions
),

touched as (
    select
        *,
        max(if(is_touch, day)) over (partition by user_key, path) as last_touched_day,
        max(if(is_touch, 1, 0)) over (partition by user_key, day) as day_is_touched
    from sampled
),

moments as (
    select
        second,
        day_is_touched = 1
            or coalesce(last_touched_day > day - ${lookback_window_days}, false) as is_touched
    from touched
    where conversion = 1
),

found as (
    select count_if(not is_touched) as untouched
    from moments
),

chosen as (
    select moments.second
    from moments
    cross join found
    where found.untouched < 200 or not moments.is_touched
)

select
    row_number() over (order by second) - 1 as place,
    second
from chosen
