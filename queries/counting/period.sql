-- One row: the time that the table covers, and which of its days count for what. The twin of
-- td_mta/dataset/period.py and of `day_rules` in td_mta/dataset/build.py.
-- Reads ${counts_table}_read, ${counts_table}_rows, ${counts_table}_channels. Makes
-- ${counts_table}_period (dropped at the end).
with

of_table as (
    select
        min(time) as first_time,
        max(time) as last_time,
        sum(conversion) as conversions,
        sum(if(channel is null, conversion, 0)) as conversions_without_channel
    from ${counts_table}_read
),

-- Users as they are read. Where rows.sql leaves out nobody, its rows tell them faster: of constant
-- conditions one is false, by which a warehouse leaves that step out.
of_users as (
    select count(*) as users
    from (
        select user_key
        from ${counts_table}_rows
        where
            row_in_order = 1
            and '${refunds}' = 'leave_out'
            and '${max_touches_per_user}' = 'none'
            and '${max_conversions_per_user}' = 'none'
        union all
        select cast(null as bigint) as user_key
        from ${counts_table}_read
        where
            (refund is null or '${refunds}' = 'subtract')
            and not (
                '${refunds}' = 'leave_out'
                and '${max_touches_per_user}' = 'none'
                and '${max_conversions_per_user}' = 'none'
            )
        group by user_id
    ) as users
),

by_day as (
    select
        *,
        cast(floor(
            to_unixtime(cast(from_unixtime(first_time, '${day_timezone}') as timestamp)) / 86400e0
        ) as bigint) as record_first_day,
        cast(floor(
            to_unixtime(cast(from_unixtime(last_time, '${day_timezone}') as timestamp)) / 86400e0
        ) as bigint) as last_day,
        (last_time - first_time) / 86400 + 1 as days_of_24_hours
    from of_table
    cross join of_users
),

-- A record begins in the middle where its first window has at least half as many rows a day as the
-- three after it.
opening as (
    select
        sum(if(age < ${lookback_window_days}, 1, 0)) as first_rows,
        sum(if(age between ${lookback_window_days} and 4 * ${lookback_window_days} - 1, 1, 0)) as later_rows
    from (
        select (rows_read.time - of_table.first_time) / 86400 as age
        from ${counts_table}_read as rows_read
        cross join of_table
        where rows_read.refund is null or '${refunds}' = 'subtract'
    ) as ages
),

credited as (
    select
        by_day.*,
        record_first_day + case
            when '${examples}' = 'touch_days' then 0
            when '${history_days}' <> 'none' then ${history_days == 'none' ? '0' : history_days}
            when users >= 10000
                and days_of_24_hours >= 2 * ${lookback_window_days}
                and 2 * first_rows * least(
                    3 * ${lookback_window_days},
                    days_of_24_hours - ${lookback_window_days}
                ) >= later_rows * ${lookback_window_days}
                then ${lookback_window_days} - 1
            else 0
        end as first_day
    from by_day
    cross join opening
),

channels as (
    select count(*) as channels
    from ${counts_table}_channels
)

select
    first_time,
    last_time,
    record_first_day,
    first_day,
    last_day,
    if(
        '${holdout}' = 'forward',
        last_day + 1 - least(
            greatest(
                1,
                cast(
                    floor((last_day - first_day + 1) * cast(${validation_fraction} as double) + 0.5e0)
                    as bigint
                )
            ),
            last_day - first_day
        )
    ) as held_out_day,
    users,
    conversions,
    -- Every conversion is a visit by some channel, so nobody converts without a touch.
    (${conversion_row_is_touch} or '${conversion_flag}' = 'journey')
        and conversions_without_channel = 0 as are_visits,
    -- Of the days without a conversion one in so many is drawn: of all users 4 million.
    if(
        '${examples}' = 'touch_days',
        1,
        greatest(1, cast(ceil(users * (last_day - first_day + 1) / 4000000e0) as bigint))
    ) as one_in,
    channels,
    cast(${lookback_window_days} as bigint) as days
from credited
cross join channels
