"""Makes the README's pictures anew: of the system, from docs/pictures/system.html, and of a monitoring report.

Needs nothing but Python and Chromium or Chrome (`make browser`).
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
PICTURES = REPOSITORY / "docs/pictures"
REPORTS = ".local/Volumes/*/*/files/reports/monitoring-*.html"
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# Of each, width and height of the page in pixels, and how many of the picture's are one of them.
SYSTEM, REPORT = (1160, 556, 1.5), (1100, 1800, 0.75)
_TIMEOUT_SECONDS = 60


def main() -> None:
    """Takes the report's file, or else the newest of `make run`."""
    report = Path(sys.argv[1]) if sys.argv[1:] else newest_report(REPOSITORY)
    take(PICTURES / "system.html", PICTURES / "system.png", SYSTEM)
    take(report, PICTURES / "report.png", REPORT)


def find_browser() -> str | None:
    """Chromium or Chrome as the system has it."""
    return next(filter(None, map(shutil.which, _BROWSERS)), None)


def newest_report(folder: Path) -> Path:
    """The monitoring report that was written last."""
    reports = sorted(folder.glob(REPORTS), key=lambda file: file.stat().st_mtime)
    if not reports:
        sys.exit("error: there is no monitoring report: 'make run' writes one, or say REPORT=<file>.")
    return reports[-1]


def take(page: Path, picture: Path, size: tuple[int, int, float]) -> None:
    """Writes a picture of the top of a page."""
    browser = find_browser()
    if browser is None:
        sys.exit("error: Chromium or Chrome was not found: 'make browser' installs it (Debian, Ubuntu).")
    width, height, scale = size
    with tempfile.TemporaryDirectory() as profile:
        command = [browser, "--headless", "--no-sandbox", "--hide-scrollbars", f"--user-data-dir={profile}"]
        command += [f"--window-size={width},{height}", f"--force-device-scale-factor={scale}"]
        command += [f"--screenshot={picture}", page.resolve().as_uri()]
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, check=False)  # noqa: S603
    if done.returncode:
        sys.exit(f"error: {browser} took no picture of {page}: {done.stderr.strip()}")


if __name__ == "__main__":
    main()
