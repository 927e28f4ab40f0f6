-- A row is a touchpoint of a table that has them already, under the names that the model reads.
-- Reads ${touchpoints_table}. Makes ${union_table}.
with

-- The column "none" stands in where a parameter names no column.
given as (
    select
        *,
        cast(null as varchar) as "none"
    from ${touchpoints_table}
),

trimmed as (
    select
        trim(cast("${touchpoints_time_column}" as varchar)) as time_text,
        "${touchpoints_user_column}" as user_id,
        nullif(trim(cast("${touchpoints_channel_column}" as varchar)), '') as channel,
        nullif(trim(cast("${touchpoints_source_column}" as varchar)), '') as source,
        nullif(trim(cast("${touchpoints_campaign_column}" as varchar)), '') as campaign,
        lower(trim(cast("${touchpoints_conversion_column}" as varchar))) as conversion_text,
        cast("${touchpoints_value_column}" as double) as value
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
        value
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
from timed
where td_interval(time, '${time_interval}', '${day_timezone}')
