#!/bin/sh
# Installs Wardwell on a Debian 12 machine without a network: sh install.sh, as root, in the unpacked bundle.
#
#   sh install.sh [--fingerprint SHA256:...] [--answers FILE] [--yes]     install, or continue an installation
#   sh install.sh --stage                                                 put this version beside the running one
#
# --fingerprint  the release key's, obtained elsewhere than from this bundle; without it you confirm the one shown
# --answers      a file with the answers that `wardwell setup` would ask for
# --yes          ask nothing; needs --fingerprint (and --answers on a new machine)
#
# Nothing is changed before the bundle is verified and the machine fits (exit code 3: refused). Every step can be
# repeated: after a failure, fix what it names and run the same command again.
set -eu
umask 022
export LC_ALL=C.UTF-8

bundle=$(cd "$(dirname "$0")" && pwd)
base=${WARDWELL_BASE:-/opt/wardwell}
etc=${WARDWELL_ETC:-/etc/wardwell}
log=/var/log/wardwell-install.log
fingerprint='' answers='' yes='' stage='' step='reading the command line'

say() { printf '%s\n' "== $*"; }

refuse() {
    printf '%s\n' "wardwell: $1" "  what to do: $2" >&2
    step=
    exit 3
}

ended() {
    code=$?
    rm -f "${signers:-}"
    if [ -n "${guard:-}" ]; then rm -f "$guard"; fi
    if [ "$code" -ne 0 ] && [ -n "$step" ]; then
        if [ -s "$log" ]; then tail -n 15 "$log" >&2; fi
        printf '%s\n' "wardwell: this step failed: $step" \
            "  what to do: fix what the lines above name and run the same command again; it continues." >&2
    fi
}
trap ended EXIT
trap 'exit 130' INT TERM

while [ $# -gt 0 ]; do
    case $1 in
    --fingerprint) fingerprint=${2:-} && shift ;;
    --answers) answers=${2:-} && shift ;;
    --yes) yes=yes ;;
    --stage) stage=yes ;;
    *) step='' && printf '%s\n' "usage: sh install.sh [--fingerprint SHA256:...] [--answers FILE] [--yes] | --stage" >&2 && exit 2 ;;
    esac
    shift
done

# --- refuse before anything changes ----------------------------------------------------------------------------------

step='checking the machine'
[ "$(id -u)" -eq 0 ] || refuse "this is not run by root." "Run: sudo sh install.sh"
[ -r /etc/os-release ] || refuse "this is not Debian 12." "Install a stock Debian 12 (amd64) and run this there."
# shellcheck source=/dev/null
system=$(. /etc/os-release && printf '%s %s' "$ID" "${VERSION_ID:-}")
[ "$system" = 'debian 12' ] || refuse "this is $system, not Debian 12." "Install a stock Debian 12 (amd64) and run this there."
machine=$(dpkg --print-architecture)
[ "$machine" = amd64 ] || refuse "this machine is $machine, not amd64." "Use a 64-bit PC or virtual machine."
memory=$(awk '/^MemTotal:/ { print int($2 / 1024) }' /proc/meminfo)
[ "$memory" -ge 1800 ] || refuse "this machine has $memory MiB of memory; 2 GiB are needed, 4 GiB are good." "Give it more memory."
free=$(df -Pm /opt | awk 'NR == 2 { print $4 }')
[ "$free" -ge 3000 ] || refuse "/opt has $free MiB free; 3000 are needed." "Enlarge the system disk."
# The names that an answers file may contain. `wardwell setup` checks more, but needs the Python that is installed below.
known=' agency domain address directory time_server admin_networks admin_key_file data_device time_zone hosts feeds
 witness witness_key witness_networks backup syslog smtp url base_dn bind_dn bind_password_file ca_file user_filter
 roster_id_attribute name_attribute name profile public_key password_hash networks desk post space to keep_days mounted
 fetched pull_key pull_networks host port sender recipients user password_file '
