# Debian's packages by what needs them. Sourced by sh; the only place where they are named.
# An item is a package, or COMMAND:PACKAGE where the command serves wherever it comes from.
# shellcheck shell=sh disable=SC2034

build_packages='gcc libc6-dev cmake:cmake ninja:ninja-build pkg-config:pkgconf librdkafka-dev libjansson-dev libzip-dev
    libssl-dev libisal-dev libyajl-dev libjose-dev libyaml-dev libcurl4-openssl-dev libsqlite3-dev
    libmariadb-dev libpq-dev libarchive-dev libmicrohttpd-dev libseccomp-dev'
demo_packages='python3:python3 7zz:7zip'
test_packages='libcmocka-dev bsdtar:libarchive-tools openssl:openssl python3-jsonschema'
database_packages='mariadb-server-core mariadb-client-core postgresql'
product_packages='pdns-server pdns-backend-sqlite3 mailman3 wordpress php:php-cli php-mysql tryton-server tryton-proteus
    tryton-modules-account-invoice tryton-modules-sale python3-venv'
lint_packages='git:git clang-format:clang-format clang-tidy:clang-tidy shellcheck:shellcheck'
kafka_packages='java:default-jre-headless mvn:maven kcat:kcat'
model_packages='spin:spin'
browser_packages='chromium:chromium node:nodejs npm:npm'
fuzz_packages='clang:clang'

# Prints the packages of the items that are not there.
missing_packages() {
    for item; do
        case $item in
        *:*) command -v "${item%%:*}" >/dev/null || echo "${item#*:}" ;;
        *) dpkg-query -W -f '${db:Status-Status}\n' "$item" 2>/dev/null | grep -qx installed || echo "$item" ;;
        esac
    done
}

# install_packages LOG ITEM...: installs what is missing, as root or through sudo. Nothing missing needs neither.
install_packages() {
    log=$1
    shift
    # the names hold no spaces: one line of words
    missing=$(missing_packages "$@" | sort -u | tr '\n' ' ')
    [ -n "$missing" ] || return 0
    as_root=
    if [ "$(id -u)" -ne 0 ]; then
        as_root=sudo
        if ! command -v sudo >/dev/null; then
            echo "missing, and neither root nor sudo to install them: apt-get install $missing" >&2
            return 1
        fi
    fi
    echo "installing $missing"
    # a source that does not answer matters only where a package is then not found
    # shellcheck disable=SC2086
    { $as_root apt-get update -q || true
      $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing; } \
        >"$log" 2>&1 </dev/null && return 0
    tail -n 20 "$log" >&2
    echo "the packages could not be installed: see $log" >&2
    return 1
}
