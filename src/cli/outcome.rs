//! How a command ends: its exit code and its last sentence.
//!
//! Guarantees: 0 done, 1 the work failed, 2 bad usage or configuration. Deliberately absent: panics turned into codes.

use std::process::ExitCode;

/// An error of whoever typed the command: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadUsage(pub String);

/// The end of a command that could not finish its own work but told why already: exit code 1.
#[derive(Debug, thiserror::Error)]
#[error("the work failed")]
pub struct WorkFailed;

/// Prints what went wrong, if anything did, and gives the exit code.
pub fn exit_code(done: anyhow::Result<()>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<WorkFailed>() => ExitCode::from(1),
        Err(error) => {
            let text = format!("{error:#}");
            // Whoever reads our output with `head` is done with it, not failed by it.
            if error
                .downcast_ref::<std::io::Error>()
                .is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
            {
                return ExitCode::SUCCESS;
            }
            eprintln!("reelmill: {text}");
            ExitCode::from(if error.chain().any(|cause| cause.is::<BadUsage>()) {
                2
            } else {
                1
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::BadUsage;
    use super::exit_code;
    use anyhow::Context as _;
    use std::process::ExitCode;

    #[test]
    fn bad_usage_is_two_even_with_a_story_around_it() {
        let error: anyhow::Result<()> = Err(BadUsage("no such storage".to_owned())).context("starting a task");
        assert_eq!(exit_code(error), ExitCode::from(2));
        assert_eq!(exit_code(Err(anyhow::anyhow!("the disk is full"))), ExitCode::from(1));
        assert_eq!(exit_code(Ok(())), ExitCode::SUCCESS);
    }
}
