package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/databricks/cli/libs/testserver"
	"github.com/databricks/databricks-sdk-go/service/jobs"
)

// runs answers the part of the Jobs API that starts and watches runs. The stand-in's own says SUCCESS whatever a
// notebook does; here a command really runs the tasks. It is given the workspace (DATABRICKS_HOST, DATABRICKS_TOKEN),
// its folder (LOCAL_WORKSPACE) and, on standard input, the run; it reports each change of a task as a line of JSON.
type runs struct {
	stop    context.Context
	url     string
	runner  []string
	folder  string
	mutex   sync.Mutex
	changed *sync.Cond
	last    int64
	runs    map[int64]*run
	tasks   map[int64]jobs.RunOutput
	waiting []*run
}

type run struct {
	jobs.Run
	token  string
	places int // how many runs of the job may go on at once
	cancel context.CancelFunc
}

// report is what the command says about a task, or with no task_key about the run.
type report struct {
	Error        string `json:"error"`
	ErrorTrace   string `json:"error_trace"`
	StateMessage string `json:"state_message"`
}

// A token is the name of a folder too.
var folderName = regexp.MustCompile(`^[\w-]+$`)

func newRuns(stop context.Context, url string, runner []string, folder string) *runs {
	r := &runs{stop: stop, url: url, runner: runner, folder: folder, runs: map[int64]*run{}, tasks: map[int64]jobs.RunOutput{}}
	r.changed = sync.NewCond(&r.mutex)
	return r
}

func (r *runs) addHandlers(server *testserver.Server) {
	server.Handle("POST", "/api/2.2/jobs/run-now", r.runNow)
	server.Handle("GET", "/api/2.2/jobs/runs/get", r.get)
	server.Handle("GET", "/api/2.2/jobs/runs/get-output", r.getOutput)
	server.Handle("GET", "/api/2.2/jobs/runs/list", r.list)
	server.Handle("POST", "/api/2.2/jobs/runs/cancel", r.cancelRun)
}

func (r *runs) runNow(request testserver.Request) any {
	var asked jobs.RunNow
	if err := json.Unmarshal(request.Body, &asked); err != nil {
		return refusal(400, "INVALID_PARAMETER_VALUE", err.Error())
	}
	unlock := request.Workspace.LockUnlock()
	job, known := request.Workspace.Jobs[asked.JobId]
	unlock()
	if !known {
		return refusal(400, "INVALID_PARAMETER_VALUE", fmt.Sprintf("Job %d does not exist.", asked.JobId))
	}
	if len(r.runner) == 0 {
		return refusal(501, "NOT_IMPLEMENTED", "The stand-in was started without a runner, so it can't run jobs.")
	}
	for name := range asked.JobParameters {
		if !slices.ContainsFunc(job.Settings.Parameters, func(p jobs.JobParameterDefinition) bool { return p.Name == name }) {
			return refusal(400, "INVALID_PARAMETER_VALUE", fmt.Sprintf("Job %d has no parameter %q.", asked.JobId, name))
		}
	}
	return jobs.RunNowResponse{RunId: r.start(token(request.Headers), job, asked)}
}

// start makes a run, and lets it go on in the background. Beyond the job's max_concurrent_runs it waits when the job
// has a queue, and is skipped when not.
func (r *runs) start(token string, job jobs.Job, asked jobs.RunNow) int64 {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	stop, cancel := context.WithCancel(r.stop)
	id := r.nextID()
	one := &run{token: token, places: max(job.Settings.MaxConcurrentRuns, 1), cancel: cancel}
	one.Run = jobs.Run{
		RunId: id, JobId: job.JobId, RunName: job.Settings.Name, RunType: jobs.RunTypeJobRun,
		RunPageUrl: fmt.Sprintf("%s/jobs/%d/runs/%d", r.url, job.JobId, id),
		StartTime:  time.Now().UnixMilli(),
		State:      &jobs.RunState{LifeCycleState: jobs.RunLifeCycleStatePending},
	}
	for _, task := range job.Settings.Tasks {
		one.Tasks = append(one.Tasks, jobs.RunTask{
			RunId: r.nextID(), TaskKey: task.TaskKey, State: &jobs.RunState{LifeCycleState: jobs.RunLifeCycleStatePending},
		})
	}
	isFull := r.active(job.JobId) >= one.places
	r.runs[id] = one
	if isFull {
		if job.Settings.Queue == nil || !job.Settings.Queue.Enabled {
			one.State = &jobs.RunState{
				LifeCycleState: jobs.RunLifeCycleStateSkipped, ResultState: jobs.RunResultStateMaximumConcurrentRunsReached,
				StateMessage: "The job has as many active runs as max_concurrent_runs allows.",
			}
			cancel()
			return id
		}
		one.State.LifeCycleState = jobs.RunLifeCycleStateQueued
	}
	r.waiting = append(r.waiting, one)
	go r.finish(one, stop, asked)
	return id
}

func (r *runs) nextID() int64 {
	r.last++
	return r.last
}

// active counts the runs of a job that take up one of its places.
func (r *runs) active(job int64) int {
	number := 0
	for _, one := range r.runs {
		state := one.State.LifeCycleState
		if one.JobId == job && (state == jobs.RunLifeCycleStateRunning || state == jobs.RunLifeCycleStatePending) {
			number++
		}
	}
	return number
}

