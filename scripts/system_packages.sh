#!/usr/bin/env bash
# Makes sure that what the named parts need from the system is there: installs it with apt when
# root, otherwise prints one line that names what is missing.
#   scripts/system_packages.sh PART...     venv | node | browser | volumes
set -euo pipefail

NODE_MINIMUM=20

# Prints the Debian packages that are missing for a part; nothing when all is there.
missing_for() {
  case $1 in
    venv) "${PYTHON:-python3}" -c 'import ensurepip, venv' 2>/dev/null || echo python3-venv ;;
    node) [ "$(node_major)" -ge $NODE_MINIMUM ] && command -v npm >/dev/null || echo nodejs npm ;;
    browser)
      command -v chromium >/dev/null || echo chromium
      fc-list 2>/dev/null | grep -q . || echo fonts-dejavu-core ;;
    volumes) [ -e /usr/share/mricron/templates/ch2.nii.gz ] || echo mricron-data ;;
    *) echo "system_packages.sh: there is no part '$1'" >&2; return 2 ;;
  esac
}

node_major() {
  local version
  version=$(node --version 2>/dev/null || echo v0)
  version=${version#v}
  echo "${version%%.*}"
}

# Mirrors fail now and then; apt tries each file again, and we try the whole thing again.
apt_install() {
  local attempt
  for attempt in 1 2 3; do
    if apt-get -qq -o Acquire::Retries=3 update >/dev/null &&
      DEBIAN_FRONTEND=noninteractive apt-get -qq -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 \
        install --yes --no-install-recommends "$@" >/dev/null; then
      return 0
    fi
    echo "apt-get failed (attempt $attempt of 3)" >&2
  done
  return 1
}

missing=()
for part in "$@"; do
  read -r -a packages <<<"$(missing_for "$part" | tr '\n' ' ')"
  missing+=("${packages[@]}")
done
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
  echo "Installing system packages: ${missing[*]}"
  apt_install "${missing[@]}"
else
  echo "Missing system packages: ${missing[*]}. Install them: sudo apt-get install ${missing[*]}" >&2
  exit 1
fi
if [[ " ${missing[*]} " == *" nodejs "* ]] && [ "$(node_major)" -lt $NODE_MINIMUM ]; then
  echo "Node.js $(node --version) is too old: install version $NODE_MINIMUM or newer (nodejs.org) and run again." >&2
  exit 1
fi
