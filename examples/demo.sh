#!/bin/sh
# Both jobs on real parts: 20 documents → claims in DuckDB → questions; a data set and a design → a refusal, an estimate.
# Then a question in plain words about real data. Shows each command before it runs.
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
run lcm why "heavy rain" "power outages" --store $store
run lcm conflicts --store $store
run lcm prior --columns "heavy rain,flooding,power outages" --store $store
run lcm atlas out/atlas.html --store $store

# The second job: a design is vetted, refused or estimated.
run vet examples/scholarship/scholarship.csv --design examples/scholarship/adjusted.yaml
run estimate examples/scholarship/scholarship.csv --design examples/scholarship/cutoff.yaml

# The same from a question alone, on the data of a published experiment.
python examples/incentives/make.py out/incentives.csv
run analyze out/incentives.csv --question "Does drawing any money make people more likely to come and learn their result?" \
    --description examples/incentives/description.txt --yes --out out/incentives

cat <<END

Where to go next
  leucippus extract YOUR_FOLDER --store mine.duckdb      your own documents (txt, md, html, pdf, docx, csv, jsonl, parquet, zip)
  open out/atlas.html                                   the model as a page; leucippus lcm map gives it domains
  leucippus elicit "TOPIC" --store mine.duckdb          what a model knows, no documents needed
  leucippus lcm claims --store $store --json    every claim with its quote and offsets
  leucippus estimate YOUR.csv --design YOUR.yaml        a research design, checked; leucippus designs lists them
  leucippus analyze YOUR.csv --question "…"             a design is found for you; out/incentives/report.html is an example
  leucippus --help
END
