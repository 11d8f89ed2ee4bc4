#!/bin/sh
# From a bare Debian 12 machine to a working Wardwell: what `make TARGET` calls, and what works where make is missing.
#
#   sh provisioning/bootstrap.sh TARGET        (without a target it lists them)
#
# Root is needed for missing Debian packages only (as root, or by sudo). Everything that is fetched comes from the
# package registries that apt, pip, uv and npm are set up for; every Python and npm package is checked against a hash
# in a lock. A second run finds its stamps in .venv/.stamps and is done at once.
set -eu

cd "$(dirname "$0")/.."
root=$(pwd)
venv=$root/.venv
stamps=$venv/.stamps
python=$venv/bin/python
locks=provisioning/locks
guard=/usr/sbin/policy-rc.d
logs=$root/.cache/bootstrap
targets="setup|demo|demo-stop|demo-open|quick|check|test|test-long|test-appliance|test-vm|bench|attacks|house|lock"

say() { printf '%s\n' "== $*"; }

fail() {
    printf '%s\n' "wardwell: $1" "  what to do: $2" >&2
    exit 1
}

# long TITLE LOG COMMAND...: run quietly into a log with a line every 15 s; the log's end is shown when it fails.
long() {
    title=$1 log=$logs/$2
    shift 2
    mkdir -p "$logs"
    say "$title"
    started=$(date +%s)
    "$@" >"$log" 2>&1 &
    job=$!
    tick=0
    while kill -0 "$job" 2>/dev/null; do
        sleep 1
        tick=$((tick + 1))
        if [ $((tick % 15)) -eq 0 ]; then say "  still at it: $title ($(($(date +%s) - started)) s)"; fi
    done
    if wait "$job"; then return 0; fi
    tail -n 30 "$log" >&2
    return 1
}

digest() { cat "$@" | sha256sum | cut -d' ' -f1; }

# --- Debian packages -------------------------------------------------------------------------------------------------

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        return 1
    fi
}

guard_off() {
    if [ -n "${guard_is_ours:-}" ]; then as_root rm -f "$guard"; fi
    guard_is_ours=
}

apt_install() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"
}

apt_packages() {
    wanted=$(sed -e 's/#.*//' "$@" | tr -s ' \n' '  ')
    missing=
    for package in $wanted; do
        state=$(dpkg-query -W -f='${db:Status-Abbrev}' "$package" 2>/dev/null) || state=none
        case $state in ii*) ;; *) missing="$missing $package" ;; esac
    done
    [ -n "$missing" ] || return 0
    say "Debian packages to install:$missing"
    as_root true || fail "Debian packages are missing and this is not root." "As root: apt-get install$missing"
    # Installing slapd or nginx must not start a system service; a guard that is already here is left alone.
    guard_is_ours=
    if [ ! -e "$guard" ]; then
        trap guard_off EXIT
        trap 'exit 130' INT TERM
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$guard" >/dev/null
        guard_is_ours=yes
        as_root chmod 755 "$guard"
    fi
    # The package list is fetched only when it is missing or too old to install from.
    # shellcheck disable=SC2086
    if ! long "installing Debian packages" apt.log apt_install $missing; then
        long "fetching the list of Debian packages" apt-update.log as_root apt-get update
        long "installing Debian packages" apt.log apt_install $missing ||
            fail "apt-get could not install:$missing" "Read $logs/apt.log."
    fi
    guard_off
}

# Starts of programs, of which an installation has thousands, take the emulator of Debian's backports 40 % of the time.
# It comes from where this machine's Debian comes from; without it everything works, longer.
newer_emulator() {
    has=$(dpkg-query -W -f='${Version}' qemu-system-x86 2>/dev/null) || has=0
    if dpkg --compare-versions "$has" ge 1:10; then return 0; fi
    # shellcheck disable=SC2016 # apt's words, not the shell's
    site=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Release: bookworm' | head -n 1)
    parts=$(mktemp -d)
    cp -R /etc/apt/sources.list.d/. "$parts"
    printf '%s\n' "Types: deb" "URIs: $site" "Suites: bookworm-backports" "Components: main" \
        "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg" >"$parts/backports.sources"
    set -- -q -y -o Dir::Etc::sourceparts="$parts" -o APT::Get::List-Cleanup=0
    if ! long "fetching the list of newer Debian packages" apt-update.log apt-get "$@" update ||
        ! long "installing the newer emulator" apt.log apt-get "$@" install --no-install-recommends \
            -t bookworm-backports qemu-system-x86 seabios; then
        say "the newer emulator cannot be had here: Debian 12's own takes its place"
    fi
    rm -r "$parts"
}

