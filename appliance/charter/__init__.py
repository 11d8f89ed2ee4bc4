"""Who may see what: the model, its checks and its words.

Owns: `charter.toml` and its typed form. Must never see: a person.
"""

from appliance.charter.schema import Charter, load_charter

__all__ = ["Charter", "load_charter"]
