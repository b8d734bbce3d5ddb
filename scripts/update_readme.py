"""Record what a person sees who makes a project, and show it in the README.

Cookiecutter runs on a terminal of its own, and the answers are typed there. Linux and macOS.
"""

import argparse
import os
import pty
import re
import select
import subprocess
import sys
import tempfile
from pathlib import Path

TEMPLATE = Path(__file__).resolve().parent.parent
README = TEMPLATE / "README.md"
BEGIN, END = "<!-- session: made by `make update-readme` -->\n", "<!-- /session -->"
#: Shown in place of the temporary folder.
HOME = "/home/ada"
COMMAND = "uvx cookiecutter <this repository>"
#: By the name of the question; all others are answered with Enter.
ANSWERS = {"Name of the service": "Book Shop", "How the service speaks": "2"}
PROMPT = re.compile(r"\[(\d+)/\d+\] (.*?)\([^()]*\): $", re.DOTALL)


def read(terminal: int) -> str:
    """What comes next, or nothing at the end."""
    if not select.select([terminal], [], [], 60)[0]:
        raise TimeoutError("cookiecutter waits for something else")
    try:
        return os.read(terminal, 65536).decode()
    except OSError:
        # How Linux says that nobody is on the other side any more.
        return ""


def record(folder: Path) -> str:
    """Make a project in `folder` and return what was on the screen."""
    if sys.platform == "win32":
        raise SystemExit("A session is recorded on Linux and macOS only.")
    config = folder / "config.yaml"
    config.write_text(f"replay_dir: {folder / 'replay'}\n", "utf-8")
    command = [sys.executable, "-m", "cookiecutter", "--config-file", str(config), str(TEMPLATE)]
    variables = {**os.environ, "TERM": "dumb", "COLUMNS": "80", "NO_COLOR": "1"}
    ours, theirs = pty.openpty()
    session = subprocess.Popen(
        command, cwd=folder, env=variables, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    screen, answered = "", 0
    while text := read(ours):
        screen += text.replace("\r\n", "\n")
        prompt = PROMPT.search(screen, answered)
        if prompt:
            answered = len(screen)
            typed = [text for words, text in ANSWERS.items() if words in prompt[2]]
            os.write(ours, f"{''.join(typed)}\n".encode())
    os.close(ours)
    if session.wait() != 0:
        raise SystemExit(screen)
    screen = screen.replace(str(folder.resolve()), HOME).rstrip()
    return "\n".join(line.rstrip() for line in screen.splitlines())


def embed(page: str, session: str) -> str:
    """The page with the session between its marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}```console\n$ {COMMAND}\n{session}\n```\n{END}{after}"


def main() -> int:
    """Exit status: 1 if asked to check, and the README shows something else."""
    parser = argparse.ArgumentParser(description="Record a session and show it in the README.")
    parser.add_argument("--check", action="store_true", help="only say whether it is current")
    is_check = parser.parse_args().check
    with tempfile.TemporaryDirectory(prefix="session-") as folder:
        page = README.read_text("utf-8")
        current = embed(page, record(Path(folder)))
    if is_check:
        print("" if page == current else "The session is not current: make update-readme")
        return int(page != current)
    README.write_text(current, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
