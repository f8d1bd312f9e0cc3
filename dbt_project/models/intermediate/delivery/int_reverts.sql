-- Four ways to say which change is taken back: GitHub's or GitLab's sentence in the body, git's in a commit message, and
-- where there is neither a title that quotes exactly one earlier title. A branch's name alone proves nothing
-- (`revert-2-factor-auth`).
with pull_requests as (
    select pull_requests.*, repositories.name as repository_name
    from {{ ref('int_pull_requests') }} as pull_requests
    inner join {{ ref('int_repositories') }} as repositories using (repository_id)
),

commits as (
    select changes.change_id, changes.repository_id, changes.title, changes.merged_at, commits.message
    from {{ ref('int_changes') }} as changes
    inner join {{ ref('int_commits') }} as commits
        on commits.repository_id = changes.repository_id and commits.sha = changes.commit_sha
    where changes.change_type = 'commit'
),

messages as (
    select pull_request_id as change_id, repository_id, body as message from pull_requests
    union all
    select pull_request_id, repository_id, message from {{ ref('int_pull_request_own_commits') }}
    union all
    select change_id, repository_id, message from commits
),

by_number as (
    select
        pull_request_id as change_id,
        connection,
        coalesce(nullif(regexp_extract(sentence, '([\w.-]+(?:/[\w.-]+)+)[#!]', 1), ''), repository_name) as repository_name,
        regexp_extract(sentence, '[#!](\d+)$', 1) as number
    from (
        select
            *,
            unnest(regexp_extract_all(
                body, '\bReverts\s+(?:[\w.-]+/[\w.-]+)?#\d+|This reverts merge request (?:[\w.-]+(?:/[\w.-]+)+)?!\d+'
            )) as sentence
        from pull_requests
    )
),

by_sha as (
    select
        change_id,
        repository_id,
        unnest(regexp_extract_all(message, 'This reverts commit ([0-9a-f]{40})', 1)) as sha
    from messages
),

said as (
    select by_number.change_id, reverted.pull_request_id as reverted_change_id, null as reverted_sha, 'body' as found_in
    from by_number
    inner join pull_requests as reverted
        on reverted.connection = by_number.connection
        and lower(reverted.repository_name) = lower(by_number.repository_name)
        and reverted.number = try_cast(by_number.number as bigint)
    union all
    select by_sha.change_id, shas.pull_request_id, by_sha.sha, 'commit_message'
    from by_sha
    inner join {{ ref('int_pull_request_shas') }} as shas using (repository_id, sha)
    union all
    select by_sha.change_id, changes.change_id, by_sha.sha, 'commit_message'
    from by_sha
    inner join {{ ref('int_changes') }} as changes
        on changes.repository_id = by_sha.repository_id and changes.commit_sha = by_sha.sha
),

-- a squashed commit has the number of its pull request behind the title, and a commit of it quotes that
titles as (
    select
        pull_request_id as change_id, repository_id, trim(title) as title, number, merged_at, created_at as written_at
    from pull_requests
    union all
    select change_id, repository_id, trim(title), null, merged_at, merged_at
    from commits
),

quotes as (
    select
        *,
        case
            when regexp_matches(title, '^Revert ".+"') then regexp_extract(title, '^Revert "(.+)"', 1)
            -- the revert of a revert
            when regexp_matches(title, '^Reapply ".+"') then 'Revert "' || regexp_extract(title, '^Reapply "(.+)"', 1) || '"'
        end as quoted
    from titles
),

quotable as (
    select
        change_id, repository_id, merged_at, unnest([title, title || ' (#' || number || ')']) as title
    from titles
),

by_title as (
    select quotes.change_id, any_value(quotable.change_id) as reverted_change_id, null as reverted_sha, 'title' as found_in
    from quotes
    anti join said on said.change_id = quotes.change_id
    inner join quotable
        on quotable.repository_id = quotes.repository_id
        and quotable.title = quotes.quoted
        and quotable.merged_at < quotes.written_at
    group by quotes.change_id
    having count(distinct quotable.change_id) = 1
),

found as (
    select * from said
    union all
    select * from by_title
)

select
    change_id,
    reverted_change_id,
    min(reverted_sha) as reverted_sha,
    min(found_in) as found_in
from found
where change_id <> reverted_change_id
group by change_id, reverted_change_id
