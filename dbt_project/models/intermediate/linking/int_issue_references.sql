-- Every spelling, in lower case, under which an issue may be named; a present one goes before a former one. A name of a
-- repository without its host means that of the connection where it is written.
with issues as (select * from {{ ref('int_issues') }}),

former as (
    select issues.issue_id, issues.team, issues.number, lower(former_keys.key) as reference
    from {{ ref('int_issue_former_keys_unioned') }} as former_keys
    inner join issues on former_keys.connection = issues.connection and former_keys.issue_key = issues.source_key
),

-- a team whose key changed: its issues kept their numbers. Where every issue that bore a key which no team has now
-- kept its number, that key is a former one of their team, and names its other issues too
former_team_keys as (
    select regexp_extract(former.reference, '^(.+)-', 1) as key, any_value(former.team) as team
    from former
    anti join {{ ref('int_tracker_teams_unioned') }} as teams
        on regexp_extract(former.reference, '^(.+)-', 1) = lower(teams.key)
    group by regexp_extract(former.reference, '^(.+)-', 1)
    having
        count(distinct former.team) = 1
        and bool_and(regexp_extract(former.reference, '-([0-9]+)$', 1) = former.number::varchar)
),

named as (
    select lower(key) as reference, null as within, issue_id, connection, false as is_former
    from issues
    where repository_id is null
    union all
    select former.reference, null, former.issue_id, issues.connection, true
    from former
    inner join issues using (issue_id)
    union all
    select former_team_keys.key || '-' || issues.number, null, issues.issue_id, issues.connection, true
    from issues
    inner join former_team_keys using (team)
    union all
    select names.name || '#' || issues.number, names.connection, issues.issue_id, issues.connection, false
    from issues
    inner join {{ ref('int_repository_names') }} as names using (repository_id)
    union all
    select names.host || '/' || names.name || '#' || issues.number, null, issues.issue_id, issues.connection, false
    from issues
    inner join {{ ref('int_repository_names') }} as names using (repository_id)
)

select
    reference,
    within as connection,
    arg_min(issue_id, (is_former, issue_id)) as issue_id
from named
where reference is not null
group by reference, within
-- a key that issues of two trackers bear names none of them
having contains(reference, '#') or count(distinct connection) filter (where not is_former) <= 1
