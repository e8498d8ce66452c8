"""Python runs this by itself at its start when this folder is on PYTHONPATH: the only way into a worker process that
needs nothing of the product. Without `HOTSPLICE_STRIKE` it does nothing."""

import os
import sys

if "HOTSPLICE_STRIKE" in os.environ and "core.executors.worker" in sys.orig_argv:
    from tests.proofs import strike

    strike.arm("worker")

if "HOTSPLICE_WORKER_PYTHON" in os.environ and "bridge.cli.main" in sys.orig_argv:
    sys.executable = os.environ[
        "HOTSPLICE_WORKER_PYTHON"
    ]  # what the engine starts its workers with

if "HOTSPLICE_RAISE" in os.environ and (
    {"core.executors.worker", "bridge.cli.main"} & set(sys.orig_argv)
):
    from tests.proofs import raising

    raising.arm()
