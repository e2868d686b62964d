"""The page in a language that is written from right to left, which is one more file.

Its words are the English ones in Hebrew letters: nobody has to know the language to see where it
is not spoken, and everything that a page can say is in it.
"""

from __future__ import annotations

import json
import os
import pickle
import re
import shutil
import subprocess
import sys
from pathlib import Path

import checkup_page
from checkup.interfaces import PageFile
from checkup_page.locale import load_translations

CODE = "he"
_LETTERS = str.maketrans("abcdefghijklmnopqrstuvwxyz", "אבגדעפגהיזקלמנוסרתשטחואקמת")


def pages(folder: Path, end: int) -> dict[str, PageFile]:
    """Return the demo's year in that language, made by a package that has its file.

    Args:
        folder: where to put the package.
        end: the end of the year, a full hour.
    """
    package = folder / "checkup_page"
    shutil.copytree(Path(checkup_page.__file__).parent, package)
    (package / "locales" / f"{CODE}.toml").write_text(_file(), "utf-8")
    made = subprocess.run(
        [sys.executable, "-m", "tests.page.mirrored", str(end)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(folder), *sys.path])},
        stdout=subprocess.PIPE,
        check=True,
    )
    found: dict[str, PageFile] = pickle.loads(made.stdout)
    return found


def in_its_letters(phrase: str) -> str:
    """Return a phrase in Hebrew letters, its places for values as they are."""
    parts = re.split(r"(\{\w+\})", phrase)
    parts[::2] = [text.lower().translate(_LETTERS) for text in parts[::2]]
    return "".join(parts)


def _file() -> str:
    told = {key: in_its_letters(phrase) for key, phrase in load_translations().texts.items()}
    told |= {"name": "עברית", "direction": "rtl"}
    return "".join(
        f"{key} = {json.dumps(phrase, ensure_ascii=False)}\n" for key, phrase in told.items()
    )


if __name__ == "__main__":
    from tests.page.years import told

    sys.stdout.buffer.write(pickle.dumps(told(int(sys.argv[1]), CODE)))
