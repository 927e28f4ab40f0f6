-- No rows: what is spent on a channel, where no spend_table says so.
-- Makes mta_report_spend.
select
    cast(null as varchar) as channel,
    cast(null as double) as spend,
    cast(null as double) as impressions,
    cast(null as double) as clicks
where 1 = 0
