-- A row is a touchpoint: one page view or form fill of a user, with its channel and source.
-- Reads ${enriched_pageviews} and ${enriched_formfills}. Makes ${union_table}.
-- Another source, a visit to a store for instance, is one more `union all` in `events` where it has
-- URLs, or else in the last step: time, user, channel, source, channel_source, campaign, conversion, value.
with

-- Rules: which utm_medium belongs to which channel.
media (medium, channel) as (
    values
        ('affiliate', 'Affiliates'),
        ('cpm', 'Display'),
        ('email', 'Email'),
        ('organic', 'Organic Search'),
        ('cpv', 'Other Advertising'),
        ('cpc', 'Paid Search'),
        ('referral', 'Referral')
),

-- Rules: sites, named as utm_source names them (only Social is looked up so) or as the referrer's
-- domain does (t.co is 't'), with the source and the channel of a visit from there.
sites (site, source, channel) as (
    values
        ('facebook', 'facebook', 'Social'),
        ('fb', 'facebook', 'Social'),
        ('ig', 'instagram', 'Social'),
        ('instagram', 'instagram', 'Social'),
        ('linkedin', 'linkedin', 'Social'),
        ('lnkd', 'linkedin', 'Social'),
        ('pinterest', 'pinterest', 'Social'),
        ('quora', 'quora', 'Social'),
        ('reddit', 'reddit', 'Social'),
        ('slideshare', 'slideshare', 'Social'),
        ('snapchat', 'snapchat', 'Social'),
        ('t', 'twitter', 'Social'),
        ('tiktok', 'tiktok', 'Social'),
        ('twitter', 'twitter', 'Social'),
        ('x', 'twitter', 'Social'),
        ('youtu', 'youtube', 'Social'),
        ('youtube', 'youtube', 'Social'),
        ('bing', 'bing', 'Organic Search'),
        ('duckduckgo', 'duckduckgo', 'Organic Search'),
        ('google', 'google', 'Organic Search'),
        ('yahoo', 'yahoo', 'Organic Search'),
        ('wikipedia', 'wikipedia', 'Referral')
),

-- The column "none" stands in where a parameter names no column.
pageviews as (
    select
        *,
        cast(null as varchar) as "none"
    from ${enriched_pageviews}
),

formfills as (
    select
        *,
        cast(null as varchar) as "none"
    from ${enriched_formfills}
),

events as (
    select
        time,
        "${input_user_column}" as user_id,
        td_url,
        td_referrer,
        cast("${pageviews_channel_column}" as varchar) as given_channel,
        cast("${pageviews_source_column}" as varchar) as given_source,
        cast(null as varchar) as form_id,
        cast(null as double) as value
    from pageviews
    where td_interval(time, '${time_interval}', '${day_timezone}')

    union all

    select
        time,
        "${input_user_column}" as user_id,
        td_url,
        td_referrer,
        cast(null as varchar) as given_channel,
        cast(null as varchar) as given_source,
        coalesce(cast(form_id as varchar), '') as form_id,
        cast("${formfills_value_column}" as double) as value
    from formfills
    where td_interval(time, '${time_interval}', '${day_timezone}')
),

parsed as (
    select
        time,
        user_id,
        nullif(trim(given_channel), '') as given_channel,
        nullif(trim(given_source), '') as given_source,
        lower(trim(url_extract_parameter(td_url, 'utm_medium'))) as medium,
        nullif(lower(trim(url_extract_parameter(td_url, 'utm_source'))), '') as utm_source,
        nullif(trim(url_extract_parameter(td_url, 'utm_campaign')), '') as campaign,
        regexp_extract(
            lower(url_extract_host(td_referrer)),
            '([^.]+)\.(?:com?\.)?[a-z]+$',
            1
        ) as referrer_site,
        case
            when '${conversion_form_ids}' = '*' and form_id is not null then 1
            when strpos(
                ',' || replace('${conversion_form_ids}', ', ', ',') || ',',
                ',' || nullif(form_id, '') || ','
            ) > 0 then 1
            when '${conversion_url_pattern}' not in ('none', '')
                and regexp_like(td_url, '${conversion_url_pattern}') then 1
            else 0
        end as conversion,
        value
    from events
),

touchpoints as (
    select
        parsed.time,
        parsed.user_id,
        coalesce(
            parsed.given_channel, media.channel, networks.channel, referrers.channel, 'Direct'
        ) as channel,
        coalesce(parsed.given_source, parsed.utm_source, referrers.source, 'direct') as source,
        parsed.campaign,
        parsed.conversion,
        parsed.value
    from parsed
    left join media on parsed.medium = media.medium
    left join sites as networks on parsed.utm_source = networks.site and networks.channel = 'Social'
    left join sites as referrers on parsed.referrer_site = referrers.site
)

select
    time as "${time_column}",
    user_id as "${unique_id}",
    channel as "${channel_col}",
    source as "${source_col}",
    case
        when source = 'direct' then channel
        else channel || ' ' || upper(substr(source, 1, 1)) || substr(source, 2)
    end as "${channel_source_col}",
    campaign,
    conversion as "${conversion_column}",
    value
from touchpoints
