//! Where broken promises are written down.
//!
//! Guarantees: each is one line, appended whole, so that several threads and processes can share the file; the file is
//! opened when the library is loaded, which is before a worker closes its cage. A violation that cannot be written ends
//! the process: tests that pass must not do so by accident.

use std::fs::File;
use std::fs::OpenOptions;
use std::io::Write;
use std::sync::OnceLock;

static FILE: OnceLock<Option<File>> = OnceLock::new();

/// A caller broke the contract of that function.
pub fn violated(call: &str, what: impl std::fmt::Display) {
    let line = format!("{call}: {what}\n");
    eprint!("stand-in driver: contract violated: {line}");
    if let Some(mut file) = file()
        && file.write_all(line.as_bytes()).is_ok()
    {
        return;
    }
    eprintln!("stand-in driver: STANDIN_VIOLATIONS names no file that can be written");
    std::process::abort();
}

fn file() -> Option<&'static File> {
    FILE.get_or_init(|| {
        let path = std::env::var_os("STANDIN_VIOLATIONS")?;
        OpenOptions::new().create(true).append(true).open(path).ok()
    })
    .as_ref()
}

extern "C" fn at_load() {
    file();
}

// SAFETY: one pointer to a function without arguments is what the loader expects in this section.
#[unsafe(link_section = ".init_array")]
#[used]
static AT_LOAD: extern "C" fn() = at_load;
