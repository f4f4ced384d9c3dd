"""A tracker and a storage that speak FastDFS's bytes, with switches for what goes wrong in the world."""

from tests.fastdfs_server.server import FakeFastDFS, Faults

__all__ = ["FakeFastDFS", "Faults"]
