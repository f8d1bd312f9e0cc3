-- Evidence's connector runs this before each source query. Words are those of Veelocity's report.

-- 40 s, 45 min, 3 h 20 min, 2.1 d, 14 d
create temp macro rounded(value) as floor(value + 0.5)::bigint;
create temp macro decimal_text(value) as case
    when rounded(value * 10) >= 100 then format('{:,}', rounded(value))
    when rounded(value * 10) % 10 = 0 then format('{}', rounded(value * 10) // 10)
    else format('{}.{}', rounded(value * 10) // 10, rounded(value * 10) % 10)
end;
create temp macro duration_text(hours) as case
    when hours is null then 'no data'
    when rounded(hours * 3600) < 60 then format('{} s', rounded(hours * 3600))
    when rounded(hours * 60) < 60 then format('{} min', rounded(hours * 60))
    when rounded(hours * 60) < 1440 and rounded(hours * 60) % 60 = 0 then format('{} h', rounded(hours * 60) // 60)
    when rounded(hours * 60) < 1440
        then format('{} h {} min', rounded(hours * 60) // 60, rounded(hours * 60) % 60)
    else decimal_text(hours / 24) || ' d'
end;
create temp macro percent_text(share) as coalesce(decimal_text(share * 100) || ' %', 'no data');
create temp macro per_week_text(times, days) as case
    when times > 0 and times / days * 7 < 1 then decimal_text(times / days * 30) || ' / month'
    else decimal_text(times / days * 7) || ' / week'
end;

-- What a scope is chosen by on the pages, without the quote that would end a text in their SQL.
create temp macro scope_key(scope_type, scope) as replace(scope_type || ' ' || scope, '''', '’');
create temp macro short_name(scoped) as regexp_replace(scoped, '^(github|linear):', '');
create temp macro time_text(moment) as strftime(moment, '%Y-%m-%d %H:%M');
-- Only a plain address becomes a link.
create temp macro web_address(url) as case when regexp_matches(lower(url), '^https?://') then url end;
create temp macro source_title(source) as case source
    when 'github' then 'GitHub' when 'github_actions' then 'GitHub Actions' when 'linear' then 'Linear' else source
end;
create temp macro metric_title(metric) as (select title from marts.dim_metrics where id = metric);
