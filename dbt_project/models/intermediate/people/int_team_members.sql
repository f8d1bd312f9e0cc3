select distinct
    members.team,
    handles.person,
    members.valid_from,
    members.valid_until
from {{ source('config', 'team_members') }} as members
inner join {{ ref('int_people_handles') }} as handles on handles.handle = {{ handle('members.login') }}
