-- A row is a channel and a source in it, with the number of rows of both.
-- Reads ${union_table}. Makes ${channel_stats}.
with

sources as (
    select
        "${channel_col}" as channel,
        "${source_col}" as source,
        count(*) as source_rows
    from ${union_table}
    group by 1, 2
)

select
    channel as "${channel_col}",
    source as "${source_col}",
    sum(source_rows) over (partition by channel) as channel_rows,
    source_rows
from sources
order by channel, source
