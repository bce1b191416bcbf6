# Days from one run to the next, and whether the feed has faults (FAULTS=1).
STEP ?= 1
FAULTS ?=
# Of the power: into how many weeks each shift is put.
WEEKS ?= 20
.PHONY: replay power

replay: $(LOCAL) ## Replay the sample day by day, as the schedules would: make replay [STEP=7] [FAULTS=1]
	@$(RUN) -m replay play --step $(STEP) $(if $(filter 1,$(FAULTS)),--faults)

power: $(LOCAL) ## What monitoring finds: shifts put into weeks of the replayed year, one at a time (or of one made for it)
	@$(RUN) -m replay power --weeks $(WEEKS)
