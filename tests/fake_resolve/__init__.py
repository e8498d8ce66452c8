"""A stand-in for DaVinci Resolve, since none can run here: its scripting API with the manners that were measured in real ones.

python -m tests.fake_resolve STATE.json     a process of its own; `running.py` starts one and speaks with it

model      projects, timelines, items, markers: what the API's methods do
manners    what can be told of it to do otherwise: versions, editions, dialogs, lies
exporting  a timeline as Resolve writes it as OTIO
wire       objects over a socket, as a menu script has them
child      what the menu script's own process begins with: the globals, in a Python with nothing installed
"""
