"""Python loads this at its start where its folder is on PYTHONPATH: Hotsplice without what recovery costs, in all its processes.
For measuring (`tests.proofs.overhead`), and for nothing else.

It makes the same film by the same steps. But nothing is flushed or recorded, no source is looked at again, no segment and no film
is verified, and nothing of either is hashed.
"""

import importlib.abc
import importlib.machinery
import os
import sys

os.fsync = os.fdatasync = lambda handle: None


def _packets(module):
    """A segment is taken for what was ordered. How far decoding runs ahead is a property of the recipe (three frames of H.264)."""
    count = module.count_video

    def trusted(path, rate, *, expected="", tolerance=None):
        return (
            module.Counted(_packets.frames, "", 2, True, expected)
            if expected
            else count(path, rate)
        )

    module.count_video = trusted


class _NoHash:
    def update(self, data):
        pass

    def hexdigest(self):
        return ""

    def digest(self):
        return b""


class _NoHashes:
    @staticmethod
    def xxh3_128(data=b""):
        return _NoHash()

    @staticmethod
    def xxh3_128_hexdigest(data):
        return ""


def _hashing(module):
    def names(path):
        facts = os.stat(path)
        return f"{facts.st_size} {facts.st_mtime_ns}", str(facts.st_size)

    module.both_names = names
    module.fingerprint = lambda path: names(path)[0]
    module.file_hash = lambda path: ""
    module.tree_hash = lambda path, on_leaf=None: "bare"


def _marking(module):
    module.of_pictures = lambda path, stream, *times, **others: module.Marks(
        path=path, stream=stream, marks={}
    )
    module.mark = lambda data: 0
    module.header_of = lambda container, stream: 0


def _render(module):
    made = module.render

    def render(order, *rest):
        _packets.frames = order.frames
        return made(order, *rest)

    def encode_track(order, on_frames, command_pipe):
        samples = (module.segment_reader.pcm(part) for part in order.inputs)
        ran = module.ffmpeg.run(
            order.argv, feed=samples, on_frames=on_frames, command_pipe=command_pipe
        )
        return module.Made(frames=order.samples, log=ran.lines, bytes=os.path.getsize(order.part))

    module.render, module.encode_track, module._flush = render, encode_track, lambda path: None
    module._Meanwhile._take = lambda self, again=False: module.packet_hashes.of_pictures(
        self._order.source, self._order.stream
    )
    module._Meanwhile.on_frames = lambda self, frames: self._on_frames(frames)


def _join(module):
    def join(order, on_frames):
        module.write(order, on_frames)
        return module.Made(
            frames=sum(part.frames for part in order.video), signature=order.signature, reorder=order.reorder,
            digest=str(order.samples), bytes=os.path.getsize(order.part), file_hash="bare",
        )  # fmt: skip

    module.join = join


def _sound(module):
    module.block_marks = lambda data, first: {}
    module._same_as_planned = lambda order: None
    module.xxhash = _NoHashes


def _without_hashes(module):
    module.xxhash = _NoHashes


def _journal(module):
    connect, numbers = module.sqlite3.connect, iter(range(1, 1 << 30))
    module.sqlite3 = type(module.sqlite3)("sqlite3")
    module.sqlite3.__dict__.update(sys.modules["sqlite3"].__dict__)
    module.sqlite3.connect = lambda place, *rest, **options: connect(":memory:", *rest, **options)
    recorded = module.Journal.append

    def append(self, job, facts, at):
        kept = [fact for fact in facts if type(fact).__name__ in ("RunStarted", "FilmPublished")]
        last = recorded(self, job, kept, at) if kept else 0
        return max(last, *(next(numbers) for _ in facts))

    module.Journal.append = append
    module.Journal.still_ours = lambda self: None
    module.Journal.add_decoded = lambda self, *rest: None
    module.Journal.later = lambda self, statement, rows: None


def _memory(module):
    for name in ("keep_marks", "keep_plan", "see", "write_marks"):
        setattr(module.History, name, lambda self, *rest: None)
    module.History.unlike = lambda self, identity, marks: []


def _segment_index(module):
    for name in ("add", "complete", "forget_broken", "begin"):
        setattr(module.SegmentIndex, name, lambda self, *rest: None)
    module.SegmentIndex.restore = lambda self, journal: 0


def _gathering(module):
    module.may_wait = lambda back, *, idle, now: False
    for name in ("keep_marks", "write_marks"):
        setattr(module.BatchedHistory, name, lambda self, *rest: None)


def _decay(module):
    module.of = lambda order, made, memory: None


def _lookout(module):
    module.SourceWatch.looks = lambda self, state: False


def _workspace(module):
    def seal(self, part, key, extension):
        file = f"{key[1:2]}/{key}{extension}"
        os.replace(part, self.stored(file))
        return module.Sealed(file, lambda: None)

    module.Workspace.seal = seal
    module.flush_directory = lambda path: None


_CHANGES = {
    "core.media.packets": _packets,
    "core.media.hashes": _hashing,
    "core.media.packet_hashes": _marking,
    "core.tasks.render": _render,
    "core.tasks.join": _join,
    "core.tasks.mix_sound": _sound,
    "core.tasks.segment_reader": _without_hashes,
    "core.storage.journal": _journal,
    "core.storage.history": _memory,
    "core.storage.segment_index": _segment_index,
    "core.storage.workspace": _workspace,
    "core.engine.batching": _gathering,
    "core.engine.bitrot_check": _decay,
    "core.engine.source_watch": _lookout,
}


class _Changed(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        change = _CHANGES.get(name)
        spec = importlib.machinery.PathFinder.find_spec(name, path) if change else None
        if spec is None:
            return None
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            change(module)

        spec.loader.exec_module = exec_module
        return spec


sys.meta_path.insert(0, _Changed())
