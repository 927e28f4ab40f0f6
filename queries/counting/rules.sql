-- A row is what a rule gives to a channel by one share: so many conversions and their value, of
-- which the channel gets that share. Conversions without a touch are `(baseline)`.
-- The twin of td_mta/baselines/rules.py. Counts and values are exact in any order; the products with
-- the shares are added by who reads the table. The shares of time_decay are nearly all different,
-- and their sums stand as shares of 1.
-- Reads ${counts_table}_rows, ${counts_table}_period and ${counts_table}_channels. Makes ${counts_table}_rules.
with

-- Of each row of a path that ends with a conversion that conversion. Values are multiples of 2^-20,
-- whose sums are the same in any order.
with_ends as (
    select
        *,
        max(if(conversion = 1, time)) over (partition by user_key, path) as end_time,
        max(if(conversion = 1, day)) over (partition by user_key, path) as end_day,
        max(if(conversion = 1, floor(coalesce(value, 0e0) * 1048576e0 + 0.5e0) / 1048576e0))
            over (partition by user_key, path) as end_value
    from ${counts_table}_rows
    where path < conversions_of_user
),

-- Touches within reach of a conversion of the credited days, and the conversions themselves.
reached as (
    select
        with_ends.*,
        is_touch and day > end_day - ${rules_window_days} as is_reached
    from with_ends
    cross join ${counts_table}_period as period
    where end_day >= period.first_day and (is_touch or conversion = 1)
),

touches as (
    select
        user_key,
        path,
        row_in_order,
        channel_position,
        end_value as value,
        end_time - time as age,
        min(end_time - time) over (partition by user_key, path) as youngest
    from reached
    where is_reached
),

numbered as (
    select
        user_key,
        path,
        channel_position,
        value,
        row_number() over (partition by user_key, path order by row_in_order) as position,
        count(*) over (partition by user_key, path) as touches,
        count(*) over (partition by user_key, path, channel_position) as repeats,
        row_number() over (
            partition by user_key, path, channel_position order by row_in_order
        ) as repeat,
        -- Ages from the youngest touch give the same shares, and no weights that all round to 0.
        power(
            2e0,
            -cast(age - youngest as double) / (86400e0 * ${time_decay_half_life_days})
        ) as decay
    from touches
),

-- As in td_mta/baselines/direct.py: one name, which may hold a comma, or several.
named as (
    select
        numbered.*,
        channels.channel,
        case
            when '${[direct_channel].join('').replace(/'/g, '$&$&')}' = 'Direct' then lower(channel) in (
                'direct', '(direct)', '(none)', 'direct traffic', 'direct visit', 'direct entry',
                '(direct) / (none)', '(direct)/(none)', 'direct / none', 'direct/none'
            )
            else lower(channel) = lower(trim('${[direct_channel].join('').replace(/'/g, '$&$&')}')) or strpos(
                ',' || regexp_replace(lower(trim('${[direct_channel].join('').replace(/'/g, '$&$&')}')), ' *, *', ',') || ',',
                ',' || lower(channel) || ','
            ) > 0
        end as is_direct
    from numbered
    inner join ${counts_table}_channels as channels
        on numbered.channel_position = channels.position
),


measured as (
    select
        user_key,
        path,
        channel,
        value,
        position,
        touches,
        repeats,
        decay,
        sum(if(repeat = 1, 1, 0)) over (partition by user_key, path) as distinct_channels,
        max(if(is_direct, null, position)) over (partition by user_key, path) as last_named,
        sum(decay) over (partition by user_key, path) as decays
    from named
),

-- Touches that all rules treat alike are one row from here on.
alike as (
    select
        channel,
        position = 1 as is_first,
        position = touches as is_last,
        position = coalesce(last_named, touches) as is_last_named,
        touches,
        distinct_channels * repeats as parts,
        count(*) as conversions,
        sum(value) as value,
        sum(decay / decays) as decayed_conversions,
        sum(decay / decays * value) as decayed_value
    from measured
    group by 1, 2, 3, 4, 5, 6
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
        alike.channel,
        case
            when rules.model = 'last_non_direct' then if(is_last_named, 1e0, 0e0)
            when rules.model = 'linear' then 1e0 / touches
            when rules.model = 'linear_unique' then 1e0 / parts
            when rules.model = 'time_decay' then 1e0
            when touches = 1 then 1e0
            when touches = 2 then if(is_first, first_share, last_share) / (first_share + last_share)
            when is_first then first_share
            when is_last then last_share
            else (1e0 - first_share - last_share) / (touches - 2)
        end as share,
        if(model = 'time_decay', decayed_conversions, cast(conversions as double)) as conversions,
        if(model = 'time_decay', decayed_value, value) as value
    from alike
    cross join rules
),

-- A conversion whose path has no touch is the baseline's, by every rule.
untouched as (
    select
        count(*) as conversions,
        coalesce(sum(value), 0e0) as value
    from (
        select
            max(if(is_reached, 1, 0)) as is_touched,
            max(end_value) as value
        from reached
        group by user_key, path
    ) as paths
    where is_touched = 0
)

select
    model,
    channel,
    share,
    sum(conversions) as conversions,
    sum(value) as value
from shares
where share > 0e0
group by 1, 2, 3
union all
select
    rules.model,
    '(baseline)' as channel,
    1e0 as share,
    cast(untouched.conversions as double) as conversions,
    untouched.value
from rules
cross join untouched
