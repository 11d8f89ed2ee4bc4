#!/bin/sh
# Compare the system's files with the last accepted reading. `aide_check accept` makes a new reading the accepted one:
# after an installation, an update or a change that somebody made on purpose. Exit status: 0 the same, 1 different (what
# is printed says where), 2 no reading yet or none can be made.
set -u
umask 077
configuration=/etc/aide/aide.conf
database=/var/lib/aide/wardwell.db

if [ "${1:-}" = accept ]; then
    aide --config="$configuration" --init >/dev/null || exit 2
    mv "$database.new" "$database"
    echo "The files as they are now are the accepted ones."
    exit 0
fi
if [ ! -f "$database" ]; then
    echo "There is no accepted reading yet. What to do: /usr/local/lib/wardwell/aide_check accept"
    exit 2
fi
if aide --config="$configuration" --check; then
    echo "The system's files are the accepted ones."
    exit 0
fi
echo "Files differ from the accepted reading. What to do: see above whether somebody changed them on purpose; if so,"
echo "/usr/local/lib/wardwell/aide_check accept. If not, keep the machine as it is and call whoever looks into intrusions."
exit 1
