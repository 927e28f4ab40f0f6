-- A row is a rule and a channel: the conversions and the value that the rule credits to it.
-- The twin of td_mta/baselines/rules.py: conversions without a touch are `(baseline)`, those of days
-- that are only looked back on count nowhere.
-- Reads ${table}. Makes ${shapley_table}_rules.
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
        cast("${conversion_column}" as bigint) as conversion,
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

-- Users, channels and ids that are words for a missing value are none.
named as (
    select
        user_id,
        time,
        if(channel_is_word, null, channel) as channel,
        case
            when channel_is_word then null
            when '${channel_letter_case}' = 'join'
                then lower(regexp_replace(translate(channel, '_-', '  '), ' +', ' '))
            else channel
        end as joined_name,
        conversion,
        value,
        if(order_is_word or order_id = '-1', null, order_id) as order_id,
        if(journey_is_word or journey_id = '-1', null, journey_id) as journey_id,
        tie_number,
        tie_text
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

-- Of the names that are joined the most frequent one counts.
spellings as (
    select
        joined_name,
        channel,
        row_number() over (partition by joined_name order by count(*) desc, channel) as place
    from named
    where joined_name is not null
    group by 1, 2
),

-- A conversion of negative value is a refund: neither a conversion nor a touch.
read as (
    select
        named.user_id,
        named.time,
        case when conversion = 1 and value < 0e0 then null else spellings.channel end as channel,
        case when conversion = 1 and value < 0e0 then 0 else conversion end as conversion,
        named.value,
        named.order_id,
        named.journey_id,
        named.tie_number,
        named.tie_text,
        case when conversion = 1 and value < 0e0 then -value end as refund
    from named
    left join spellings on named.joined_name = spellings.joined_name and spellings.place = 1
),

-- Rows equal in every column but the tie count once.
numbered_once as (
    select
        *,
        row_number() over (
            partition by user_id, time, conversion, channel, value, order_id, journey_id, refund
            order by tie_number nulls last, tie_text nulls last
        ) as repeat
    from read
    where refund is null or '${refunds}' = 'subtract'
),

ordered as (
    select
        *,
        row_number() over (
            partition by user_id
            order by
                time,
                tie_number nulls last,
                tie_text nulls last,
                conversion,
                channel nulls first,
                value nulls last,
                order_id nulls first,
                journey_id nulls first
        ) as row_in_order
    from numbered_once
    where repeat = 1
),

-- Where the flag stands on every touch of a journey, the last one converts, with its first value.
journey_ends as (
    select
        *,
        max(row_in_order) over (partition by user_id, conversion, journey_id) as last_row,
        min(case when value is not null then row_in_order end)
            over (partition by user_id, conversion, journey_id) as valued_row
    from ordered
),

of_journeys as (
    select
        user_id,
        time,
        channel,
        order_id,
        refund,
        row_in_order,
        if('${conversion_flag}' = 'row' or row_in_order = last_row, conversion, 0) as conversion,
        case
            when '${conversion_flag}' = 'row' then value
            else max(if(row_in_order = valued_row, value))
                over (partition by user_id, conversion, journey_id)
        end as value
    from journey_ends
),

-- Of the rows of an order the first one converts, with the first value.
order_ends as (
    select
        *,
        min(row_in_order) over (partition by user_id, conversion, order_id) as first_row,
        min(case when value is not null then row_in_order end)
            over (partition by user_id, conversion, order_id) as valued_row
    from of_journeys
),

of_orders as (
    select
        user_id,
        time,
        channel,
        order_id,
        refund,
        row_in_order,
        conversion,
        conversion = 1 and order_id is not null and row_in_order <> first_row as is_further_row,
        case
            when order_id is null then value
            else max(if(row_in_order = valued_row, value))
                over (partition by user_id, conversion, order_id)
        end as value
    from order_ends
),

converting as (
    select
        user_id,
        time,
        channel,
        order_id,
        refund,
        row_in_order,
        conversion,
        value
    from of_orders
    where not is_further_row
),

-- A refund is taken from the conversion of its order, else from the latest one up to its time.
with_targets as (
    select
        *,
        coalesce(
            case
                when order_id is not null
                    then max(case when conversion = 1 then row_in_order end)
                        over (partition by user_id, order_id)
            end,
            max(case when conversion = 1 then row_in_order end)
                over (partition by user_id order by time)
        ) as refunded_row
    from converting
),

-- Its value is taken off there. Refunds themselves are neither touches nor conversions.
refunded as (
    select
        *,
        sum(refund) over (
            partition by user_id, if(refund is null, row_in_order, refunded_row)
        ) as taken_off
    from with_targets
),

counted as (
    select
        user_id,
        time,
        channel,
        conversion,
        row_in_order,
        coalesce(value, 0e0) - coalesce(taken_off, 0e0) as value,
        channel is not null
            and (
                ${conversion_row_is_touch}
                or '${conversion_flag}' = 'journey'
                or conversion = 0
            ) as is_touch
    from refunded
    where refund is null
),

-- A conversion so soon after the user's previous one is a repeat, and part of the first of them.
follow_ups as (
    select
        *,
        coalesce(
            conversion = 1 and time - lag(time) over (
                partition by user_id, conversion
                order by row_in_order
            ) <= cast(regexp_extract('${repeat_orders_within}', '^[0-9]+') as bigint)
                * case regexp_extract('${repeat_orders_within}', '[smhd]$')
                    when 's' then 1
                    when 'h' then 3600
                    when 'd' then 86400
                    else 60
                end,
            false
        ) as is_repeat
    from counted
),

purchases as (
    select
        *,
        sum(if(is_repeat, 0, 1)) over (
            partition by user_id, conversion
            order by row_in_order
            rows between unbounded preceding and current row
        ) as purchase
    from follow_ups
),

summed as (
    select
        *,
        sum(value) over (partition by user_id, conversion, purchase) as purchase_value
    from purchases
),

once as (
    select
        user_id,
        time,
        channel,
        conversion,
        row_in_order,
        if(conversion = 1, purchase_value, value) as value,
        is_touch
    from summed
    where not is_repeat
),

-- Users beyond a limit are left out whole.
of_users as (
    select
        *,
        sum(if(is_touch, 1, 0)) over (partition by user_id) as touches_of_user,
        sum(conversion) over (partition by user_id) as conversions_of_user
    from once
),

-- A path ends with a conversion: `path` counts the user's conversions before the row.
in_order as (
    select
        user_id,
        time,
        date_diff(
            'day',
            date '1970-01-01',
            cast(td_time_string(time, 'd!', '${day_timezone}') as date)
        ) as day,
        channel,
        conversion,
        value,
        is_touch,
        row_in_order,
        coalesce(
            sum(conversion) over (
                partition by user_id
                order by row_in_order
                rows between unbounded preceding and 1 preceding
            ),
            0
        ) as path
    from of_users
    where
        touches_of_user
            <= ${max_touches_per_user == 'none' ? 'touches_of_user' : max_touches_per_user}
        and conversions_of_user
            <= ${max_conversions_per_user == 'none' ? 'conversions_of_user' : max_conversions_per_user}
),

-- The days that are only looked back on, as td_mta/dataset/period.py has them: where a record of many
-- users begins with at least half as many rows a day as in the three windows after the first, a
-- window less a day.
record as (
    select
        min(time) as first_time,
        (max(time) - min(time)) / 86400 + 1 as days,
        count(distinct user_id) as users
    from named
),

opening as (
    select
        sum(if(age < ${lookback_window_days}, 1, 0)) as first_rows,
        sum(if(age between ${lookback_window_days} and 4 * ${lookback_window_days} - 1, 1, 0)) as later_rows
    from (
        select (named.time - record.first_time) / 86400 as age
        from named
        cross join record
        where '${refunds}' = 'subtract' or conversion = 0 or value is null or value >= 0e0
    ) as ages
),

credited_from as (
    select
        date_diff(
            'day',
            date '1970-01-01',
            cast(td_time_string(record.first_time, 'd!', '${day_timezone}') as date)
        ) + case
            when '${examples}' = 'touch_days' then 0
            when '${history_days}' <> 'none' then ${history_days == 'none' ? '0' : history_days}
            when record.users >= 10000
                and record.days >= 2 * ${lookback_window_days}
                and 2 * opening.first_rows * least(
                    3 * ${lookback_window_days},
                    record.days - ${lookback_window_days}
                ) >= opening.later_rows * ${lookback_window_days}
                then ${lookback_window_days} - 1
            else 0
        end as first_day
    from record
    cross join opening
),

-- Of each row the conversion that ends its path, where there is one.
with_ends as (
    select
        *,
        max(if(conversion = 1, time)) over (partition by user_id, path) as end_time,
        max(if(conversion = 1, day)) over (partition by user_id, path) as end_day,
        max(if(conversion = 1, value)) over (partition by user_id, path) as end_value
    from in_order
),

-- Touches within reach of a conversion of the credited days.
reached as (
    select
        with_ends.*,
        is_touch and day > end_day - ${rules_window_days} as is_reached
    from with_ends
    cross join credited_from
    where end_day >= first_day
),

touches as (
    select
        user_id,
        path,
        row_in_order,
        channel,
        end_value as value,
        end_time - time as age
    from reached
    where is_reached
),

numbered as (
    select
        user_id,
        path,
        channel,
        value,
        row_number() over (partition by user_id, path order by row_in_order) as position,
        count(*) over (partition by user_id, path) as touches,
        count(*) over (partition by user_id, path, channel) as repeats,
        case
            when '${[direct_channel].join('').replace(/'/g, '$&$&')}' = 'Direct' then lower(channel) in (
                'direct', '(direct)', '(none)', 'direct traffic', 'direct visit', 'direct entry',
                '(direct) / (none)', '(direct)/(none)', 'direct / none', 'direct/none'
            )
            else lower(channel) = lower(trim('${[direct_channel].join('').replace(/'/g, '$&$&')}')) or strpos(
                ',' || regexp_replace(lower(trim('${[direct_channel].join('').replace(/'/g, '$&$&')}')), ' *, *', ',') || ',',
                ',' || lower(channel) || ','
            ) > 0
        end as is_direct,
        row_number() over (partition by user_id, path, channel order by row_in_order) as repeat,
        power(2e0, -cast(age as double) / (86400e0 * ${time_decay_half_life_days})) as decay
    from touches
),

