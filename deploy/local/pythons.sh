#!/usr/bin/env bash
# Runs the unit tests with each Python that the project supports and this machine has, each in an environment of its
# own below .cache/. `make pythons` runs it; a version that is not here is named and passed over.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
export LC_ALL=C.UTF-8

# python_of VERSION: prints a Python of this version that works and can make environments.
python_of() {
    local name
    for name in "python$1" "/usr/bin/python$1" "$HOME"/.pyenv/versions/"$1".*/bin/"python$1"; do
        if "$name" -c "import ensurepip, sys, venv; sys.exit('%d.%d' % sys.version_info[:2] != '$1')" 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
    return 1
}

failed=()
for version in 3.11 3.12; do
    if ! python=$(python_of "$version"); then
        echo "  – Python $version is not on this machine"
        continue
    fi
    environment=.cache/python$version
    wanted=$({ pwd && "$python" -V && cat requirements.lock; } | sha256sum)
    if [[ $(cat "$environment/lock.sha256" 2>/dev/null) != "$wanted" ]]; then
        "$python" -m venv --clear "$environment"
        "$environment/bin/python" -m pip --cache-dir .cache/pip install --quiet --no-input --only-binary :all: \
            --require-hashes -r requirements.lock
        echo "$wanted" >"$environment/lock.sha256"
    fi
    echo "  Unit tests with $("$environment/bin/python" -V)"
    # The checkout itself is on the path: nothing is installed twice.
    PYTHONPATH=. "$environment/bin/python" -m pytest -q -p no:cacheprovider "${@:-tests/unit}" || failed+=("$version")
done
if ((${#failed[@]})); then
    echo "The unit tests fail with Python ${failed[*]}." >&2
    exit 1
fi
