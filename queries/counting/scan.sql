-- A row is a kind of row of the table, by what is missing, the channel as it is written and whether
-- it converts: so many rows, the value of refunds, and their times.
-- The twin of the counts of td_mta/ingest/scan.py.
-- Reads ${table}. Makes ${counts_table}_scan (dropped at the end).
with

-- The column "none" stands in where a parameter names no column.
with_none as (
    select
        *,
        cast(null as varchar) as "none"
    from ${table}
),

typed as (
    select
        nullif(trim(cast("${user_column}" as varchar)), '') as user_id,
        cast("${time_column}" as bigint) as time,
        nullif(trim(cast("${action_column}" as varchar)), '') as channel,
        trim(cast("${action_column}" as varchar)) <> cast("${action_column}" as varchar) as is_trimmed,
        cast("${conversion_column}" as bigint) as conversion,
        cast("${value_column}" as double) as value,
        cast("${tie_column}" as varchar) as tie
    from with_none
),

null_words as (
    select
        if(
            '${[null_words].join('').replace(/'/g, '$&$&')}' = 'none',
            ',',
            ',' || regexp_replace(lower('${[null_words].join('').replace(/'/g, '$&$&')}'), ' *, *', ',') || ','
        ) as words
),

-- Words for a missing value, rows without a user or a time, and rows before the first or after the
-- last day that counts.
checked as (
    select
        if(strpos(words, ',' || lower(user_id) || ',') > 0, user_id) as user_word,
        user_id is not null
            and time is not null
            and strpos(words, ',' || lower(user_id) || ',') = 0 as is_there,
        coalesce(
            '${first_day}' <> 'none' and td_time_string(time, 'd!', '${day_timezone}') < '${first_day}',
            false
        ) as is_before,
        coalesce(
            '${last_day}' <> 'none' and td_time_string(time, 'd!', '${day_timezone}') > '${last_day}',
            false
        ) as is_after,
        time,
        channel,
        coalesce(strpos(words, ',' || lower(channel) || ',') > 0, false) as channel_is_word,
        coalesce(is_trimmed, false) as channel_is_trimmed,
        if(conversion = 1, 1, 0) as conversion,
        coalesce(conversion = 1 and value < 0e0, false) as is_refund,
        value,
        tie
    from typed
    cross join null_words
),

complete as (
    select
        *,
        is_there and not is_before and not is_after as is_complete
    from checked
)

select
    user_word,
    is_complete,
    is_there and is_before as is_before,
    is_there and is_after as is_after,
    if(is_complete, channel) as channel,
    is_complete and channel_is_word as channel_is_word,
    is_complete and channel_is_trimmed as channel_is_trimmed,
    if(is_complete, cast(conversion as bigint), 0) as conversion,
    is_complete and is_refund as is_refund,
    count(*) as rows,
    sum(if(is_complete and is_refund, -value, 0e0)) as refunded,
    min(if(is_complete, time)) as first_time,
    max(if(is_complete, time)) as last_time,
    min(if(is_complete, tie)) as first_tie,
    max(if(is_complete, tie)) as last_tie,
    count(if(is_complete, tie)) as rows_with_tie
from complete
group by 1, 2, 3, 4, 5, 6, 7, 8, 9
