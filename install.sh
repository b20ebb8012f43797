#!/bin/sh
# Installs Revka: picks the executable for this machine, checks it against SHA256SUMS and puts it in its place.
# Everything is explained in docs/install.md.
set -eu

usage() {
  cat <<'END'
Usage: install.sh --from DIR | --base-url URL  [options]

Installs the Revka executable that fits this machine.

  --from DIR       A folder with the files of a release
  --base-url URL   The same over https
  --variant NAME   default (Cloud API, WATI) or whatsapp-web (WhatsApp Web too)
  --prefix DIR     Folder to put it in (default: /usr/local/bin for root, else
                   ~/.local/bin)
  --target NAME    Instead of what this machine seems to be, such as linux-arm64
  --dry-run        Say what would be done, and do nothing
  --help           Show this

Nothing outside of the folder is changed, and sudo is never called.
END
}

say() { printf '%s\n' "$*"; }

fail() {
  printf 'install: %s\n' "$*" >&2
  exit 1
}

wrong_usage() {
  printf 'install: %s\nRun it with --help for all options.\n' "$*" >&2
  exit 2
}

# A word as a person types it into a shell.
typed() {
  case "$1" in
    *[!A-Za-z0-9@%+=:,./_-]*) printf "'%s'\n" "$(printf '%s\n' "$1" | sed "s/'/'\\\\''/g")" ;;
    *) printf '%s\n' "$1" ;;
  esac
}

# glibc or musl? ldd belongs to the C library and names it.
is_musl() {
  case "$(ldd --version 2>&1 || true)" in
    *musl*) return 0 ;;
    *) return 1 ;;
  esac
}

can_unpack() {
  command -v xz >/dev/null 2>&1 && command -v tar >/dev/null 2>&1
}

# A folder need not hold all files of its release.
is_there() {
  [ -z "$from" ] || [ -f "$from/$1" ]
}

this_target() {
  system=$(uname -s)
  machine=$(uname -m)
  case "$machine" in
    x86_64 | amd64) machine=x64 ;;
    aarch64 | arm64) machine=arm64 ;;
    armv6l | armv7l | armv8l | i?86)
      fail "a 64-bit system is needed, and this one is $machine (a Raspberry Pi 3 or later runs a 64-bit system)"
      ;;
    *) fail "Revka is not built for $machine" ;;
  esac
  # uname speaks of the kernel: under one of 64 bits, all else may have 32.
  if [ "$(getconf LONG_BIT 2>/dev/null || true)" = 32 ]; then
    fail "a 64-bit system is needed, and the programs of this one have 32 bits (a Raspberry Pi needs the 64-bit image)"
  fi
  case "$system" in
    Linux)
      if is_musl; then libc=-musl; else libc=; fi
      if [ "$machine" = x64 ] && ! grep -qw avx2 /proc/cpuinfo; then level=-baseline; else level=; fi
      printf 'linux-%s%s%s\n' "$machine" "$level" "$libc"
      ;;
    Darwin)
      # A shell under Rosetta says x86_64 on an arm64 machine.
      if [ "$(sysctl -n sysctl.proc_translated 2>/dev/null || true)" = 1 ]; then machine=arm64; fi
      printf 'darwin-%s\n' "$machine"
      ;;
    *) fail "Revka is not built for $system" ;;
  esac
}

sha256() {
  if command -v sha256sum >/dev/null 2>&1; then
    sha256sum <"$1" | cut -d ' ' -f 1
  elif command -v shasum >/dev/null 2>&1; then
    shasum -a 256 <"$1" | cut -d ' ' -f 1
  elif command -v openssl >/dev/null 2>&1; then
    openssl dgst -sha256 <"$1" | sed 's/^.*= *//'
  else
    fail 'sha256sum, shasum or openssl is needed to check what is installed'
  fi
}

# Gets the file $1 of the release as $2. A redirect must stay on https as well.
get() {
  if [ -n "$from" ]; then
    [ -f "$from/$1" ] || fail "$from/$1 is missing: --from takes a folder with all files of a release"
    cp "$from/$1" "$2"
  elif command -v curl >/dev/null 2>&1; then
    curl --proto '=https' --proto-redir '=https' --tlsv1.2 -fsSL -o "$2" "$base_url/$1" ||
      fail "$base_url/$1 could not be downloaded"
  elif wget --version 2>/dev/null | grep -q 'GNU Wget'; then
    wget -q --max-redirect=0 -O "$2" "$base_url/$1" ||
      fail "$base_url/$1 could not be downloaded (wget follows no redirect here; curl does)"
  else
    fail 'curl or GNU wget is needed to download; or download it yourself and use --from'
  fi
}

# Whether a process is there: kill has no right to those of others.
is_running() {
  kill -0 "$1" 2>/dev/null || [ -d "/proc/$1" ]
}

# What installers left that were killed, or whose machine was: the name ends with their process.
remove_left_over() {
  for left in "$prefix"/.revka.new.*; do
    case "${left##*.}" in
      *[!0-9]*) ;;
      *) is_running "${left##*.}" || rm -f "$left" || true ;;
    esac
  done
}

# The names in SHA256SUMS that end with $1.
listed() {
  awk -v ending="$1" '
    NF == 2 { sub(/^\*/, "", $2) }
    NF == 2 && $2 ~ /^revka-[0-9A-Za-z.+_-]+$/ && length($2) >= length(ending) &&
      substr($2, length($2) - length(ending) + 1) == ending { print $2 }
  ' "$work/SHA256SUMS"
}

