"""Worlds of weekly spend and sales whose true effects are known, with carry-over and saturation.

`world.py` is what a world is and what follows from it, `worlds.py` names them. The arithmetic is
that of their definition, a loop over weeks, and shares nothing with the model that is judged by it.
"""
