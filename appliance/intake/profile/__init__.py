"""Feed profiles: how one vendor's export is read, in a file that an administrator can edit."""
