-- A row is a pattern with levels of the controls other than the calendar day and user_activity, and
-- its examples by these two, kind and group of users: numbers 100000 * calendar day
-- + 1000 * activity + 100 * kind + group in ascending order, the first one in full and of the others
-- the step from the one before, each with `:count` where it is not one. Kinds are negative (0),
-- positive (1) and added by augmentation (2). Of days without a conversion those that were drawn are
-- counted. The twin of td_mta/journeys/examples.py.
-- Reads ${counts_table}_windows. Makes ${counts_table}_examples.
with

labelled as (
    select
        pattern,
        levels,
        100 * label + user_group as kind_and_group
    from ${counts_table}_windows
    where
        label is not null
        -- Of touch_days a conversion without a touch in its window is none.
        and ('${examples}' = 'person_days' or pattern <> '')
),

-- Each example once more, with the anchor day emptied.
augmented as (
    select
        earlier_pattern as pattern,
        levels,
        200 + user_group as kind_and_group
    from ${counts_table}_windows
    where
        '${examples}' = 'touch_days'
        and ${augment_last_day}
        and label is not null
        and earlier_pattern <> ''
),

every_kind as (
    select * from labelled
    union all
    select * from augmented
),

counted as (
    select
        pattern,
        mod(levels, 10000) as levels,
        1000 * (levels / 10000) + kind_and_group as number,
        count(*) as examples
    from every_kind
    group by 1, 2, 3
),

steps as (
    select
        pattern,
        levels,
        number,
        number - lag(number, 1, 0) over (partition by pattern, levels order by number) as step,
        examples
    from counted
)

select
    pattern,
    levels,
    array_join(
        array_agg(
            cast(step as varchar) || if(examples = 1, '', ':' || cast(examples as varchar))
            order by number
        ),
        ','
    ) as examples
from steps
group by 1, 2
