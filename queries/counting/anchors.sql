-- A row is a window of a user: it ends on an anchor day and begins on from_day, and shows touches of
-- one path, or of any where path is null, up to a row, or up to a cut where row_in_order is 0. Those
-- of conversions are credited; those with a label are examples. The twin of `person_days` and
-- `touch_days` in td_mta/journeys/examples.py and of `credits_of` in td_mta/journeys/credited.py.
-- Reads ${counts_table}_rows, ${counts_table}_period, ${counts_table}_users,
-- ${counts_table}_times_of_day. Makes ${counts_table}_anchors (dropped at the end).
with

-- Days with a conversion, and those before and after them.
converting_days as (
    select
        *,
        lag(day) over (partition by user_key order by day) as since_day,
        lead(day) over (partition by user_key order by day) as until_day
    from (
        select
            user_key,
            day,
            min(row_in_order) as first_row,
            max(path) as last_path
        from ${counts_table}_rows
        where conversion = 1
        group by 1, 2
    ) as days
),

-- Conversions of the period, which are credited. The first one of a day makes it an example.
conversions as (
    select
        conversion.user_key,
        conversion.touches_of_user,
        conversion.day,
        conversion.row_in_order,
        conversion.path,
        converting_days.since_day,
        conversion.value,
        '${examples}' = 'touch_days'
            or conversion.row_in_order = converting_days.first_row
                and coalesce(users.entry_row <= conversion.row_in_order, false) as is_example
    from ${counts_table}_rows as conversion
    cross join ${counts_table}_period as period
    inner join converting_days
        on conversion.user_key = converting_days.user_key and conversion.day = converting_days.day
    left join ${counts_table}_users as users on conversion.user_key = users.user_key
    where conversion.conversion = 1 and conversion.day >= period.first_day
),

-- Stretches of days without a conversion: up to a user's first one, and after each.
stretches as (
    select
        users.user_key,
        cast(0 as bigint) as path,
        cast(null as bigint) as since_day,
        min(converting_days.day) as until_day
    from ${counts_table}_users as users
    left join converting_days on users.user_key = converting_days.user_key
    group by 1
    union all
    select
        user_key,
        last_path + 1 as path,
        day as since_day,
        until_day
    from converting_days
),

at_risk as (
    select
        users.user_key,
        users.touches_of_user,
        users.entry_day,
        users.entry_second,
        stretches.path,
        stretches.since_day,
        period.one_in,
        greatest(
            users.entry_day,
            period.first_day,
            coalesce(stretches.since_day + 1, period.first_day)
        ) as first_day,
        least(period.last_day, coalesce(stretches.until_day - 1, period.last_day)) as last_day,
        mod(
            bitwise_and(
                from_big_endian_64(xxhash64(concat(
                    to_big_endian_64(users.user_key / 1024),
                    to_big_endian_64(6262535349803285907)
                ))),
                9007199254740991
            ),
            period.one_in
        ) as phase
    from stretches
    inner join ${counts_table}_users as users on stretches.user_key = users.user_key
    cross join ${counts_table}_period as period
    where '${examples}' = 'person_days'
),

drawn_from as (
    select
        *,
        first_day + mod(one_in - mod(first_day + phase, one_in), one_in) as first_drawn
    from at_risk
),

-- One day in so many: in blocks, since a sequence has at most 10,000 entries.
drawn as (
    select
        stretch.*,
        day
    from (
        select *
        from drawn_from
        where first_drawn <= last_day
    ) as stretch
    cross join unnest(sequence(first_drawn, last_day, 5000 * one_in)) as blocks (block)
    cross join unnest(
        sequence(block, least(last_day, block + 4999 * one_in), one_in)
    ) as days (day)
),

moments as (
    select count(*) as moments
    from ${counts_table}_times_of_day
),

-- Were days without a conversion seen to their end, they would show more than those with one.
placed as (
    select
        drawn.*,
        cast(floor(
            cast(
                bitwise_and(
                    from_big_endian_64(xxhash64(concat(
                        to_big_endian_64(user_key / 1024),
                        to_big_endian_64(day)
                    ))),
                    9007199254740991
                ) as double
            ) / 9007199254740992e0 * moments
        ) as bigint) as place
    from drawn
    cross join moments
),

cut_days as (
    select
        placed.*,
        coalesce(times_of_day.second, 86400) as cut
    from placed
    left join ${counts_table}_times_of_day as times_of_day on placed.place = times_of_day.place
),

-- touch_days: users who never convert, to each active day and from each active day to the last one.
of_nobody_converting as (
    select
        *,
        max(day) over (partition by user_key) as last_day
    from (
        select
            user_key,
            touches_of_user,
            day
        from ${counts_table}_rows
        where '${examples}' = 'touch_days' and is_touch and conversions_of_user = 0
        group by 1, 2, 3
    ) as touched_days
),

in_lookback as (
    select
        *,
        min(if(day > last_day - ${lookback_window_days}, day))
            over (partition by user_key) as lookback_opens
    from of_nobody_converting
)

select
    user_key,
    touches_of_user,
    day,
    row_in_order,
    day - ${lookback_window_days} + 1 as from_day,
    if('${window_after_conversion}' = 'cut' or '${examples}' = 'touch_days', path) as path,
    cast(null as bigint) as cut,
    since_day,
    if(is_example, 1) as label,
    value,
    if(path > 0, 1, 0) as has_converted
from conversions
union all
select
    user_key,
    touches_of_user,
    day,
    0 as row_in_order,
    day - ${lookback_window_days} + 1 as from_day,
    if('${window_after_conversion}' = 'cut', path) as path,
    cut,
    since_day,
    0 as label,
    null as value,
    0 as has_converted
from cut_days
where entry_day < day or entry_second <= cut
union all
select
    user_key,
    touches_of_user,
    day,
    0 as row_in_order,
    day - ${lookback_window_days} + 1 as from_day,
    null as path,
    86400 as cut,
    null as since_day,
    0 as label,
    null as value,
    0 as has_converted
from of_nobody_converting
union all
select
    user_key,
    touches_of_user,
    last_day as day,
    0 as row_in_order,
    day as from_day,
    null as path,
    86400 as cut,
    null as since_day,
    0 as label,
    null as value,
    0 as has_converted
from in_lookback
where day > lookback_opens
