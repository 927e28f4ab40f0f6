-- A row is a channel and a source in it, with the number of rows of both.
-- Reads ${union_table}. Makes ${channel_stats}.
with

sources as (
    select
        "${channel_col}" as channel,
        "${source_col}" as source,
        case
            when '${channel_letter_case}' = 'join'
                then lower(regexp_replace(translate("${channel_col}", '_-', '  '), ' +', ' '))
            else "${channel_col}"
        end as joined_name,
        count(*) as source_rows
    from ${union_table}
    group by 1, 2, 3
),

-- Of the names that are joined the most frequent one counts.
spellings as (
    select
        joined_name,
        channel,
        row_number() over (
            partition by joined_name order by sum(source_rows) desc, channel
        ) as place
    from sources
    group by 1, 2
),

joined as (
    select
        spellings.channel,
        sources.source,
        sum(sources.source_rows) as source_rows
    from sources
    left join spellings on sources.joined_name = spellings.joined_name and spellings.place = 1
    group by 1, 2
)

select
    channel as "${channel_col}",
    source as "${source_col}",
    cast(sum(source_rows) over (partition by channel) as bigint) as channel_rows,
    cast(source_rows as bigint) as source_rows
from joined
order by channel, source