# All of it at the end, so that a script of which a part is missing does nothing.
main() {
  from=
  base_url=
  variant=default
  prefix=
  target=
  dry_run=
  while [ $# -gt 0 ]; do
    case "$1" in
      --help | -h)
        usage
        exit 0
        ;;
      --dry-run)
        dry_run=yes
        shift
        ;;
      --from | --base-url | --variant | --prefix | --target)
        if [ $# -lt 2 ] || [ -z "$2" ]; then wrong_usage "$1 needs a value"; fi
        case "$1" in
          --from) from=$2 ;;
          --base-url) base_url=${2%/} ;;
          --variant) variant=$2 ;;
          --prefix) prefix=$2 ;;
          --target) target=$2 ;;
        esac
        shift 2
        ;;
      *) wrong_usage "$1 is not known" ;;
    esac
  done

  if [ -n "$from" ] && [ -n "$base_url" ]; then wrong_usage 'either --from or --base-url'; fi
  if [ -z "$from" ] && [ -z "$base_url" ]; then wrong_usage '--from or --base-url is needed'; fi
  case "$base_url" in
    '' | https://?*) ;;
    *) wrong_usage '--base-url must begin with https://' ;;
  esac
  case "$variant" in
    default) suffix= ;;
    whatsapp-web) suffix=-whatsapp-web ;;
    *) wrong_usage "--variant $variant: there are default and whatsapp-web" ;;
  esac
  if [ -z "$prefix" ]; then
    if [ "$(id -u)" -eq 0 ]; then prefix=/usr/local/bin; else prefix=${HOME:?is not set: name a folder with --prefix}/.local/bin; fi
  fi
  if [ -z "$target" ]; then target=$(this_target); fi

  work=$(mktemp -d)
  new=
  clean() {
    rm -rf "$work"
    if [ -n "$new" ]; then rm -f "$new"; fi
  }
  trap clean EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 141' PIPE
  trap 'exit 143' TERM

  get SHA256SUMS "$work/sums"
  # Windows may have ended its lines in its own way.
  tr -d '\r' <"$work/sums" >"$work/SHA256SUMS"
  plain=$(listed "-$target$suffix")
  packed=$(listed "-$target$suffix.tar.xz")
  [ -n "$plain$packed" ] || fail "SHA256SUMS lists nothing for $target ($variant)"
  case "$plain|$packed" in
    *'
'*) fail "SHA256SUMS lists more than one version for $target ($variant)" ;;
  esac
  if [ -n "$packed" ] && can_unpack && is_there "$packed"; then
    name=$packed
  elif [ -n "$plain" ] && is_there "$plain"; then
    name=$plain
  elif [ -n "$packed" ] && is_there "$packed"; then
    fail "xz and tar are needed to unpack $packed"
  else
    fail "$from/${plain:-$packed} is missing"
  fi

  if [ -n "$dry_run" ]; then
    say "$name would become $prefix/revka"
    exit 0
  fi

  say "Getting $name"
  get "$name" "$work/file"
  expected=$(awk -v name="$name" '{ sub(/^\*/, "", $2) } $2 == name { print tolower($1) }' "$work/SHA256SUMS")
  actual=$(sha256 "$work/file")
  if [ "${#expected}" -ne 64 ] || [ "$expected" != "$actual" ]; then
    fail "$name does not have the checksum in SHA256SUMS and is not installed
  expected $expected
  actual   $actual"
  fi
  say 'Its checksum is right'

  mkdir -p "$prefix" || fail "$prefix cannot be made; --prefix names another folder"
  # As PATH has it: whole, without a slash at its end.
  whole=$(CDPATH='' cd "$prefix" && pwd) || fail "$prefix cannot be entered; --prefix names another folder"
  prefix=$whole
  [ -w "$prefix" ] || fail "$prefix is not yours to write to; run this as root or use --prefix"
  [ ! -d "$prefix/revka" ] || fail "$prefix/revka is a folder; --prefix names another place"
  remove_left_over
  # Beside the old one, so that the change is one rename: a running daemon goes on with the file that it has.
  new=$prefix/.revka.new.$$
  case "$name" in
    *.tar.xz)
      xz -dc <"$work/file" | tar -xOf - "${name%.tar.xz}/revka" >"$new" ||
        fail "$name could not be unpacked: it takes 70 MB of memory, and 130 MB of room in $prefix"
      ;;
    *) cp "$work/file" "$new" ;;
  esac
  chmod 755 "$new"
  hint='--target names another one'
  case "$target" in *-musl) hint="it needs the package libstdc++ (apk add libstdc++), or $hint" ;; esac
  version=$("$new" --version) || fail "$name does not run on this machine; $hint"
  # Where the power goes now, the name must lead to a whole file.
  sync "$new" 2>/dev/null || sync 2>/dev/null || true
  mv -f "$new" "$prefix/revka"
  new=
  say "Installed $version as $prefix/revka"

  case ":$PATH:" in
    *":$prefix:"*)
      revka=revka
      first=$(command -v revka || true)
      # /bin may be another name of /usr/bin.
      if [ "$first" != "$prefix/revka" ] && ! cmp -s "$first" "$prefix/revka"; then
        revka=$(typed "$prefix/revka")
        say "Another one comes before it in your PATH: $first"
      fi
      ;;
    *)
      revka=$(typed "$prefix/revka")
      say "$prefix is not in your PATH; the full path works, or add to ~/.profile:"
      say "  export PATH=$(typed "$prefix"):\"\$PATH\""
      ;;
  esac
  say ''
  say "Next:  $revka demo    see it work, without an account"
  say "       $revka init    write a configuration"
}

main "$@"
