-- A row is a channel with the conversions and the value credited to it by the newest run.
-- Reads ${shapley_table}_detail, to which runs append. Makes mta_report_credit.
select
    channel,
    sum(conversions) as conversions,
    sum(cast(value as double)) as value
from ${shapley_table}_detail
where
    channel <> '(baseline)'
    and run_id = (select max(run_id) from ${shapley_table}_detail)
group by 1
