#!/bin/sh
# Compare the system's files with the accepted baseline. `aide_check accept` makes a new baseline: after an
# installation, an update or a change that somebody made on purpose. Exit status: 0 the same, 1 different (the
# differences are printed), 2 no baseline yet, or none can be made.
set -u
umask 077
configuration=/etc/aide/aide.conf
database=/var/lib/aide/wardwell.db

if [ "${1:-}" = accept ]; then
    aide --config="$configuration" --init >/dev/null || exit 2
    mv "$database.new" "$database"
    echo "The files as they are now are accepted as the baseline."
    exit 0
fi
if [ ! -f "$database" ]; then
    echo "There is no accepted baseline yet. What to do: /usr/local/lib/wardwell/aide_check accept"
    exit 2
fi
if aide --config="$configuration" --check; then
    echo "The system's files match the accepted baseline."
    exit 0
fi
echo "Files differ from the accepted baseline. What to do: check above whether somebody changed them on purpose. If so:"
echo "/usr/local/lib/wardwell/aide_check accept"
echo "If not, leave the machine as it is and call whoever investigates intrusions."
exit 1
