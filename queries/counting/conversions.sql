-- A row is a row that converts, a refund, or a row of a user with more rows than max_touches_per_user
-- or max_conversions_per_user. Few are, so that what reading makes of them is counted
-- (readings.sql) without the others.
-- Reads ${counts_table}_read. Makes ${counts_table}_conversions (dropped at the end).
with

-- Users with so many rows that they may be over a limit; none where there is no limit.
many_rows as (
    select user_id
    from ${counts_table}_read
    where '${max_touches_per_user}' <> 'none' or '${max_conversions_per_user}' <> 'none'
    group by 1
    having
        count(*) > ${max_touches_per_user == 'none' ? '9223372036854775807' : max_touches_per_user}
        or sum(conversion)
            > ${max_conversions_per_user == 'none' ? '9223372036854775807' : max_conversions_per_user}
)

select
    rows_read.user_id,
    rows_read.time,
    rows_read.channel,
    rows_read.conversion,
    rows_read.value,
    rows_read.order_key,
    rows_read.journey_key,
    rows_read.tie_number,
    rows_read.tie_text,
    rows_read.refund,
    many_rows.user_id is not null as has_many_rows
from ${counts_table}_read as rows_read
left join many_rows on rows_read.user_id = many_rows.user_id
where
    (rows_read.conversion = 1 or rows_read.refund is not null or many_rows.user_id is not null)
    and (rows_read.refund is null or '${refunds}' = 'subtract')
