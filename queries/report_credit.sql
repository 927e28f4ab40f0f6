-- A row is a channel with the conversions and the value credited to it, and, where models were
-- refitted for it, the full interval of these conversions.
-- The twin of report_credit_newest.sql: without if_exists: append the tables have no column run_id,
-- which a query could not name even in a condition that never applies.
-- Reads ${shapley_table}_detail and ${shapley_table}_intervals. Makes mta_report_credit.
with

credit as (
    select
        channel,
        sum(conversions) as conversions,
        sum(cast(value as double)) as value
    from ${shapley_table}_detail
    where
        channel <> '(baseline)'
    group by 1
),

bounds as (
    select
        channel,
        cast(lower as double) as lower,
        cast(upper as double) as upper
    from ${shapley_table}_intervals
    where
        kind = 'full'
)

select
    credit.channel,
    credit.conversions,
    credit.value,
    bounds.lower,
    bounds.upper
from credit
left join bounds on credit.channel = bounds.channel