measured as (
    select
        user_id,
        path,
        channel,
        value,
        position,
        touches,
        repeats,
        decay,
        sum(case when repeat = 1 then 1 else 0 end) over (partition by user_id, path) as distinct_channels,
        max(case when not is_direct then position end)
            over (partition by user_id, path) as last_named,
        sum(decay) over (partition by user_id, path) as decays
    from numbered
),

rules (model, first_share, last_share) as (
    values
        ('first_touch', 1e0, 0e0),
        ('last_touch', 0e0, 1e0),
        ('last_non_direct', null, null),
        ('linear', null, null),
        ('linear_unique', null, null),
        (
            'position_based',
            cast(${position_first} as double),
            cast(${position_last} as double)
        ),
        ('time_decay', null, null)
),

shares as (
    select
        rules.model,
        measured.channel,
        measured.value,
        case
            when rules.model = 'last_non_direct'
                then if(position = coalesce(last_named, touches), 1e0, 0e0)
            when rules.model = 'linear' then 1e0 / touches
            when rules.model = 'linear_unique' then 1e0 / (distinct_channels * repeats)
            when rules.model = 'time_decay' then decay / decays
            when touches = 1 then 1e0
            when touches = 2
                then if(position = 1, first_share, last_share) / (first_share + last_share)
            when position = 1 then first_share
            when position = touches then last_share
            else (1e0 - first_share - last_share) / (touches - 2)
        end as share
    from measured
    cross join rules
),

credited as (
    select
        model,
        channel,
        sum(share) as conversions,
        sum(share * value) as value
    from shares
    group by 1, 2
),

untouched as (
    select
        sum(1 - is_touched) as conversions,
        sum(if(is_touched = 1, 0e0, value)) as value
    from (
        select
            max(if(is_reached, 1, 0)) as is_touched,
            max(end_value) as value
        from reached
        group by user_id, path
    ) as paths
),

credits as (
    select model, channel, conversions, value from credited
    union all
    select
        rules.model,
        '(baseline)' as channel,
        cast(coalesce(untouched.conversions, 0) as double) as conversions,
        coalesce(untouched.value, 0e0) as value
    from rules
    cross join untouched
)

select
    model,
    channel,
    conversions,
    value,
    conversions / nullif(sum(conversions) over (partition by model), 0e0) as share
from credits
order by model, channel
