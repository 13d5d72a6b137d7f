"""The plan language: a plan file is loaded, checked, compiled to one function, explained. It reads that file alone."""
