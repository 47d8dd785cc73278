//! A program of hooks_dir as a destination.
//!
//! The body comes on standard input; headers come as variables: `X-Reelmill-Event-Id` as `REELMILL_EVENT_ID`, any other
//! as `REELMILL_HEADER_NAME`; besides `REELMILL_EVENT_TYPE`, `REELMILL_EVENT_TIME` and `REELMILL_DESTINATION`. Exit code
//! 0 accepts; 75 (EX_TEMPFAIL) says that it cannot work now; any other refuses this event. The first bytes of standard
//! error are kept as the answer.
//!
//! Guarantees: those of `base::program`; the program is looked at again before each start. Deliberately absent: a shell.

use crate::base::fault::Fault;
use crate::base::program;
use crate::base::program::Ended;
use crate::callback::client::Answer;
use crate::callback::transport::Message;
use crate::callback::transport::Transport;
use crate::callback::transport::accepted;
use crate::callback::transport::refused;
use crate::callback::transport::unreached;
use crate::workflow::destination::Definition;
use futures_util::future::BoxFuture;
use std::path::PathBuf;
use std::time::Duration;
use std::time::Instant;

/// Bytes of standard error that are kept for people.
const ANSWER_MAX: usize = 512;
/// The exit code that asks for patience, as of sendmail.
const TEMPFAIL: i32 = 75;

/// One program.
#[derive(Debug)]
pub struct Exec {
    folder: PathBuf,
    name: String,
    destination: String,
}

impl Exec {
    /// The program that `definition` names.
    ///
    /// # Errors
    /// It may not be run.
    pub fn new(hooks_dir: &std::path::Path, definition: &Definition) -> Result<Self, Fault> {
        program::find(hooks_dir, &definition.program)?;
        Ok(Exec {
            folder: hooks_dir.to_owned(),
            name: definition.program.clone(),
            destination: definition.name.clone(),
        })
    }

    async fn run(&self, message: &Message, limit: Duration) -> Answer {
        let began = Instant::now();
        let path = match program::find(&self.folder, &self.name) {
            Ok(path) => path,
            Err(fault) => return unreached(began, fault.to_string()),
        };
        let run = program::Run {
            environment: environment(message, &self.destination),
            stdin: message.body.clone(),
            stdout_max: 0,
            stderr_max: ANSWER_MAX,
        };
        let output = match program::run(&path, run, limit).await {
            Ok(output) => output,
            Err(error) => return unreached(began, format!("{} could not be started: {error}", self.name)),
        };
        let said = (!output.stderr.is_empty()).then(|| String::from_utf8_lossy(&output.stderr).into_owned());
        let mut answer = match output.ended {
            Ended::Code(0) => return accepted(began, said),
            Ended::Code(TEMPFAIL) => unreached(began, "it ended with exit code 75: it cannot work now"),
            Ended::Code(code) => refused(began, format!("it ended with exit code {code}"), None),
            Ended::Signal(signal) => unreached(began, format!("it was killed by signal {signal}")),
            Ended::TimedOut => unreached(
                began,
                format!("it did not end within {} s and was killed", limit.as_secs()),
            ),
        };
        answer.body = said;
        answer
    }
}

impl Transport for Exec {
    fn send<'a>(&'a self, message: &'a Message, timeout: Duration) -> BoxFuture<'a, Answer> {
        Box::pin(self.run(message, timeout))
    }

    fn close<'a>(&'a self) -> BoxFuture<'a, ()> {
        Box::pin(async {})
    }
}

fn environment(message: &Message, destination: &str) -> Vec<(String, String)> {
    let mut variables = vec![
        ("PATH".to_owned(), "/usr/local/bin:/usr/bin:/bin".to_owned()),
        ("LANG".to_owned(), "C.UTF-8".to_owned()),
        ("REELMILL_DESTINATION".to_owned(), destination.to_owned()),
        ("REELMILL_EVENT_TYPE".to_owned(), message.event_type.clone()),
        ("REELMILL_EVENT_TIME".to_owned(), message.at.wire()),
    ];
    for (name, value) in &message.headers {
        let word = |text: &str| {
            let upper = text.to_ascii_uppercase();
            upper.replace(|c: char| !c.is_ascii_alphanumeric(), "_")
        };
        let variable = match name.get(..11).filter(|start| start.eq_ignore_ascii_case("x-reelmill-")) {
            Some(_) => format!("REELMILL_{}", word(&name[11..])),
            None => format!("REELMILL_HEADER_{}", word(name)),
        };
        variables.push((variable, value.clone()));
    }
    variables
}

#[cfg(test)]
mod tests {
    use super::environment;
    use crate::base::clock::UtcMs;
    use crate::callback::transport::Message;

    #[test]
    fn headers_become_variables() {
        let message = Message {
            event_id: "0a".to_owned(),
            event_type: "SnapshotComplete".to_owned(),
            headers: vec![
                ("X-Reelmill-Event-Seq".to_owned(), "3".to_owned()),
                ("X-Studio.Token".to_owned(), "t".to_owned()),
            ],
            body: Vec::new(),
            at: UtcMs(0),
            line: String::new(),
        };
        let variables = environment(&message, "mam");
        for (name, value) in [
            ("REELMILL_EVENT_SEQ", "3"),
            ("REELMILL_HEADER_X_STUDIO_TOKEN", "t"),
            ("REELMILL_EVENT_TYPE", "SnapshotComplete"),
            ("REELMILL_DESTINATION", "mam"),
        ] {
            assert!(
                variables.iter().any(|(known, text)| known == name && text == value),
                "{name} in {variables:?}"
            );
        }
    }
}
