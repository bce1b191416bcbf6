# The day after the one that use_case/bundle.yml names: slice-test scores it too.
NEXT_DAY := 2024-04-02T00:00:00Z
