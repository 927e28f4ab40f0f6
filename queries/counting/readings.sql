-- A row is a figure of what reading made of the rows: duplicates, orders of several rows, refunds,
-- repeats, users over a limit. The steps are those of rows.sql.
-- The twin of the counts of td_mta/journeys/events.py and of td_mta/ingest/pages.py.
-- Reads ${counts_table}_conversions. Makes ${counts_table}_readings (dropped
-- at the end).
with

-- Rows equal in every column but the tie count once.
numbered as (
    select
        *,
        row_number() over (
            partition by user_id, time, conversion, channel, value, order_key, journey_key, refund
            order by tie_number nulls last, tie_text nulls last
        ) as repeat
    from ${counts_table}_conversions
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
                order_key nulls first,
                journey_key nulls first,
                refund nulls last
        ) as row_in_order
    from numbered
    where repeat = 1
),

-- Where the flag stands on every touch of a journey, the last one converts, with its first value.
journey_ends as (
    select
        *,
        max(row_in_order) over (partition by user_id, conversion, journey_key) as last_row,
        min(case when value is not null then row_in_order end)
            over (partition by user_id, conversion, journey_key) as valued_row
    from ordered
),

of_journeys as (
    select
        user_id,
        time,
        channel,
        order_key,
        refund,
        row_in_order,
        has_many_rows,
        if('${conversion_flag}' = 'row' or row_in_order = last_row, conversion, 0) as conversion,
        case
            when '${conversion_flag}' = 'row' then value
            else max(if(row_in_order = valued_row, value))
                over (partition by user_id, conversion, journey_key)
        end as value
    from journey_ends
),

-- Of the rows of an order the first one converts.
order_ends as (
    select
        *,
        coalesce(
            conversion = 1
                and order_key is not null
                and row_in_order <> min(row_in_order) over (
                    partition by user_id, conversion, order_key
                ),
            false
        ) as is_further_row
    from of_journeys
),

orders as (
    select
        user_id,
        order_key,
        count(*) as rows,
        coalesce(min(value) <> max(value), false) as has_several_values
    from of_journeys
    where conversion = 1 and order_key is not null
    group by 1, 2
),

-- A refund is taken from the conversion of its order, else from the latest one up to its time.
with_targets as (
    select
        *,
        coalesce(
            if(
                order_key is not null,
                max(case when conversion = 1 then row_in_order end)
                    over (partition by user_id, order_key)
            ),
            max(case when conversion = 1 then row_in_order end)
                over (partition by user_id order by time)
        ) as refunded_row
    from order_ends
    where not is_further_row
),

-- A conversion so soon after the user's previous one is a repeat.
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
    from with_targets
    where refund is null
),

-- Users beyond a limit are left out whole.
left_out as (
    select
        user_id,
        count(*) as rows
    from follow_ups
    where has_many_rows and not is_repeat
    group by 1
    having
        sum(
            if(
                channel is not null
                    and (
                        ${conversion_row_is_touch}
                        or '${conversion_flag}' = 'journey'
                        or conversion = 0
                    ),
                1,
                0
            )
        ) > ${max_touches_per_user == 'none' ? '9223372036854775807' : max_touches_per_user}
        or sum(conversion)
            > ${max_conversions_per_user == 'none' ? '9223372036854775807' : max_conversions_per_user}
)

select
    'duplicate_conversions' as fact,
    count(*) as number,
    0e0 as amount
from numbered
where repeat > 1 and conversion = 1
union all
select
    'same_order' as fact,
    coalesce(sum(rows - 1), 0) as number,
    0e0 as amount
from orders
union all
select
    'orders_with_values' as fact,
    count(*) as number,
    0e0 as amount
from orders
where has_several_values
union all
select
    'subtracted' as fact,
    count(*) as number,
    coalesce(sum(cast(refund as double)), 0e0) as amount
from with_targets
where refund is not null and refunded_row is not null
union all
select
    'unmatched' as fact,
    count(*) as number,
    coalesce(sum(cast(refund as double)), 0e0) as amount
from with_targets
where refund is not null and refunded_row is null
union all
select
    'repeats' as fact,
    count(*) as number,
    0e0 as amount
from follow_ups
where is_repeat
union all
select
    'left_out_users' as fact,
    count(*) as number,
    0e0 as amount
from left_out
union all
select
    'left_out_rows' as fact,
    coalesce(sum(rows), 0) as number,
    0e0 as amount
from left_out
