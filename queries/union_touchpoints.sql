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
        typeof("${touchpoints_time_column}") as time_type,
        false as is_order,
        -- A number without a fraction is the same id without a point.
        case
            when typeof("${touchpoints_user_column}") not in ('double', 'real') then cast("${touchpoints_user_column}" as varchar)
            when cast(cast("${touchpoints_user_column}" as varchar) as double) = floor(cast(cast("${touchpoints_user_column}" as varchar) as double)) and abs(cast(cast("${touchpoints_user_column}" as varchar) as double)) < 9.2e18
                then cast(cast(cast(cast("${touchpoints_user_column}" as varchar) as double) as bigint) as varchar)
            when cast("${touchpoints_user_column}" as varchar) <> 'NaN' then cast(cast(
                'table ${touchpoints_table}, column ${touchpoints_user_column} must hold ids, got ' || cast("${touchpoints_user_column}" as varchar)
                || ', which is no whole number of up to 18 digits. Write the ids as text' as bigint
            ) as varchar)
        end as user_id,
        case
            when typeof("${touchpoints_channel_column}") not in ('double', 'real')
                then cast("${touchpoints_channel_column}" as varchar)
            when cast(cast("${touchpoints_channel_column}" as varchar) as double) = floor(cast(cast("${touchpoints_channel_column}" as varchar) as double)) and abs(cast(cast("${touchpoints_channel_column}" as varchar) as double)) < 9.2e18
                then cast(cast(cast(cast("${touchpoints_channel_column}" as varchar) as double) as bigint) as varchar)
            else cast("${touchpoints_channel_column}" as varchar)
        end as channel,
        cast("${touchpoints_source_column}" as varchar) as source,
        cast("${touchpoints_campaign_column}" as varchar) as campaign,
        case
            when '${orders_table}' <> 'none' then '0'
            else cast("${orders_table == 'none' ? touchpoints_conversion_column : 'none'}" as varchar)
        end as conversion_text,
        case
            when typeof("${touchpoints_value_column}") not like 'varchar%'
                then cast("${touchpoints_value_column}" as double)
        end as value,
        case
            when typeof("${touchpoints_value_column}") like 'varchar%'
                then cast("${touchpoints_value_column}" as varchar)
        end as value_text,
        cast("${tie_column}" as varchar) as tie,
        cast("${orders_table == 'none' ? order_id : 'none'}" as varchar) as order_id,
        cast("${conversion_id}" as varchar) as conversion_id,
        ${control_columns.replace(/[A-Za-z0-9_]+/g, 'cast("$&" as varchar) as "control $&"')}
    from given_touches
    union all
    select
        cast("${orders_time_column == 'none' ? touchpoints_time_column : orders_time_column}" as varchar),
        typeof("${orders_time_column == 'none' ? touchpoints_time_column : orders_time_column}"),
        true,
        case
            when typeof("${orders_user_column == 'none' ? touchpoints_user_column : orders_user_column}") not in ('double', 'real') then cast("${orders_user_column == 'none' ? touchpoints_user_column : orders_user_column}" as varchar)
            when cast(cast("${orders_user_column == 'none' ? touchpoints_user_column : orders_user_column}" as varchar) as double) = floor(cast(cast("${orders_user_column == 'none' ? touchpoints_user_column : orders_user_column}" as varchar) as double)) and abs(cast(cast("${orders_user_column == 'none' ? touchpoints_user_column : orders_user_column}" as varchar) as double)) < 9.2e18
                then cast(cast(cast(cast("${orders_user_column == 'none' ? touchpoints_user_column : orders_user_column}" as varchar) as double) as bigint) as varchar)
            when cast("${orders_user_column == 'none' ? touchpoints_user_column : orders_user_column}" as varchar) <> 'NaN' then cast(cast(
                'table ${orders_table}, column ${orders_user_column == 'none' ? touchpoints_user_column : orders_user_column} must hold ids, got ' || cast("${orders_user_column == 'none' ? touchpoints_user_column : orders_user_column}" as varchar)
                || ', which is no whole number of up to 18 digits. Write the ids as text' as bigint
            ) as varchar)
        end,
        cast(null as varchar),
        cast(null as varchar),
        cast(null as varchar),
        '1',
        case
            when typeof("${orders_value_column == 'none' ? touchpoints_value_column : orders_value_column}") not like 'varchar%'
                then cast("${orders_value_column == 'none' ? touchpoints_value_column : orders_value_column}" as double)
        end,
        case
            when typeof("${orders_value_column == 'none' ? touchpoints_value_column : orders_value_column}") like 'varchar%'
                then cast("${orders_value_column == 'none' ? touchpoints_value_column : orders_value_column}" as varchar)
        end,
        cast(null as varchar),
        cast("${order_id}" as varchar),
        cast(null as varchar),
        ${control_columns.replace(/[A-Za-z0-9_]+/g, 'cast(null as varchar)')}
    from given_orders
),

