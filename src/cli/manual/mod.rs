//! `reelmill manual`: the manual pages, written into a folder.
//!
//! Guarantees: the pages of commands come from the very definition of the command line, that of the configuration from
//! its reference, so none of them can say what the program does not do; the same program writes the same bytes. Deliberately
//! absent: installing and compressing them, which is for packages.

mod configuration;

use crate::cli::Cli;
use clap::CommandFactory;
use clap_mangen::Man;
use clap_mangen::roff::Roff;
use clap_mangen::roff::roman;
use std::path::Path;
use std::path::PathBuf;

/// What stands at the foot of every page.
const MANUAL: &str = "reelmill";
/// What stands at the foot of each page.
const SOURCE: &str = concat!("reelmill ", env!("CARGO_PKG_VERSION"));

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where the pages go; the folder is made if it is not there.
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// The day that stands on the pages [default: none, so that the same program writes the same pages].
    #[arg(long, value_name = "YYYY-MM-DD", default_value = "")]
    pub date: String,
}

/// Carries it out.
///
/// # Errors
/// The folder cannot be written.
pub fn run(args: &Args) -> anyhow::Result<()> {
    std::fs::create_dir_all(&args.folder)?;
    for (name, page) in pages(&args.date)? {
        std::fs::write(args.folder.join(name), page)?;
    }
    Ok(())
}

/// Every page: its file name and its text.
fn pages(date: &str) -> std::io::Result<Vec<(String, Vec<u8>)>> {
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    let mut pages = Vec::new();
    let mut waiting = vec![command];
    while let Some(command) = waiting.pop() {
        waiting.extend(command.get_subcommands().filter(|sub| !sub.is_hide_set()).cloned());
        pages.push(of_command(command, date)?);
    }
    let mut page = Vec::new();
    configuration::page(date).to_writer(&mut page)?;
    pages.push((configuration::FILE_NAME.to_owned(), page));
    pages.sort();
    Ok(pages)
}

/// The page of one command.
fn of_command(command: clap::Command, date: &str) -> std::io::Result<(String, Vec<u8>)> {
    let is_root = command.get_display_name().is_none_or(|name| name == MANUAL);
    let title = command
        .get_display_name()
        .unwrap_or_else(|| command.get_name())
        .to_uppercase();
    let man = Man::new(command).title(title).date(date).source(SOURCE).manual(MANUAL);
    let mut page = Vec::new();
    man.render(&mut page)?;
    let mut rest = Roff::new();
    if is_root {
        around(&mut rest);
    } else {
        section(&mut rest, "SEE ALSO", &["reelmill(1), reelmill.toml(5)"]);
    }
    rest.to_writer(&mut page)?;
    Ok((man.get_filename(), page))
}

/// What the first page tells besides its commands.
fn around(page: &mut Roff) {
    section(
        page,
        "EXIT STATUS",
        &["0: done. 1: the work failed. 2: bad usage or configuration."],
    );
    page.control("SH", ["FILES"]);
    let installed = crate::config::INSTALLED;
    let example = Path::new("/usr/share/doc/reelmill/examples");
    for (path, what) in [
        (installed, "The configuration, described in reelmill.toml(5)."),
        (
            "/etc/reelmill/workflows/*.toml",
            "Workflows that are loaded at the start.",
        ),
        ("/etc/reelmill/hooks/", "The only programs that a definition may name."),
        (
            "/var/lib/reelmill/",
            "The database, the first admin token (admin.token) and keys.",
        ),
        ("/var/cache/reelmill/", "Scratch of running attempts."),
        (&example.to_string_lossy(), "Examples of workflows and drop-ins."),
    ] {
        item(page, path, what);
    }
    page.control("SH", ["ENVIRONMENT"]);
    for (name, what) in [
        ("REELMILL_SERVER", "Address of the daemon that commands speak to."),
        ("REELMILL_TOKEN", "The token that they show."),
        (
            "REELMILL_CA_FILE",
            "Authorities that they trust besides the system's, PEM.",
        ),
    ] {
        item(page, name, what);
    }
    section(page, "SEE ALSO", &["reelmill.toml(5), systemd(1), journalctl(1)"]);
}

fn section(page: &mut Roff, title: &str, paragraphs: &[&str]) {
    page.control("SH", [title]);
    for text in paragraphs {
        page.text([roman(*text)]);
    }
}

/// A named thing and what it is.
fn item(page: &mut Roff, name: &str, what: &str) {
    page.control("TP", []);
    page.text([clap_mangen::roff::bold(name)]);
    page.text([roman(what)]);
}

#[cfg(test)]
mod tests {
    use super::pages;

    fn page(name: &str) -> String {
        let pages = pages("2026-01-02").expect("written");
        let (_, text) = pages.into_iter().find(|(file, _)| file == name).expect(name);
        String::from_utf8(text).expect("text")
    }

    #[test]
    fn every_command_that_is_shown_has_a_page_and_no_other() {
        let names: Vec<String> = pages("").expect("written").into_iter().map(|(name, _)| name).collect();
        for name in [
            "reelmill.1",
            "reelmill-serve.1",
            "reelmill-task-list.1",
            "reelmill.toml.5",
        ] {
            assert!(names.iter().any(|other| other == name), "{name} in {names:?}");
        }
        assert!(
            !names
                .iter()
                .any(|name| name.contains("worker") || name.contains("help")),
            "{names:?}"
        );
    }

    #[test]
    fn pages_have_their_day_and_lead_to_one_another() {
        let page = page("reelmill-task-list.1");
        assert!(
            page.contains("2026-01-02") && page.contains("REELMILL-TASK-LIST"),
            "{page}"
        );
        assert!(page.contains("reelmill.toml(5)"), "{page}");
    }

    #[test]
    fn the_same_program_writes_the_same_pages() {
        assert_eq!(pages("").expect("written"), pages("").expect("written"));
    }
}
