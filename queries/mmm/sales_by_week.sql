-- A row is a whole week, named by its Monday, with its sales and the means of the controls. Weeks are
-- those from the first to the last day with sales, before the day of the session. Sums are of
-- millionths, so that no order of rows changes a digit.
-- Reads ${sales_table}. Makes ${media_table}_sales.
with

sales_rows as (
    select
        coalesce(trim(cast("${sales_day_column}" as varchar)), '(no day)') as day_text,
        cast(round(cast("${sales_amount_column}" as double) * 1e6) as bigint) as millionths
        ${(control_columns || 'none') == 'none' ? '' : control_columns.split(',').map(function (name, place) { return ', cast(round(cast("' + name.trim() + '" as double) * 1e6) as bigint) as control_' + place; }).join('')}
    from ${sales_table}
),

-- A text that is no day fails here.
by_day as (
    select
        *,
        case
            when regexp_like(day_text, '^[0-9]{9,10}$')
                then cast(from_unixtime(cast(day_text as bigint), '${day_timezone}') as date)
            else cast(
                substr(regexp_replace(day_text, '^([0-9]{4})([0-9]{2})([0-9]{2})$', '$1-$2-$3'), 1, 10)
                as date
            )
        end as day
    from sales_rows
),

known as (
    select *
    from by_day
    where day < date '${session_date}'
),

period as (
    select
        min(day) as first_day,
        max(day) as last_day
    from known
),

by_week as (
    select
        date_trunc('week', day) as week,
        case when count(*) = count(millionths) then cast(sum(millionths) as double) / 1e6 end as sales
        ${(control_columns || 'none') == 'none' ? '' : control_columns.split(',').map(function (name, place) { return ', case when count(*) = count(control_' + place + ') then cast(sum(control_' + place + ') as double) / 1e6 / count(*) end as control_' + place; }).join('')}
    from known
    group by 1
)

select
    cast(by_week.week as varchar) as week,
    by_week.sales as "${sales_amount_column}"
    ${(control_columns || 'none') == 'none' ? '' : control_columns.split(',').map(function (name, place) { return ', by_week.control_' + place + ' as "' + name.trim() + '"'; }).join('')}
from by_week
cross join period
where
    by_week.week >= period.first_day
    and date_add('day', 6, by_week.week) <= period.last_day