# --- Python ----------------------------------------------------------------------------------------------------------

# uv uses this interpreter and never fetches one of its own.
uv() { UV_PYTHON_DOWNLOADS=never "$venv/bin/uv" "$@"; }

sync() { uv pip sync --quiet --python "$python" --require-hashes --no-build-isolation "$1"; }

python_environment() {
    lock=$1
    if [ ! -x "$python" ]; then
        say "making the Python environment .venv"
        /usr/bin/python3 -m venv "$venv"
    fi
    mkdir -p "$stamps"
    build=$(digest $locks/build.txt)
    if [ "$(cat "$stamps/build" 2>/dev/null)" != "$build" ]; then
        long "installing uv (hash-pinned)" uv.log "$python" -m pip install --quiet --require-hashes -r $locks/build.txt ||
            fail "uv could not be installed." "Read $logs/uv.log; check that the package registry is reached."
        printf '%s' "$build" >"$stamps/build"
    fi
    packages=$(digest "$lock")
    if [ "$(cat "$stamps/packages" 2>/dev/null)" != "$packages" ]; then
        long "installing Python packages from the lock" packages.log sync "$lock" ||
            fail "Python packages could not be installed." "Read $logs/packages.log."
        printf '%s' "$packages" >"$stamps/packages"
    fi
    # The project itself: a path file and one small command, so nothing is built and nothing is fetched.
    site=$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    printf '%s\n' "$root" >"$site/wardwell.pth"
    printf '#!%s\nfrom provisioning.cli import main\n\nmain()\n' "$python" >"$venv/bin/wardwell"
    printf '#!%s\nfrom tests.demonstration.__main__ import main\n\nmain()\n' "$python" >"$venv/bin/wardwell-demo"
    chmod 755 "$venv/bin/wardwell" "$venv/bin/wardwell-demo"
}

# setup_for LOCK APT...: everything that is needed before any command of Wardwell runs.
setup_for() {
    lock=$1
    shift
    apt_packages "$@"
    python_environment "$lock"
    "$python" -m provisioning.build
}

# A demonstration needs no tool of the tests; whatever tests does, and `make setup` before it, has them all.
runtime_environment() { setup_for $locks/requirements-dev.txt provisioning/apt.txt; }
environment() { setup_for $locks/requirements-dev.txt provisioning/apt.txt provisioning/apt-test.txt "$@"; }

# --- what a developer keeps green ------------------------------------------------------------------------------------

# Which tests a target runs. Each target of quick, check and test runs what the one before runs, and every marker of
# pyproject.toml is run by some target (tests/suite/test_targets.py).
markers() {
    case $1 in
    quick | check) echo "not system and not browser and not appliance and not vm and not long" ;;
    test) echo "not appliance and not vm and not long" ;;
    test-long) echo "long" ;;
    test-appliance) echo "appliance" ;;
    test-vm) echo "vm" ;;
    esac
}

# Where `.ci/run` reads what this target did: seconds per part, and what pytest measured of each test.
parts=$logs/${1:-}.parts
results=$logs/${1:-}.xml

begin_parts() {
    mkdir -p "$logs"
    rm -f "$parts" "$results"
    began=$(date +%s)
}

end_part() {
    now=$(date +%s)
    printf '%s\t%s\n' "$1" "$((now - began))" >>"$parts"
    began=$now
}

# Types are checked beside the rest, by one process that is the longest of the linters. What it has to say is shown
# whole as soon as it is there, and once more at the end.
types_begin() {
    ("$venv/bin/mypy" --no-error-summary >"$logs/mypy.log" 2>&1 || { say "mypy" && cat "$logs/mypy.log" && exit 1; }) &
    types=$!
}

types_end() {
    if wait "$types"; then return 0; fi
    say "mypy failed"
    cat "$logs/mypy.log"
    return 1
}

