-- Attempts that can be deployments: on the default branch or a tag of this very repository, not for a pull request.
select *
from {{ ref('int_pipeline_attempts_unioned') }}
where
    is_of_this_repository
    and (is_on_default_branch or is_on_tag)
    and not (starts_with(event, 'pull_request') or event in ('merge_group', 'issue_comment'))
