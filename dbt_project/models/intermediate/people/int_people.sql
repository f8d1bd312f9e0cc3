select
    handles.person,
    bool_or(handles.is_bot) as is_bot,
    coalesce(
        min(observed.name) filter (where observed.source in ({{ sources_with('repositories') }}) and observed.login is not null),
        min(observed.name)
    ) as name,
    coalesce(
        min(observed.avatar_url) filter (where observed.source in ({{ sources_with('repositories') }})),
        min(observed.avatar_url)
    ) as avatar_url,
    list_sort(list(distinct handles.handle)) as handles
from {{ ref('int_people_handles') }} as handles
left join {{ ref('int_handles_observed') }} as observed using (handle)
group by handles.person
