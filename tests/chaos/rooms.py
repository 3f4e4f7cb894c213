"""Folders on file systems of their own, which can be filled to the byte (to the page of 4 kB, to be exact).

They are mounted in a mount namespace of this process, and go with it, however it ends. This needs root.
"""

from __future__ import annotations

import ctypes
import functools
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.waiting import wait_until

_CLONE_NEWNS = 0x00020000
_ROOMY = "size=4g,nr_inodes=1000000"


@functools.cache
def may_mount() -> bool:
    """Leave the mount namespace of the other processes; False where this is not allowed."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0 or shutil.which("mount") is None:
        return False
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNS) != 0:
        return False
    return subprocess.run(["mount", "--make-rprivate", "/"], stderr=subprocess.DEVNULL).returncode == 0


@dataclass(frozen=True, slots=True)
class Room:
    """A mounted folder."""

    folder: Path

    @classmethod
    def mount(cls, folder: Path) -> Room:
        folder.mkdir(parents=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", _ROOMY, "none", folder], check=True)
        return cls(folder)

    def fill(self, room: int) -> None:
        """Leave so many bytes, and no room for further files where that is 0."""
        wait_until(lambda: self._has_filled(room))

    def free(self) -> None:
        subprocess.run(self._remount(_ROOMY), check=True)

    def unmount(self) -> None:
        subprocess.run(["umount", "--lazy", self.folder], check=True)

    def _has_filled(self, room: int) -> bool:
        """Returns False if more was written meanwhile than was to be left."""
        now = os.statvfs(self.folder)
        used = (now.f_blocks - now.f_bfree) * now.f_frsize
        options = f"size={max(now.f_frsize, used + room)}"  # a size of 0 would mean no limit
        if room == 0:
            options += f",nr_inodes={now.f_files - now.f_ffree}"
        return subprocess.run(self._remount(options), stderr=subprocess.DEVNULL).returncode == 0

    def _remount(self, options: str) -> list[str]:
        return ["mount", "-o", f"remount,{options}", str(self.folder)]
