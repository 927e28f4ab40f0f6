-- A row is a pattern in a stratum and a group of users, and how many examples of a kind it has:
-- negative (0), positive (1) or added by augmentation (2). The twin of td_mta/journeys/examples.py.
-- Reads ${counts_table}_windows, ${counts_table}_period. Makes ${counts_table}_examples.
with

-- A day without a conversion stands for as many as one was drawn from.
labelled as (
    select
        windows.pattern,
        windows.calendar_day,
        windows.user_activity,
        windows.user_activity_past,
        windows.since_conversion,
        windows.user_group,
        windows.label as kind,
        if(windows.label = 0, period.one_in, 1) as examples
    from ${counts_table}_windows as windows
    cross join ${counts_table}_period as period
    where
        windows.label is not null
        -- Of touch_days a conversion without a touch in its window is none.
        and ('${examples}' = 'person_days' or windows.pattern <> '')
),

-- Each example once more, with the anchor day emptied.
augmented as (
    select
        earlier_pattern as pattern,
        calendar_day,
        user_activity,
        user_activity_past,
        since_conversion,
        user_group,
        2 as kind,
        1 as examples
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
)

select
    pattern,
    calendar_day,
    user_activity,
    user_activity_past,
    since_conversion,
    user_group,
    kind,
    sum(examples) as examples
from every_kind
group by 1, 2, 3, 4, 5, 6, 7
