"""Files in, a searchable index out: sources, readers, chunking, the sync plan. Knows no queries."""
