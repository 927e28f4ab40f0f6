-- A row is a pattern with levels of the controls other than the calendar day and user_activity, and
-- the conversions that saw it: numbers 100 * calendar day + activity in ascending order, the first
-- one in full and of the others the step from the one before, each with `:conversions` where they
-- are several. Each number is a unit, and units follow one another. Of units with users who had
-- converted before, their places in the row, each with `:conversions` of these users where they are
-- several; and where values are given, the value of every unit. The twin of
-- td_mta/journeys/credited.py.
-- Reads ${counts_table}_units. Makes ${counts_table}_credited.
with

units as (
    select
        *,
        levels / 10000 as day_and_activity,
        mod(levels, 10000) as other_levels
    from ${counts_table}_units
),

steps as (
    select
        *,
        day_and_activity - lag(day_and_activity, 1, 0) over (
            partition by pattern, other_levels order by unit
        ) as step,
        row_number() over (partition by pattern, other_levels order by unit) - 1 as place
    from units
)

select
    min(unit) as first_unit,
    pattern,
    other_levels as levels,
    array_join(
        array_agg(
            cast(step as varchar)
            || if(conversions = 1, '', ':' || cast(conversions as varchar))
            order by unit
        ),
        ','
    ) as conversions,
    array_join(
        array_agg(
            if(
                "returning" > 0,
                cast(place as varchar)
                || if("returning" = 1, '', ':' || cast("returning" as varchar))
            )
            order by unit
        ),
        ','
    ) as "returning",
    if(
        max(abs(value)) > 0e0,
        array_join(array_agg(cast(value as varchar) order by unit), ','),
        ''
    ) as amounts
from steps
group by 2, 3