if [ -n "$answers" ]; then
    [ -r "$answers" ] || refuse "$answers cannot be read." "Give the path of the answers file."
    # shellcheck disable=SC2013 # words are what is wanted
    for word in $(sed -n -e 's/^[[:space:]]*\[\{1,2\}[[:space:]]*\([A-Za-z0-9_-]*\).*/\1/p' \
        -e 's/^[[:space:]]*\([A-Za-z0-9_-]*\)[[:space:]]*=.*/\1/p' "$answers"); do
        case $(printf '%s' "$known" | tr '\n' ' ') in
        *" $word "*) ;;
        *) refuse "$answers contains an unknown answer: $word." "Correct it and run this again." ;;
        esac
    done
fi

step='verifying the bundle'
cd "$bundle"
for name in SHA256SUMS SHA256SUMS.sig release.pub manifest.json; do
    [ -f "$name" ] || refuse "$name is missing beside install.sh." "Unpack the whole bundle again: tar -xf FILE"
done
command -v ssh-keygen >/dev/null || refuse "ssh-keygen is missing, which checks the signature." \
    "Install openssh-client from Debian's installation medium."
signer=$(ssh-keygen -lf release.pub | cut -d' ' -f2)
if [ -f "$etc/release.pub" ]; then
    trusted=$(ssh-keygen -lf "$etc/release.pub" | cut -d' ' -f2)
    [ -z "$fingerprint" ] || [ "$fingerprint" = "$trusted" ] || refuse "this appliance trusts $trusted." "Give that fingerprint."
    fingerprint=$trusted
fi
if [ -z "$fingerprint" ]; then
    [ -z "$yes" ] || refuse "--yes needs --fingerprint." "Take it from where it was published, not from this bundle."
    printf '%s\n' "This bundle is signed by" "    $signer" "Compare it with the fingerprint that was published elsewhere."
    printf 'Are they the same? Type yes: '
    read -r typed
    [ "$typed" = yes ] || refuse "the release key is not confirmed." "Ask whoever gave you the bundle for its fingerprint."
    fingerprint=$signer
fi
[ "$signer" = "$fingerprint" ] || refuse "the bundle is signed by $signer, not by $fingerprint." "Do not install it."
signers=$(mktemp)
printf 'release namespaces="wardwell/v1/release" %s\n' "$(cut -d' ' -f1,2 release.pub)" >"$signers"
ssh-keygen -Y verify -f "$signers" -I release -n wardwell/v1/release -s SHA256SUMS.sig <SHA256SUMS >/dev/null 2>&1 ||
    refuse "the signature does not match SHA256SUMS." "Fetch the bundle again; do not install this one."
say "verifying every file of the bundle"
sha256sum --quiet --strict -c SHA256SUMS >/dev/null 2>&1 ||
    refuse "a file is not what was signed, or is missing: $(sha256sum --quiet -c SHA256SUMS 2>/dev/null | head -n 1)" \
        "Fetch the bundle again; do not install this one."
version=$(sed -n 's/^ *"version": "\([0-9A-Za-z.+~-]*\)".*/\1/p' manifest.json)
[ -n "$version" ] || refuse "manifest.json names no version." "Fetch the bundle again; do not install this one."

release=$base/releases/$version
running=$(readlink "$base/current" 2>/dev/null | sed 's,.*/,,') || running=
if [ -z "$stage" ] && [ -n "$running" ] && [ "$running" != "$version" ]; then
    refuse "version $running is installed here, and this bundle is $version." "Update it: wardwell update stage FILE"
fi

# --- install this version --------------------------------------------------------------------------------------------

# run TITLE COMMAND...: the command's output goes to the log, which is shown when it fails.
run() {
    step=$1
    say "$step"
    shift
    "$@" >"$log" 2>&1
}

