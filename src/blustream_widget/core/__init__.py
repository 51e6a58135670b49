"""Pure values that every process shares: state, geometry, types, messages. No I/O, no threads."""
