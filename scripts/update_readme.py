"""Update what the documents show of the prompts. Linux and macOS only.

Inserts the choices into the tables of the README and of docs/options.md, and a session of the
prompts into the README: cookiecutter runs on a pseudo-terminal, where this script types the values.
"""

import argparse
import json
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
OPTIONS = TEMPLATE / "docs" / "options.md"
BEGIN, END = "<!-- session: made by `make update-readme` -->\n", "<!-- /session -->"
#: Shown in place of the temporary folder.
HOME = "/home/ada"
COMMAND = "uvx cookiecutter <this repository>"
#: What to type at the prompts that contain these words; Enter accepts the other defaults.
TYPED = {"Project name": "Book Shop", "2 - SQLAlchemy Core": "2"}
PROMPT = re.compile(r"\[(\d+)/\d+\] (.*?)\([^()]*\): $", re.DOTALL)


def read(terminal: int) -> str:
    """Return new output, or an empty string at its end."""
    if not select.select([terminal], [], [], 60)[0]:
        raise TimeoutError("cookiecutter is waiting for other input")
    try:
        return os.read(terminal, 65536).decode()
    except OSError:
        # Linux reports a closed pseudo-terminal as an error.
        return ""


def record(folder: Path) -> str:
    """Generate a project in `folder` and return the contents of the screen."""
    if sys.platform == "win32":
        raise SystemExit("A session can be recorded on Linux and macOS only.")
    config = folder / "config.yaml"
    config.write_text(f"replay_dir: {folder / 'replay'}\n", "utf-8")
    command = [sys.executable, "-m", "cookiecutter", "--config-file", str(config), str(TEMPLATE)]
    variables = {**os.environ, "TERM": "dumb", "COLUMNS": "80", "NO_COLOR": "1"}
    terminal, child = pty.openpty()
    session = subprocess.Popen(
        command,
        cwd=folder,
        env=variables,
        stdin=child,
        stdout=child,
        stderr=child,
    )
    os.close(child)
    screen, prompts_end, last = "", 0, "0"
    while text := read(terminal):
        screen += text.replace("\r\n", "\n")
        if prompt := PROMPT.search(screen, prompts_end):
            prompts_end = len(screen)
            if prompt[1] == last:
                session.kill()
                raise SystemExit(f"{screen}\nscripts/update_readme.py: change TYPED.")
            last = prompt[1]
            typed = [text for words, text in TYPED.items() if words in prompt[2]]
            os.write(terminal, f"{''.join(typed)}\n".encode())
    os.close(terminal)
    if session.wait() != 0:
        raise SystemExit(screen)
    screen = screen.replace(str(folder.resolve()), HOME).rstrip()
    return "\n".join(line.rstrip() for line in screen.splitlines())


def replace_between_markers(page: str, session: str) -> str:
    """Return the page with `session` between its markers."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}```console\n$ {COMMAND}\n{session}\n```\n{END}{after}"


def replace_choices(page: str) -> str:
    """Return the page with the choices of each option in the second column of its tables."""
    for name, default in json.loads((TEMPLATE / "cookiecutter.json").read_text("utf-8")).items():
        if isinstance(default, bool):
            values = "yes, no" if default else "no, yes"
        elif isinstance(default, list) and not name.startswith("_"):
            values = ", ".join(f"`{value}`" for value in default)
        else:
            continue
        page = re.sub(rf"^(\| `{name}` \|)[^|]*\|", rf"\1 {values} |", page, flags=re.MULTILINE)
    return page


def main() -> int:
    """Update the documents; with `--check`, return 1 if one is out of date."""
    parser = argparse.ArgumentParser(description="Update what the documents show of the prompts.")
    parser.add_argument("--check", action="store_true", help="only report outdated documents")
    is_check = parser.parse_args().check
    with tempfile.TemporaryDirectory(prefix="session-") as folder:
        session = record(Path(folder))
    outdated = []
    for path in (README, OPTIONS):
        page = path.read_text("utf-8")
        current = replace_choices(page)
        if path == README:
            current = replace_between_markers(current, session)
        if page != current:
            outdated.append(path.relative_to(TEMPLATE).as_posix())
            if not is_check:
                path.write_text(current, "utf-8")
    if is_check and outdated:
        print(f"Out of date: {', '.join(outdated)}; run: make update-readme")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
