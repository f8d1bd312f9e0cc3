{{ union_conformed('tracker_teams') }}
