-- A row is a window of ${counts_table}_anchors and the pattern that it shows: its cells as words of
-- 62 bits. Cell days_before * channels + channel is bit cell % 62 of word cell / 62.
-- Reads ${counts_table}_rows, ${counts_table}_period, ${counts_table}_anchors. Makes
-- ${counts_table}_windows (dropped at the end).
with

touches as (
    select
        rows_read.user_id,
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
                    to_big_endian_64(rows_read.user_hash),
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
        anchors.user_id,
        anchors.day,
        anchors.row_in_order,
        anchors.from_day,
        (anchors.day - shown.day) * shown.channels + shown.channel_position as cell,
        shown.channels
    from shown
    inner join ${counts_table}_anchors as anchors
        on shown.user_id = anchors.user_id and shown.anchor_day = anchors.day
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
        user_id,
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
        user_id,
        day,
        row_in_order,
        from_day,
        array_join(array_agg(text order by word), ',') as pattern,
        array_join(array_agg(earlier_text order by word), ',') as earlier_pattern
    from texts
    group by 1, 2, 3, 4
)

select
    anchors.user_id,
    anchors.row_in_order,
    coalesce(patterns.pattern, '') as pattern,
    coalesce(patterns.earlier_pattern, '') as earlier_pattern,
    anchors.label,
    anchors.user_group,
    anchors.calendar_day,
    anchors.user_activity,
    anchors.user_activity_past,
    anchors.since_conversion,
    anchors.value,
    anchors.has_converted
from ${counts_table}_anchors as anchors
left join patterns
    on anchors.user_id = patterns.user_id
    and anchors.day = patterns.day
    and anchors.row_in_order = patterns.row_in_order
    and anchors.from_day = patterns.from_day
