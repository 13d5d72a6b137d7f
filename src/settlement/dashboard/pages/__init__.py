"""One file per page: its place in the menu, its routes, and what its template is given."""