linters() {
    say "ruff, import rules, biome; types beside them"
    "$venv/bin/ruff" check . && "$venv/bin/ruff" format --check --quiet . && "$venv/bin/lint-imports" &&
        "$python" -m provisioning.packages
}

# tests ARGUMENT...: each test file whole in one process, so that its fixtures and its browser stay together. At least
# two processes, because many tests wait for others; the files that take longest begin first (tests/durations.json).
tests() {
    workers=$(nproc)
    if [ "$workers" -lt 2 ]; then workers=2; fi
    run_pytest -n "$workers" --dist loadfile "$@"
}

run_pytest() { "$venv/bin/pytest" -m "$(markers "$target")" --junitxml="$results" --durations=15 "$@"; }

# The tests of quick: those that the change since BASE can affect. Nothing selected is no failure, and is said.
changed_tests() {
    "$python" -m tests.support.changed --output "$logs/changed" || return 1
    # Test files have no spaces in their names.
    # shellcheck disable=SC2046
    if [ -s "$logs/changed" ]; then tests $(cat "$logs/changed"); fi
}

# green TESTS ARGUMENT...: linters, then that command for the tests, with the types beside both.
green() {
    begin_parts
    environment
    end_part set-up
    types_begin
    status=0
    linters || status=1
    end_part lint
    if [ "$status" -eq 0 ]; then
        "$@" || status=1
        end_part tests
    fi
    types_end || status=1
    end_part "types, after the tests"
    keep_durations
    exit "$status"
}

keep_durations() {
    if [ "${DURATIONS:-}" = write ]; then "$python" -m tests.support.balance "$results"; fi
}

lock() {
    for name in build requirements requirements-dev; do
        say "locking $name"
        set -- "$locks/$name.in"
        if [ "$name" != build ]; then set -- "$@" -c $locks/build.txt; fi
        uv pip compile --quiet --upgrade --generate-hashes --no-emit-index-url --no-header --no-annotate \
            --python "$python" "$@" -o "$locks/$name.txt"
    done
}

target=${1:-}
case $target in
setup)
    environment
    say "done: .venv/bin/wardwell is the command"
    ;;
demo)
    runtime_environment
    set -- up
    if [ -n "${DROP:-}" ]; then set -- "$@" --drop "$DROP"; fi
    if [ -n "${ROSTER:-}" ]; then set -- "$@" --roster "$ROSTER"; fi
    if [ -n "${PROFILE:-}" ]; then set -- "$@" --profile "$PROFILE"; fi
    exec "$venv/bin/wardwell-demo" "$@"
    ;;
demo-stop)
    if [ ! -x "$venv/bin/wardwell-demo" ]; then
        say "nothing to stop: no demonstration was ever started here"
        exit 0
    fi
    exec "$venv/bin/wardwell-demo" stop
    ;;
demo-open)
    runtime_environment
    exec "$venv/bin/wardwell-demo" open
    ;;
quick) green changed_tests ;;
check | test) green tests ;;
test-long)
    begin_parts
    environment
    end_part set-up
    status=0
    tests || status=1
    end_part tests
    keep_durations
    exit "$status"
    ;;
test-appliance | test-vm)
    # Booting needs root for namespaces, mounts and control groups. Without it this fails; it never passes by skipping.
    [ "$(id -u)" -eq 0 ] || fail "make $target boots the appliance and is not run by root." "Run: sudo make $target"
    begin_parts
    newer_emulator
    environment provisioning/apt-appliance.txt
    end_part set-up
    # Containers leave one core of two idle; emulated machines take both.
    if [ "$target" = test-appliance ]; then set -- -n 2 --dist loadfile; else set --; fi
    status=0
    # -rP: times and scores that the tests print are results too.
    run_pytest tests/appliance "$@" -rP ${ONLY:+-k "$ONLY"} || status=1
    end_part tests
    keep_durations
    exit "$status"
    ;;
bench | attacks)
    environment
    exec "$python" -m "tests.demonstration.$target" ${ONLY:+--only "$ONLY"}
    ;;
house)
    environment
    exec "$python" -m tests.house ${BASE:+--base "$BASE"}
    ;;
lock)
    apt_packages provisioning/apt.txt
    python_environment $locks/requirements-dev.txt
    lock
    ;;
*)
    printf '%s\n' "usage: sh provisioning/bootstrap.sh $targets" >&2
    exit 2
    ;;
esac
