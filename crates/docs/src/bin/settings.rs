//! Prints every setting as JSON: `cargo run -p sallyport-docs --bin settings`.

use std::io::Write as _;

fn main() -> std::io::Result<()> {
    writeln!(std::io::stdout(), "{:#}", docs::settings::json())
}
