"""Keeps the current folder off the path that modules are imported from.

People work in folders that others filled: they unpack an archive, `cd` into it, and ingest it. `python -m`
puts the current folder first on the path, and so does an empty entry of PYTHONPATH, which a line such as
`PYTHONPATH=$PYTHONPATH:/opt/tools` in a shell's profile leaves there. A file `lxml.py` of the archive would
then be executed in place of the library. What Python imports before this runs, first of all `copydesk`, only
Python can guard: `python -P -m copydesk` does.

This module imports nothing that an interpreter has not imported when it starts.
"""

from __future__ import annotations

import os
import sys


def leave_out_current_folder() -> None:
    """Take the current folder, and PYTHONPATH's relative entries, off `sys.path`, for the whole process.

    An absolute entry of PYTHONPATH is meant, and stays. So does the folder that holds this program, as a
    checkout that is not installed: its code is running already.
    """
    named = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    meant = {os.path.dirname(os.path.dirname(os.path.abspath(__file__))), *filter(os.path.isabs, named)}
    try:
        relative = {os.path.abspath(entry) for entry in ("", *named) if not os.path.isabs(entry)}
    except FileNotFoundError:  # the current folder was removed, and nothing is imported from it
        return
    unsafe = {"", *relative} - meant
    sys.path[:] = [entry for entry in sys.path if entry not in unsafe]
