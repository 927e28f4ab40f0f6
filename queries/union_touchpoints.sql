-- A row is a touchpoint of a table that has them already, under the names that the model reads, or an
-- order, where these have a table of their own.
-- Reads ${touchpoints_table}, and where it is not none ${orders_table}. Makes ${union_table}.
with

-- The column "none" stands in where a parameter names no column.
given_touches as (
    select
        *,
        cast(null as varchar) as "none"
    from ${touchpoints_table}
),

-- No rows where orders are not in a table of their own.
given_orders as (
    select
        *,
        cast(null as varchar) as "none"
    from ${orders_table == 'none' ? touchpoints_table : orders_table}
    where '${orders_table}' <> 'none'
),

-- Touches, none of which converts where orders have their own table, and orders, each of which does.
given as (
    select
        cast("${touchpoints_time_column}" as varchar) as time_text,
        cast("${touchpoints_user_column}" as varchar) as user_id,
        cast("${touchpoints_channel_column}" as varchar) as channel,
        cast("${touchpoints_source_column}" as varchar) as source,
        cast("${touchpoints_campaign_column}" as varchar) as campaign,
        case
            when '${orders_table}' <> 'none' then '0'
            else cast("${orders_table == 'none' ? touchpoints_conversion_column : 'none'}" as varchar)
        end as conversion_text,
        cast("${touchpoints_value_column}" as double) as value,
        cast("${tie_column}" as varchar) as tie,
        cast("${orders_table == 'none' ? order_id : 'none'}" as varchar) as order_id,
        cast("${conversion_id}" as varchar) as conversion_id
    from given_touches
    union all
    select
        cast("${orders_time_column == 'none' ? touchpoints_time_column : orders_time_column}" as varchar),
        cast("${orders_user_column == 'none' ? touchpoints_user_column : orders_user_column}" as varchar),
        cast(null as varchar),
        cast(null as varchar),
        cast(null as varchar),
        '1',
        cast("${orders_value_column == 'none' ? touchpoints_value_column : orders_value_column}" as double),
        cast(null as varchar),
        cast("${order_id}" as varchar),
        cast(null as varchar)
    from given_orders
),

trimmed as (
    select
        trim(time_text) as time_text,
        user_id,
        nullif(trim(channel), '') as channel,
        nullif(trim(source), '') as source,
        nullif(trim(campaign), '') as campaign,
        lower(trim(conversion_text)) as conversion_text,
        value,
        tie,
        nullif(trim(order_id), '') as order_id,
        conversion_id
    from given
),

-- Seconds, milliseconds or ISO 8601 to seconds. What is none of them stops the query.
timed as (
    select
        case
            when regexp_like(time_text, '^[0-9]{12,}$') then cast(time_text as bigint) / 1000
            when regexp_like(time_text, '^-?[0-9]+$') then cast(time_text as bigint)
            else cast(
                floor(to_unixtime(from_iso8601_timestamp(replace(time_text, ' ', 'T')))) as bigint
            )
        end as time,
        user_id,
        channel,
        source,
        campaign,
        case
            when conversion_text in ('true', '1.0', '1.0e0') then 1
            when conversion_text in ('false', '0.0', '0e0') then 0
            else cast(conversion_text as bigint)
        end as conversion,
        value,
        tie,
        order_id,
        conversion_id
    from trimmed
)

select
    time as "${time_column}",
    user_id as "${unique_id}",
    channel as "${channel_col}",
    source as "${source_col}",
    case
        when source is null then channel
        else channel || ' ' || upper(substr(source, 1, 1)) || substr(source, 2)
    end as "${channel_source_col}",
    campaign,
    conversion as "${conversion_column}",
    value
    -- Further columns that the model reads, under their own names.
    ${tie_column == 'none' ? '--' : ','} tie as "${tie_column}"
    ${order_id == 'none' ? '--' : ','} order_id as "${order_id}"
    ${conversion_id == 'none' ? '--' : ','} conversion_id as "${conversion_id}"
from timed
where td_interval(time, '${time_interval}', '${day_timezone}')
