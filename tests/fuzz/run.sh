#!/bin/sh
# Runs fuzz targets one after the other: run.sh SECONDS [TARGET ...]
set -eu
cd "$(dirname "$0")"
seconds=${1:?how many seconds each}
shift
[ $# -gt 0 ] || set -- $(sed -n 's/^name = "\([a-z_]*\)"$/\1/p' Cargo.toml)
for target in "$@"; do
    mkdir -p "corpus/$target"
    echo "== $target"
    cargo +nightly fuzz run --fuzz-dir . -s none --dev "$target" "corpus/$target" "seeds/$target" -- \
        -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 2>&1 |
        grep -E '^(Done|stat::number_of|stat::average|SUMMARY|thread|ERROR|Test unit)|panicked|assertion' || true
    # A finding leaves its input behind.
    if ls "artifacts/$target"/* >/dev/null 2>&1; then
        echo "findings in artifacts/$target" >&2
        exit 1
    fi
done
