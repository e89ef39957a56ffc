"""Models are loaded one after the other in a process.

While transformers loads one it puts other functions in the place of its own, `PreTrainedModel.tie_weights` among them.
Two threads that load side by side can leave them there, and every model with tied weights that comes later lacks one.
"""

from threading import RLock

ALONE = RLock()
"""Held wherever transformers or TRL load a model."""
