.PHONY: cicd-test

cicd-test: cli $(TEST) ## Rehearse the workflows of the CI systems on this commit (all of them with Java 17 or 21)
	@if sh local_workspace/jvm/java.sh 2>/dev/null; then \
	    $(MAKE) --no-print-directory $(SPARK_ENV)/spark.done $(CONNECT_ENV)/connect.done; fi
	@$(RUN) -m pytest --confcutdir=tests/cicd tests/cicd
