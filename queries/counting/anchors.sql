-- A row is a window of a user: it ends on an anchor day and begins on from_day, and shows touches of
-- one path, or of any where path is null, up to a row, or up to a cut where row_in_order is 0. Those
-- of conversions are credited; those with a label are examples. The twin of `person_days` and
-- `touch_days` in td_mta/journeys/examples.py, of td_mta/journeys/controls.py and of `credits_of` in
-- td_mta/journeys/credited.py.
-- Reads ${counts_table}_rows, ${counts_table}_period, ${counts_table}_times_of_day. Makes
-- ${counts_table}_anchors (dropped at the end).
with

touched_days as (
    select
        user_id,
        day,
        min(row_in_order) as row_in_order,
        min(second) as second,
        count(*) as touches,
        min(user_hash) as user_hash,
        min(touches_of_user) as touches_of_user,
        min(conversions_of_user) as conversions_of_user
    from ${counts_table}_rows
    where is_touch
    group by 1, 2
),

numbered as (
    select
        *,
        row_number() over (partition by user_id order by day) as number
    from touched_days
),

-- The touch with which a user's days at risk begin.
entries as (
    select
        user_id,
        user_hash,
        touches_of_user,
        day as entry_day,
        second as entry_second,
        row_in_order as entry_row
    from numbered
    where number = ${days_at_risk == 'returning' ? '2' : '1'}
),

