"""How a run writes: alone in its folder, and all at once.

publication.py  files that appear together or not at all, by a marker that survives a kill
run_lock.py     one run at a time writes to a folder
scratch.py      temporary folders, and those that killed runs left
"""
