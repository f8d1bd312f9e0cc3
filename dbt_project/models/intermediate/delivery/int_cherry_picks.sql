-- `git cherry-pick -x` leaves the original in the message.
with commits as (
    select repository_id, sha, message from {{ ref('int_commits') }}
    union
    select repository_id, sha, message from {{ ref('int_pull_request_commits') }}
    union
    select repository_id, sha, message from {{ ref('int_deployed_commits') }}
)

select distinct
    repository_id,
    sha,
    unnest(regexp_extract_all(message, '\(cherry picked from commit ([0-9a-f]{40})\)', 1)) as original_sha
from commits
where contains(message, '(cherry picked from commit ')