// finish waits for the run's turn - one at a time on one machine, in the order they were asked for - and runs it.
func (r *runs) finish(one *run, stop context.Context, asked jobs.RunNow) {
	r.mutex.Lock()
	for r.waiting[0] != one {
		r.changed.Wait()
	}
	canceled := stop.Err() != nil
	if !canceled {
		one.State = &jobs.RunState{LifeCycleState: jobs.RunLifeCycleStateRunning}
	}
	r.mutex.Unlock()

	var err error
	if !canceled {
		err = r.execute(one, stop, asked)
	}

	r.mutex.Lock()
	defer r.mutex.Unlock()
	one.State = ended(one, stop.Err() != nil, err)
	one.EndTime = time.Now().UnixMilli()
	one.cancel()
	r.waiting = r.waiting[1:]
	for _, next := range r.waiting {
		if next.State.LifeCycleState == jobs.RunLifeCycleStateQueued && r.active(next.JobId) < next.places {
			next.State.LifeCycleState = jobs.RunLifeCycleStatePending
		}
	}
	r.changed.Broadcast()
}

// ended gives the state of a run that is over. A failed one is INTERNAL_ERROR, as on Databricks: the CLI prints the
// errors of its tasks then.
func ended(one *run, canceled bool, err error) *jobs.RunState {
	state := &jobs.RunState{LifeCycleState: jobs.RunLifeCycleStateTerminated, ResultState: jobs.RunResultStateSuccess}
	switch {
	case canceled:
		state.ResultState, state.StateMessage = jobs.RunResultStateCanceled, "Run cancelled."
	case err != nil:
		state.LifeCycleState, state.ResultState = jobs.RunLifeCycleStateInternalError, jobs.RunResultStateFailed
		state.StateMessage = one.State.StateMessage
		for _, task := range one.Tasks {
			if state.StateMessage == "" && task.State.ResultState == jobs.RunResultStateFailed {
				state.StateMessage = fmt.Sprintf("Task %s failed with message: %s", task.TaskKey, task.State.StateMessage)
			}
		}
		if state.StateMessage == "" {
			state.StateMessage = fmt.Sprintf("The run ended with: %s.", err)
		}
	}
	return state
}

// execute has the command run the tasks, and follows what it reports.
func (r *runs) execute(one *run, stop context.Context, asked jobs.RunNow) error {
	if !folderName.MatchString(one.token) {
		return fmt.Errorf("a token that is no name (letters, digits, _ and -)")
	}
	input, err := json.Marshal(map[string]any{"job_id": one.JobId, "run_id": one.RunId, "job_parameters": asked.JobParameters})
	if err != nil {
		return err
	}
	command := exec.CommandContext(stop, r.runner[0], r.runner[1:]...)
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.WaitDelay = 10 * time.Second
	command.Env = append(os.Environ(), "DATABRICKS_HOST="+r.url, "DATABRICKS_TOKEN="+one.token,
		"LOCAL_WORKSPACE="+filepath.Join(r.folder, one.token))
	command.Stdin, command.Stderr = bytes.NewReader(input), os.Stderr
	output, err := command.StdoutPipe()
	if err != nil {
		return err
	}
	if err := command.Start(); err != nil {
		return err
	}
	for lines := bufio.NewReader(output); ; {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			break
		}
		r.update(one, line)
	}
	return command.Wait()
}

func (r *runs) update(one *run, line []byte) {
	var said report
	var changed jobs.RunTask // apart: it reads JSON in its own way, and would hide the other fields
	if json.Unmarshal(line, &said) != nil || json.Unmarshal(line, &changed) != nil {
		log.Printf("ERROR the runner printed what is no report: %s", line)
		return
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if changed.TaskKey == "" {
		one.State = &jobs.RunState{LifeCycleState: one.State.LifeCycleState, StateMessage: said.StateMessage}
		return
	}
	for i, task := range one.Tasks {
		if task.TaskKey == changed.TaskKey {
			changed.RunId = task.RunId
			one.Tasks[i] = changed
			r.tasks[task.RunId] = jobs.RunOutput{Error: said.Error, ErrorTrace: said.ErrorTrace, Logs: said.Error}
		}
	}
}

func (r *runs) get(request testserver.Request) any {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	one, known := r.runs[queryID(request)]
	if !known || one.token != token(request.Headers) {
		return refusal(400, "INVALID_PARAMETER_VALUE", "The run does not exist.")
	}
	return copied(one)
}

func (r *runs) getOutput(request testserver.Request) any {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return r.tasks[queryID(request)]
}

func (r *runs) list(request testserver.Request) any {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	query := request.URL.Query()
	job, _ := strconv.ParseInt(query.Get("job_id"), 10, 64)
	found := []jobs.Run{}
	for _, one := range r.runs {
		over := one.EndTime != 0 || one.State.LifeCycleState == jobs.RunLifeCycleStateSkipped
		wanted := job == 0 || one.JobId == job
		if one.token == token(request.Headers) && wanted && !(over && query.Get("active_only") == "true") {
			found = append(found, copied(one))
		}
	}
	slices.SortFunc(found, func(a, b jobs.Run) int { return int(b.RunId - a.RunId) })
	return map[string]any{"runs": found}
}

func (r *runs) cancelRun(request testserver.Request) any {
	var asked jobs.CancelRun
	if err := json.Unmarshal(request.Body, &asked); err != nil {
		return refusal(400, "INVALID_PARAMETER_VALUE", err.Error())
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if one, known := r.runs[asked.RunId]; known {
		one.cancel()
	}
	return map[string]any{}
}

// copied gives a run that can be written out when the lock is gone.
func copied(one *run) jobs.Run {
	state := *one.State
	copy := one.Run
	copy.State, copy.Tasks = &state, slices.Clone(one.Tasks)
	return copy
}

func queryID(request testserver.Request) int64 {
	id, _ := strconv.ParseInt(request.URL.Query().Get("run_id"), 10, 64)
	return id
}

func refusal(status int, code, message string) testserver.Response {
	return testserver.Response{StatusCode: status, Body: map[string]string{"error_code": code, "message": message}}
}
