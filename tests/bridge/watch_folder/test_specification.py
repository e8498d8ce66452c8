"""docs/folder-door.md holds: its replies, its sidecars, and its script, which real Lua reads without what a sandbox lacks."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.protocol.responses import Finding
from bridge.watch_folder import lua, reply, submission
from bridge.watch_folder.reply import ENDS, Reply

SPECIFICATION = (Path(__file__).parents[3] / "docs" / "folder-door.md").read_text(encoding="utf-8")
ASKS = re.findall(r"```(\w+) ask\n(.*?)```", SPECIFICATION, re.DOTALL)
ASKS = [("txt" if kind == "text" else kind, text) for kind, text in ASKS]
(AS_JSON,) = re.findall(r"```json reply\n(.*?)```", SPECIFICATION, re.DOTALL)
(AS_LUA,) = re.findall(r"```lua reply\n(.*?)```", SPECIFICATION, re.DOTALL)
(SCRIPT,) = re.findall(r"```lua script\n(.*?)```", SPECIFICATION, re.DOTALL)
LUAS = [found for name in ("lua5.1", "luajit", "lua5.4", "lua") if (found := shutil.which(name))]
in_lua = pytest.mark.skipif(not LUAS, reason="no Lua is installed here")

DUMP = """
local function dump(value)
  if type(value) == "table" then
    if #value > 0 or next(value) == nil then
      local parts = {}
      for i, one in ipairs(value) do parts[i] = dump(one) end
      return "[" .. table.concat(parts, ",") .. "]"
    end
    local parts = {}
    for key, one in pairs(value) do parts[#parts + 1] = dump(key) .. ":" .. dump(one) end
    return "{" .. table.concat(parts, ",") .. "}"
  elseif type(value) == "string" then
    return '"' .. value:gsub('[%c"\\\\\\127-\\255]', function(c) return string.format("\\\\u%04x", c:byte()) end) .. '"'
  elseif type(value) == "number" then
    return string.format("%.17g", value)
  end
  return tostring(value)
end
"""


def read_by_lua(path: Path, lua: str):
    """What a chunk returns, as Lua understands it. Its strings are bytes: here as Latin-1, to be decoded by whoever compares."""
    program = f"{DUMP}\nio.write(dump(dofile(arg[1])))"
    main = path.with_name("dump.lua")
    main.write_text(program)
    done = subprocess.run([lua, str(main), str(path)], capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def as_lua_has_it(value):
    """A value of ours as it must come out: no nulls, strings as bytes, empty tables as lists."""
    if isinstance(value, dict):
        return {key: as_lua_has_it(one) for key, one in value.items() if one is not None} or []
    if isinstance(value, list | tuple):
        return [as_lua_has_it(one) for one in value if one is not None]
    return value.encode("utf-8").decode("latin-1") if isinstance(value, str) else value


def test_the_reply_is_as_specified_in_both_forms():
    said = msgspec.json.decode(AS_JSON, type=Reply)
    assert json.loads(reply.as_json(said)) == json.loads(AS_JSON), (
        "no field is passed over, and none is missing"
    )
    assert reply.as_lua(said).decode("ascii") == AS_LUA
    assert reply.read(reply.as_json(said)) == said


def test_every_state_and_key_is_named():
    assert all(
        f"`{state}`" in SPECIFICATION
        for state in ENDS | {"waiting", "working", "held", "interrupted"}
    )
    assert all(f"`{key}`" in SPECIFICATION for key in submission.KEYS)
    assert SPECIFICATION.startswith(f"# The folder door, form {reply.FORM}\n")


@in_lua
@pytest.mark.parametrize("lua", LUAS)
def test_lua_reads_the_reply(tmp_path, lua):
    path = tmp_path / "r.lua"
    path.write_text(AS_LUA, encoding="ascii")
    assert read_by_lua(path, lua) == as_lua_has_it(json.loads(AS_JSON))


WORDS = st.text(st.characters(blacklist_categories=["Cs"]), max_size=30)


@in_lua
@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=20),
    st.floats(0, 1e9),
    st.integers(-(2**31), 2**31),
)
def test_lua_reads_whatever_a_name_or_a_message_holds(tmp_path_factory, words, left, frame):
    folder = tmp_path_factory.getbasetemp() / "any"
    folder.mkdir(exist_ok=True)
    findings = [
        Finding(severity="note", code="x", title=title, message=text, path="]]\\\n\"'\x000123")
        for title, text in words
    ]
    said = msgspec.structs.replace(
        msgspec.json.decode(AS_JSON, type=Reply),
        findings=tuple(findings),
        left_s=left,
        start_frame=frame,
        title=words[0][0] + "9",
    )
    (folder / "r.lua").write_bytes(reply.as_lua(said))
    assert read_by_lua(folder / "r.lua", LUAS[0]) == as_lua_has_it(msgspec.to_builtins(said))


@in_lua
def test_the_largest_reply_can_be_read(tmp_path):
    finding = msgspec.json.decode(AS_JSON, type=Reply).findings[0]
    many = [
        msgspec.structs.replace(finding, message=f"{number} {'ä' * 400}")
        for number in range(reply.MOST_FINDINGS)
    ]
    said = msgspec.structs.replace(msgspec.json.decode(AS_JSON, type=Reply), findings=tuple(many))
    path = tmp_path / "r.lua"
    path.write_bytes(reply.as_lua(said))
    for one in LUAS:
        assert len(read_by_lua(path, one)["findings"]) == reply.MOST_FINDINGS


def test_numbers_that_are_none_and_words_of_the_language():
    text = lua.chunk(
        {"end": float("inf"), "do": [True, None, {}], "then": None, "a": "1\x002"}
    ).decode()
    assert (
        text
        == 'return {\n  ["end"] = 0,\n  ["do"] = {\n    true,\n    {},\n  },\n  ["a"] = "1\\0002",\n}\n'
    )


SANDBOX = """
local inbox, timeline, answer = arg[1], arg[2], arg[3]
local io, markers, told = io, {}, {}
local function put(from, to)
  local data = assert(io.open(from, "rb")):read("*a")
  local file = assert(io.open(to, "wb")); file:write(data); file:close()
end
local exported
local line = {
  GetName = function() return 'Reel/1: "Größe"' end,
  GetSetting = function(_, key) return ({timelineResolutionWidth = "1920", timelineResolutionHeight = "1080", timelineDropFrameTimecode = "0"})[key] end,
  Export = function(_, path, kind) if kind ~= 7 then return false end exported = path; put(timeline, path); return true end,
  AddMarker = function(_, ...) markers[#markers + 1] = {...}; return true end,
}
local script = assert(loadfile(arg[4]))
local os_time, waits = os.time, 0
local sandbox = { loadfile = loadfile, dofile = dofile, string = string, math = math, ipairs = ipairs, tostring = tostring,
  os = { time = function() return 1795579071 end, getenv = os.getenv },
  bmd = { wait = function() waits = waits + 1; if waits == 3 then put(answer, exported .. ".reply.lua") end end } }
setfenv(script, sandbox)
local said = script()(inbox, line, 7, function(reply) told[#told + 1] = reply.state end)
io.write(dump({ exported = exported, waits = waits, told = told, job = said.job, markers = markers }))
"""


@pytest.mark.skipif(
    not shutil.which("lua5.1") and not shutil.which("luajit"), reason="no Lua 5.1 is installed here"
)
def test_the_script_of_the_specification_runs_in_a_sandbox(tmp_path):
    lua = shutil.which("lua5.1") or shutil.which("luajit")
    for name, text in (
        ("main.lua", DUMP + SANDBOX),
        ("script.lua", SCRIPT),
        ("t.otio", "{}"),
        ("answer.lua", AS_LUA),
    ):
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "inbox").mkdir()
    argv = [
        str(lua),
        *(
            str(tmp_path / name)
            for name in ("main.lua", "inbox", "t.otio", "answer.lua", "script.lua")
        ),
    ]
    done = subprocess.run(argv, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.decode("latin-1"))
    name = Path(result["exported"].encode("latin-1").decode("utf-8")).name
    assert re.fullmatch(
        r"Reel_1_ _Größe_~width=1920~height=1080~drop_frame=0~submission=lua-1795579071-\d{6}\.otio",
        name,
    )
    assert result["waits"] == 3 and result["told"] == ["incomplete"] and result["job"] == "k7m2xq"
    (marker,) = result["markers"]
    assert (
        marker[0] == 60
        and marker[1] == "Red"
        and marker[2] == "Hotsplice: Media offline"
        and marker[4:] == [30, "hotsplice:k7m2xq"]
    )
    assert marker[3].endswith("is not there.\nConnect its drive or put the file back.")
