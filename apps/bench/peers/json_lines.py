"""The wire of a peer: one JSON line in, one JSON line out. An error is an answer, so that the bench can name it."""
import json
import resource
import sys
import traceback

_out = sys.stdout
sys.stdout = sys.stderr  # what libraries print must not get between the lines


def serve(answer):
    for line in sys.stdin:
        try:
            reply = answer(json.loads(line))
        except Exception as error:  # noqa: BLE001
            traceback.print_exc()
            reply = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(reply), file=_out, flush=True)


def peak_memory_bytes():
    """The high-water mark of this process's resident memory. getrusage would count the parent's at the fork, so it is the fallback."""
    try:
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
