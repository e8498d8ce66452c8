"""A child with moods, for the tests of a row of errands: it does as the names of the requests say."""

from __future__ import annotations

import os
import sys
import threading

import msgspec

from bridge.daemon.helper_requests import Errand, received
from bridge.protocol.requests import Answer
from bridge.protocol.responses import Done
from bridge.protocol.wire import encode

if __name__ == "__main__":
    for errand, upload in received(sys.stdin.buffer, msgspec.json.Decoder(Errand)):
        if "hang" in errand.request:
            threading.Event().wait()
        if "die" in errand.request:
            os._exit(3)
        if isinstance(errand, Answer) and not os.path.exists(errand.file):
            open(errand.file, "w").close()
            os._exit(3)
        os.write(1, encode(Done(re=errand.request, job=str(len(upload)))) + b"\n")
