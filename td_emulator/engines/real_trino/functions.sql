-- Treasure Data's functions as SQL routines, in the forms that td_mta's local engine knows too.
-- Times are unix seconds. Where TD's own meaning of an argument is not known they fail, by name.

create function td_zone(name varchar) returns varchar
return case upper(name)
    when 'JST' then 'Asia/Tokyo'
    when 'GMT' then 'UTC'
    when 'Z' then 'UTC'
    else name
end;

-- A job's own time stands in its text (see job_text.py); without one it is now.
create function td_scheduled_time() returns bigint
return cast(floor(to_unixtime(current_timestamp)) as bigint);

create function td_scheduled_time_at(now bigint) returns bigint
return now;

create function td_time_parse(time varchar, zone varchar) returns bigint
return cast(to_unixtime(with_timezone(cast(time as timestamp(0)), td_zone(zone))) as bigint);

create function td_time_parse(time varchar) returns bigint
return td_time_parse(time, 'UTC');

create function td_time_format(time bigint, pattern varchar, zone varchar) returns varchar
return format_datetime(from_unixtime(time, td_zone(zone)), pattern);

create function td_time_format(time bigint, pattern varchar) returns varchar
return td_time_format(time, pattern, 'UTC');

create function td_time_string(time bigint, code varchar, zone varchar) returns varchar
return case code
    when 'y!' then td_time_format(time, 'yyyy', zone)
    when 'M!' then td_time_format(time, 'yyyy-MM', zone)
    when 'd!' then td_time_format(time, 'yyyy-MM-dd', zone)
    when 'h!' then td_time_format(time, 'yyyy-MM-dd HH', zone)
    when 'm!' then td_time_format(time, 'yyyy-MM-dd HH:mm', zone)
    when 's!' then td_time_format(time, 'yyyy-MM-dd HH:mm:ss', zone)
    else cast(fail('TD_TIME_STRING: ' || code || ' is not known here') as varchar)
end;

create function td_time_string(time bigint, code varchar) returns varchar
return td_time_string(time, code, 'UTC');

create function td_date_trunc(unit varchar, time bigint, zone varchar) returns bigint
return cast(to_unixtime(date_trunc(unit, from_unixtime(time, td_zone(zone)))) as bigint);

create function td_date_trunc(unit varchar, time bigint) returns bigint
return td_date_trunc(unit, time, 'UTC');

create function td_seconds(duration varchar) returns bigint
return case
    when duration is null then null
    when not regexp_like(duration, '^-?[0-9]+[smhdw]$')
        then cast(fail('TD_TIME_ADD: ' || duration || ' is not known here') as bigint)
    else cast(substr(duration, 1, length(duration) - 1) as bigint) * case substr(duration, -1)
        when 's' then 1
        when 'm' then 60
        when 'h' then 3600
        when 'd' then 86400
        when 'w' then 604800
    end
end;

create function td_time_add(time bigint, duration varchar, zone varchar) returns bigint
return time + td_seconds(duration);

create function td_time_add(time bigint, duration varchar) returns bigint
return time + td_seconds(duration);

create function td_time_add(time varchar, duration varchar, zone varchar) returns bigint
return td_time_parse(time, zone) + td_seconds(duration);

create function td_time_add(time varchar, duration varchar) returns bigint
return td_time_parse(time, 'UTC') + td_seconds(duration);

-- '-30d', '-30d/now', '0d/now', '-7d/-1d': the start of the current unit, moved by so many units.
create function td_moved(now bigint, unit varchar, count bigint, zone varchar) returns bigint
return cast(
    to_unixtime(date_add(unit, count, date_trunc(unit, from_unixtime(now, td_zone(zone))))) as bigint
);

create function td_unit(letter varchar) returns varchar
return case letter
    when 's' then 'second'
    when 'm' then 'minute'
    when 'h' then 'hour'
    when 'd' then 'day'
    when 'w' then 'week'
    when 'M' then 'month'
    when 'q' then 'quarter'
    when 'y' then 'year'
end;

create function td_interval_at(now bigint, time bigint, span varchar, zone varchar) returns boolean
begin
    declare unit varchar;
    declare count bigint;
    declare moved bigint;
    if span is null or zone is null then
        return null;
    end if;
    if not regexp_like(
        span, '^(-[0-9]+([smhdwMqy])(/now|/-[0-9]+\2)?|0[smhdwMqy]/now)$'
    ) then
        set unit = cast(fail('TD_INTERVAL: ' || span || ' is not known here') as varchar);
    end if;
    set unit = td_unit(regexp_extract(span, '^-?[0-9]+([a-zA-Z])', 1));
    set count = cast(regexp_extract(span, '^-?[0-9]+') as bigint);
    set moved = coalesce(cast(regexp_extract(span, '/(-[0-9]+)', 1) as bigint), 0);
    if time < td_moved(now, unit, moved + count, zone) then
        return false;
    end if;
    if regexp_like(span, 'now') then
        return (time < now);
    end if;
    return (time < td_moved(now, unit, moved, zone));
end;

create function td_interval_at(now bigint, time bigint, span varchar) returns boolean
return (td_interval_at(now, time, span, 'UTC'));

create function td_interval(time bigint, span varchar, zone varchar) returns boolean
return (td_interval_at(td_scheduled_time(), time, span, zone));

create function td_interval(time bigint, span varchar) returns boolean
return (td_interval_at(td_scheduled_time(), time, span, 'UTC'));

-- Half-open; an end that is NULL is none.
create function td_within(time bigint, first bigint, last bigint) returns boolean
return (
    case
        when first is null and last is null then time is not null
        else (first is null or time >= first) and (last is null or time < last)
    end
);
