"""Run as a program: llama.cpp serving one GGUF file on a Unix socket until stdin closes.

Knows nothing of ours, so that it starts wherever xllamacpp is installed. It is a process of its
own because native code that crashes must not take the service along, and because OpenMP is told
only as it is loaded, which torch does earlier in the service, that waiting threads sleep rather
than spin: on 2 cores with other work, spinning gave 1 to 6 tokens/s, sleeping 35 to 65.

Usage: ``python -P llama_child.py MODEL SOCKET CONTEXT_TOKENS``; one line of JSON on stdout says
``{"ok": true}``, or ``{"stage": "import" | "load", "why": ...}``.
"""

import contextlib
import json
import os
import sys


def main(model: str, socket: str, context_tokens: int) -> None:
    report = os.fdopen(os.dup(1), "w")
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    os.environ["OMP_WAIT_POLICY"] = "passive"
    stage = "import"
    try:
        import xllamacpp

        stage = "load"
        if hasattr(os, "sched_getaffinity"):
            cores = len(os.sched_getaffinity(0))
        else:
            cores = os.cpu_count() or 1
        # Waking a thread pays only for enough work: on that machine, 98 MB of weights gave 81
        # tokens/s on one thread and 65 on two.
        useful = os.stat(model).st_size // 100_000_000  # noqa: PTH116
        params = xllamacpp.CommonParams()
        params.model.path = model
        params.hostnames = [socket]
        params.n_ctx = context_tokens
        params.cpuparams.n_threads = max(1, min(cores, useful))
        params.cpuparams_batch.n_threads = cores
        # One sequence and no reuse of earlier prompts: the same prompt gives the same bits.
        params.n_parallel = 1
        params.cache_prompt = False
        params.cache_ram_mib = 0
        # A request that went away is noticed between batches only.
        params.n_batch = params.n_ubatch = 256
        # A sign of life while a request waits its turn or its prompt is read.
        params.sse_ping_interval = 5
        params.ui = False
        params.verbosity = -1
        server = xllamacpp.Server(params)
    except (ImportError, RuntimeError) as e:
        report.write(json.dumps({"stage": stage, "why": str(e)}) + "\n")
        report.flush()
        return
    report.write(json.dumps({"ok": bool(server.listening_address)}) + "\n")
    report.flush()
    sys.stdin.buffer.read()
    # The parent was killed: it cleans up otherwise.
    with contextlib.suppress(OSError):
        os.remove(socket)  # noqa: PTH107
        os.rmdir(os.path.dirname(socket))  # noqa: PTH106, PTH120
    # Not through the destructors: they wait for the generation under way.
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
