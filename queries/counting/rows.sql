-- A row is a touch or a conversion that counts, in its place among the rows of its user. The steps
-- are those of shapley_rules.sql from its `numbered_once` to its `in_order`; those of what no
-- parameter asks for are left out.
-- Reads ${counts_table}_read, ${counts_table}_channels. Makes ${counts_table}_rows (dropped at the
-- end).
with

-- Sorted by a number first, which compares faster than a text.
hashed as (
    select
        *,
        bitwise_and(
            from_big_endian_64(xxhash64(to_utf8('${user_rnd_seed}:' || user_id))),
            9007199254740991
        ) as user_hash
    from ${counts_table}_read
    where refund is null or '${refunds}' = 'subtract'
),

-- Users of one hash, if ever there are two, in the order of their names.
placed as (
    select
        *,
        dense_rank() over (partition by user_hash order by user_id) as place_of_user
    from hashed
),

-- Rows equal in every column but the tie count once; columns that no parameter names are left out,
-- which is a sixth of the time. Without a tie column they follow one another.
numbered as (
    select
        *,
        row_number() over (
            partition by user_hash, user_id
            order by
                time,
                ${tie_column == 'none' ? '' : 'tie_number nulls last, tie_text nulls last,'}
                conversion,
                channel nulls first,
                value nulls last,
                ${order_id == 'none' ? '' : 'order_key nulls first,'}
                ${conversion_id == 'none' ? '' : 'journey_key nulls first,'}
                refund nulls last
        ) as row_in_order,
        rank() over (
            partition by user_hash, user_id
            order by
                time,
                ${tie_column == 'none' ? '' : 'tie_number nulls last, tie_text nulls last,'}
                conversion,
                channel nulls first,
                value nulls last,
                ${order_id == 'none' ? '' : 'order_key nulls first,'}
                ${conversion_id == 'none' ? '' : 'journey_key nulls first,'}
                refund nulls last
        ) as row_of_equals,
        ${tie_column == 'none' ? 'null' : 'row_number() over (partition by user_hash, user_id, time, conversion, channel, value, order_key, journey_key, refund order by tie_number nulls last, tie_text nulls last)'} as place_among_equals,
        if(
            '${day_timezone}' = 'UTC',
            cast(time as double),
            to_unixtime(cast(from_unixtime(time, '${day_timezone}') as timestamp))
        ) as clock
    from placed
),

-- A clock set back at the end of summer time does not turn a user's local time back.
ordered as (
    select
        *,
        ${day_timezone == 'UTC' ? 'clock' : 'max(clock) over (partition by user_hash, user_id order by time)'} as latest_clock
    from numbered
    where coalesce(place_among_equals, row_in_order - row_of_equals + 1) = 1
),

-- Where the flag stands on every touch of a journey, the last one converts, with its first value.
journey_ends as (
    select
        *,
        ${conversion_flag == 'row' ? 'row_in_order' : 'max(row_in_order) over (partition by user_hash, user_id, conversion, journey_key)'} as last_row,
        ${conversion_flag == 'row' ? 'row_in_order' : 'min(if(value is not null, row_in_order)) over (partition by user_hash, user_id, conversion, journey_key)'} as valued_row
    from ordered
),

of_journeys as (
    select
        *,
        if(row_in_order = last_row, conversion, 0) as converts,
        ${conversion_flag == 'row' ? 'value' : 'max(if(row_in_order = valued_row, value)) over (partition by user_hash, user_id, conversion, journey_key)'} as journey_value
    from journey_ends
),

-- Of the rows of an order the first one converts, with the first value.
order_ends as (
    select
        *,
        ${order_id == 'none' ? 'row_in_order' : 'min(row_in_order) over (partition by user_hash, user_id, converts, order_key)'} as first_row,
        ${order_id == 'none' ? 'row_in_order' : 'min(if(journey_value is not null, row_in_order)) over (partition by user_hash, user_id, converts, order_key)'} as order_valued_row
    from of_journeys
),

of_orders as (
    select
        *,
        ${order_id == 'none' ? 'journey_value' : 'if(order_key is null, journey_value, max(if(row_in_order = order_valued_row, journey_value)) over (partition by user_hash, user_id, converts, order_key))'} as order_value
    from order_ends
),

converting as (
    select *
    from of_orders
    where converts = 0 or ${order_id == 'none' ? 'true' : 'order_key is null or row_in_order = first_row'}
),

