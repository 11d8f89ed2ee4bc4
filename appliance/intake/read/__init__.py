"""A dropped file becomes rows, and rows become versions of calls; all of it in a short-lived child process."""
