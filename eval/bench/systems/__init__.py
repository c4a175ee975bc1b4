"""Whole systems at the same job, one a file; each has a class ``System`` (txtai two).

``System(job, folder)`` builds its hybrid index (what belongs on disk below ``folder``),
``search(query, k)`` gives ids of passages, best first, and ``save(folder)`` says whether the
system can keep its index on disk, having done so. A file here imports its library at the top, so
it is imported only in the process that measures it.
"""
