-- A row is a channel with the conversions and the value credited to it.
-- Reads ${shapley_table}_detail. Makes mta_report_credit.
select
    channel,
    sum(conversions) as conversions,
    sum(cast(value as double)) as value
from ${shapley_table}_detail
where channel <> '(baseline)'
group by 1
