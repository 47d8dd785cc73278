//! Settled arrivals into tasks: which workflows run on an object, at this moment.
//!
//! Guarantees: one transaction an arrival (`store::intake`); what starts nothing says why not. Deliberately absent:
//! the rules (`workflow::selector`), and seeing objects (`trigger`).

use crate::scheduler::context::Context;
use crate::store::error::StoreError;
use crate::store::intake::Match;
use crate::store::intake::Settled;
use crate::store::intake::Taken;
use crate::workflow::selector;
use crate::workflow::selector::ArrivalFacts;
use crate::workflow::selector::WhyNot;
use futures_util::future::join_all;

/// Arrivals that share a commit.
const BATCH: u32 = 256;

/// Takes a batch of arrivals; says whether there may be more.
pub(super) async fn run(context: &Context) -> Result<bool, StoreError> {
    let settled = context.store.settled_arrivals(BATCH).await?;
    if settled.is_empty() {
        return Ok(false);
    }
    let more = settled.len() >= BATCH as usize;
    let mut enabled = Vec::new();
    for (workflow, version) in context.store.enabled_workflows().await? {
        let resolved = context.version(&workflow, version).await?;
        enabled.push(Match {
            workflow,
            version,
            resolved,
        });
    }
    let takes = settled.into_iter().map(|arrival| take(context, arrival, &enabled));
    for taken in join_all(takes).await {
        taken?;
    }
    Ok(more)
}

async fn take(context: &Context, arrival: Settled, enabled: &[Match]) -> Result<(), StoreError> {
    let object = arrival.source.object.clone();
    let facts = ArrivalFacts {
        storage: &object.storage,
        key: &object.key,
    };
    let mut matches = Vec::new();
    let mut refusals = Vec::new();
    let may = |candidate: &&Match| !arrival.existing || candidate.resolved.source.process_existing;
    for candidate in enabled.iter().filter(may) {
        match selector::select(&candidate.resolved, &facts) {
            Ok(()) => matches.push(candidate.clone()),
            Err(why_not) => refusals.push(why_not),
        }
    }
    let why_not = match arrival.existing {
        // The word by which a workflow that is enabled later finds it again.
        true => "existing".to_owned(),
        false => nearest(refusals),
    };
    let taken = context
        .store
        .take_arrival(arrival, matches, why_not.clone(), context.now())
        .await?;
    match taken {
        Taken::Tasks(tasks) => {
            for task in &tasks {
                tracing::info!(%object, %task, "an object arrived and a task was made for it");
            }
        }
        Taken::None => tracing::info!(%object, why_not, "an object arrived and nothing runs on it"),
        Taken::Ours => tracing::debug!(%object, "an output of ours arrived and starts nothing"),
        Taken::Stale => {}
    }
    Ok(())
}

/// Of many refusals the one that came nearest to running, so that a row holds one sentence.
fn nearest(refusals: Vec<WhyNot>) -> String {
    let rank = |why_not: &WhyNot| match why_not {
        WhyNot::Manual { .. } => 5,
        WhyNot::Extension { .. } => 4,
        WhyNot::Prefix { .. } => 3,
        WhyNot::Storage { .. } => 2,
        WhyNot::Library { .. } => 1,
    };
    match refusals.into_iter().max_by_key(rank) {
        Some(why_not) => why_not.to_string(),
        None => "no workflow is enabled".to_owned(),
    }
}
