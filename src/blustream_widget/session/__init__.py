"""Sessions: one shown volume each, with its state, its viewers and its worker process."""