-- Without the blanks of Unicode around them, those of no width included.
trimmed as (
    select
        trim(time_text, U&' \0009\000A\000B\000C\000D\001C\001D\001E\001F\0085\00A0\1680\2000\2001\2002\2003\2004\2005\2006\2007\2008\2009\200A\200B\200C\200D\2028\2029\202F\205F\2060\3000\FEFF') as time_text,
        time_type,
        is_order,
        nullif(trim(user_id, U&' \0009\000A\000B\000C\000D\001C\001D\001E\001F\0085\00A0\1680\2000\2001\2002\2003\2004\2005\2006\2007\2008\2009\200A\200B\200C\200D\2028\2029\202F\205F\2060\3000\FEFF'), '') as user_id,
        nullif(trim(channel, U&' \0009\000A\000B\000C\000D\001C\001D\001E\001F\0085\00A0\1680\2000\2001\2002\2003\2004\2005\2006\2007\2008\2009\200A\200B\200C\200D\2028\2029\202F\205F\2060\3000\FEFF'), '') as channel,
        nullif(trim(source, U&' \0009\000A\000B\000C\000D\001C\001D\001E\001F\0085\00A0\1680\2000\2001\2002\2003\2004\2005\2006\2007\2008\2009\200A\200B\200C\200D\2028\2029\202F\205F\2060\3000\FEFF'), '') as source,
        nullif(trim(campaign, U&' \0009\000A\000B\000C\000D\001C\001D\001E\001F\0085\00A0\1680\2000\2001\2002\2003\2004\2005\2006\2007\2008\2009\200A\200B\200C\200D\2028\2029\202F\205F\2060\3000\FEFF'), '') as campaign,
        case
            when conversion_text = '0' or conversion_text = '1' then conversion_text
            else lower(trim(conversion_text, U&' \0009\000A\000B\000C\000D\001C\001D\001E\001F\0085\00A0\1680\2000\2001\2002\2003\2004\2005\2006\2007\2008\2009\200A\200B\200C\200D\2028\2029\202F\205F\2060\3000\FEFF'))
        end as conversion_text,
        value,
        lower(trim(value_text, U&' \0009\000A\000B\000C\000D\001C\001D\001E\001F\0085\00A0\1680\2000\2001\2002\2003\2004\2005\2006\2007\2008\2009\200A\200B\200C\200D\2028\2029\202F\205F\2060\3000\FEFF')) as value_text,
        tie,
        nullif(trim(order_id), '') as order_id,
        conversion_id,
        ${control_columns.replace(/[A-Za-z0-9_]+/g, '"control $&"')}
    from given
),

-- Words for a missing value stay where the model's reader tells them: in users, channels and sources.
without_words as (
    select
        time_text,
        time_type,
        is_order,
        user_id,
        channel,
        source,
        campaign,
        conversion_text,
        value,
        case
            when value_text is null or value_text in ('', 'nan') then null
            when regexp_like(value_text, '^-?[0-9]+[.]?[0-9]*$') then value_text
            when '${[null_words].join('').replace(/'/g, '$&$&')}' <> 'none' and strpos(
                ',' || regexp_replace(lower('${[null_words].join('').replace(/'/g, '$&$&')}'), ' *, *', ',') || ',',
                ',' || value_text || ','
            ) > 0 then null
            else value_text
        end as value_text,
        tie,
        order_id,
        conversion_id,
        ${control_columns.replace(/[A-Za-z0-9_]+/g, '"control $&"')}
    from trimmed
),

-- Amounts that are texts: $1,234.50, 12,50 EUR, (5.00). Most are plain numbers, 1.234 may be a thousand.
plain as (
    select
        value_text,
        case
            when regexp_like(value_text, '^[-+]?(?:[0-9]+[.]?[0-9]*|[.][0-9]+)(?:e[-+]?[0-9]+)?$')
                and not regexp_like(value_text, '^[-+]?[1-9][0-9]{0,2}[.][0-9]{3}$')
                then cast(value_text as double)
        end as plain_number
    from (select distinct value_text from without_words where value_text is not null) as texts
),

