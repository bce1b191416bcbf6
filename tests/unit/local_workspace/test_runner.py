"""The runner runs a graph as Databricks documents it; no test here needs Spark."""

import re
import threading
from datetime import datetime

import pytest

from local_workspace.bundle import load_bundle
from local_workspace.conditions import evaluate
from local_workspace.errors import RunError
from local_workspace.runner import Runner, Silent

RECORD = "spark.record(dbutils.widgets.get('me'))"
FAIL = "spark.record(dbutils.widgets.get('me'))\nraise ValueError('broken on purpose')"


def task(key, after=(), notebook="Record", **settings):
    """One notebook task as YAML; `after` holds keys, or `key:outcome`."""
    dependencies = ", ".join(
        "{task_key: %s%s}" % (name, f", outcome: '{outcome}'" if outcome else "")  # noqa: UP031 (braces of YAML)
        for name, _, outcome in (item.partition(":") for item in after)
    )
    more = "".join(f"\n  {name}: {value}" for name, value in settings.items())
    notebook_task = f"{{notebook_path: ../notebooks/{notebook}.py, base_parameters: {{me: {key}}}}}"
    return f"- task_key: {key}\n  depends_on: [{dependencies}]\n  notebook_task: {notebook_task}{more}\n"


def condition(key, after=(), op="EQUAL_TO", left="1", right="1"):
    dependencies = ", ".join(f"{{task_key: {name}}}" for name in after)
    return (
        f"- task_key: {key}\n  depends_on: [{dependencies}]\n"
        f"  condition_task: {{op: {op}, left: '{left}', right: '{right}'}}\n"
    )


def states(run):
    return {key: str(state) for key, state in run.states.items()}


@pytest.fixture(autouse=True)
def notebooks(bundle, record):
    bundle.notebook("Record", RECORD)
    bundle.notebook("Fail", FAIL)


def test_a_diamond_runs_in_order_and_its_sides_at_the_same_time(bundle, record):
    bundle.namespace["meet"] = threading.Barrier(2, timeout=5).wait
    bundle.notebook("Meet", f"spark.meet()\n{RECORD}")
    bundle.job(
        "j",
        task("top") + task("left", ["top"], "Meet") + task("right", ["top"], "Meet") + task("end", ["left", "right"]),
    )
    run = bundle.run("j")
    assert not run.failed
    assert record[0] == "top"
    assert sorted(record[1:3]) == ["left", "right"]
    assert record[3:] == ["end"]


def test_no_more_notebooks_run_at_once_than_there_are_workers(bundle, record):
    inside = threading.Semaphore(2)
    bundle.namespace |= {"enter": lambda: inside.acquire(blocking=False), "leave": inside.release}
    bundle.notebook("Count", "assert spark.enter()\nspark.leave()")
    bundle.job("j", "".join(task(f"t{number}", notebook="Count") for number in range(8)))
    assert not bundle.run("j", workers=2).failed


@pytest.mark.parametrize(("right", "taken", "left_out"), [("1", "yes", "no"), ("2", "no", "yes")])
def test_a_condition_chooses_a_branch_and_the_branches_join_again(bundle, record, right, taken, left_out):
    bundle.job(
        "j",
        condition("ask", right=right)
        + task("yes", ["ask:true"])
        + task("no", ["ask:false"])
        + task("after_no", ["no"])
        + task("join", ["yes", "no"]),
    )
    run = bundle.run("j")
    assert not run.failed
    assert states(run)[left_out] == "excluded"
    assert (states(run)["after_no"] == "excluded") == (left_out == "no")
    assert [key for key in record if key != "after_no"] == [taken, "join"]


