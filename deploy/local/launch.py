"""Becomes another program: as another user when asked, and one that ends with whoever started it.

launch.py PARENT_PID DEATH_SIGNAL USER_ID GROUP_ID PROGRAM ARGUMENTS…, run as a file with `python -I -S`.
Ids of -1 leave the user as it is. A program of its own because code between fork and exec (preexec_fn) may
deadlock in a process with threads, and Python 3.12 warns about it.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG, PR_SET_KEEPCAPS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 1, 8, 47, 2
CAP_DAC_OVERRIDE = 1
CAPABILITY_VERSION_3 = 0x20080522
ON_LINUX = sys.platform == "linux"


def main(numbers: list[int], command: list[str]) -> None:
    """Does not return: the process is the command from here on, with the same pid."""
    parent_pid, death_signal, user_id, group_id = numbers
    if user_id >= 0:
        _become(user_id, group_id)
    if ON_LINUX:
        # After the change of user, which would clear it. What has no such thing may outlive a killed parent.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
    if os.getppid() != parent_pid:
        sys.exit("launch: who started this is gone already")
    # Python ignores these two for itself, and what is ignored stays so in the next program.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    os.execv(command[0], command)


def _become(user_id: int, group_id: int) -> None:
    """That user, who may still pass folders that only root can: the checkout or the data may be in one."""
    libc = ctypes.CDLL(None, use_errno=True)
    if ON_LINUX:
        libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setgid(group_id)
    os.setuid(user_id)
    if ON_LINUX:
        # Effective, permitted and inheritable, in two words of 32 bits each; ambient survives the exec.
        header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
        wanted = 1 << CAP_DAC_OVERRIDE
        # Refused where root itself lacks the right: then plain permissions decide, as on other systems.
        if libc.capset(header, (ctypes.c_uint32 * 6)(wanted, wanted, wanted, 0, 0, 0)) == 0:
            libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0)


if __name__ == "__main__":
    main([int(number) for number in sys.argv[1:5]], sys.argv[5:])
