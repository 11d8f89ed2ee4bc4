"""The agency's directory is reached over TLS with the pinned CA."""

from __future__ import annotations

import socket
import ssl
from urllib.parse import urlsplit

from appliance.health.check import Check, fine, wrong
from appliance.sending_as import sending_as
from appliance.settings import Home


def check(home: Home) -> list[Check]:
    directory = home.settings().directory
    url = urlsplit(directory.url)
    if not directory.ca_file:
        return [wrong("directory", "no CA is pinned for it", "Set directory.ca_file in wardwell.toml.")]
    host, port = url.hostname or "", url.port or 636
    try:
        context = ssl.create_default_context(cafile=directory.ca_file)
        with (
            sending_as("wardwell-desk"),
            socket.create_connection((host, port), timeout=directory.timeout_seconds) as plain,
            context.wrap_socket(plain, server_hostname=host) as secured,
        ):
            version = secured.version()
    except ssl.SSLError:
        fix = "Compare the directory's certificate and its names with directory.ca_file in wardwell.toml."
        return [wrong("directory", "its certificate was not issued by the pinned CA", fix)]
    except FileNotFoundError:
        return [wrong("directory", "the CA file is missing", "Put directory.ca_file of wardwell.toml back.")]
    except OSError:
        fix = f"See that {host}:{port} is up and reachable from here; nobody from the directory can sign in until then."
        return [wrong("directory", "it does not answer", fix)]
    return [fine("directory", f"answers over {version}, certificate checked")]
