PAIRS ?= 1
.PHONY: bench

bench: $(LOCAL) ## Time the main job beside one pandas script, and the stages' imports
	@$(RUN) -m benchmarks.bench --pairs $(PAIRS)