-- Days with a conversion, and those before and after them.
converting_days as (
    select
        *,
        lag(day) over (partition by user_id order by day) as since_day,
        lead(day) over (partition by user_id order by day) as until_day
    from (
        select
            user_id,
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
        conversion.user_id,
        conversion.user_hash,
        conversion.touches_of_user,
        conversion.day,
        conversion.row_in_order,
        conversion.path,
        converting_days.since_day,
        conversion.value,
        '${examples}' = 'touch_days'
            or conversion.row_in_order = converting_days.first_row
                and coalesce(entries.entry_row <= conversion.row_in_order, false) as is_example
    from ${counts_table}_rows as conversion
    cross join ${counts_table}_period as period
    inner join converting_days
        on conversion.user_id = converting_days.user_id and conversion.day = converting_days.day
    left join entries on conversion.user_id = entries.user_id
    where conversion.conversion = 1 and conversion.day >= period.first_day
),

-- Stretches of days without a conversion: up to a user's first one, and after each.
stretches as (
    select
        entries.user_id,
        cast(0 as bigint) as path,
        cast(null as bigint) as since_day,
        min(converting_days.day) as until_day
    from entries
    left join converting_days on entries.user_id = converting_days.user_id
    group by 1
    union all
    select
        user_id,
        last_path + 1 as path,
        day as since_day,
        until_day
    from converting_days
),

at_risk as (
    select
        entries.user_id,
        entries.user_hash,
        entries.touches_of_user,
        entries.entry_day,
        entries.entry_second,
        stretches.path,
        stretches.since_day,
        period.one_in,
        greatest(
            entries.entry_day,
            period.first_day,
            coalesce(stretches.since_day + 1, period.first_day)
        ) as first_day,
        least(period.last_day, coalesce(stretches.until_day - 1, period.last_day)) as last_day,
        mod(
            bitwise_and(
                from_big_endian_64(xxhash64(concat(
                    to_big_endian_64(entries.user_hash),
                    to_big_endian_64(6262535349803285907)
                ))),
                9007199254740991
            ),
            period.one_in
        ) as phase
    from stretches
    inner join entries on stretches.user_id = entries.user_id
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
                        to_big_endian_64(user_hash),
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
        max(day) over (partition by user_id) as last_day
    from touched_days
    where '${examples}' = 'touch_days' and conversions_of_user = 0
),

in_lookback as (
    select
        *,
        min(if(day > last_day - ${lookback_window_days}, day))
            over (partition by user_id) as lookback_opens
    from of_nobody_converting
),

windows as (
    select
        user_id,
        user_hash,
        touches_of_user,
        day,
        row_in_order,
        day - ${lookback_window_days} + 1 as from_day,
        ${window_after_conversion == 'keep' ? examples == 'person_days' ? 'cast(null as bigint)' : 'path' : 'path'} as path,
        cast(null as bigint) as cut,
        since_day,
        if(is_example, 1) as label,
        value,
        if(path > 0, 1, 0) as has_converted
    from conversions
    union all
    select
        user_id,
        user_hash,
        touches_of_user,
        day,
        0 as row_in_order,
        day - ${lookback_window_days} + 1 as from_day,
        ${window_after_conversion == 'keep' ? 'cast(null as bigint)' : 'path'} as path,
        cut,
        since_day,
        0 as label,
        null as value,
        0 as has_converted
    from cut_days
    where entry_day < day or entry_second <= cut
    union all
    select
        user_id,
        user_hash,
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
        user_id,
        user_hash,
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
),

controls as (
    select ',' || regexp_replace(if('${examples}' = 'person_days', '${controls}', 'none'), ' ', '') || ',' as names
),

-- What a user did before the window opens: touches up to the day before it.
timeline as (
    select
        user_id,
        day,
        0 as is_window,
        day as touched_day,
        touches,
        cast(null as bigint) as anchor_day,
        cast(null as bigint) as row_in_order,
        cast(null as bigint) as from_day
    from touched_days
    cross join controls
    where strpos(names, ',user_activity_past,') > 0
    union all
    select
        user_id,
        day - ${lookback_window_days} as day,
        1 as is_window,
        null as touched_day,
        0 as touches,
        day as anchor_day,
        row_in_order,
        from_day
    from windows
    cross join controls
    where strpos(names, ',user_activity_past,') > 0
),

past as (
    select
        *,
        sum(touches) over (
            partition by user_id
            order by day, is_window, anchor_day, row_in_order
            rows between unbounded preceding and current row
        ) as touches_so_far,
        min(touched_day) over (
            partition by user_id
            order by day, is_window, anchor_day, row_in_order
            rows between unbounded preceding and current row
        ) as first_touched_day
    from timeline
),

rates as (
    select
        user_id,
        anchor_day,
        row_in_order,
        from_day,
        cast(touches_so_far as double) / (day + 1 - first_touched_day) as rate
    from past
    where is_window = 1 and touches_so_far > 0
)

select
    windows.user_id,
    windows.day,
    windows.row_in_order,
    windows.from_day,
    windows.path,
    windows.cut,
    windows.label,
    windows.value,
    windows.has_converted,
    -- One of 40 groups of users, and beyond them one of those held out.
    cast(floor(
        40e0 * cast(
            bitwise_and(
                from_big_endian_64(xxhash64(concat(
                    to_big_endian_64(windows.user_hash),
                    to_big_endian_64(916811996198702551)
                ))),
                9007199254740991
            ) as double
        ) / 9007199254740992e0
    ) as bigint) + 40 * case
        when '${holdout}' = 'forward'
            then if(windows.day >= period.held_out_day, 1, 0)
        when cast(
            bitwise_and(
                from_big_endian_64(xxhash64(concat(
                    to_big_endian_64(windows.user_hash),
                    to_big_endian_64(cast(${seed} + 1 as bigint))
                ))),
                9007199254740991
            ) as double
        ) / 9007199254740992e0 < cast(${validation_fraction} as double)
            then 1
        else 0
    end as user_group,
    if(strpos(names, ',calendar_day,') > 0, windows.day - period.first_day, 0) as calendar_day,
    if(
        strpos(names, ',user_activity,') > 0,
        least(touches_of_user, 16) + width_bucket(
            cast(touches_of_user as double),
            array[
                20e0, 23e0, 27e0, 32e0, 39e0, 46e0, 54e0, 64e0,
                77e0, 91e0, 108e0, 128e0, 153e0, 182e0, 216e0, 256e0,
                305e0, 363e0, 431e0, 512e0, 609e0, 725e0, 862e0, 1024e0,
                1218e0, 1449e0, 1723e0, 2048e0, 2436e0, 2897e0, 3445e0, 4096e0
            ]
        ),
        0
    ) as user_activity,
    if(
        rates.rate is not null,
        1 + width_bucket(
            rates.rate,
            array[
                0.03125e0, 0.04419417382415922e0, 0.0625e0, 0.08838834764831845e0,
                0.125e0, 0.1767766952966369e0, 0.25e0, 0.3535533905932738e0,
                0.5e0, 0.7071067811865476e0, 1e0, 1.4142135623730951e0,
                2e0, 2.8284271247461903e0, 4e0, 5.656854249492381e0,
                8e0, 11.313708498984761e0, 16e0, 22.627416997969522e0,
                32e0, 45.254833995939045e0
            ]
        ),
        0
    ) as user_activity_past,
    if(
        since_day is not null and strpos(names, ',since_conversion,') > 0,
        least(windows.day - since_day, 41) + width_bucket(
            cast(windows.day - since_day as double),
            array[57e0, 80e0, 114e0, 160e0, 227e0, 320e0, 453e0, 640e0, 906e0]
        ),
        0
    ) as since_conversion
from windows
cross join ${counts_table}_period as period
cross join controls
left join rates
    on windows.user_id = rates.user_id
    and windows.day = rates.anchor_day
    and windows.row_in_order = rates.row_in_order
    and windows.from_day = rates.from_day
