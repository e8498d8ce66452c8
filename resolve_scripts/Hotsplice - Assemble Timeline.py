"""The menu script: Workspace > Scripts > Hotsplice - Assemble Timeline.

DaVinci Resolve runs it as a separate process, in whatever Python it has (3.6 or newer, nothing
installed). This script therefore contains no logic: it starts `bridge.resolve.main` in the daemon's
own interpreter and carries out its instructions, one line of JSON at a time.

    helper  -->  {"say": TEXT}       print a line in the Console
                 {"call": [OBJECT, METHOD], "with": [...], "keep": NAME}
                                     call a method; with `keep`, hold its result under NAME
                 {"end": true}       the work is finished
    helper  <--  {"got": VALUE}   {"missing": true}   {"failed": TEXT}
                                     the answer to a call

An argument {"constant": [OBJECT, NAME]} stands for the object's own value of that name. At first
there is one object, `resolve`.
"""

import importlib
import json
import os
import subprocess
import sys

VERSION = 1
HAND = "bridge.resolve.main"
OF_THE_EDITOR = ("PYTHON", "__PYVENV_LAUNCHER__", "LD_LIBRARY_PATH", "LD_PRELOAD", "DYLD_", "QT_")
NOT_INSTALLED = (
    "Hotsplice was not found for this user: {} does not exist.\n"
    "Open a terminal, run `hotsplice companion --background` once, then choose this script again."
)
NO_RESOLVE = "Hotsplice found no DaVinci Resolve to speak with. Choose it from Workspace > Scripts inside Resolve."
BROKEN = (
    "Hotsplice's own program could not be started ({}).\n"
    "Run `hotsplice companion --background` in a terminal, then choose this script again."
)
ENDED = (
    "Hotsplice's part of this script ended before its time. A film that was begun goes on by itself; choose this script "
    "again to see it. What happened is written in {}."
)


def say(text):
    """Print a line in the Console, in whatever alphabet it can show."""
    try:
        print(text)
    except UnicodeError:
        print(text.encode("ascii", "backslashreplace").decode("ascii"))
    try:
        sys.stdout.flush()
    except (AttributeError, OSError):
        pass


def resolve_object():
    """Return Resolve's API object, or None.

    It is a global of a menu script, or available through `app`, `bmd` or Resolve's own module.
    """
    found = globals().get("resolve")
    if found is not None:
        return found
    for name, method, words in (("app", "GetResolve", ()), ("bmd", "scriptapp", ("Resolve",))):
        way = getattr(globals().get(name), method, None)
        found = way(*words) if callable(way) else None
        if found is not None:
            return found
    try:
        return importlib.import_module("DaVinciResolveScript").scriptapp("Resolve")
    except ImportError:
        return None


def data_folder(environment, system):
    """Return Hotsplice's data folder of this user, as `platformdirs` does.

    `system` is sys.platform.
    """
    chosen = environment.get("HOTSPLICE_HOME")
    if chosen:
        return os.path.abspath(os.path.expanduser(chosen))
    home = os.path.expanduser("~")
    if system == "darwin":
        return os.path.join(home, "Library", "Application Support", "Hotsplice")
    if system == "win32":
        local = environment.get("LOCALAPPDATA") or os.path.join(home, "AppData", "Local")
        return os.path.join(local, "Hotsplice")
    return os.path.join(
        environment.get("XDG_DATA_HOME") or os.path.join(home, ".local", "share"), "Hotsplice"
    )


def program(folder):
    """Return the helper's command and search path, or None.

    They come from the file that the daemon writes for this purpose.
    """
    path = os.path.join(folder, "program.json")
    try:
        if hasattr(os, "getuid") and os.stat(path).st_uid != os.getuid():
            return None
        with open(path, "rb") as file:
            said = json.loads(file.read().decode("utf-8"))
        return [str(said["python"]), "-P", "-m", HAND], [str(place) for place in said["path"]]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def environment_for(path, environment):
    """Return the helper's environment.

    The helper gets the script's environment, without the variables that configure *this* Python or
    Resolve's own libraries; Resolve or a launcher sets these.
    """
    clean = {key: value for key, value in environment.items() if not key.startswith(OF_THE_EDITOR)}
    clean["PYTHONPATH"] = os.pathsep.join(path)
    return clean


def answer(order, objects):
    """Carry out one call and return the answer.

    Resolve answers most mistakes with None or False; these are returned as they are.
    """
    name, method = order["call"]
    words = []
    try:
        for word in order.get("with", ()):
            if isinstance(word, dict) and "constant" in word:
                # The live value: Resolve does not accept names of constants.
                owner, constant = word["constant"]
                word = getattr(objects[owner], constant, None)
                if word is None:
                    return {"missing": True}
            # None means missing; hasattr is no test, because it is True for everything.
            words.append(word)
        way = getattr(objects[name], method, None)
        if not callable(way):
            return {"missing": True}
        got = way(*words)
    except Exception as error:
        # Return whatever the editor raises; the helper judges it.
        return {"failed": f"{type(error).__name__}: {error}"}
    if "keep" in order:
        objects[order["keep"]] = got
        return {"got": got is not None}
    return {"got": got}


def serve(hand, objects):
    """Carry out the helper's instructions until it ends. Return whether it ended properly."""
    for line in iter(hand.stdout.readline, b""):
        order = json.loads(line.decode("ascii"))
        if "say" in order:
            say(order["say"])
        elif "call" in order:
            said = json.dumps(answer(order, objects), default=str)
            hand.stdin.write(said.encode("ascii") + b"\n")
            hand.stdin.flush()
        elif order.get("end"):
            return True
    return False


def main():
    """Run the helper."""
    folder = data_folder(os.environ, sys.platform)
    found, resolve = program(folder), resolve_object()
    if found is None:
        say(NOT_INSTALLED.format(os.path.join(folder, "program.json")))
    elif resolve is None:
        say(NO_RESOLVE)
    else:
        run(found, os.path.join(folder, "resolve.log"), resolve)


def run(found, log, resolve):
    """Start the helper and serve it until it ends. `log` is the file for its error output."""
    words, path = found
    try:
        with open(log, "ab") as complaints:
            hand = subprocess.Popen(
                [*words, str(VERSION)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=complaints,
                # On Windows: no console window.
                env=environment_for(path, os.environ), creationflags=0x08000000 if os.name == "nt" else 0,
            )  # fmt: skip
    except OSError as error:
        say(BROKEN.format(error.strerror or error))
        return
    try:
        well = serve(hand, {"resolve": resolve})
    except (OSError, ValueError):
        well = False
    for pipe in (hand.stdin, hand.stdout):
        try:
            pipe.close()  # this ends the helper, if it is still running
        except OSError:
            pass
    hand.wait()
    if not well:
        say(ENDED.format(log))


main()
