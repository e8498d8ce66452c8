"""Injectors of faults: volumes that fail, hang, slow down and vanish; limits; signals; damaged media. Each tells that it fired."""