unpack() {
    rm -rf "$release"
    mkdir -p "$release/src"
    tar -xf source.tar -C "$release/src" --no-same-owner
    cp -R apt "$release/apt"
    cp manifest.json sbom.cdx.json SHA256SUMS "$release/"
}

# Uses this bundle's repository alone, whatever other package sources the machine has.
apt_get() {
    DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dir::Etc::sourcelist="$release/apt.sources" \
        -o Dir::Etc::sourceparts=/dev/null -o APT::Get::List-Cleanup=0 -o Acquire::Languages=none "$@"
}

packages() {
    printf '%s\n' "Types: deb" "URIs: file:$release/apt" "Suites: ./" "Signed-By: $release/apt/release.gpg" \
        >"$release/apt.sources"
    apt_get update
    # A package must not start its service before it is configured.
    guard=/usr/sbin/policy-rc.d
    if [ -e $guard ]; then guard=''; else printf '#!/bin/sh\nexit 101\n' >$guard && chmod 755 $guard; fi
    # shellcheck disable=SC2046 # a list of names
    apt_get install --no-install-recommends $(sed 's/#.*//' "$release/src/provisioning/bundle/packages.txt")
    if [ -n "$guard" ]; then rm -f "$guard"; fi
    guard=''
}

environment() {
    rm -rf "$release/venv"
    python3 -m venv --without-pip "$release/venv"
    python=$release/venv/bin/python
    # pip works out of its wheel and is not installed itself.
    "$python" "$(echo wheels/pip-*.whl)/pip" install --quiet --no-index --no-deps --require-hashes \
        --find-links wheels --disable-pip-version-check --no-warn-script-location --no-compile -r wheels/requirements.txt
    site=$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    printf '%s\n' "$release/src" >"$site/wardwell.pth"
    printf '#!%s\nfrom provisioning.cli import main\n\nmain()\n' "$python" >"$release/venv/bin/wardwell"
    chmod 755 "$release/venv/bin/wardwell"
    # The compartments cannot write here, so it is compiled now, and on all processors.
    "$python" -m compileall -q -j 0 "$site" "$release/src/appliance" "$release/src/webapp" \
        "$release/src/provisioning" "$release/src/ansible/callback_plugins"
}

switch() {
    ln -sfn "releases/$version" "$base/current.new"
    mv -T "$base/current.new" "$base/current"
    ln -sfn "$base/current/venv/bin/wardwell" /usr/local/bin/wardwell
    printf '%s\n' "Types: deb" "URIs: file:$base/current/apt" "Suites: ./" "Signed-By: $base/current/apt/release.gpg" \
        >/etc/apt/sources.list.d/wardwell.sources
    apt-get -q -o Dir::Etc::sourcelist=/etc/apt/sources.list.d/wardwell.sources -o Dir::Etc::sourceparts=/dev/null \
        -o APT::Get::List-Cleanup=0 -o Acquire::Languages=none update
    mkdir -p "$etc"
    [ -f "$etc/release.pub" ] || cp "$bundle/release.pub" "$etc/release.pub"
}

if [ ! -f "$release/complete" ] || ! cmp -s SHA256SUMS "$release/SHA256SUMS"; then
    run "unpacking version $version" unpack
    run "installing Debian packages from the bundle" packages
    run "installing Python packages from the bundle" environment
    touch "$release/complete"
else
    say "version $version is installed already"
fi
if [ -n "$stage" ]; then
    say "version $version is staged beside the running one"
    step=
    exit 0
fi
run "making version $version the current one" switch

# --- the appliance's own commands do the rest ------------------------------------------------------------------------

: >"$log"
step='setup (wardwell setup)'
set --
if [ -n "$answers" ]; then set -- --answers "$(realpath "$answers")"; fi
/usr/local/bin/wardwell setup "$@"
step='checking the machine (wardwell preflight)'
/usr/local/bin/wardwell preflight
step='configuring the machine (wardwell apply)'
/usr/local/bin/wardwell apply
step=
say "installed. Next: wardwell custody ceremony"
