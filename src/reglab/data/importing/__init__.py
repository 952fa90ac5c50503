"""`reglab data import`: the strict NAME.npz from data as people have it.

One way down: a reader (`folders`, `arrays`, `parquet`, `pixel_rows`) takes images and labels as
they are; `pixels` and `labels` bring them into one form; `parts` cuts the test part; `make` checks
and writes. Each says what it did. What could be read in two ways is refused with the question.
"""
