"""Door A and the platform's push, over HTTP: parse, authorise, call one service or one named query, render."""
