.PHONY: fork-test

fork-test: cli $(TEST) ## Put a use case of another kind in the place of this one, in a clone, and say every word there
	@$(RUN) -m pytest --confcutdir=tests/fork tests/fork/test_fork.py
