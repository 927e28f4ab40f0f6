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
        record_first_day,
        first_day
    from ${counts_table}_period
),

-- A touch in one number, which takes less to look back on than two: its day, then its symbol.
-- Paths that convert have a conversion as their last row, which may be no touch. Values are
-- multiples of 2^-20, whose sums are the same in any order.
numbered as (
    select
        user_key,
        path,
        row_in_order,
        is_touch,
        day,
        path < conversions_of_user as converts,
        channel_position + 1 as symbol,
        (day - record_first_day) * base + channel_position + 1 as touch,
        floor(coalesce(value, 0e0) * 1048576e0 + 0.5e0) / 1048576e0 as value
    from ${counts_table}_rows
    cross join settings
    where
        (is_touch or conversion = 1)
        and (path < conversions_of_user or ${markov_nulls})
),

-- Of each touch those before it on its path, and the end of the path. All in one order, so that
-- Trino sorts once.
in_paths as (
    select
        user_key,
        is_touch,
        day,
        converts,
        symbol,
        lag(touch, 1) over (partition by user_key, path order by row_in_order) as touch_1,
        lag(touch, 2) over (partition by user_key, path order by row_in_order) as touch_2,
        lag(touch, 3) over (partition by user_key, path order by row_in_order) as touch_3,
        lag(touch, 4) over (partition by user_key, path order by row_in_order) as touch_4,
        coalesce(
            lead(is_touch) over (partition by user_key, path order by row_in_order), false
        ) as goes_on,
        last_value(day) over (
            partition by user_key, path
            order by row_in_order
            rows between unbounded preceding and unbounded following
        ) as end_day,
        last_value(value) over (
            partition by user_key, path
            order by row_in_order
            rows between unbounded preceding and unbounded following
        ) as value
    from numbered
),

-- Touches within reach of the end of their path, but for conversions of days that are only looked
-- back on.
within_reach as (
    select
        in_paths.*,
        settings.remembered,
        settings.base,
        if(converts, settings.conversion_symbol, settings.null_symbol) as end_symbol,
        base * (end_day - ${rules_window_days} + 1 - record_first_day) as reach
    from in_paths
    cross join settings
    where
        is_touch
        and day > end_day - ${rules_window_days}
        and (not converts or end_day >= first_day)
),

with_earlier as (
    select
        user_key,
        symbol,
        converts,
        value,
        remembered,
        base,
        end_symbol,
        if(touch_1 >= reach, mod(touch_1, base), 0) as before_1,
        if(touch_2 >= reach, mod(touch_2, base), 0) as before_2,
        if(touch_3 >= reach, mod(touch_3, base), 0) as before_3,
        if(touch_4 >= reach, mod(touch_4, base), 0) as before_4,
        not goes_on as is_last
    from within_reach
),

-- The state before a touch, and the state after it, without the oldest symbol.
states as (
    select
        user_key,
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
        user_key,
        if(is_end, base * state_after + end_symbol, base * state_before + symbol) as ngram,
        if(is_end and converts, value, 0e0) as value
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
                                to_big_endian_64(user_key / 1024),
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
