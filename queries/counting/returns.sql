-- A row is a count of users who come back after a touch or a conversion: a place in one of the
-- arrays of td_mta/journeys/returns/counts.py, whose twin this is, by its number in the array laid
-- out in a line.
-- Reads ${counts_table}_rows, ${counts_table}_purchases and ${counts_table}_period.
-- Makes ${counts_table}_returns (dropped at the end).
with

-- The days of the record, and the longest window that is looked at after a conversion.
settings as (
    select
        record_first_day as first_day,
        last_day,
        last_day - record_first_day + 1 as days,
        channels,
        least(${lookback_window_days}, 7) as window_days
    from ${counts_table}_period
),

active_days as (
    select
        user_key,
        day,
        row_number() over (partition by user_key order by day) as number,
        coalesce(lead(day) over (partition by user_key order by day) - day, 0) as wait
    from ${counts_table}_rows
    where is_touch
    group by 1, 2
),

-- After each of a user's first three active days the days to the next one, 0 for none in 14.
waits as (
    select
        number,
        day,
        if(wait > 14, 0, wait) as wait,
        count(*) as users,
        sum(if(number = 1 and wait = 0, 1, 0)) as users_of_one_day
    from active_days
    where number <= 3
    group by 1, 2, 3
),

facts_of_waits (fact, place) as (
    values
        ('returns_users', 0),
        ('returns_users', 1),
        ('returns_waits', 0)
),

of_waits as (
    select
        fact,
        if(
            fact = 'returns_users',
            place,
            ((number - 1) * settings.days + day - settings.first_day) * 15 + wait
        ) as position,
        if(fact = 'returns_users' and place = 1, users_of_one_day, users) as number
    from waits
    cross join facts_of_waits
    cross join settings
    where fact = 'returns_waits' or number = 1
),

-- Days soon after a conversion, the last of its day, whose window reaches before it: up to the next
-- conversion's day, with windows within the record.
since (days_after) as (
    values (1), (2), (3), (4), (5), (6)
),

days_after as (
    select
        conversions.user_key,
        conversions.day as conversion_day,
        since.days_after,
        conversions.day + since.days_after as day,
        conversions.touches_of_user,
        if(next_touch_day < conversions.day + since.days_after, 1, 0) as is_touched_between,
        if(
            last_touch_day >= conversions.day + since.days_after - settings.window_days + 1, 1, 0
        ) as sees_touches_before,
        if(conversions.day + since.days_after = next_day, 1, 0) as converts,
        settings.first_day,
        settings.days
    from ${counts_table}_purchases as conversions
    cross join since
    cross join settings
    where
        conversions.day <> coalesce(next_day, conversions.day - 1)
        and since.days_after < settings.window_days
        and conversions.day + since.days_after <= coalesce(next_day, settings.last_day)
        and conversions.day + since.days_after <= settings.last_day
        and conversions.day + since.days_after - settings.window_days >= settings.first_day - 1
),

touches_after as (
    select
        touched.user_key,
        conversions.day as conversion_day,
        touched.day,
        count(*) as touches
    from ${counts_table}_rows as touched
    inner join ${counts_table}_purchases as conversions on touched.user_key = conversions.user_key
    where
        touched.is_touch
        and touched.day between conversions.day + 1 and conversions.day + 6
        and conversions.day <> coalesce(conversions.next_day, conversions.day - 1)
    group by 1, 2, 3
),

-- Today's touches are left out of the activity: they are what a conversion depends on.
at_risk as (
    select
        days_after.*,
        days_after.touches_of_user - coalesce(touches_after.touches, 0) as touches
    from days_after
    left join touches_after
        on days_after.user_key = touches_after.user_key
        and days_after.conversion_day = touches_after.conversion_day
        and days_after.day = touches_after.day
),

-- Two levels double the touches.
levels as (
    select
        *,
        case
            when touches >= 11586 then 27
            when touches >= 8192 then 26
            when touches >= 5793 then 25
            when touches >= 4096 then 24
            when touches >= 2897 then 23
            when touches >= 2048 then 22
            when touches >= 1449 then 21
            when touches >= 1024 then 20
            when touches >= 725 then 19
            when touches >= 512 then 18
            when touches >= 363 then 17
            when touches >= 256 then 16
            when touches >= 182 then 15
            when touches >= 128 then 14
            when touches >= 91 then 13
            when touches >= 64 then 12
            when touches >= 46 then 11
            when touches >= 32 then 10
            when touches >= 23 then 9
            when touches >= 16 then 8
            when touches >= 12 then 7
            when touches >= 8 then 6
            when touches >= 6 then 5
            when touches >= 4 then 4
            when touches >= 3 then 3
            when touches >= 2 then 2
            else 0
        end as level
    from at_risk
),

after_conversion as (
    select
        ((((((days_after - 1) * days + day - first_day) * 28 + level) * 2 + is_touched_between) * 2
        + sees_touches_before) * 2 + converts) as position
    from levels
),

-- First conversions of users with an earlier touch than the 7 days before them, and 7 days after.
buyers as (
    select
        conversions.user_key,
        conversions.day
    from ${counts_table}_purchases as conversions
    cross join settings
    where
        number = 1
        and first_touch_day < conversions.day - 7
        and conversions.day + 7 <= settings.last_day
),

beside_of_users as (
    select
        touched.user_key,
        touched.channel_position,
        sum(if(touched.day < buyers.day, 1, 0)) as before,
        sum(if(touched.day > buyers.day, 1, 0)) as after
    from ${counts_table}_rows as touched
    inner join buyers on touched.user_key = buyers.user_key
    where
        is_touch
        and touched.day between buyers.day - 7 and buyers.day + 7
        and touched.day <> buyers.day
    group by 1, 2
),

products (place) as (
    values (0), (1), (2), (3), (4)
),

beside as (
    select
        products.place * settings.channels + channel_position as position,
        case products.place
            when 0 then before
            when 1 then after
            when 2 then before * before
            when 3 then before * after
            else after * after
        end as number
    from beside_of_users
    cross join products
    cross join settings
),

touches as (
    select
        (day - first_day) * channels + channel_position as position
    from ${counts_table}_rows
    cross join settings
    where is_touch
)

select
    fact,
    position,
    sum(number) as number
from of_waits
group by 1, 2
union all
select
    'returns_conversions' as fact,
    0 as position,
    count(*) as number
from ${counts_table}_purchases
union all
select
    'returns_conversions' as fact,
    1 as position,
    count(*) as number
from ${counts_table}_purchases
where seconds_since <= 3600
union all
select
    'returns_gaps' as fact,
    days_since as position,
    count(*) as number
from ${counts_table}_purchases
where days_since > 0
group by 2
union all
select
    'returns_after_conversion' as fact,
    position,
    count(*) as number
from after_conversion
group by 2
union all
select
    'returns_beside' as fact,
    position,
    sum(number) as number
from beside
group by 2
having sum(number) > 0
union all
select
    'returns_buyers' as fact,
    buyers.day - settings.first_day as position,
    count(*) as number
from buyers
cross join settings
group by 2
union all
select
    'returns_touches' as fact,
    position,
    count(*) as number
from touches
group by 2
