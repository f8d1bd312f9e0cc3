-- Attempts that can be deployments: on the default branch, a tag or a branch of the settings, of this very repository, not
-- for a pull request.
with branch_rules as (
    select distinct repository_id, pattern_regex from {{ ref('int_service_rules') }} where kind = 'branch'
)

select attempts.*
from {{ ref('int_pipeline_attempts') }} as attempts
where
    attempts.is_of_this_repository
    and (
        attempts.is_on_default_branch
        or attempts.is_on_tag
        or exists (
            select 1 from branch_rules
            where branch_rules.repository_id = attempts.repository_id and {{ found_by('attempts.ref', 'branch_rules') }}
        )
    )
    and attempts.may_deploy
