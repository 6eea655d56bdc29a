# The everyday tasks. `just` lists them; each is one command that can be typed without it.

_list:
    @just --list

# Every test, as CI runs them
test:
    bash .ci/run

# Every scenario in virtual time
sim:
    cargo run -p harness -- scenario --all --tier sim

# What CI asks of the text of the code
lint:
    cargo fmt --check
    rustfmt --edition 2024 --check harness/doubles/src/fault/*.rs harness/traffic/src/client/*.rs harness/judge/src/*.rs
    cargo clippy --workspace --all-targets -- -D warnings

# Formats everything; the files of faults, clients and rules are named in macros, where rustfmt does not look for them
fmt:
    cargo fmt
    rustfmt --edition 2024 harness/doubles/src/fault/*.rs harness/traffic/src/client/*.rs harness/judge/src/*.rs

# Floors, circles, heads, long lines, openings of comments, links in documents, sentences, names
tidy:
    cargo test -p harness --test layers --test tidy

# Writes what is generated: the schemas of scenarios, reports and gates, and the snapshots of what people see
generate:
    cargo run -p harness -- schema
    cargo run -p harness -- gate --schema > harness/gate/gate.schema.json
    INSTA_UPDATE=always cargo test -p harness -p scenario -p reports --lib

# The documentation of the code, without a warning
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

# Licenses, advisories, bans and sources of what we depend on; needs cargo-deny
deny:
    cargo fetch --locked
    cargo deny --offline check bans licenses sources
    cargo deny --offline --all-features check licenses sources

# What a request costs, beside the official server library
bench:
    cargo run --profile load -p harness -- bench

# One fuzz target for a minute, such as `just fuzz dispatcher/core NAME`; needs cargo-fuzz and a nightly toolchain
fuzz crate target:
    cd {{crate}} && cargo +nightly fuzz run {{target}} -- -max_total_time=60
