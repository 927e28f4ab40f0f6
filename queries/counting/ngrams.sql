-- A row is a state of the Markov chain, which is the channels of the last touches, and what followed
-- it: symbols, each with `:times` where it was more than once, and the value of the conversions.
-- The twin of td_mta/baselines/markov.py: symbols are 0 before the first touch, 1 to `channels` the
-- channels, then a conversion, then an end without one. A state is a number of base channels + 3.
-- Reads ${counts_table}_rows and ${counts_table}_period. Makes ${counts_table}_ngrams.
with

settings as (
    select
        ${markov_order == 'none' ? '4' : markov_order} as remembered,
        channels + 3 as base,
        channels + 1 as conversion_symbol,
        channels + 2 as null_symbol,
        first_day
    from ${counts_table}_period
),

-- Of each touch those before it on its path, and the conversion that ends the path, where there is
-- one. All in one order, so that Trino sorts once. A conversion that is no touch is the last row.
-- Values are multiples of 2^-20, whose sums are the same in any order.
in_paths as (
    select
        user_hash,
        day,
        is_touch,
        channel_position + 1 as symbol,
        lag(day, 1) over (
            partition by user_hash, user_id, path order by row_in_order
        ) as day_1,
        lag(day, 2) over (
            partition by user_hash, user_id, path order by row_in_order
        ) as day_2,
        lag(day, 3) over (
            partition by user_hash, user_id, path order by row_in_order
        ) as day_3,
        lag(day, 4) over (
            partition by user_hash, user_id, path order by row_in_order
        ) as day_4,
        lag(channel_position + 1, 1) over (
            partition by user_hash, user_id, path order by row_in_order
        ) as symbol_1,
        lag(channel_position + 1, 2) over (
            partition by user_hash, user_id, path order by row_in_order
        ) as symbol_2,
        lag(channel_position + 1, 3) over (
            partition by user_hash, user_id, path order by row_in_order
        ) as symbol_3,
        lag(channel_position + 1, 4) over (
            partition by user_hash, user_id, path order by row_in_order
        ) as symbol_4,
        coalesce(
            lead(is_touch) over (partition by user_hash, user_id, path order by row_in_order),
            false
        ) as goes_on,
        max(conversion) over (
            partition by user_hash, user_id, path
            order by row_in_order
            rows between unbounded preceding and unbounded following
        ) as converts,
        max(if(conversion = 1, day)) over (
            partition by user_hash, user_id, path
            order by row_in_order
            rows between unbounded preceding and unbounded following
        ) as conversion_day,
        max(if(is_touch, day)) over (
            partition by user_hash, user_id, path
            order by row_in_order
            rows between unbounded preceding and unbounded following
        ) as last_touch_day,
        max(if(conversion = 1, floor(coalesce(value, 0e0) * 1048576e0 + 0.5e0) / 1048576e0)) over (
            partition by user_hash, user_id, path
            order by row_in_order
            rows between unbounded preceding and unbounded following
        ) as value
    from ${counts_table}_rows
    where is_touch or conversion = 1
),

-- Touches within reach of the end of their path, but for conversions of days that are only looked
-- back on.
within_reach as (
    select
        *,
        if(converts = 1, conversion_day, last_touch_day) - ${rules_window_days} as too_early
    from in_paths
),

with_earlier as (
    select
        within_reach.user_hash,
        within_reach.symbol,
        within_reach.converts,
        within_reach.value,
        settings.remembered,
        settings.base,
        if(converts = 1, settings.conversion_symbol, settings.null_symbol) as end_symbol,
        if(day_1 > too_early, symbol_1, 0) as before_1,
        if(day_2 > too_early, symbol_2, 0) as before_2,
        if(day_3 > too_early, symbol_3, 0) as before_3,
        if(day_4 > too_early, symbol_4, 0) as before_4,
        not goes_on as is_last
    from within_reach
    cross join settings
    where
        is_touch
        and day > too_early
        and (converts = 0 or conversion_day >= first_day)
        and (converts = 1 or ${markov_nulls})
),

-- The state before a touch, and the state after it, without the oldest symbol.
states as (
    select
        user_hash,
        converts,
        value,
        base,
        symbol,
        end_symbol,
        is_last,
        before_1
            + if(remembered >= 2, base * before_2, 0)
            + if(remembered >= 3, base * base * before_3, 0)
            + if(remembered >= 4, base * base * base * before_4, 0) as state_before,
        symbol
            + if(remembered >= 2, base * before_1, 0)
            + if(remembered >= 3, base * base * before_2, 0)
            + if(remembered >= 4, base * base * base * before_3, 0) as state_after
    from with_earlier
),

-- After the last touch of a path comes its end, to which its value belongs.
followed as (
    select
        user_hash,
        if(is_end, base * state_after + end_symbol, base * state_before + symbol) as ngram,
        if(is_end and converts = 1, value, 0e0) as value
    from states
    cross join (values (false), (true)) as ends (is_end)
    where is_last or not is_end
),

-- The users whom td_mta/dataset/build.py holds out.
by_group as (
    select
        if(
            cast(
                bitwise_and(
                    from_big_endian_64(
                        xxhash64(
                            concat(
                                to_big_endian_64(user_hash),
                                to_big_endian_64(cast(${seed} + 1 as bigint))
                            )
                        )
                    ),
                    9007199254740991
                ) as double
            ) / 9007199254740992e0 < cast(${validation_fraction} as double),
            1,
            0
        ) as held_out,
        ngram,
        value
    from followed
),

followers as (
    select
        held_out,
        ngram / base as state,
        mod(ngram, base) as symbol,
        count(*) as journeys,
        sum(value) as value
    from by_group
    cross join settings
    group by 1, 2, 3
)

-- Only what ends with a conversion has a value.
select
    cast(held_out as bigint) as held_out,
    state,
    array_join(
        array_agg(
            cast(symbol as varchar) || if(journeys = 1, '', ':' || cast(journeys as varchar))
            order by symbol
        ),
        ','
    ) as followers,
    sum(value) as value
from followers
group by 1, 2
