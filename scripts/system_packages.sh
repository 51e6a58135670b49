#!/usr/bin/env bash
# Makes sure that what the named parts need from the system is there: installs it with apt when
# root, otherwise prints one line that names what is missing.
#   scripts/system_packages.sh PART...     venv | node | browser | firefox | volumes | network | sfu
set -euo pipefail

NODE_MINIMUM=20

# Prints the Debian packages that are missing for a part; nothing when all is there.
missing_for() {
  case $1 in
    venv) "${PYTHON:-python3}" -c 'import ensurepip, venv' 2>/dev/null || echo python3-venv ;;
    node) require_node ;;
    browser)
      command -v chromium >/dev/null || echo chromium
      fc-list 2>/dev/null | grep -q . || echo fonts-dejavu-core
      # The node that Playwright brings with it; a bare Debian has everything else it needs.
      has_library libatomic.so.1 || echo libatomic1 ;;
    firefox)
      command -v firefox-esr firefox >/dev/null || echo firefox-esr
      # Without it there is no H.264, and JPEG is what is tested. Other systems' names differ.
      has_library libavcodec.so.59 || has_library libavcodec.so.60 || has_library libavcodec.so.61 ||
        echo libavcodec59
      # Something to play by that nobody hears: without any, Firefox never begins with sound.
      command -v pulseaudio >/dev/null || echo pulseaudio ;;
    network)
      command -v ip >/dev/null || echo iproute2 # emulated networks, in namespaces
      command -v turnserver >/dev/null || echo coturn ;;
    sfu) command -v janus >/dev/null || echo janus ;;
    volumes) [ -e /usr/share/mricron/templates/ch2.nii.gz ] || echo mricron-data ;;
    *) fail "system_packages.sh: there is no part '$1'" ;;
  esac
}

has_library() {
  "${PYTHON:-python3}" -c 'import ctypes, sys; ctypes.CDLL(sys.argv[1])' "$1" 2>/dev/null
}

# Debian 12 has only version 18, so that apt is no help.
require_node() {
  local version major
  version=$(node --version 2>/dev/null || echo none)
  major=${version#v}
  major=${major%%.*}
  if [ "$version" = none ] || [ "$major" -lt $NODE_MINIMUM ] || ! command -v npm >/dev/null; then
    fail "Node.js $NODE_MINIMUM or newer with npm is needed (found: $version). Install it from nodejs.org."
  fi
}

fail() {
  echo "$1" >&2
  exit 1
}

# Mirrors fail now and then; apt tries each file again, and we try the whole thing again. What the
# packages' own scripts have to say is shown only then.
apt_install() {
  local attempt log
  log=$(mktemp)
  for attempt in 1 2 3; do
    if apt-get -qq -o Acquire::Retries=3 update >"$log" 2>&1 &&
      DEBIAN_FRONTEND=noninteractive apt-get -qq -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 \
        install --yes --no-install-recommends "$@" >>"$log" 2>&1; then
      rm "$log"
      return 0
    fi
    cat "$log" >&2
    echo "apt-get failed (attempt $attempt of 3)" >&2
  done
  rm "$log"
  return 1
}

missing=()
for part in "$@"; do
  packages=$(missing_for "$part")
  missing+=($packages) # names of packages hold no spaces: splitting is meant
done
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  fail "Missing system packages: ${missing[*]}. Install them: sudo apt-get install ${missing[*]}"
fi
echo "Installing system packages: ${missing[*]}"
apt_install "${missing[@]}"
