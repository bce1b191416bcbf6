"""The set-up asks the package index that pip is set up for, unless uv has been told another."""

import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.homes("local", reason="about the set-up of this machine")
NOBODY = "http://127.0.0.1:9/simple"


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a package index that has one package, which is nowhere else."""
    root = tmp_path_factory.mktemp("index")
    folder = root / "simple" / "only-in-house"
    folder.mkdir(parents=True)
    with zipfile.ZipFile(folder / "only_in_house-1.0-py3-none-any.whl", "w") as wheel:
        about = "only_in_house-1.0.dist-info"
        wheel.writestr("only_in_house.py", "")
        wheel.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: only-in-house\nVersion: 1.0\n")
        wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(
            f"{about}/RECORD", f"only_in_house.py,,\n{about}/METADATA,,\n{about}/WHEEL,,\n{about}/RECORD,,\n"
        )
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=root)) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/simple"
        server.shutdown()


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment that has uv already."""
    folder = tmp_path_factory.mktemp("made") / "with space"
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)  # noqa: S603 (our own interpreter)
    (folder / "bin" / "uv").symlink_to(Path(sys.executable).parent / "uv")
    return folder


def install(environment: Path, folder: Path, variables: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Sets the environment up anew, in a shell that says of packages what the variables say."""
    uninstall = [environment / "bin" / "uv", "pip", "uninstall", "--python", environment / "bin" / "python"]
    subprocess.run([*uninstall, "only-in-house"], capture_output=True, check=False)  # noqa: S603 (our own uv)
    lock = folder / "lock.txt"
    lock.write_text("only-in-house==1.0\n", encoding="utf-8")
    own = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_"))}
    return subprocess.run(  # noqa: S603 (our own script)
        ["/bin/sh", REPOSITORY / "local_workspace" / "install.sh", environment, lock],
        env=own | {"PIP_CONFIG_FILE": os.devnull, "UV_NO_CACHE": "1", "UV_HTTP_RETRIES": "0"} | variables,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("settings", "variables"),
    [
        ("", {"PIP_INDEX_URL": "INDEX"}),
        ("[global]\nindex-url = INDEX\n", {}),
        (f"[global]\nindex-url = {NOBODY}\n[install]\nindex-url = INDEX\n", {}),
        (f"[global]\nindex-url = {NOBODY}\nextra-index-url =\n    INDEX\n    {NOBODY}\n", {}),
        ("", {"PIP_INDEX_URL": NOBODY, "UV_DEFAULT_INDEX": "INDEX"}),
    ],
)
def test_packages_come_from_where_pip_is_told_to_look(index, environment, tmp_path, settings, variables) -> None:
    config = tmp_path / "pip.conf"
    config.write_text(settings.replace("INDEX", index), encoding="utf-8")
    told = {name: value.replace("INDEX", index) for name, value in variables.items()}
    done = install(environment, tmp_path, {"PIP_CONFIG_FILE": str(config), **told})
    assert done.returncode == 0, done.stderr + (environment / "uv.log").read_text()
    assert list(environment.glob("lib/*/site-packages/only_in_house.py"))


def test_a_failure_names_what_uv_reads_and_no_password(environment, tmp_path) -> None:
    done = install(environment, tmp_path, {"PIP_INDEX_URL": "http://me:secret@127.0.0.1:9/simple"})
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "UV_DEFAULT_INDEX" in line
    assert "secret" not in done.stdout + done.stderr + (environment / "uv.log").read_text()
