# The day after the one that use_case/bundle.yml names: slice-test scores it too.
NEXT_DAY := 2011-11-01T00:00:00Z
