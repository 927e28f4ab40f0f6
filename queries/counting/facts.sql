-- A row is a figure of the table: its name, its place where there are several, and a number, an
-- amount, a name or a text.
-- The figures of td_mta/dataset/count_facts.py, which reads them. Of arrays zeros are left out.
-- Reads ${counts_table}_scan, ${counts_table}_readings, ${counts_table}_journeys,
-- ${counts_table}_returns and ${counts_table}_period. Makes ${counts_table}_facts.
with

-- Counts of rows as they are written, in one row.
scanned as (
    select
        sum(rows) as rows,
        sum(if(is_complete or is_before or is_after, 0, rows)) as dropped,
        sum(if(is_before, rows, 0)) as before,
        sum(if(is_after, rows, 0)) as after,
        sum(if(conversion = 1 and not is_refund, rows, 0)) as conversion_rows,
        sum(
            if(
                conversion = 1 and not is_refund and (channel is null or channel_is_word), rows, 0
            )
        ) as conversion_rows_without_channel,
        sum(if(is_refund, rows, 0)) as refunds,
        sum(refunded) as refunded,
        min(first_time) as first_time,
        max(last_time) as last_time,
        -- Two different values of the tie column are enough to know that they differ.
        if(min(first_tie) is null, 0, 1)
            + if(max(last_tie) <> min(first_tie), 1, 0)
            + if(sum(if(is_complete, rows, 0)) > sum(rows_with_tie), 1, 0) as ties,
        sum(if(is_complete and (not is_refund or '${refunds}' = 'subtract'), rows, 0)) as rows_read
    from ${counts_table}_scan
),

-- Rows that were read and neither count nor are told by another figure were equal to others.
equal_rows as (
    select rows_read - not_duplicates.rows as duplicates
    from scanned
    cross join (
        select sum(number) as rows
        from (
            select number
            from ${counts_table}_journeys
            where fact = 'rows_counted'
            union all
            select number
            from ${counts_table}_readings
            where fact in ('same_order', 'subtracted', 'unmatched', 'repeats', 'left_out_rows')
        ) as parts
    ) as not_duplicates
),

names as (
    select
        channel,
        if(
            '${channel_letter_case}' = 'join',
            lower(regexp_replace(translate(channel, '_-', '  '), ' +', ' '))
        ) as joined_name,
        sum(if(is_refund, 0, rows)) as rows
    from ${counts_table}_scan
    where channel is not null and not channel_is_word
    group by 1
),

-- Of the names that are joined the most frequent one counts.
spellings as (
    select
        channel,
        first_value(channel) over (
            partition by joined_name
            order by rows desc, channel
            rows between unbounded preceding and unbounded following
        ) as spelling
    from names
    where joined_name is not null
),

parameters (name, text) as (
    values
        ('table', '${table}'),
        ('user_column', '${user_column}'),
        ('time_column', '${time_column}'),
        ('action_column', '${action_column}'),
        ('conversion_column', '${conversion_column}'),
        ('value_column', '${value_column}'),
        ('user_rnd_column', '${user_rnd_column}'),
        ('user_rnd_seed', '${user_rnd_seed}'),
        ('order_id', '${order_id}'),
        ('conversion_id', '${conversion_id}'),
        ('conversion_flag', '${conversion_flag}'),
        ('tie_column', '${tie_column}'),
        ('null_words', '${[null_words].join('').replace(/'/g, '$&$&')}'),
        ('channel_letter_case', '${channel_letter_case}'),
        ('refunds', '${refunds}'),
        ('repeat_orders_within', '${repeat_orders_within}'),
        ('max_touches_per_user', '${max_touches_per_user}'),
        ('max_conversions_per_user', '${max_conversions_per_user}'),
        ('day_timezone', '${day_timezone}'),
        ('first_day', '${first_day}'),
        ('last_day', '${last_day}'),
        ('conversion_row_is_touch', '${conversion_row_is_touch}'),
        ('examples', '${examples}'),
        ('augment_last_day', '${augment_last_day}'),
        ('days_at_risk', '${days_at_risk}'),
        ('window_after_conversion', '${window_after_conversion}'),
        ('lookback_window_days', '${lookback_window_days}'),
        ('rules_window_days', '${rules_window_days}'),
        ('history_days', '${history_days}'),
        ('holdout', '${holdout}'),
        ('validation_fraction', '${validation_fraction}'),
        ('seed', '${seed}'),
        ('controls', '${controls}'),
        ('markov_order', '${markov_order}'),
        ('markov_nulls', '${markov_nulls}'),
        ('direct_channel', '${[direct_channel].join('').replace(/'/g, '$&$&')}'),
        ('position_first', '${position_first}'),
        ('position_last', '${position_last}'),
        ('time_decay_half_life_days', '${time_decay_half_life_days}')
),

