#!/bin/sh
# Make venv/ and put the locked packages and Chloe itself into it. Does nothing when that is done already.
# usage: requirements/install.sh base|dev        (from the checkout's top; PYTHON=... picks the interpreter)
set -eu
kind=$1
top=$(pwd)
stamp=venv/.installed

say() { printf 'chloe: %s\n' "$*"; }
give_up() { printf 'chloe: %s\n' "$*" >&2; exit 1; }
suits() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))' 2>/dev/null; }
has_venv() { "$1" -c 'import venv, ensurepip' 2>/dev/null; }

# The newest Python that can make an environment; else the newest that is merely new enough.
find_python() {
    python=
    for candidate in ${PYTHON:-python3.14 python3.13 python3.12 python3.11 python3}; do
        suits "$candidate" || continue
        [ -n "$python" ] || python=$candidate
        if has_venv "$candidate"; then python=$candidate; return; fi
    done
}

make_venv() {
    find_python
    if [ -z "$python" ]; then
        found=$("${PYTHON:-python3}" --version 2>&1) || found="no ${PYTHON:-python3}"
        give_up "Python 3.11 to 3.14 is needed, found: $found. Install one (apt install python3), or: make PYTHON=/path/to/python"
    fi
    has_venv "$python" || give_up "$python cannot make an environment: apt install python3-venv (for another Python: $("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])'))"
    say "making venv/ with $("$python" --version 2>&1)"
    "$python" -m venv --clear venv || give_up "venv/ could not be made: apt install python3-venv"
}

wanted() { printf '%s %s %s\n' "$1" "$(cat "requirements/$1.txt" pyproject.toml requirements/install.sh | cksum)" "$top"; }

# What dev installs contains what base does: either stamp will do for base.
if [ -x venv/bin/python ] && [ -f "$stamp" ]; then
    have=$(cat "$stamp")
    if [ "$have" = "$(wanted dev)" ] || [ "$have" = "$(wanted "$kind")" ]; then exit 0; fi
    case $have in *" $top") ;; *) say "venv/ was made in another folder"; rm -f venv/bin/python ;; esac
fi
case $(cat "$stamp" 2>/dev/null) in dev*) kind=dev ;; esac  # never leave developer tools behind their lock

venv/bin/python -m pip --version >/dev/null 2>&1 && suits venv/bin/python || make_venv
rm -f "$stamp"
say "installing $(grep -c '^[a-z]' "requirements/$kind.txt") locked packages (requirements/$kind.txt); the first time takes about a minute"
venv/bin/python -m pip install --quiet --no-input --disable-pip-version-check --require-hashes --only-binary :all: \
    -r "requirements/$kind.txt" || give_up "the packages could not be installed: pip says why above (which index it asks: venv/bin/pip config list)"
say "installing Chloe itself"
venv/bin/python -m pip install --quiet --no-input --disable-pip-version-check --no-deps --no-build-isolation --editable . \
    || give_up "Chloe itself could not be installed: pip says why above"
wanted "$kind" > "$stamp"