-- Of the others, one way to write them.
written as (
    select
        *,
        regexp_replace(
            regexp_replace(
                translate(
                    case when plain_number is null then value_text end,
                    U&'\2212\2013\2019\02BC\0009\00A0\2007\2009\202F\3000',
                    '--''''      '
                ),
                '(\p{L})[.]', '$1'
            ),
            '([0-9])[.,]-+', '$1'
        ) as money
    from plain
),

-- Then what stands around the number (a currency of the list), and the number with its sign.
parted as (
    select
        *,
        regexp_replace(money, '[-+0-9., ''()]+', '') as sign,
        trim(regexp_replace(money, '[^-+0-9., ''()]+', '')) as signed
    from written
),

currencies as (
    select
        *,
        case
            when money is null then null
            when regexp_like(money, '[0-9][., ]*[^-+0-9., ''()]+[., ]*[0-9]') then null
            when sign = '' then ''
            when sign in ('$', 'usd', 'us$', '$us', 'usd$', '$usd') then '$'
            when sign in ('€', 'eur', 'euro', 'euros', '€eur') then '€'
            when sign in ('£', 'gbp', '£gbp') then '£'
            when sign in ('¥', '￥', 'jpy', '円', 'yen', 'cny', 'rmb', '元', 'cn¥') then '¥'
            when sign in ('₹', 'inr', 'rs') then '₹'
            when sign in ('₩', 'krw', '원') then '₩'
            when sign in ('₽', 'rub', 'руб', 'р') then '₽'
            when sign in ('kr', 'sek', 'nok', 'dkk', 'isk') then 'kr'
            when sign in ('zł', 'zl', 'pln') then 'zł'
            when sign in ('kč', 'kc', 'czk') then 'Kč'
            when sign in ('chf', 'fr', 'sfr') then 'Fr.'
            when sign in ('r$', 'brl') then 'R$'
            when sign in ('a$', 'au$', 'aud') then 'A$'
            when sign in ('c$', 'ca$', 'cad') then 'C$'
            when sign in ('₺', 'try', 'tl') then '₺'
            when sign in ('₪', 'ils') then '₪'
            when sign in ('฿', 'thb') then '฿'
            when sign in ('₫', 'vnd', 'đ') then '₫'
            when sign in ('₴', 'uah', 'грн') then '₴'
            when sign in (
                'nz$', 'nzd', 'hk$', 'hkd', 's$', 'sgd', 'nt$', 'twd', 'mx$', 'mxn', 'ars', 'clp',
                'cop', 'pen', 'huf', 'ft', 'ron', 'lei', 'bgn', 'zar', 'aed', 'sar', 'idr', 'rp',
                'myr', 'rm', 'php', '₱', 'pkr', 'egp', 'ngn', 'kes'
            ) then upper(sign)
        end as currency,
        case
            when signed is null then null
            when not regexp_like(
                signed,
                '^(?:[-+]? *[0-9.,][0-9., '']*|[0-9.,][0-9., '']*-|[(] *[0-9.,][0-9., '']*[)])$'
            ) then ''
            when not regexp_like(signed, '[0-9.,] +[0-9.,]|''')
                then regexp_replace(signed, '[-+() '']+', '')
            when regexp_like(
                signed, '^[-+( ]*[0-9]{1,3}(?:[ ''][0-9]{3})+(?:[.,][0-9]*)?[- )]*$'
            ) then regexp_replace(signed, '[-+() '']+', '')
            else ''
        end as digits
    from parted
),

-- Its meaning with either decimal mark, NULL where there is none.
meant as (
    select
        *,
        case
            when value_text is null then null
            when plain_number is not null then plain_number
            when currency is null or not regexp_like(digits, '[0-9]') then null
            when regexp_like(
                digits,
                '^(?:[0-9]+|[1-9][0-9]{0,2}(?:,[0-9]{2,3})*,[0-9]{3})?(?:[.][0-9]*)?$'
            ) then cast(replace(digits, ',', '') as double)
        end as with_point,
        case
            when value_text is null then null
            when plain_number is not null then if(value_text like '%.%', null, plain_number)
            when currency is null or not regexp_like(digits, '[0-9]') then null
            when regexp_like(digits, '^(?:[0-9]+|[1-9][0-9]{0,2}(?:[.][0-9]{3})+)?(?:,[0-9]*)?$')
                then cast(replace(replace(digits, '.', ''), ',', '.') as double)
        end as with_comma,
        case
            when digits is null then null
            when not regexp_like(digits, '^[1-9][0-9]{0,2}[.,][0-9]{3}$') then null
            when currency <> '' and digits like '%.%' then 'comma'
            else 'point'
        end as likely_mark,
        if(signed like '-%' or signed like '(%' or signed like '%-', -1e0, 1e0) as sense
    from currencies
),

-- The decimal mark of the column: one that only one value shows, else the one that open values have
-- as a rule (1,234 is a thousand, 1.234 is not, $1.234 is).
marks as (
    select
        max(case when with_comma is null then value_text end) as shows_point,
        max(case when with_point is null then value_text end) as shows_comma,
        max(case when likely_mark = 'point' then value_text end) as likely_point,
        max(case when likely_mark = 'comma' then value_text end) as likely_comma,
        min(nullif(currency, '')) as first_currency,
        max(nullif(currency, '')) as last_currency
    from meant
    where with_point is not null or with_comma is not null
),

decided as (
    select
        case
            when '${decimal_mark}' <> 'none' then '${decimal_mark}'
            when shows_point is not null then 'point'
            when shows_comma is not null then 'comma'
            when likely_point is not null then 'point'
            when likely_comma is not null then 'comma'
            else 'point'
        end as mark,
        case
            when first_currency <> last_currency then
                'holds amounts in several currencies, such as ' || first_currency || ' and '
                || last_currency || '. Convert them to one'
            when '${decimal_mark}' <> 'none' then null
            when shows_point is not null and shows_comma is not null then
                'does not tell whether a point or a comma is the decimal mark, it holds '
                || shows_point || ' and ' || shows_comma || '. Set decimal_mark to point or comma'
            when shows_point is null and shows_comma is null
                and likely_point is not null and likely_comma is not null then
                'does not tell whether a point or a comma is the decimal mark, it holds '
                || likely_point || ' and ' || likely_comma || '. Set decimal_mark to point or comma'
        end as fault
    from marks
),

amounts as (
    select
        value_text,
        case
            when fault is null and currency is not null and signed in ('', '-') then null
            when fault is null and with_comma is not null and mark = 'comma' then sense * with_comma
            when fault is null and with_point is not null and mark = 'point' then sense * with_point
            else cast(cast(
                'table ${touchpoints_table}, column ${touchpoints_value_column} '
                || coalesce(fault, 'must hold numbers, got ' || value_text) as bigint
            ) as double)
        end as amount
    from decided
    cross join meant
),

-- Times, read as td_mta/ingest/times/ reads them, each value by itself. First numbers: whole ones,
-- 19 digits (nanoseconds, of which the first 16 are microseconds), and those with a point or exponent.
numbered as (
    select
        *,
        case
            when regexp_like(time_text, '^[0-9]{1,18}$') then cast(time_text as bigint)
            when regexp_like(time_text, '^[0-9]{19}$') then case
                when '${time_format}' in (
                    'seconds', 'milliseconds', 'microseconds', 'yyyymmdd', 'excel', 'iso'
                ) then null
                else cast(substr(time_text, 1, 16) as bigint)
            end
            when regexp_like(
                time_text, '^[+]?(?:[0-9]+[.]?[0-9]*|[.][0-9]+)(?:[eE][+]?[0-9]{1,2})?$'
            ) then case
                when cast(time_text as double) < 9.2e18
                    then cast(floor(cast(time_text as double)) as bigint)
            end
        end as number
    from without_words
),

-- Then texts. One that is not yet YYYY-MM-DD HH:MM:SS and a tail (AM, UTC, +01:00) becomes so by
-- rules, one a line: first the date, its year in front except where day and month are open.
worded as (
    select
        *,
        case
            when number is null and regexp_like(
                time_text,
                '^[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.,:][0-9]+)? ?((?:[AP][.]? ?M[.]?)?) ?((?:Z|UTC|GMT|UT)?) ?((?:[-+][0-9]{1,2}(?::?[0-9]{2})?)?)$'
            ) then time_text
        end as stamp_text
    from numbered
),

dated as (
    select
        *,
        case when number is null and stamp_text is null then
        regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(
            upper(trim(replace(replace(replace(replace(
                time_text,
                chr(160), ' '), chr(8239), ' '), '"', ''), '''', ''))),
            ' +', ' '),
            ' ?UHR$', ''),
            'JUIL', 'JUL'),
            '^(?:MON|TUE|WED|THU|FRI|SAT|SUN|DIENSTAG|MITTWOCH|DONNER|FREITAG|SONN|(?:MO|DI|MI|DO|FR|SA|SO)[,.])[A-Z]*[,.]* ', ''),
            '(Z|[-+][0-9]{2}:?[0-9]{2})(?: ?[(][^()]*[)]|\[[A-Z_/]*\])$', '$1'),
            '^([A-Z]{3}) ([0-9]{1,2}) ([0-9:]+) ([^ ]*) ?([0-9]{4})$', '$5-$1-$2 $3$4'),
            '^([0-9]{4})([0-9]{2})([0-9]{2})([-T _:]|$)', '$1-$2-$3 '),
            '^([0-9]{4})[-/. ]*([A-ZÄÇÉÛ]{3})[A-ZÄÇÉÛ]*[-/. ]*([0-9]{1,2})', '$1-$2-$3'),
            '^([0-9]{1,2})(?:ST|ND|RD|TH)?[-/., ]*(?:OF |DE )?([A-ZÄÇÉÛ]{3})[A-ZÄÇÉÛ]*[-/., ]*(?:DE )?([0-9]{4})', '$3-$2-$1'),
            '^([0-9]{1,2})[-/. ]([A-ZÄÇÉÛ]{3})[A-ZÄÇÉÛ]*[-/. ]([0-9]{2})($|[ T,])', '20$3-$2-$1$4'),
            '^([A-ZÄÇÉÛ]{3})[A-ZÄÇÉÛ]*[-/. ]*([0-9]{1,2})(?:ST|ND|RD|TH)?[-/., ]+([0-9]{4})', '$3-$1-$2'),
            '^([0-9]{4})[-/. ]([0-9]{1,2})[-/. ]([0-9]{1,2})', '$1-$2-$3') end as date_text
    from worded
),

-- The day comes first where a first number above 12 in the column says so, or time_format.
day_and_month as (
    select
        max(case when regexp_like(
            date_text, '^(?:1[3-9]|2[0-9]|3[01])[-/. ](?:0?[1-9]|1[0-2])[-/. ][0-9]{4}'
        ) then date_text end) as day_first,
        max(case when regexp_like(
            date_text, '^(?:0?[1-9]|1[0-2])[-/. ](?:1[3-9]|2[0-9]|3[01])[-/. ](?:[0-9]{4}|[0-9]{2}($|[ T,]))'
        ) then date_text end) as month_first
    from dated
    where time_type like 'varchar%'
),

ordered as (
    select
        *,
        case
            when '${time_format}' = 'day_first'
                or '${time_format}' in ('none', '')
                and day_first is not null and month_first is null
                then regexp_replace(regexp_replace(
                    date_text, '^([0-9]{1,2}[-/. ][0-9]{1,2})[-/. ]([0-9]{2})($|[ T,])', '$1-20$2$3'),
                    '^([0-9]{1,2})[-/. ]([0-9]{1,2})[-/. ]([0-9]{4})', '$3-$2-$1')
            when '${time_format}' = 'month_first'
                or '${time_format}' in ('none', '')
                and month_first is not null and day_first is null
                then regexp_replace(regexp_replace(
                    date_text, '^([0-9]{1,2}[-/. ][0-9]{1,2})[-/. ]([0-9]{2})($|[ T,])', '$1-20$2$3'),
                    '^([0-9]{1,2})[-/. ]([0-9]{1,2})[-/. ]([0-9]{4})', '$3-$1-$2')
            else date_text
        end as ordered_text
    from dated
    cross join day_and_month
),

clocked as (
    select
        *,
        case when ordered_text is not null then
        regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(
            case
                when regexp_like(ordered_text, '^[0-9]{4}-[A-ZÄÇÉÛ]{3}-') then substr(ordered_text, 1, 5)
                    || lpad(cast(((strpos(
                        '-JAN-FEB-MAR-APR-MAY-JUN-JUL-AUG-SEP-OCT-NOV-DEC'
                        || '-JÄN-FÉV-MÄR-AVR-MAI-JUI-LUG-AOÛ-SET-OKT-NOV-DEZ'
                        || '-ENE-FEV-MRT-ABR-MEI-GIU-JUL-AGO-SEP-OTT-NOV-DIC'
                        || '-GEN-FEB-MAA-APR-MAG-JUN-JUL-AOU-SEP-OUT-NOV-DÉC'
                        || '-JAN-FEB-MRZ-APR-MAY-JUN-JUL-AUG-SEP-OCT-NOV-DEC-',
                        substr(ordered_text, 5, 5)
                    ) + 3) / 4 - 1) % 12 + 1 as varchar), 2, '0')
                    || substr(ordered_text, 9)
                else ordered_text
            end,
            '^([0-9]{4})-([0-9])-', '$1-0$2-'),
            '^([0-9]{4}-[0-9]{2})-([0-9])($|[^0-9])', '$1-0$2$3'),
            '^([0-9]{4}-[0-9]{2}-[0-9]{2})[- T,_:]*(?:AT )?', '$1 '),
            '^([-0-9]{10}) ([0-9]{1,2})[.]([0-9]{2})[.]([0-9]{2})', '$1 $2:$3:$4'),
            '^([-0-9]{10}) ([0-9]{1,2}) ?[.H] ?([0-9]{2})($|[^0-9])', '$1 $2:$3$4'),
            '^([-0-9]{10}) ([0-9]{2})([0-9]{2})([0-9]{2})', '$1 $2:$3:$4'),
            '^([-0-9]{10}) ([0-9]{2})([0-9]{2})', '$1 $2:$3'),
            '^([-0-9]{10}) ([0-9]{1,2})( ?[AP])', '$1 $2:00$3'),
            '^([-0-9]{10}) ([0-9]{2})($|[-+ Z])', '$1 $2:00$3'),
            '^([-0-9]{10}) ([0-9]):', '$1 0$2:'),
            '^([-0-9]{10}) ([0-9]{2}:[0-9]{2})($|[^:0-9])', '$1 $2:00$3'),
            '^([-0-9]{10}) ($|[-+Z]|UTC|GMT)', '$1 00:00:00$2') end as clock_text
    from ordered
),

-- What a clock shows: of texts, and of numbers that write a date (20240304, 202403040900).
stamped as (
    select
        *,
        case
            when '${time_format}' in (
                'seconds', 'milliseconds', 'microseconds', 'nanoseconds', 'excel'
            ) then null
            when number between 19000101 and 20999999
                or number between 190001010000 and 209999999999
                or number between 19000101000000 and 20999999999999
                or number between 19000101000000000 and 20999999999999999
                or number between 1970010100 and 2099999999
                or number between 1900010100 and 1970010099
                and '${time_format}' in ('yyyymmdd', 'iso')
                then cast(number as varchar)
        end as digits,
        case
            when clock_text is null then null
            when regexp_like(
                clock_text,
                '^[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.,:][0-9]+)? ?((?:[AP][.]? ?M[.]?)?) ?((?:Z|UTC|GMT|UT)?) ?((?:[-+][0-9]{1,2}(?::?[0-9]{2})?)?)$'
            ) then clock_text
        end as rewritten_text
    from clocked
),

cut as (
    select
        *,
        coalesce(
            stamp_text,
            rewritten_text,
            case when digits is not null then regexp_replace(
                rpad(digits, 14, '0'),
                '^([0-9]{4})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})', '$1-$2-$3 $4:$5:$6'
            ) end
        ) as stamp
    from stamped
),

pieces as (
    select
        *,
        case when stamp is not null then try_cast(substr(stamp, 1, 10) as date) end as day,
        case
            when stamp is not null then cast(replace(substr(stamp, 12, 8), ':', '') as bigint)
        end as hhmmss,
        case
            when stamp is null then null
            when digits is null then substr(stamp, 20)
            else ''
        end as tail
    from cut
),

tails as (
    select
        *,
        case when tail is not null then substr(regexp_extract(
            tail,
            '^(?:[.,:][0-9]+)? ?((?:[AP][.]? ?M[.]?)?) ?((?:Z|UTC|GMT|UT)?) ?((?:[-+][0-9]{1,2}(?::?[0-9]{2})?)?)$',
            1
        ), 1, 1) end as half,
        case when tail is not null then regexp_extract(
            tail,
            '^(?:[.,:][0-9]+)? ?((?:[AP][.]? ?M[.]?)?) ?((?:Z|UTC|GMT|UT)?) ?((?:[-+][0-9]{1,2}(?::?[0-9]{2})?)?)$',
            2
        ) end as utc,
        case when tail is not null then regexp_replace(regexp_extract(
            tail,
            '^(?:[.,:][0-9]+)? ?((?:[AP][.]? ?M[.]?)?) ?((?:Z|UTC|GMT|UT)?) ?((?:[-+][0-9]{1,2}(?::?[0-9]{2})?)?)$',
            3
        ), '[:]', '') end as offset_text
    from pieces
),

offsets as (
    select
        *,
        case
            when hhmmss is null then null
            when half = '' then hhmmss / 10000
            when hhmmss / 10000 not between 1 and 12 then null
            when half = 'P' then hhmmss / 10000 % 12 + 12
            else hhmmss / 10000 % 12
        end as hour,
        case
            when offset_text is null then null
            when length(offset_text) > 3
                then cast(offset_text as bigint) / 100 * 3600
                + cast(offset_text as bigint) % 100 * 60
            when offset_text <> '' then cast(offset_text as bigint) * 3600
            when utc <> '' then 0
        end as utc_offset
    from tails
),

clocks as (
    select
        *,
        case
            when hour is null and number >= 10000000 then null
            when hour <= 23 and hhmmss / 100 % 100 <= 59 and hhmmss % 100 <= 59
                and coalesce(abs(utc_offset), 0) <= 50400
                then date_diff('day', date '1970-01-01', day) * 86400
                + hour * 3600 + hhmmss / 100 % 100 * 60 + hhmmss % 100
            when digits is null and number between 20000 and 79999
                and '${time_format}' in ('none', '', 'day_first', 'month_first')
                or number between 0 and 9999999 and '${time_format}' = 'excel'
                then cast(floor(
                    (cast(time_text as double) - 25569e0) * 86400e0 + 0.5e0
                ) as bigint)
        end as clock
    from offsets
),

-- Of a clock without an offset the zone's: that of the day before, or of the day after where only
-- that one fits. In a gap in spring the clock moves on, of two times in autumn it is the first.
zoned as (
    select
        *,
        clock - (cast(to_unixtime(cast(at_timezone(
            from_unixtime(clock - 86400), '${day_timezone}'
        ) as timestamp)) as bigint) - (clock - 86400)) as by_day_before,
        clock - (cast(to_unixtime(cast(at_timezone(
            from_unixtime(clock + 86400), '${day_timezone}'
        ) as timestamp)) as bigint) - (clock + 86400)) as by_day_after
    from clocks
),

read as (
    select
        *,
        case
            when number between 100000000 and 1970010099
                and '${time_format}' in ('none', '', 'day_first', 'month_first')
                then number
            when digits is not null and number between 1970010100 and 2099999999
                and '${time_format}' not in ('yyyymmdd', 'iso')
                then case when clock is null then number end
            when utc_offset is not null then clock - utc_offset
            when clock is null then case
                when digits is not null or '${time_format}' in ('yyyymmdd', 'iso', 'excel') then null
                when '${time_format}' = 'seconds' then number
                when '${time_format}' = 'milliseconds' then number / 1000
                when '${time_format}' = 'microseconds' then number / 1000000
                when '${time_format}' = 'nanoseconds' and length(time_text) < 19
                    then number / 1000000000
                when '${time_format}' = 'nanoseconds' then number / 1000000
                when number < 100000000 then null
                when number < 100000000000 then number
                when number < 100000000000000 then number / 1000
                when number < 100000000000000000 then number / 1000000
                else number / 1000000000
            end
            when '${day_timezone}' = 'UTC' then clock
            when cast(to_unixtime(cast(at_timezone(
                from_unixtime(by_day_before), '${day_timezone}'
            ) as timestamp)) as bigint) <> clock
                and cast(to_unixtime(cast(at_timezone(
                    from_unixtime(by_day_after), '${day_timezone}'
                ) as timestamp)) as bigint) = clock
                then by_day_after
            else by_day_before
        end as seconds
    from zoned
),

-- What cannot be read stops the query with a sentence, which is no number.
timed as (
    select
        *,
        case
            when time_text is null or time_text = '' then null
            when seconds >= case
                when '${time_format}' in ('none', '') then 86400
                else 0
            end and seconds < 100000000000 then seconds
            when strpos(', ' || '${[null_words].join('').replace(/'/g, '$&$&')}' || ',', ', ' || lower(time_text) || ',') > 0 then null
            else cast(case
                when is_order then 'table ${orders_table}, column '
                    || '${orders_time_column == 'none' ? touchpoints_time_column : orders_time_column} '
                else 'table ${touchpoints_table}, column ${touchpoints_time_column} '
            end || case
                when digits is not null and clock is not null and seconds is null
                    then 'may hold dates YYYYMMDDHH or unix seconds of the years 2032 to 2036, got '
                    || time_text || '. Set time_format to yyyymmdd or seconds'
                when regexp_like(date_text, '^[0-9]{4}-?W[0-9]{2}')
                    then 'must hold days, got ''' || time_text || ''', which is a week'
                when regexp_like(
                    date_text, '^[0-9]{1,2}[-/. ][0-9]{1,2}[-/. ](?:[0-9]{4}|[0-9]{2}($|[ T,]))'
                )
                    and day_first is not null and month_first is not null
                    then 'must hold dates of one order, got ''' || day_first || ''' with the day '
                    || 'first and ''' || month_first || ''' with the month first. Correct the column'
                when regexp_like(
                    date_text, '^(?:0?[1-9]|1[0-2])[-/. ](?:0?[1-9]|1[0-2])[-/. ](?:[0-9]{4}|[0-9]{2}($|[ T,]))'
                ) and '${time_format}' in ('none', '') and day_first is null and month_first is null
                    then 'may have the day or the month first, got ''' || time_text || ''', which is '
                    || regexp_replace(regexp_replace(
                    date_text, '^([0-9]{1,2}[-/. ][0-9]{1,2})[-/. ]([0-9]{2})($|[ T,])', '$1-20$2$3'),
                    '^([0-9]{1,2})[-/. ]([0-9]{1,2})[-/. ]([0-9]{4})', '$3-$2-$1') || ' or '
                    || regexp_replace(regexp_replace(
                    date_text, '^([0-9]{1,2}[-/. ][0-9]{1,2})[-/. ]([0-9]{2})($|[ T,])', '$1-20$2$3'),
                    '^([0-9]{1,2})[-/. ]([0-9]{1,2})[-/. ]([0-9]{4})', '$3-$1-$2')
                    || '. Set time_format to day_first or month_first'
                else 'must hold times (unix seconds, milliseconds, 2024-03-04 09:00:00 and the like)'
                    || case when seconds is not null then ' from 1970-01-02 to the year 5137' else '' end
                    || ', got ''' || time_text || '''. Set time_format to what it holds '
                    || '(docs/parameters.md, or seconds where they count from 0), or correct the column'
            end as bigint)
        end as time
    from read
),

-- 0 and 1, words for yes and no, or the values of conversion_value_is. What is none of them stops the
-- query with a sentence, which is no number.
flagged as (
    select
        time,
        user_id,
        channel,
        source,
        campaign,
        case
            when '${orders_table}' = 'none' and '${[conversion_value_is].join('').replace(/'/g, '$&$&')}' <> 'none' then
                if(strpos(
                    ',' || regexp_replace(lower('${[conversion_value_is].join('').replace(/'/g, '$&$&')}'), ' *, *', ',') || ',',
                    ',' || regexp_replace(conversion_text, '^(-?[0-9])(?:[.]0)?e0$', '$1') || ','
                ) > 0, 1, 0)
            when conversion_text = '0' then 0
            when conversion_text = '1' then 1
            when conversion_text in (
                '0.0', '0e0', '0.0e0', '', 'false', 'f', 'no', 'n', 'off', '-', 'not converted',
                'nein', 'nee', 'nej', 'nie', 'falsch', 'non', 'faux', 'falso', 'não', 'nao', 'нет', 'ложь', '否'
            ) then 0
            when conversion_text in (
                '1.0', '1.0e0', 'true', 't', 'yes', 'y', 'on', 'x', '✓', '✔', 'converted',
                'ja', 'j', 'tak', 'wahr', 'oui', 'vrai', 'si', 'sí', 'sì', 'verdadero', 'vero', 'sim',
                'verdadeiro', 'да', 'истина', '是'
            ) then 1
            when conversion_text is null or '${[null_words].join('').replace(/'/g, '$&$&')}' <> 'none' and strpos(
                ',' || regexp_replace(lower('${[null_words].join('').replace(/'/g, '$&$&')}'), ' *, *', ',') || ',',
                ',' || conversion_text || ','
            ) > 0 then 0
            else cast(
                'table ${touchpoints_table}, column '
                || '${orders_table == 'none' ? touchpoints_conversion_column : 'none'} '
                || 'must hold 0 or 1 (or yes, no), got ' || conversion_text
                || '. Where rows of some values convert, set conversion_value_is to these values'
                as bigint
            )
        end as conversion,
        value,
        value_text,
        tie,
        order_id,
        conversion_id,
        ${control_columns.replace(/[A-Za-z0-9_]+/g, '"control $&"')}
    from timed
)

select
    time as "${time_column}",
    user_id as "${unique_id}",
    channel as "${channel_col}",
    source as "${source_col}",
    case
        when source is null then channel
        -- Is one of them a word for a missing value? Rarely, so a first look is at all words as one text.
        when '${[null_words].join('').replace(/'/g, '$&$&')}' <> 'none' and strpos(lower('${[null_words].join('').replace(/'/g, '$&$&')}'), lower(channel)) > 0
            and strpos(
                ',' || regexp_replace(lower('${[null_words].join('').replace(/'/g, '$&$&')}'), ' *, *', ',') || ',',
                ',' || lower(channel) || ','
            ) > 0 then null
        when '${[null_words].join('').replace(/'/g, '$&$&')}' <> 'none' and strpos(lower('${[null_words].join('').replace(/'/g, '$&$&')}'), lower(source)) > 0
            and strpos(
                ',' || regexp_replace(lower('${[null_words].join('').replace(/'/g, '$&$&')}'), ' *, *', ',') || ',',
                ',' || lower(source) || ','
            ) > 0 then channel
        else channel || ' ' || upper(substr(source, 1, 1)) || substr(source, 2)
    end as "${channel_source_col}",
    campaign,
    conversion as "${conversion_column}",
    coalesce(amount, value) as value
    -- Further columns that the model reads, under their own names.
    ${tie_column == 'none' ? '--' : ','} tie as "${tie_column}"
    ${order_id == 'none' ? '--' : ''}${order_id == tie_column ? '--' : ','} order_id as "${order_id}"
    ${conversion_id == 'none' ? '--' : ''}${conversion_id == tie_column ? '--' : ''}${conversion_id == order_id ? '--' : ','} conversion_id as "${conversion_id}"
    ${control_columns == 'none' ? '--' : ','} ${control_columns.replace(/[A-Za-z0-9_]+/g, '"control $&" as "$&"')}
from amounts
right join flagged on amounts.value_text = flagged.value_text
where td_interval(time, '${read_interval}', '${day_timezone}')
