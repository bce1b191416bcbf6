"""A notebook runs as plain code with true line numbers, and fails in a way that can be read."""

import pytest

from local_workspace.dbutils import DBUtils
from local_workspace.notebook import NotebookError, run_notebook


@pytest.fixture
def run(bundle):
    def run_source(text, spark=None, name="Some"):
        path = bundle.write(f"notebooks/{name}.py", text)
        return run_notebook(path, spark, DBUtils({"day": "monday"}), bundle.root)

    return run_source


def test_it_has_what_a_notebook_has(run):
    seen = []
    run(
        """
        # Databricks notebook source
        # MAGIC %md
        # MAGIC # A title
        # MAGIC %sql is only a word here
        # COMMAND ----------
        # MAGIC %pip install something
        # COMMAND ----------
        def day():
            return dbutils.widgets.get("day")
        # COMMAND ----------
        spark.append((day(), __name__, __file__.endswith("Some.py"), callable(display)))
        """,
        seen,
    )
    assert seen == [("monday", "__main__", True, True)]


def test_each_run_has_a_fresh_namespace(run):
    run("# Databricks notebook source\nleft_behind = 1\n")
    with pytest.raises(NotebookError, match="NameError: name 'left_behind'"):
        run("# Databricks notebook source\nprint(left_behind)\n")


def test_exit_ends_it_as_a_success(run):
    seen = []
    text = """
        # Databricks notebook source
        try:
            dbutils.notebook.exit("enough")
        except Exception:
            pass
        spark.append(1)
        """
    assert run(text, seen) == "enough"
    assert seen == []


def test_a_failure_names_cell_and_line_and_shows_own_frames_only(run):
    with pytest.raises(NotebookError) as error:
        run(
            """
            # Databricks notebook source
            import json
            # COMMAND ----------
            def parse(text):
                try:
                    return json.loads(text)
                except ValueError as error:
                    raise RuntimeError("no JSON") from error
            # COMMAND ----------
            parse("{")
            """
        )
    text = str(error.value)
    assert text.startswith("notebooks/Some.py, cell 2, line 8: RuntimeError: no JSON")
    assert "JSONDecodeError" in text
    assert 'line 10, in <module>\n    parse("{")' in text
    assert "return json.loads(text)" in text
    assert "json/decoder.py" not in text
    assert "local_workspace/notebook.py" not in text


def test_a_syntax_error_has_its_line(run):
    with pytest.raises(NotebookError, match=r"notebooks/Some\.py, cell 2, line 3: SyntaxError"):
        run("# Databricks notebook source\n# COMMAND ----------\nif\n")


@pytest.mark.parametrize("magic", ["%sql", "%run", "%sh", "%scala"])
def test_another_magic_is_refused_by_name(run, magic):
    with pytest.raises(NotebookError, match=magic):
        run(f"# Databricks notebook source\n# COMMAND ----------\n# MAGIC {magic} something\n")


def test_a_file_that_is_no_notebook_is_refused(run):
    with pytest.raises(NotebookError, match="not a notebook"):
        run("print(1)\n")
