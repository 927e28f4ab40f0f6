-- A row is a window of ${counts_table}_anchors, the pattern that it shows and the levels of the
-- controls in one number: the calendar day, then two digits each of user_activity,
-- user_activity_past and since_conversion. A pattern is its cells as words of 62 bits: cell
-- days_before * channels + channel is bit cell % 62 of word cell / 62. The twin of
-- td_mta/journeys/controls.py and of `see` in td_mta/journeys/examples.py.
-- Reads ${counts_table}_rows, ${counts_table}_period, ${counts_table}_anchors. Makes
-- ${counts_table}_windows (dropped at the end).
with

touches as (
    select
        rows_read.user_key,
        rows_read.day,
        rows_read.second,
        rows_read.row_in_order,
        rows_read.path,
        rows_read.channel_position,
        period.channels,
        rows_read.day + ${lookback_window_days} - 1 as last_day,
        -- Of users who never convert only the drawn days are anchors.
        if(rows_read.conversions_of_user = 0, period.one_in, 1) as step,
        mod(
            bitwise_and(
                from_big_endian_64(xxhash64(concat(
                    to_big_endian_64(rows_read.user_key / 1024),
                    to_big_endian_64(6262535349803285907)
                ))),
                9007199254740991
            ),
            period.one_in
        ) as phase
    from ${counts_table}_rows as rows_read
    cross join ${counts_table}_period as period
    where rows_read.is_touch
),

drawn_from as (
    select
        *,
        day + mod(step - mod(day + phase, step), step) as first_drawn
    from touches
),

-- Each touch on the days whose window may show it.
shown as (
    select
        touch.*,
        anchor_day
    from (
        select *
        from drawn_from
        where first_drawn <= last_day
    ) as touch
    cross join unnest(sequence(first_drawn, last_day, step)) as days (anchor_day)
),

cells as (
    select
        anchors.user_key,
        anchors.day,
        anchors.row_in_order,
        anchors.from_day,
        (anchors.day - shown.day) * shown.channels + shown.channel_position as cell,
        shown.channels
    from shown
    inner join ${counts_table}_anchors as anchors
        on shown.user_key = anchors.user_key and shown.anchor_day = anchors.day
    where
        shown.day >= anchors.from_day
        and (anchors.path is null or shown.path = anchors.path)
        and case
            when anchors.row_in_order > 0 then shown.row_in_order <= anchors.row_in_order
            else shown.day < anchors.day or shown.second <= anchors.cut
        end
),

-- With the cells of the days before the anchor day alone beside them.
words as (
    select
        user_key,
        day,
        row_in_order,
        from_day,
        word,
        bitwise_or_agg(bit) as bits,
        bitwise_or_agg(if(is_earlier, bit, 0)) as earlier_bits
    from (
        select
            *,
            cell / 62 as word,
            bitwise_left_shift(cast(1 as bigint), cast(mod(cell, 62) as integer)) as bit,
            cell >= channels as is_earlier
        from cells
    ) as bits
    group by 1, 2, 3, 4, 5
),

texts as (
    select
        *,
        cast(word as varchar) || ':' || cast(bits as varchar) as text,
        if(
            earlier_bits <> 0,
            cast(word as varchar) || ':' || cast(earlier_bits as varchar)
        ) as earlier_text
    from words
),

patterns as (
    select
        user_key,
        day,
        row_in_order,
        from_day,
        array_join(array_agg(text order by word), ',') as pattern,
        array_join(array_agg(earlier_text order by word), ',') as earlier_pattern
    from texts
    group by 1, 2, 3, 4
),

controls as (
    select ',${examples == 'touch_days' ? 'none' : controls.replace(/ /g, '')},' as names
),

-- What a user did before the window opens: touches up to the day before it. Without this control
-- the condition is a constant, by which Trino leaves the step out.
timeline as (
    select
        user_key,
        day,
        0 as is_window,
        day as touched_day,
        count(*) as touches,
        cast(null as bigint) as anchor_day,
        cast(null as bigint) as row_in_order,
        cast(null as bigint) as from_day
    from ${counts_table}_rows
    where
        is_touch
        and strpos(',${examples == 'touch_days' ? 'none' : controls.replace(/ /g, '')},', ',user_activity_past,') > 0
    group by 1, 2
    union all
    select
        user_key,
        day - ${lookback_window_days} as day,
        1 as is_window,
        null as touched_day,
        0 as touches,
        day as anchor_day,
        row_in_order,
        from_day
    from ${counts_table}_anchors
    where strpos(',${examples == 'touch_days' ? 'none' : controls.replace(/ /g, '')},', ',user_activity_past,') > 0
),

past as (
    select
        *,
        sum(touches) over (
            partition by user_key
            order by day, is_window, anchor_day, row_in_order
            rows between unbounded preceding and current row
        ) as touches_so_far,
        min(touched_day) over (
            partition by user_key
            order by day, is_window, anchor_day, row_in_order
            rows between unbounded preceding and current row
        ) as first_touched_day
    from timeline
),

rates as (
    select
        user_key,
        anchor_day,
        row_in_order,
        from_day,
        cast(touches_so_far as double) / (day + 1 - first_touched_day) as rate
    from past
    where is_window = 1 and touches_so_far > 0
)

select
    anchors.user_key,
    anchors.row_in_order,
    coalesce(patterns.pattern, '') as pattern,
    coalesce(patterns.earlier_pattern, '') as earlier_pattern,
    anchors.label,
    anchors.value,
    anchors.has_converted,
    -- One of 40 groups of users, and beyond them one of those held out.
    cast(floor(
        40e0 * cast(
            bitwise_and(
                from_big_endian_64(xxhash64(concat(
                    to_big_endian_64(anchors.user_key / 1024),
                    to_big_endian_64(916811996198702551)
                ))),
                9007199254740991
            ) as double
        ) / 9007199254740992e0
    ) as bigint) + 40 * case
        when '${holdout}' = 'forward'
            then if(anchors.day >= period.held_out_day, 1, 0)
        when cast(
            bitwise_and(
                from_big_endian_64(xxhash64(concat(
                    to_big_endian_64(anchors.user_key / 1024),
                    to_big_endian_64(cast(${seed} + 1 as bigint))
                ))),
                9007199254740991
            ) as double
        ) / 9007199254740992e0 < cast(${validation_fraction} as double)
            then 1
        else 0
    end as user_group,
    1000000 * if(strpos(names, ',calendar_day,') > 0, anchors.day - period.first_day, 0)
    + 10000 * if(
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
    )
    + 100 * if(
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
    )
    + if(
        since_day is not null and strpos(names, ',since_conversion,') > 0,
        least(anchors.day - since_day, 41) + width_bucket(
            cast(anchors.day - since_day as double),
            array[57e0, 80e0, 114e0, 160e0, 227e0, 320e0, 453e0, 640e0, 906e0]
        ),
        0
    ) as levels
from ${counts_table}_anchors as anchors
cross join ${counts_table}_period as period
cross join controls
left join rates
    on anchors.user_key = rates.user_key
    and anchors.day = rates.anchor_day
    and anchors.row_in_order = rates.row_in_order
    and anchors.from_day = rates.from_day
left join patterns
    on anchors.user_key = patterns.user_key
    and anchors.day = patterns.day
    and anchors.row_in_order = patterns.row_in_order
    and anchors.from_day = patterns.from_day
