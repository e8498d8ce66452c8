"""The folder door: a timeline dropped into a folder is a submission, and the reply is written beside it (docs/folder-door.md).

names, asking, reply, lua are pure: what a listing means, what a drop asks for, what is replied and how it looks in Lua;
folder touches the disk, keeper goes round, beside is the door as the companion sees it.
"""
