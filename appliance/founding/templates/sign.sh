#!/bin/sh
# Signs the founding papers beside this script, with ssh-keygen alone.
#
#   sh sign.sh trustee KEYFILE        on the trustee's own machine
#   sh sign.sh agency  KEYFILE        on a machine of the agency's head
#
# KEYFILE is an Ed25519 key (ssh-keygen -t ed25519). It never leaves that machine; its public half is put beside the
# papers. Read what you sign: charter.toml, roster.csv, founding.toml, site.json.
set -eu
who=${1:-} key=${2:-}
case $who in
agency | trustee) ;;
*)
    echo "usage: sh sign.sh agency|trustee KEYFILE" >&2
    exit 2
    ;;
esac
[ -r "$key" ] || { echo "no key file '$key'" >&2; exit 1; }
key=$(cd "$(dirname "$key")" && pwd)/$(basename "$key")
cd "$(dirname "$0")"

sign() { # FILE NAMESPACE SIGNATURE
    rm -f "$1.sig" "$3"
    ssh-keygen -Y sign -n "$2" -f "$key" "$1"
    [ "$1.sig" = "$3" ] || mv "$1.sig" "$3"
}

sign charter.toml wardwell-charter "charter.toml.$who.sig"
sign founding.toml wardwell-charter "founding.toml.$who.sig"
sign roster.csv wardwell-roster "roster.csv.$who.sig"
sign site.json wardwell-site "site.json.$who.sig"
if [ -r "$key.pub" ]; then
    cp "$key.pub" "$who.pub"
else
    ssh-keygen -y -f "$key" >"$who.pub"
fi
echo "Signed as $who. Write this fingerprint down; whoever takes the papers in will compare it:"
ssh-keygen -l -f "$who.pub"
