"""What every request needs to know of the appliance: its home, settings, charter and database.

Owns: `Site`, kept at `app.extensions["wardwell"]`. Must never see: a person; it is the same for every request.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from flask import Flask, current_app

from appliance import logs
from appliance.charter import Charter, load_charter
from appliance.settings import Home, Settings
from appliance.storage import Store, open_store

EXTENSION = "wardwell"


@dataclass
class Site:
    """One web application's surroundings. `store` is opened at its first use, so after fork and once per process."""

    home: Home
    settings: Settings
    charter: Charter
    compartment: str
    _store: Store | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def store(self) -> Store:
        with self._lock:
            if self._store is None:
                self._store = open_store(self.home, self.compartment)
            return self._store

    def close(self) -> None:
        """Close the database, for tests and for a worker's end."""
        with self._lock:
            if self._store is not None:
                self._store.close()
                self._store = None


def install_site(app: Flask, home: Home, compartment: str) -> Site:
    """Read settings and charter of `home` and keep them on `app`. Raises WardwellError when either is not valid."""
    logs.configure(home)
    site = Site(home, home.settings(), load_charter(home), compartment)
    app.extensions[EXTENSION] = site
    return site


def current_site() -> Site:
    """The site of the application that answers now."""
    site: Site = current_app.extensions[EXTENSION]
    return site
