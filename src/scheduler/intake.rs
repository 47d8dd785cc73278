//! Settled arrivals into tasks: which workflows run on an object, at this moment.
//!
//! Guarantees: an arrival is taken whole or not at all (`store::intake`), many in one commit; what starts nothing says why
//! not. Deliberately absent:
//! the rules (`workflow::selector`), and seeing objects (`trigger`).

use crate::scheduler::context::Context;
use crate::store::error::StoreError;
use crate::store::intake::Chosen;
use crate::store::intake::Match;
use crate::store::intake::Settled;
use crate::store::intake::Taken;
use crate::workflow::selector;
use crate::workflow::selector::ArrivalFacts;
use crate::workflow::selector::WhyNot;
use futures_util::future::join_all;
use std::sync::Arc;

/// Arrivals that share a commit.
const BATCH: u32 = 1_024;

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
    let chosen: Vec<Chosen> = settled.into_iter().map(|arrival| choose(arrival, &enabled)).collect();
    let chosen = Arc::new(chosen);
    match context.store.take_arrivals(chosen.clone(), context.now()).await {
        Ok(taken) => {
            for (chosen, taken) in chosen.iter().zip(taken) {
                tell(chosen, taken);
            }
        }
        Err(error) => {
            tracing::warn!(%error, "arrivals could not be taken together; one by one");
            let takes = chosen.iter().map(|chosen| async move {
                let taken = context.store.take_arrival(chosen.clone(), context.now()).await?;
                tell(chosen, taken);
                Ok::<(), StoreError>(())
            });
            for taken in join_all(takes).await {
                taken?;
            }
        }
    }
    Ok(more)
}

/// Which workflows run on an arrival, and what is to be said where none does.
fn choose(settled: Settled, enabled: &[Match]) -> Chosen {
    let object = &settled.source.object;
    let facts = ArrivalFacts {
        storage: &object.storage,
        key: &object.key,
    };
    let mut matches = Vec::new();
    let mut refusals = Vec::new();
    let may = |candidate: &&Match| !settled.existing || candidate.resolved.source.process_existing;
    for candidate in enabled.iter().filter(may) {
        match selector::select(&candidate.resolved, &facts) {
            Ok(()) => matches.push(candidate.clone()),
            Err(why_not) => refusals.push(why_not),
        }
    }
    let why_not = match settled.existing {
        // The word by which a workflow that is enabled later finds it again.
        true => "existing".to_owned(),
        false => nearest(refusals),
    };
    Chosen {
        settled,
        matches,
        why_not,
    }
}

fn tell(chosen: &Chosen, taken: Taken) {
    let object = &chosen.settled.source.object;
    match taken {
        Taken::Tasks(tasks) => {
            for task in &tasks {
                tracing::info!(%object, %task, "an object arrived and a task was made for it");
            }
        }
        Taken::None => {
            tracing::info!(%object, why_not = chosen.why_not, "an object arrived and nothing runs on it");
        }
        Taken::Ours => tracing::debug!(%object, "an output of ours arrived and starts nothing"),
        Taken::Stale => {}
    }
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
