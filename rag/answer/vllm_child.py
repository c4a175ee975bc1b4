"""Run as a program: keeps `vllm serve`, and all that it starts, until stdin closes.

Knows nothing of ours. It is a process of its own because a service that is killed can stop
nothing: its end of the pipe closes all the same, whatever ended it. vLLM runs in a session of its
own, so that one signal reaches the processes that it starts for its engine and for each GPU.

Usage: ``python -P vllm_child.py GRACE_SECONDS COMMAND ...``, with the key that vLLM asks for as
the first line of stdin, where no other user sees it; exits with the command's status.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading


def main(grace: float, command: list[str]) -> None:
    os.environ["VLLM_API_KEY"] = sys.stdin.readline().strip()
    os.environ["VLLM_NO_USAGE_STATS"] = "1"
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)  # noqa: S603

    def signal_all(number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, number)

    def end() -> None:
        sys.stdin.read()
        signal_all(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(grace)
        signal_all(signal.SIGKILL)

    threading.Thread(target=end, daemon=True).start()
    status = child.wait()
    signal_all(signal.SIGKILL)  # those that it left behind
    os._exit(status if status >= 0 else 128 - status)


if __name__ == "__main__":
    main(float(sys.argv[1]), sys.argv[2:])
