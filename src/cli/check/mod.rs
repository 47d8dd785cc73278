//! `reelmill check`: whether this host can do the work, and what to do where it cannot.
//!
//! Guarantees: changes nothing; every finding that is not good has a remedy; exit code 1 when something is fatal, with
//! `--start` only when something prevents starting (never a missing GPU or a storage that is away; devices and
//! buckets are not even looked at then). Deliberately absent: measuring the host.

mod buckets;
pub mod devices;
mod directories;
mod finding;
mod libraries;
mod machine;
mod unit_paths;

use crate::cli::Context;
use crate::cli::check::finding::Finding;
use crate::cli::check::finding::Level;
use crate::cli::outcome::BadUsage;
use crate::cli::outcome::WorkFailed;
use crate::cli::table;
use crate::config;
use crate::config::definitions::Made;
use crate::config::resolved::Config;
use crate::store::made_names;
use crate::store::templates;
use crate::workflow::template::Templates;
use serde_json::json;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print JSON for programs.
    #[arg(long)]
    pub json: bool,
    /// Count only what prevents the daemon from starting.
    #[arg(long)]
    pub start: bool,
    /// Instead of looking at anything, print the drop-in by which the service's unit may use the paths of the configuration.
    #[arg(long, conflicts_with_all = ["json", "start"])]
    pub unit_paths: bool,
}

/// Carries it out.
///
/// # Errors
/// Something is fatal, or standard output is closed.
pub fn run(args: Args, context: &Context) -> anyhow::Result<()> {
    if args.unit_paths {
        let config = config::load(&context.config).map_err(|bad| BadUsage(bad.to_string()))?;
        print!("{}", unit_paths::drop_in(&config));
        return Ok(());
    }
    let mut findings = look(context, args.start);
    // A driver may take a minute to answer, which no start should wait for.
    let devices = (!args.start).then(|| devices::look(&mut findings)).flatten();
    let counts = |finding: &&Finding| finding.level == Level::Stops || (!args.start && finding.level == Level::Broken);
    let fatal = findings.iter().filter(counts).count();
    if args.json {
        table::print_json(&json!({ "ok": fatal == 0, "findings": findings, "devices": devices }))?;
    } else {
        for finding in &findings {
            println!(
                "{:<8} {:<14} {}",
                finding.level.word(),
                finding.subject,
                table::printable(&finding.detail)
            );
            if let Some(remedy) = &finding.remedy {
                println!("{:<8} {:<14} -> {}", "", "", table::printable(remedy));
            }
        }
    }
    if fatal > 0 { Err(WorkFailed.into()) } else { Ok(()) }
}

/// Everything worth knowing, in the order in which one would look.
pub(in crate::cli) fn look(context: &Context, start: bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    match config::load(&context.config) {
        Ok(config) => {
            findings.push(Finding::good(
                "configuration",
                format!("{} is understood", context.config.display()),
            ));
            findings.extend(config.warnings.iter().map(|wrong| {
                Finding::note(
                    "configuration",
                    config::line(&context.config, wrong),
                    "It prevents nothing; correct it if it is not meant.",
                )
            }));
            look_at(&config, &mut findings);
            // No start should wait for a service elsewhere.
            if !start {
                buckets::look(&config, &mut findings);
            }
        }
        Err(bad) => findings.extend(bad.lines().into_iter().map(|line| {
            Finding::stops(
                "configuration",
                line,
                "Correct the file, or name another with --config; config/reelmill.toml documents every key.",
            )
        })),
    }
    libraries::look(&mut findings);
    machine::look(&mut findings);
    findings
}

fn look_at(config: &Config, findings: &mut Vec<Finding>) {
    directories::look(config, findings);
    look_at_workflows(config, findings);
    machine::look_at_sandbox(config, findings);
    machine::look_at_address(config, findings);
}

fn look_at_workflows(config: &Config, findings: &mut Vec<Finding>) {
    let database = config.server.state_dir.join(crate::store::FILE_NAME);
    let templates = templates::of_database(&database).unwrap_or_else(Templates::shipped);
    let made = made_names::of_database(&database).unwrap_or_default();
    if let Some(cause) = config.library_storage_missing(&made.storages) {
        findings.push(Finding::stops(
            "library",
            cause,
            "Correct library.storage, or take it out, start the daemon, make the storage, and set it again.",
        ));
    }
    let made = Made {
        storages: made.storages,
        destinations: made.destinations,
    };
    let files = match config::definitions::load(config, &templates, &made) {
        Ok(files) => files,
        Err(cause) => {
            findings.push(Finding::stops(
                "workflows",
                cause,
                "Let the daemon's user read server.workflows_dir, or set it to another folder.",
            ));
            return;
        }
    };
    let mut good = 0;
    for file in files {
        match file.content {
            Ok(_) => good += 1,
            Err(lines) => findings.extend(lines.into_iter().map(|line| {
                Finding::broken(
                    "workflows",
                    line,
                    "Correct the file; the daemon starts without this workflow.",
                )
            })),
        }
    }
    findings.push(Finding::good("workflows", format!("{good} definitions can run")));
}
