-- A row is a channel: its touches, what it is credited with, what it cost, and how the two compare.
--   cpm   cost of a thousand impressions      cpc   cost of a click      cpa   cost of a conversion
--   roas  value for each unit of spend        roms  value less spend, for each unit of spend
-- Reads mta_report_credit, mta_report_spend and ${table}. Makes ${shapley_table}_report.
with

credit as (
    select
        channel,
        conversions,
        cast(value as double) as value,
        cast(lower as double) as lower,
        cast(upper as double) as upper
    from mta_report_credit
),

spend as (
    select
        channel,
        cast(spend as double) as spend,
        cast(impressions as double) as impressions,
        cast(clicks as double) as clicks
    from mta_report_spend
),

touched as (
    select
        trim(cast("${action_column}" as varchar)) as channel,
        count(*) as touches,
        count(distinct "${user_column}") as users
    from ${table}
    where
        trim(cast("${action_column}" as varchar)) <> ''
        and (${conversion_row_is_touch} or "${conversion_column}" = 0)
    group by 1
),

channels as (
    select channel from credit
    union
    select channel from touched
    union
    select channel from spend
)

select
    channels.channel,
    coalesce(touched.touches, 0) as touches,
    coalesce(touched.users, 0) as users,
    coalesce(credit.conversions, 0e0) as conversions,
    credit.value,
    spend.impressions,
    spend.spend,
    1000e0 * spend.spend / nullif(spend.impressions, 0e0) as cpm,
    spend.spend / nullif(spend.clicks, 0e0) as cpc,
    spend.spend / nullif(credit.conversions, 0e0) as cpa,
    credit.value / nullif(spend.spend, 0e0) as roas,
    (credit.value - spend.spend) / nullif(spend.spend, 0e0) as roms,
    credit.lower,
    credit.upper
from channels
left join credit on channels.channel = credit.channel
left join touched on channels.channel = touched.channel
left join spend on channels.channel = spend.channel
where channels.channel is not null
order by channels.channel
