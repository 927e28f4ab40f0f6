-- A row is a row of the table as it is read: words for a missing value are none, refunds are told
-- apart, channels have one spelling. The steps are those of shapley_rules.sql up to its `read`.
-- Reads ${table}. Makes ${counts_table}_read (dropped at the end).
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
        cast("${user_rnd_column}" as double) as rnd,
        cast("${time_column}" as bigint) as time,
        nullif(trim(cast("${action_column}" as varchar)), '') as channel,
        if(cast("${conversion_column}" as bigint) = 1, 1, 0) as conversion,
        cast("${value_column}" as double) as value,
        nullif(trim(cast("${order_id}" as varchar)), '') as order_id,
        nullif(trim(cast("${conversion_id}" as varchar)), '') as journey_id,
        try_cast(cast("${tie_column}" as varchar) as double) as tie_number,
        cast("${tie_column}" as varchar) as tie_text
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

-- A conversion of negative value is a refund: neither a conversion nor a touch.
named as (
    select
        user_id,
        rnd,
        time,
        if(channel_is_word or conversion = 1 and value < 0e0, null, channel) as channel,
        if(value < 0e0, 0, conversion) as conversion,
        if(value < 0e0, null, value) as value,
        if(order_is_word or order_id = '-1', null, order_id) as order_id,
        if(journey_is_word or journey_id = '-1', null, journey_id) as journey_id,
        tie_number,
        tie_text,
        if(conversion = 1 and value < 0e0, -value) as refund
    from (
        select
            *,
            strpos(words, ',' || lower(user_id) || ',') > 0 as user_is_word,
            strpos(words, ',' || lower(channel) || ',') > 0 as channel_is_word,
            strpos(words, ',' || lower(order_id) || ',') > 0 as order_is_word,
            strpos(words, ',' || lower(journey_id) || ',') > 0 as journey_is_word
        from typed
        cross join null_words
    ) as words
    where
        user_id is not null
        and time is not null
        and not user_is_word
        and ('${first_day}' = 'none' or td_time_string(time, 'd!', '${day_timezone}') >= '${first_day}')
        and ('${last_day}' = 'none' or td_time_string(time, 'd!', '${day_timezone}') <= '${last_day}')
),

joined as (
    select
        *,
        if(
            '${channel_letter_case}' = 'join',
            lower(regexp_replace(translate(channel, '_-', '  '), ' +', ' '))
        ) as joined_name
    from named
),

-- Of the names that are joined the most frequent one counts.
spellings as (
    select
        joined_name,
        channel,
        row_number() over (partition by joined_name order by count(*) desc, channel) as place
    from joined
    where '${channel_letter_case}' = 'join' and joined_name is not null
    group by 1, 2
)

-- Ids as numbers, by which rows are in the same order as in Python.
select
    joined.user_id,
    joined.rnd,
    joined.time,
    coalesce(spellings.channel, joined.channel) as channel,
    joined.conversion,
    joined.value,
    from_big_endian_64(xxhash64(to_utf8(joined.order_id))) as order_key,
    from_big_endian_64(xxhash64(to_utf8(joined.journey_id))) as journey_key,
    joined.tie_number,
    joined.tie_text,
    joined.refund
from joined
left join spellings on joined.joined_name = spellings.joined_name and spellings.place = 1