@pytest.mark.parametrize(
    ("op", "left", "right", "outcome"),
    [
        ("EQUAL_TO", "12.0", "12", "false"),
        ("EQUAL_TO", "a", "a", "true"),
        ("NOT_EQUAL", "12.0", "12", "true"),
        ("GREATER_THAN", "10", "9", "true"),
        ("GREATER_THAN", "9", "9", "false"),
        ("GREATER_THAN_OR_EQUAL", "12.0", "12", "true"),
        ("LESS_THAN", "9", "10", "true"),
        ("LESS_THAN", "9", "9", "false"),
        ("LESS_THAN_OR_EQUAL", "12", "12.0", "true"),
        ("LESS_THAN_OR_EQUAL", "13", "12.0", "false"),
    ],
)
def test_conditions_compare_texts_or_numbers(op, left, right, outcome):
    assert evaluate(op, left, right) == outcome


def test_a_condition_on_numbers_refuses_text(bundle):
    bundle.job("j", condition("ask", op="LESS_THAN", left="many"))
    run = bundle.run("j")
    assert run.failed
    assert "'many'" in str(run.tasks["ask"].error)


def test_a_failure_stops_what_depends_on_it_and_nothing_else(bundle, record):
    bundle.job(
        "j",
        task("bad", notebook="Fail")
        + task("never", ["bad"])
        + task("nor_this", ["never"])
        + task("good")
        + task("also_good", ["good"]),
    )
    run = bundle.run("j")
    assert run.failed
    assert states(run) == {
        "bad": "failed",
        "never": "upstream_failed",
        "nor_this": "upstream_failed",
        "good": "success",
        "also_good": "success",
    }
    assert sorted(record) == ["also_good", "bad", "good"]
    (failure,) = run.failures()
    assert failure.path == ("j", "bad")
    assert re.search(r"notebooks/Fail\.py, cell 1, line 3: ValueError: broken on purpose", str(failure.error))


def test_a_retry_can_save_a_task(bundle, record):
    bundle.namespace["tries"] = []
    bundle.notebook("Flaky", f"spark.tries.append(1)\n{RECORD}\nassert len(spark.tries) > 1")
    bundle.job("j", task("flaky", notebook="Flaky", max_retries=2, min_retry_interval_millis=1500))
    run = bundle.run("j")
    assert not run.failed
    assert run.tasks["flaky"].attempts == 2
    assert bundle.slept == [1.5]


def test_retries_end(bundle, record):
    bundle.job("j", task("bad", notebook="Fail", max_retries=2))
    run = bundle.run("j")
    assert run.failed
    assert record == ["bad"] * 3


SITUATIONS = {
    "all good": (["good", "good"], {"ALL_SUCCESS", "AT_LEAST_ONE_SUCCESS", "NONE_FAILED", "ALL_DONE"}),
    "one failed": (["good", "bad"], {"AT_LEAST_ONE_SUCCESS", "ALL_DONE", "AT_LEAST_ONE_FAILED"}),
    "all failed": (["bad", "bad"], {"ALL_DONE", "AT_LEAST_ONE_FAILED", "ALL_FAILED"}),
    "good and excluded": (
        ["good", "excluded"],
        {"ALL_SUCCESS", "AT_LEAST_ONE_SUCCESS", "NONE_FAILED", "ALL_DONE"},
    ),
    "all excluded": (["excluded", "excluded"], set()),
}
RUN_IFS = {
    "ALL_SUCCESS": "upstream_failed",
    "AT_LEAST_ONE_SUCCESS": "upstream_failed",
    "NONE_FAILED": "upstream_failed",
    "ALL_DONE": "upstream_failed",
    "AT_LEAST_ONE_FAILED": "excluded",
    "ALL_FAILED": "excluded",
}


@pytest.mark.parametrize("run_if", RUN_IFS)
@pytest.mark.parametrize("situation", SITUATIONS)
def test_run_if(bundle, situation, run_if):
    before, runs_for = SITUATIONS[situation]
    kinds = {
        "good": task,
        "bad": lambda key: task(key, notebook="Fail"),
        "excluded": lambda key: task(key, ["ask:false"]),
    }
    keys = [f"before_{number}" for number in range(len(before))]
    tasks = "".join(kinds[kind](key) for key, kind in zip(keys, before, strict=True))
    bundle.job("j", condition("ask") + tasks + task("it", keys, run_if=run_if))
    unmet = "excluded" if situation == "all excluded" else RUN_IFS[run_if]
    assert states(bundle.run("j"))["it"] == ("success" if run_if in runs_for else unmet)


