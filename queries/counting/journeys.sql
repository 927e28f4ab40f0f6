-- A row is a figure of the journeys: counts of users, touches and conversions, by day and channel.
-- The twin of td_mta/journeys/facts.py and td_mta/ingest/table_facts.py.
-- Reads ${counts_table}_rows, ${counts_table}_period and ${counts_table}_channels.
-- Makes ${counts_table}_journeys (dropped at the end).
with

totals_of_rows as (
    select
        count(*) as rows,
        sum(if(is_touch, 1, 0)) as touches,
        sum(conversion) as conversions,
        sum(if(conversion = 1 and value is null, 1, 0)) as without_value,
        sum(if(conversion = 1 and channel_position is null, 1, 0)) as without_channel
    from ${counts_table}_rows
),

-- Of the users with most touches or conversions the last by name: the number leads their texts.
totals_of_users as (
    select
        count(*) as users,
        sum(if(conversions_of_user > 0, 1, 0)) as converters,
        sum(if(conversions_of_user > 0 and touches_of_user = 0, 1, 0)) as untouched,
        min(if(conversions_of_user > 0 and touches_of_user = 0, user_name)) as untouched_user,
        min(if(touches_of_user > 0, user_name)) as touched_user,
        max(lpad(cast(touches_of_user as varchar), 19, '0') || user_name) as most_touches,
        max(lpad(cast(conversions_of_user as varchar), 19, '0') || user_name) as most_conversions
    from ${counts_table}_rows
    where row_in_order = 1
),

-- Users with another row before one of their conversions.
late_users as (
    select user_key
    from ${counts_table}_rows
    where conversions_of_user > 0
    group by 1
    having min(if(conversion = 0, row_in_order)) < max(if(conversion = 1, row_in_order))
),

totals_of_late_users as (
    select count(*) as late_converters
    from late_users
),

facts_of_users (fact) as (
    values
        ('users'),
        ('rows_counted'),
        ('touches'),
        ('conversions'),
        ('without_value'),
        ('without_channel'),
        ('converters'),
        ('late_converters'),
        ('untouched'),
        ('touched_user'),
        ('most_touches'),
        ('most_conversions')
),

of_users as (
    select
        fact,
        case fact
            when 'users' then users
            when 'rows_counted' then rows
            when 'touches' then touches
            when 'conversions' then conversions
            when 'without_value' then without_value
            when 'without_channel' then without_channel
            when 'converters' then converters
            when 'late_converters' then late_converters
            when 'untouched' then untouched
            when 'most_touches' then cast(substr(most_touches, 1, 19) as bigint)
            when 'most_conversions' then cast(substr(most_conversions, 1, 19) as bigint)
        end as number,
        case fact
            when 'untouched' then untouched_user
            when 'touched_user' then touched_user
            when 'most_touches' then if(touches > 0, substr(most_touches, 20))
            when 'most_conversions' then if(conversions > 0, substr(most_conversions, 20))
        end as name
    from totals_of_rows
    cross join totals_of_users
    cross join totals_of_late_users
    cross join facts_of_users
),

of_days as (
    select
        day,
        count(*) as rows,
        sum(conversion) as conversions
    from ${counts_table}_rows
    group by 1
),

facts_of_days (fact) as (
    values
        ('rows_by_day'),
        ('conversions_by_day')
),

of_channels as (
    select
        channel_position,
        sum(touches) as touches,
        count(*) as users
    from (
        select
            channel_position,
            user_key,
            count(*) as touches
        from ${counts_table}_rows
        where is_touch
        group by 1, 2
    ) as channels_of_users
    group by 1
),

-- Of each touch of users who convert whether it and another channel's touch before it came at one
-- time.
touches as (
    select
        user_key,
        row_in_order,
        day,
        path,
        coalesce(
            time = lag(time) over (partition by user_key order by row_in_order)
                and channel_position
                    <> lag(channel_position) over (partition by user_key order by row_in_order),
            false
        ) as is_tied
    from ${counts_table}_rows
    where is_touch and conversions_of_user > 0
),

-- Also of the touch after it, which in another order would have come before the end of its path.
beside as (
    select
        *,
        coalesce(
            lead(is_tied) over (partition by user_key order by row_in_order), false
        ) as next_is_tied
    from touches
),

ends as (
    select
        user_key,
        path,
        day as end_day
    from ${counts_table}_rows
    where conversion = 1
),

-- The paths of all conversions: touches by the days before the conversion, and those paths that
-- depend on the order at equal times by the days of their first touch.
reached as (
    select
        end_day - day as days_before,
        row_number() over (partition by beside.user_key, beside.path order by row_in_order)
            as position,
        bool_or(is_tied or next_is_tied) over (partition by beside.user_key, beside.path) as depends
    from beside
    inner join ends on beside.user_key = ends.user_key and beside.path = ends.path
    where day > end_day - ${rules_window_days}
),

paths as (
    select
        days_before,
        count(*) as touches,
        sum(if(depends and position = 1, 1, 0)) as tied
    from reached
    group by 1
    union all
    select
        0 as days_before,
        0 as touches,
        0 as tied
),

facts_of_paths (fact) as (
    values
        ('touches_by_day'),
        ('tied_conversions')
),

of_paths as (
    select
        fact,
        if(fact = 'touches_by_day', days_before, 0) as position,
        sum(if(fact = 'touches_by_day', touches, tied)) as number
    from paths
    cross join facts_of_paths
    group by 1, 2
),

facts_of_channels (fact) as (
    values
        ('channel'),
        ('channel_users')
)

select
    fact,
    0 as position,
    number,
    name
from of_users
union all
select
    fact,
    of_days.day - period.record_first_day as position,
    if(fact = 'rows_by_day', of_days.rows, of_days.conversions) as number,
    cast(null as varchar) as name
from of_days
cross join ${counts_table}_period as period
cross join facts_of_days
where fact = 'rows_by_day' or of_days.conversions > 0
union all
select
    fact,
    channels.position,
    if(fact = 'channel', coalesce(of_channels.touches, 0), of_channels.users) as number,
    if(fact = 'channel', channels.channel) as name
from ${counts_table}_channels as channels
left join of_channels on channels.position = of_channels.channel_position
cross join facts_of_channels
where fact = 'channel' or of_channels.users > 0
union all
select
    fact,
    position,
    number,
    cast(null as varchar) as name
from of_paths
where fact = 'tied_conversions' or number > 0
