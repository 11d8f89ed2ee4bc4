"""How gunicorn runs the anonymous application: no line about a request, no address passed on.

Owns: gunicorn's settings for post (`gunicorn --config python:webapp.post.gunicorn_config`). Must never see: a request.
"""

accesslog = None
errorlog = "-"
# Warnings may quote a peer's address ("Invalid request from ip=…"); errors never do.
loglevel = "error"
forwarded_allow_ips = ""
worker_class = "gthread"
workers = 2
threads = 4
worker_tmp_dir = "/dev/shm"  # noqa: S108 - gunicorn's own heartbeat files
# For the socket alone: who may ask is decided by the folder that it lies in.
umask = 0
