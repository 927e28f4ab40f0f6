-- A row is a week, named by its Monday, and a channel with spend in it. A week with a cell without
-- spend has none, which the Python task refuses. Sums are of millionths, so that no order of rows
-- changes a digit.
-- Reads ${spend_table}. Makes ${media_table}.
with

spend_rows as (
    select
        coalesce(trim(cast("${spend_day_column}" as varchar)), '(no day)') as day_text,
        cast("${spend_channel_column}" as varchar) as channel,
        cast(round(cast("${spend_amount_column}" as double) * 1e6) as bigint) as millionths
    from ${spend_table}
),

-- A text that is no day fails here.
by_day as (
    select
        case
            when regexp_like(day_text, '^[0-9]{9,10}$')
                then cast(from_unixtime(cast(day_text as bigint), '${day_timezone}') as date)
            else cast(
                substr(regexp_replace(day_text, '^([0-9]{4})([0-9]{2})([0-9]{2})$', '$1-$2-$3'), 1, 10)
                as date
            )
        end as day,
        channel,
        millionths
    from spend_rows
)

select
    cast(date_trunc('week', day) as varchar) as week,
    channel,
    case when count(*) = count(millionths) then cast(sum(millionths) as double) / 1e6 end as spend
from by_day
group by 1, 2
