-- Three ways to say which change is taken back: GitHub's branch name, its sentence in the body, git's in a commit message.
with pull_requests as (
    select pull_requests.*, repositories.name as repository_name
    from {{ ref('int_pull_requests_unioned') }} as pull_requests
    inner join {{ ref('int_repositories_unioned') }} as repositories using (repository_id)
),

messages as (
    select pull_request_id as change_id, repository_id, body as message from pull_requests
    union all
    select commits.pull_request_id, commits.repository_id, commits.message
    from {{ ref('int_pull_request_commits_unioned') }} as commits
    union all
    select change_id, changes.repository_id, commits.message
    from {{ ref('int_changes') }} as changes
    inner join {{ ref('int_commits_unioned') }} as commits
        on commits.repository_id = changes.repository_id and commits.sha = changes.commit_sha
    where changes.change_type = 'commit'
),

by_number as (
    select
        pull_request_id as change_id,
        repository_name,
        regexp_extract(head_branch, '^revert-(\d+)-', 1) as number,
        'branch' as found_in
    from pull_requests
    union all
    select
        pull_request_id,
        coalesce(nullif(regexp_extract(sentence, '^Reverts\s+([\w.-]+/[\w.-]+)#', 1), ''), repository_name),
        regexp_extract(sentence, '#(\d+)$', 1),
        'body'
    from (
        select *, unnest(regexp_extract_all(body, '\bReverts\s+(?:[\w.-]+/[\w.-]+)?#\d+')) as sentence
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

found as (
    select by_number.change_id, reverted.pull_request_id as reverted_change_id, null as reverted_sha, by_number.found_in
    from by_number
    inner join pull_requests as reverted
        on lower(reverted.repository_name) = lower(by_number.repository_name)
        and reverted.number = try_cast(by_number.number as bigint)
    union all
    select by_sha.change_id, shas.pull_request_id, by_sha.sha, 'commit_message'
    from by_sha
    inner join {{ ref('int_pull_request_shas') }} as shas using (repository_id, sha)
    union all
    select by_sha.change_id, changes.change_id, by_sha.sha, 'commit_message'
    from by_sha
    inner join {{ ref('int_changes') }} as changes
        on changes.repository_id = by_sha.repository_id
        and changes.commit_sha = by_sha.sha
        and changes.change_type = 'commit'
),

pairs as (
    select
        change_id,
        reverted_change_id,
        min(reverted_sha) as reverted_sha,
        min(found_in) as found_in
    from found
    where change_id <> reverted_change_id
    group by all
)

select
    *,
    reverted_change_id in (select change_id from pairs) as is_of_revert
from pairs