-- A refund is taken from the conversion of its order, else from the latest one up to its time.
with_targets as (
    select
        *,
        ${refunds == 'leave_out' ? 'row_in_order' : 'coalesce(if(order_key is not null, max(if(converts = 1, row_in_order)) over (partition by user_hash, user_id, order_key)), max(if(converts = 1, row_in_order)) over (partition by user_hash, user_id order by time))'} as refunded_row
    from converting
),

-- Its value is taken off there. Refunds themselves are neither touches nor conversions.
refunded as (
    select
        *,
        ${refunds == 'leave_out' ? 'refund' : 'sum(refund) over (partition by user_hash, user_id, if(refund is null, row_in_order, refunded_row))'} as taken_off
    from with_targets
),

counted as (
    select
        user_id,
        user_hash,
        place_of_user,
        rnd,
        time,
        latest_clock,
        channel,
        converts as conversion,
        if(
            converts = 1,
            if(taken_off is null, order_value, coalesce(order_value, 0e0) - taken_off)
        ) as value,
        channel is not null
            and (
                ${conversion_row_is_touch}
                or '${conversion_flag}' = 'journey'
                or converts = 0
            ) as is_touch,
        row_in_order
    from refunded
    where refund is null
),

-- A conversion so soon after the user's previous one is a repeat, and part of the first of them.
follow_ups as (
    select
        *,
        ${repeat_orders_within == 'none' ? 'time - time' : 'time - lag(time) over (partition by user_hash, user_id, conversion order by row_in_order)'} as since_previous,
        if(
            '${repeat_orders_within}' = 'none',
            -1,
            cast(regexp_extract('${repeat_orders_within}', '^[0-9]+') as bigint)
                * case regexp_extract('${repeat_orders_within}', '[smhd]$')
                    when 's' then 1
                    when 'h' then 3600
                    when 'd' then 86400
                    else 60
                end
        ) as repeats_within
    from counted
),

repeats as (
    select
        *,
        conversion = 1 and coalesce(since_previous <= repeats_within, false) as is_repeat
    from follow_ups
),

purchases as (
    select
        *,
        ${repeat_orders_within == 'none' ? 'row_in_order' : 'sum(if(is_repeat, 0, 1)) over (partition by user_hash, user_id, conversion order by row_in_order rows between unbounded preceding and current row)'} as purchase
    from repeats
),

summed as (
    select
        *,
        ${repeat_orders_within == 'none' ? 'value' : 'sum(value) over (partition by user_hash, user_id, conversion, purchase)'} as purchase_value
    from purchases
),

-- Users beyond a limit are left out whole. In one order, so that Trino sorts once.
of_users as (
    select
        *,
        row_number() over (partition by user_hash, user_id order by row_in_order) as row_of_user,
        sum(if(is_touch, 1, 0)) over (
            partition by user_hash, user_id
            order by row_in_order
            rows between unbounded preceding and unbounded following
        ) as touches_of_user,
        sum(conversion) over (
            partition by user_hash, user_id
            order by row_in_order
            rows between unbounded preceding and unbounded following
        ) as conversions_of_user,
        -- A path ends with a conversion.
        coalesce(
            sum(conversion) over (
                partition by user_hash, user_id
                order by row_in_order
                rows between unbounded preceding and 1 preceding
            ),
            0
        ) as path
    from summed
    where not is_repeat
)

-- A number for each user, which groups and joins faster than a name; by 1024 it is the user's hash.
-- Of a user's rows the first has the name.
select
    1024 * of_users.user_hash + of_users.place_of_user - 1 as user_key,
    if(of_users.row_of_user = 1, of_users.user_id) as user_name,
    of_users.rnd,
    of_users.time,
    cast(floor(of_users.latest_clock / 86400e0) as bigint) as day,
    cast(
        of_users.latest_clock - 86400e0 * floor(of_users.latest_clock / 86400e0) as bigint
    ) as second,
    channels.position as channel_position,
    cast(of_users.conversion as bigint) as conversion,
    of_users.purchase_value as value,
    of_users.is_touch,
    of_users.row_of_user as row_in_order,
    of_users.path,
    of_users.touches_of_user,
    of_users.conversions_of_user
from of_users
left join ${counts_table}_channels as channels on of_users.channel = channels.channel
where
    of_users.touches_of_user
        <= ${max_touches_per_user == 'none' ? 'touches_of_user' : max_touches_per_user}
    and of_users.conversions_of_user
        <= ${max_conversions_per_user == 'none' ? 'conversions_of_user' : max_conversions_per_user}
