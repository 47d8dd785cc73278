//! The encoder of the stand-in driver: are the streams it makes what they say, and does it notice what a client must not
//! do? Each test runs in a process of its own, because the stand-in is one driver a process.
// What is unsafe in `call!` is the call, whatever its arguments are.
#![allow(clippy::macro_metavars_in_unsafe)]
#![allow(unsafe_code)] // the driver's functions are C

#[path = "../standin_driver/mod.rs"]
mod standin_driver;

mod coded;
mod contract;
mod driver;
mod encoder;
mod opening;

/// Violations of a run that had none.
fn nothing_broken(broken: Option<Vec<String>>) {
    if let Some(broken) = broken {
        assert_eq!(broken, Vec::<String>::new());
    }
}

/// Violations of a run: as many as there are words, each with its words in it.
fn broke(broken: Option<Vec<String>>, words: &[&str]) {
    if let Some(broken) = broken {
        assert_eq!(broken.len(), words.len(), "{broken:#?}");
        for (line, words) in broken.iter().zip(words) {
            assert!(line.contains(words), "{line:?} says nothing of {words:?}");
        }
    }
}
