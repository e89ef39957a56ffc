#!/bin/sh
# The main job on real parts: 20 documents → claims in DuckDB → questions. Shows each command before it runs.
set -eu
cd "$(dirname "$0")/.."
store=out/demo.duckdb
mkdir -p out
rm -f "$store" "$store.wal"

run() {
    printf '\n\033[1m$ leucippus'
    for word; do case $word in *" "*) printf ' "%s"' "$word" ;; *) printf ' %s' "$word" ;; esac; done
    printf '\033[0m\n'
    leucippus "$@"
}

run extract examples/corpus --store $store
run lcm stats --store $store
run ask "What causes power outages?" --store $store
run ask "Does the congestion charge reduce road accidents?" --store $store
run ask "How does flooding affect waiting times?" --store $store
run ask "Does coffee cause cancer?" --store $store

cat <<END

Where to go next
  leucippus extract YOUR_FOLDER --store mine.duckdb      your own documents (txt, md, html, pdf, docx, csv, jsonl, parquet, zip)
  leucippus lcm claims --store $store --json    every claim with its quote and offsets
  leucippus --help
END
