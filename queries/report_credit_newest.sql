-- A row is a channel with the conversions and the value credited to it by the newest run, and, where
-- models were refitted for it, the full interval of these conversions.
-- The twin of report_credit.sql where runs append (if_exists: append): the same but for run_id.
-- Reads ${shapley_table}_detail and ${shapley_table}_intervals, to which runs append.
-- Makes mta_report_credit.
with

credit as (
    select
        channel,
        sum(conversions) as conversions,
        sum(cast(value as double)) as value
    from ${shapley_table}_detail
    where
        channel <> '(baseline)'
        and run_id = (select max(run_id) from ${shapley_table}_detail)
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
        and run_id = (select max(run_id) from ${shapley_table}_detail)
)

select
    credit.channel,
    credit.conversions,
    credit.value,
    bounds.lower,
    bounds.upper
from credit
left join bounds on credit.channel = bounds.channel
