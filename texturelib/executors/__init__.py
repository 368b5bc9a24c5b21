"""Executors run the many items of a job on this machine or on a cluster. One module each."""

from texturelib.executors._base import Executor, Pool, executors
from texturelib.executors._named import executor_named
from texturelib.executors.local import Local

__all__ = ["Executor", "Local", "Pool", "executor_named", "executors"]
