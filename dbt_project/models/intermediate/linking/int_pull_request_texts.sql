with pull_requests as (select * from {{ ref('int_pull_requests') }}),

-- a merge commit only repeats the names of the branches that it joins
own_commits as (
    select pull_request_id, message
    from {{ ref('int_pull_request_own_commits') }}
    where not is_merge
),

-- a bot names branches, titles and commits after packages and their versions
texts as (
    select pull_request_id, 'branch' as link_method, head_branch as text from pull_requests where not is_bot
    union all
    select pull_request_id, 'title', title from pull_requests where not is_bot
    union all
    select pull_request_id, 'body', body from pull_requests
    union all
    select own_commits.pull_request_id, 'commit_message', own_commits.message
    from own_commits
    inner join pull_requests using (pull_request_id)
    where not pull_requests.is_bot
)

select distinct
    texts.pull_request_id,
    texts.link_method,
    texts.text as original,
    lower(repositories.name) as repository,
    repositories.connection,
    case
        when texts.link_method = 'branch' then lower(texts.text)
        else {{ linkable_text('texts.text') }}
    end as text
from texts
inner join pull_requests using (pull_request_id)
inner join {{ ref('int_repositories') }} as repositories using (repository_id)
-- cheap, and true of few texts: something in it looks like the name of an issue
where regexp_matches(texts.text, '[\pL\pN]-[0-9]|#[0-9]|/issues/[0-9]')
