//! `bindgen IN.wasm OUT_DIR`: what `wasm-bindgen` does for this project. Its command line brings a web server, a web client
//! and TLS, for running tests in browsers; compiling those would take most of a first set-up.

use std::process::ExitCode;
use wasm_bindgen_cli_support::Bindgen;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [input, output] = arguments.as_slice() else {
        eprintln!("usage: bindgen IN.wasm OUT_DIR");
        return ExitCode::from(2);
    };
    let mut bindgen = Bindgen::new();
    let made = bindgen.module(true).and_then(|bindgen| {
        bindgen
            .input_path(input)
            .out_name("index")
            .typescript(false)
            // Names are a fifteenth of the download and only show in stack traces. A panic is logged with its line all the same.
            .remove_name_section(true)
            .remove_producers_section(true)
            // Where an instance is lost (out of memory, or a panic within a panic), `worker` starts another in its place.
            .reset_state_function(true)
            .force_enable_abort_handler(true)
            .generate(output)
    });
    if let Err(error) = made {
        eprintln!("{error:?}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
