#!/bin/sh
# The officers' witness on the trustee's machine: fetch the public log, look, leave the cosigned note. OpenSSH's own sftp
# and `wardwell kit witness`, and nothing else. In the witness's folder:
#
#     sh carry.sh DESK-HOST KEY-FILE
#
# `state` there is the witness's own and never leaves the machine. Exit status: 0 cosigned or nothing new; 1 an alarm, or
# the appliance was not reached, with a sentence. Run it every few minutes: cosignatures age, and the charter says how far.
set -u
umask 022
appliance=wardwell-witness@$1
transfer() {
    sftp -q -b - -P "${WARDWELL_PORT:-2222}" -i "$2" -o IdentitiesOnly=yes "$appliance" >/dev/null
}

printf 'get -R ledger .\n' | transfer "$@" || { echo "The log could not be fetched." >&2; exit 1; }
mkdir -p out
wardwell kit witness --once --state state --log ledger --out out
result=$?
# Under another name first: a reader never sees half a note.
{
    for name in vkey checkpoint alarm.json; do
        if [ -f "out/$name" ]; then
            echo "put out/$name witness/$name.part"
            echo "rename witness/$name.part witness/$name"
        fi
    done
    # The log continues what was seen again: the alarm goes, and stays in `state` for good.
    [ -f out/alarm.json ] || echo "-rm witness/alarm.json"
} | transfer "$@" || { echo "The note could not be left." >&2; exit 1; }
exit "$result"
