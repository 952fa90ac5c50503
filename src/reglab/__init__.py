"""reglab: L2, dropout and batch normalization on small image data sets, rerun and checked."""

__version__ = "0.1.0"
