// Precompiled headers belong to a target, and a target to a source.
