-- A row is what conversions of one user saw, as ascending units, each with `:conversions` where they
-- are several, and the number of users of whom that is so. Users with one conversion are left out:
-- they are what remains of its unit. The twin of `converter_profiles` in
-- td_mta/shapley/bootstrap.py.
-- Reads ${counts_table}_windows, ${counts_table}_units. Makes ${counts_table}_profiles.
with

by_unit as (
    select
        windows.user_key,
        units.unit,
        count(*) as conversions
    from ${counts_table}_windows as windows
    inner join ${counts_table}_units as units
        on windows.pattern = units.pattern
        and windows.levels = units.levels
    where windows.row_in_order > 0
    group by 1, 2
),

of_users as (
    select
        user_key,
        array_join(
            array_agg(
                cast(unit as varchar)
                || if(conversions = 1, '', ':' || cast(conversions as varchar))
                order by unit
            ),
            ','
        ) as units
    from by_unit
    group by 1
    having sum(conversions) > 1
)

select
    units,
    count(*) as users
from of_users
group by 1