def test_a_failure_that_a_later_task_handles_does_not_fail_the_run(bundle):
    bundle.job("j", task("bad", notebook="Fail") + task("clean_up", ["bad"], run_if="ALL_DONE"))
    assert not bundle.run("j").failed


def test_a_listener_that_fails_ends_the_task_and_keeps_nobody_waiting(bundle):
    """As when the output is piped into `head`, which has read enough."""

    class Gone(Silent):
        def started(self, task):
            raise BrokenPipeError("nobody reads")

    bundle.job("j", task("one"))
    runner = Runner(load_bundle(bundle.root, environ={}), lambda *_: None, listener=Gone())
    run = runner.run(runner.prepare("j"))
    assert isinstance(run.tasks["one"].error, BrokenPipeError)
    assert run.failed


def test_job_parameters_reach_every_notebook_and_beat_the_tasks_own(bundle, record):
    bundle.notebook("Show", "w = dbutils.widgets\nspark.record(w.get('day') + ' ' + w.get('own') + ' ' + w.get('me'))")
    own = "{notebook_path: ../notebooks/Show.py, base_parameters: {day: never, own: mine, me: '{{task.name}}'}}"
    bundle.job("j", f"- task_key: a\n  notebook_task: {own}", more="parameters: [{name: day, default: monday}]")
    bundle.run("j")
    bundle.run("j", {"day": "tuesday"})
    assert record == ["monday mine a", "tuesday mine a"]


def test_an_undeclared_parameter_is_refused(bundle):
    bundle.job("j", task("a"), more="parameters: [{name: day, default: monday}]")
    with pytest.raises(RunError, match=r"no parameter 'dya' \(known: day\)"):
        bundle.run("j", {"dya": "tuesday"})


def test_task_values_reach_later_tasks(bundle, record):
    bundle.notebook("Set", "dbutils.jobs.taskValues.set(key='rows', value=7)")
    bundle.notebook(
        "Get",
        "spark.record(str(dbutils.jobs.taskValues.get(taskKey='set', key='rows') + 1))\n"
        "spark.record(dbutils.widgets.get('text'))",
    )
    texts = "rows={{tasks.set.values.rows}} state={{tasks.set.result_state}} job={{job.name}}"
    bundle.job(
        "j",
        task("set", notebook="Set")
        + condition("many", ["set"], op="GREATER_THAN", left="{{tasks.set.values.rows}}", right="6.5")
        + "- task_key: get\n  depends_on: [{task_key: many, outcome: 'true'}]\n"
        + f"  notebook_task: {{notebook_path: ../notebooks/Get.py, base_parameters: {{text: '{texts}'}}}}\n",
    )
    assert not bundle.run("j").failed
    assert record == ["8", "rows=7 state=success job=j"]


@pytest.mark.parametrize(
    "reference",
    ["{{job.nmae}}", "{{job.parameters.missing}}", "{{nothing.at.all}}", "{{tasks.a.values.missing}}"],
)
def test_an_unknown_dynamic_reference_is_named(bundle, reference):
    bundle.job("j", task("a") + condition("ask", ["a"], left=reference))
    run = bundle.run("j")
    assert run.failed
    assert reference in str(run.tasks["ask"].error)


def test_the_start_time_is_the_default_as_of(bundle, record):
    bundle.notebook("Show", "spark.record(dbutils.widgets.get('as_of'))")
    bundle.job(
        "j",
        task("a", notebook="Show"),
        more="parameters: [{name: as_of, default: '{{job.start_time.iso_datetime}}'}]",
    )
    run = bundle.run("j")
    (as_of,) = record
    assert abs((datetime.fromisoformat(as_of) - run.started).total_seconds()) < 0.01