numbers as (
    select
        fact,
        0 as position,
        case fact
            when 'rows' then rows
            when 'dropped' then dropped
            when 'before' then before
            when 'after' then after
            when 'conversion_rows' then conversion_rows
            when 'conversion_rows_without_channel' then conversion_rows_without_channel
            when 'refunds' then refunds
            when 'ties' then ties
            when 'first_time' then first_time
            when 'last_time' then last_time
        end as number,
        null as name
    from scanned
    cross join (
        values
            ('rows'),
            ('dropped'),
            ('before'),
            ('after'),
            ('conversion_rows'),
            ('conversion_rows_without_channel'),
            ('refunds'),
            ('ties'),
            ('first_time'),
            ('last_time')
    ) as facts (fact)
    union all
    select
        fact,
        0 as position,
        case fact
            when 'record_first_day' then record_first_day
            when 'first_day' then first_day
            when 'last_day' then last_day
            when 'held_out_day' then cast(held_out_day as bigint)
            when 'one_in' then one_in
        end as number,
        null as name
    from ${counts_table}_period
    cross join (
        values ('record_first_day'), ('first_day'), ('last_day'), ('held_out_day'), ('one_in')
    ) as facts (fact)
    where fact <> 'held_out_day' or held_out_day is not null
    union all
    select
        'channel_rows' as fact,
        row_number() over (order by channel) - 1 as position,
        rows as number,
        channel as name
    from names
    union all
    select
        'null_users' as fact,
        0 as position,
        sum(rows) as number,
        user_word as name
    from ${counts_table}_scan
    where user_word is not null
    group by 4
    union all
    select
        'null_channels' as fact,
        0 as position,
        sum(rows) as number,
        channel as name
    from ${counts_table}_scan
    where channel_is_word
    group by 4
    union all
    select
        'duplicates' as fact,
        0 as position,
        duplicates as number,
        null as name
    from equal_rows
    union all
    select
        fact,
        0 as position,
        number,
        null as name
    from ${counts_table}_readings
    union all
    select
        fact,
        position,
        number,
        name
    from ${counts_table}_journeys
    where fact <> 'rows_counted'
    union all
    select
        fact,
        position,
        number,
        null as name
    from ${counts_table}_returns
),

amounts as (
    select
        'refunded' as fact,
        refunded as amount
    from scanned
    union all
    select
        fact || '_value' as fact,
        amount
    from ${counts_table}_readings
    where fact in ('subtracted', 'unmatched')
),

texts as (
    select
        'spelling' as fact,
        channel as name,
        spelling as text
    from spellings
    where spelling <> channel
    union all
    select
        'parameter' as fact,
        name,
        text
    from parameters
)

select
    fact,
    cast(position as bigint) as position,
    cast(number as bigint) as number,
    cast(null as double) as amount,
    cast(name as varchar) as name,
    cast(null as varchar) as text
from numbers
union all
select
    fact,
    0 as position,
    null as number,
    amount,
    null as name,
    null as text
from amounts
union all
select
    fact,
    0 as position,
    null as number,
    null as amount,
    name,
    text
from texts
