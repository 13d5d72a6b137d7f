"""The dashboard of the fund's office at `/ops`: pages that the server renders; a page is one route and one template."""