def child_and_parent(bundle, *, parent_parameters="", given="{day: '{{job.parameters.day}}', deep: '1'}"):
    bundle.notebook("Show", "spark.record(str(sorted(dbutils.widgets.getAll().items())))")
    show = "- {task_key: show, notebook_task: {notebook_path: ../notebooks/Show.py}}"
    bundle.job("child", show, more="parameters: [{name: day, default: x}, {name: deep, default: y}]")
    run_job = f"{{job_id: '${{resources.jobs.child.id}}', job_parameters: {given}}}"
    bundle.job(
        "parent",
        f"- task_key: nested\n  run_job_task: {run_job}\n" + task("after", ["nested"]),
        more=f"parameters: [{parent_parameters}]",
    )


def test_a_nested_job_gets_its_parameters_and_its_parent_waits(bundle, record):
    child_and_parent(bundle, parent_parameters="{name: day, default: monday}")
    run = bundle.run("parent", {"day": "friday"}, workers=1)
    assert not run.failed
    assert record == ["[('day', 'friday'), ('deep', '1')]", "after"]
    assert run.tasks["nested"].nested.tasks["show"].path == ("parent", "nested", "show")


def test_a_nested_failure_fails_the_task_and_is_reported(bundle, record):
    child_and_parent(bundle, given="{}")
    bundle.notebook("Show", "raise ValueError('deep inside')")
    run = bundle.run("parent")
    assert run.failed
    assert states(run) == {"nested": "failed", "after": "upstream_failed"}
    (failure,) = run.failures()
    assert failure.path == ("parent", "nested", "show")
    assert "deep inside" in str(failure.error)


def test_a_nested_parameter_that_the_job_lacks_is_refused_before_anything_runs(bundle, record):
    child_and_parent(bundle, given="{dya: '1'}")
    with pytest.raises(RunError, match="'dya'"):
        bundle.run("parent")
    assert record == []


@pytest.mark.parametrize(
    ("tasks", "words"),
    [
        (task("a", ["b"]) + task("b", ["a"]), r"circular dependency between tasks: .*a.*b"),
        (task("a", ["nobody"]), r"task 'a' depends on 'nobody'"),
        (
            task("good") + task("a", notebook="Gone"),
            r"task 'a': the notebook 'notebooks/Gone\.py' does not exist",
        ),
        (task("a", environment_key="gpu"), r"task 'a': the job has no environment 'gpu'"),
        (task("b") + task("a", ["b:true"]), r"'b' is not a condition task"),
        ("- task_key: a", r"task 'a': must have exactly one of"),
        ("- {task_key: a, run_job_task: {job_id: 5}}", r"no job of the bundle has the id 5"),
        (
            "- {task_key: a, run_job_task: {job_id: '${resources.jobs.j.id}'}}",
            r"circular dependency between jobs: j → j",
        ),
        (
            task("b") + condition("a", left="{{tasks.b.values.x}}"),
            r"task 'a': \{\{tasks\.b\.values\.x\}\} refers to 'b', which does not run before this task",
        ),
    ],
)
def test_a_broken_graph_is_refused_before_anything_runs(bundle, record, tasks, words):
    bundle.job("j", tasks)
    with pytest.raises(RunError, match=words):
        bundle.run("j")
    assert record == []


def test_a_missing_notebook_of_a_nested_job_is_found_first(bundle, record):
    child_and_parent(bundle, given="{}")
    (bundle.root / "notebooks" / "Show.py").unlink()
    with pytest.raises(RunError, match=r"job 'child': task 'show': the notebook 'notebooks/Show\.py'"):
        bundle.run("parent")
    assert record == []


def test_an_unknown_job_names_the_known_ones(bundle):
    bundle.job("j", task("a"))
    with pytest.raises(RunError, match=r"no job 'k' \(known: j\)"):
        bundle.run("k")
