"""One file per subject; a route translates, calls one use case or one named query, and translates back."""
