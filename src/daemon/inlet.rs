//! What brings files into the library, built from the configuration: the loop and its side in requests.
//!
//! Deliberately absent: any decision.

use crate::base::address::Reach;
use crate::base::fault::Fault;
use crate::base::sealed::Sealer;
use crate::base::wake::Bells;
use crate::config::resolved::Config;
use crate::executor::landing::Landings;
use crate::executor::pull::PullOptions;
use crate::executor::pull::Puller;
use crate::objects::inflow::Inflow;
use crate::scheduler::inlet::Inlet;
use crate::scheduler::inlet::InletOptions;
use crate::store::Store;
use crate::web::inlet::InletRules;
use std::time::Duration;

/// A sender that sends nothing for so long is let go; it may go on later.
const SENDER_IDLE: Duration = Duration::from_secs(60);

/// The loop, and what requests need of it.
///
/// # Errors
/// TLS cannot be set up.
pub(super) fn build(
    config: &Config,
    store: &Store,
    bells: &Bells,
    inflow: Inflow,
    sealer: Sealer,
) -> Result<(Inlet, crate::web::inlet::Inlet), Fault> {
    let library = &config.library;
    let reach = match config.allow_private_pulls {
        true => Reach::Loopback,
        false => Reach::Public,
    };
    let puller = Puller::new(
        PullOptions {
            reach,
            max_bytes: library.max_upload_bytes,
            stall: library.pull_stall,
        },
        inflow.clone(),
    )?;
    let options = InletOptions {
        pulls: library.pulls,
        pull_tries: library.pull_tries,
        ..InletOptions::default()
    };
    let inlet = Inlet::new(
        options,
        store.clone(),
        bells.clone(),
        Landings::new(inflow),
        puller,
        sealer.clone(),
    );
    let rules = InletRules {
        storage: library.storage.clone(),
        prefix: library.prefix.clone(),
        on_conflict: library.on_conflict,
        max_bytes: library.max_upload_bytes,
        expires: library.upload_expires,
        idle: SENDER_IDLE,
        reach,
    };
    Ok((inlet, crate::web::inlet::Inlet::new(rules, sealer)))
}
