-- A row is a channel with its spend, impressions and clicks on the days of the touchpoints.
-- Reads ${spend_table} and ${table}. Makes mta_report_spend.
with

days as (
    select
        td_time_string(min("${time_column}"), 'd!', '${day_timezone}') as first_day,
        td_time_string(max("${time_column}"), 'd!', '${day_timezone}') as last_day
    from ${table}
)

select
    trim(spent.channel) as channel,
    sum(cast(spent.spend as double)) as spend,
    sum(cast(spent.impressions as double)) as impressions,
    sum(cast(spent.clicks as double)) as clicks
from ${spend_table} as spent
cross join days
where substr(cast(spent.day as varchar), 1, 10) between days.first_day and days.last_day
group by 1
