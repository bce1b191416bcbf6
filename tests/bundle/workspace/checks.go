package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/databricks/cli/libs/testserver"
	"github.com/databricks/databricks-sdk-go/service/jobs"
	"github.com/databricks/databricks-sdk-go/service/sql"
	"github.com/reugn/go-quartz/quartz"
)

// addChecks has jobs and alerts refused that a workspace refuses, and that the CLI's own stand-in takes.
func addChecks(server *testserver.Server) {
	server.Handle("POST", "/api/2.2/jobs/create", func(r testserver.Request) any {
		var settings jobs.JobSettings
		err := json.Unmarshal(r.Body, &settings)
		return unless(errors.Join(err, checkJob(r.Workspace, settings)), func() any { return r.Workspace.JobsCreate(r) })
	})
	server.Handle("POST", "/api/2.2/jobs/reset", func(r testserver.Request) any {
		var asked jobs.ResetJob
		err := json.Unmarshal(r.Body, &asked)
		return unless(errors.Join(err, checkJob(r.Workspace, asked.NewSettings)), func() any { return r.Workspace.JobsReset(r) })
	})
	server.Handle("POST", "/api/2.0/alerts", func(r testserver.Request) any {
		var alert sql.AlertV2
		err := json.Unmarshal(r.Body, &alert)
		return unless(errors.Join(err, checkCron(alert.Schedule.QuartzCronSchedule)), func() any { return r.Workspace.AlertsUpsert(r, "") })
	})
}

// unless refuses what is wrong, and else does what was asked.
func unless(wrong error, do func() any) any {
	if wrong != nil {
		return refusal(400, "INVALID_PARAMETER_VALUE", wrong.Error())
	}
	return do()
}

func checkJob(where *testserver.FakeWorkspace, job jobs.JobSettings) error {
	if job.Schedule != nil {
		if err := checkCron(job.Schedule.QuartzCronExpression); err != nil {
			return err
		}
	}
	environments, tasks := map[string]bool{}, map[string]bool{}
	for _, environment := range job.Environments {
		environments[environment.EnvironmentKey] = true
	}
	for _, task := range job.Tasks {
		if tasks[task.TaskKey] {
			return fmt.Errorf("the task key %q is there twice", task.TaskKey)
		}
		tasks[task.TaskKey] = true
	}
	for _, task := range job.Tasks {
		if task.EnvironmentKey != "" && !environments[task.EnvironmentKey] {
			return fmt.Errorf("task %q: there is no environment %q", task.TaskKey, task.EnvironmentKey)
		}
		for _, before := range task.DependsOn {
			if !tasks[before.TaskKey] {
				return fmt.Errorf("task %q depends on %q, which does not exist", task.TaskKey, before.TaskKey)
			}
		}
		if task.RunJobTask != nil {
			unlock := where.LockUnlock()
			_, known := where.Jobs[task.RunJobTask.JobId]
			unlock()
			if !known {
				return fmt.Errorf("task %q runs the job %d, which does not exist", task.TaskKey, task.RunJobTask.JobId)
			}
		}
	}
	return nil
}

// checkCron is stricter than the library where Quartz is: it knows no "@daily", and of day of month and day of week
// one must be "?".
func checkCron(expression string) error {
	if err := quartz.ValidateCronExpression(expression); err != nil {
		return fmt.Errorf("invalid cron expression %q: %w", expression, err)
	}
	fields := strings.Fields(expression)
	if len(fields) < 6 || (fields[3] == "?") == (fields[5] == "?") {
		return fmt.Errorf("invalid cron expression %q: one of day of month and day of week must be '?'", expression)
	}
	return nil
}
