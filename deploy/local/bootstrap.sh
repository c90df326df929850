#!/usr/bin/env bash
# What must be there before Python can take over: Debian's packages and the virtual environment.
# Safe to run again: what is there already is left alone. `make setup` runs it; `make test` with `--browser`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive

packages=(
    ca-certificates python3 python3-venv                        # the environment
    openjdk-17-jre-headless maven                               # Kafka and its jars
    postgresql-15 postgresql-client-15                          # the database
    postgresql-server-dev-15 build-essential cmake dpkg-dev     # TimescaleDB, where apt has no package of it
    libssl-dev libkrb5-dev
    systemd                                                      # systemd-analyze judges the units
    spin                                                         # checks the model of the protocol
)

# Some 110 MB: only for those who test the pages in a browser.
[[ ${1:-} == --browser ]] && packages+=(chromium fonts-dejavu-core)

fail() {
    printf '\nset-up failed: %s\n' "$*" >&2
    exit 1
}

# step TITLE LOG COMMAND...: runs the command with its output in LOG and shows that time passes.
step() {
    local title=$1 log=$2 begin=$SECONDS pause=10
    shift 2
    mkdir -p "$(dirname "$log")"
    [[ -t 1 ]] && pause=1
    printf '  … %s (output: %s)\n' "$title" "$log"
    "$@" >"$log" 2>&1 </dev/null &
    local job=$! next=$((SECONDS + pause))
    while kill -0 "$job" 2>/dev/null; do
        sleep 0.2
        if ((SECONDS >= next)); then
            if [[ -t 1 ]]; then
                printf '\r\033[K    %d s  %.90s' "$((SECONDS - begin))" "$(tail -n 1 "$log" | tr -d '\r')"
            else
                printf '    %d s\n' "$((SECONDS - begin))"
            fi
            next=$((SECONDS + pause))
        fi
    done
    [[ -t 1 ]] && printf '\r\033[K'
    if ! wait "$job"; then
        tail -n 15 "$log" | sed 's/^/    /' >&2
        return 1
    fi
    printf '  ✓ %s (%d s)\n' "$title" "$((SECONDS - begin))"
}

is_installed() {
    [[ $(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

install_packages() {
    local missing=() root=() package
    command -v apt-get >/dev/null || fail "this set-up is made for Debian 12 (apt-get is missing); see README.md."
    for package in "${packages[@]}"; do
        is_installed "$package" || missing+=("$package")
    done
    if ((${#missing[@]} == 0)); then
        echo "  ✓ Debian packages are there"
        return
    fi
    if ((EUID != 0)); then
        root=(sudo -n)
        sudo -n true 2>/dev/null || fail "packages are missing and neither root nor sudo without a password is at hand.
Run \`sudo -v\` and make setup again, or ask an administrator to run:
    apt-get install ${missing[*]}"
    fi
    # Slow mirrors and another apt at work are waited for.
    local apt=("${root[@]}" env DEBIAN_FRONTEND=noninteractive
        apt-get -y -q -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3)
    step "List of Debian packages" .cache/log/apt-update.log "${apt[@]}" update ||
        fail "apt-get update failed: check the network and /etc/apt/sources.list.d, then run make setup again."
    step "Debian packages: ${missing[*]}" .cache/log/apt-install.log \
        "${apt[@]}" install --no-install-recommends "${missing[@]}" ||
        fail "apt-get install failed; its output is in .cache/log/apt-install.log. Mend the cause, run make setup again."
}

# The newest Python that the project supports (see pyproject.toml) and that can make environments.
find_python() {
    local name
    for name in python3.12 python3.11 python3 /usr/bin/python3; do
        if "$name" -c 'import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
    fail "no Python 3.11 or 3.12 with its venv module was found: apt-get install python3 python3-venv on Debian 12."
}

digest() {
    sha256sum | cut -d ' ' -f 1
}

make_environment() {
    local python wanted
    python=$(find_python)
    # The path belongs to it: an environment does not survive a move of the checkout.
    wanted=$({ pwd && "$python" -V && cat requirements.lock; } | digest)
    if [[ $(cat .venv/lock.sha256 2>/dev/null) != "$wanted" ]]; then
        step "Python environment .venv" .cache/log/venv.log "$python" -m venv --clear .venv ||
            fail "$python cannot make an environment: apt-get install python3-venv, then run make setup again."
        step "Python packages of requirements.lock" .cache/log/pip.log .venv/bin/python -m pip --cache-dir .cache/pip \
            install --no-input --progress-bar off --only-binary :all: --require-hashes -r requirements.lock ||
            fail "pip failed; its output is in .cache/log/pip.log. Check the network, then run make setup again."
        echo "$wanted" >.venv/lock.sha256
    fi
    wanted=$(digest <pyproject.toml)
    if [[ $(cat .venv/project.sha256 2>/dev/null) != "$wanted" ]]; then
        step "This project, editable" .cache/log/pip-project.log .venv/bin/python -m pip --cache-dir .cache/pip \
            install --no-input --no-deps --no-build-isolation --no-index --editable . ||
            fail "pip could not install the project; its output is in .cache/log/pip-project.log."
        echo "$wanted" >.venv/project.sha256
    fi
    echo "  ✓ Python environment is there ($(.venv/bin/python -V))"
}

mkdir -p .cache/log
exec 9>.cache/setup.lock
flock 9 # two set-ups of one checkout take turns
install_packages
make_environment
