//! `reelmill user`: create, list, change and remove the people who log in.
//!
//! Guarantees: a password is read from standard input or a file, never from the command line, where others could see it.
//! Deliberately absent: log-in; commands use tokens.

use crate::cli::Context;
use crate::cli::block_on;
use crate::cli::client::Client;
use crate::cli::client::part;
use crate::cli::listing;
use crate::cli::outcome::BadUsage;
use crate::cli::remote::Remote;
use crate::cli::table;
use anyhow::Context as _;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use std::io::BufRead as _;
use std::io::IsTerminal as _;
use std::path::Path;
use std::path::PathBuf;

/// What can be done with users.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Make a user. The password is the first line of standard input, or of a file.
    Create {
        /// What they log in as.
        name: String,
        /// What they may do: admin everything, operator tasks and workflows, viewer only look.
        #[arg(long, default_value = "viewer", value_parser = ["admin", "operator", "viewer"])]
        role: String,
        /// The file whose first line is the password.
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
        #[command(flatten)]
        #[allow(missing_docs)]
        remote: Remote,
    },
    /// List users.
    List {
        #[command(flatten)]
        #[allow(missing_docs)]
        page: listing::Page,
        #[command(flatten)]
        #[allow(missing_docs)]
        remote: Remote,
    },
    /// Change a user's role or password, or whether they may log in.
    Change {
        /// Name or id.
        user: String,
        /// What they may do.
        #[arg(long, value_parser = ["admin", "operator", "viewer"])]
        role: Option<String>,
        /// Read a new password from the first line of standard input.
        #[arg(long)]
        password: bool,
        /// Read a new password from the first line of a file.
        #[arg(long, value_name = "FILE", conflicts_with = "password")]
        password_file: Option<PathBuf>,
        /// They cannot log in any more.
        #[arg(long)]
        disable: bool,
        /// They can log in again.
        #[arg(long, conflicts_with = "disable")]
        enable: bool,
        #[command(flatten)]
        #[allow(missing_docs)]
        remote: Remote,
    },
    /// Remove a user.
    #[command(alias = "delete")]
    Revoke {
        /// Name or id.
        user: String,
        #[command(flatten)]
        #[allow(missing_docs)]
        remote: Remote,
    },
}

/// Carries it out.
///
/// # Errors
/// The daemon refused or did not answer, or there is no password.
pub fn run(command: Command, context: &Context) -> anyhow::Result<()> {
    match command {
        Command::Create {
            name,
            role,
            password_file,
            remote,
        } => block_on(async {
            let client = Client::connect(&remote, context)?;
            let password = password(password_file.as_deref())?;
            let body = json!({ "name": name, "role": role, "password": password });
            let made = client.post("/api/v1/users", &body).await?;
            if remote.json {
                return table::print_json(&made);
            }
            println!("{}", table::cell(&made["id"]));
            Ok(())
        }),
        Command::List { page, remote } => block_on(listing::print(
            &remote,
            context,
            "/api/v1/users",
            &page.of([]),
            &[
                ("ID", "/id"),
                ("NAME", "/name"),
                ("ROLE", "/role"),
                ("STATUS", "/status"),
                ("CREATED", "/created_at"),
                ("LAST LOG-IN", "/used_at"),
            ],
        )),
        Command::Change {
            user,
            role,
            password: new_password,
            password_file,
            disable,
            enable,
            remote,
        } => block_on(async {
            let client = Client::connect(&remote, context)?;
            let mut body = Map::new();
            if let Some(role) = role {
                body.insert("role".to_owned(), json!(role));
            }
            if new_password || password_file.is_some() {
                body.insert("password".to_owned(), json!(password(password_file.as_deref())?));
            }
            if disable || enable {
                body.insert("disabled".to_owned(), json!(disable));
            }
            if body.is_empty() {
                return Err(
                    BadUsage("say what to change: --role, --password, --disable or --enable".to_owned()).into(),
                );
            }
            let id = id_of(&client, &user).await?;
            let changed = client
                .patch(&format!("/api/v1/users/{}", part(&id)), &Value::Object(body))
                .await?;
            if remote.json {
                return table::print_json(&changed);
            }
            let word = |field: &str| table::cell(&changed[field]);
            println!("{} is {} and {}", word("name"), word("role"), word("status"));
            Ok(())
        }),
        Command::Revoke { user, remote } => block_on(async {
            let client = Client::connect(&remote, context)?;
            let id = id_of(&client, &user).await?;
            client.delete(&format!("/api/v1/users/{}", part(&id))).await?;
            Ok(())
        }),
    }
}

/// The id of a user given by name; what is no name is taken for an id.
async fn id_of(client: &Client, user: &str) -> anyhow::Result<String> {
    let mut cursor: Option<String> = None;
    loop {
        let query = [("limit", Some("500".to_owned())), ("cursor", cursor.take())];
        let page = client.get("/api/v1/users", &query).await?;
        let items = page["items"].as_array().cloned().unwrap_or_default();
        let found = items.iter().find(|item| item["name"] == user.to_lowercase().as_str());
        if let Some(id) = found.and_then(|item| item["id"].as_str()) {
            return Ok(id.to_owned());
        }
        match page["next"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => return Ok(user.to_owned()),
        }
    }
}

/// The first line of a file or of standard input.
fn password(file: Option<&Path>) -> anyhow::Result<String> {
    let line = match file {
        Some(file) => std::fs::read_to_string(file)
            .with_context(|| format!("read of {} failed", file.display()))?
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned(),
        None => {
            let input = std::io::stdin();
            if input.is_terminal() {
                eprintln!("password (it is shown as you type; pipe it in or use --password-file to avoid that):");
            }
            let mut line = String::new();
            input
                .lock()
                .read_line(&mut line)
                .context("read of standard input failed")?;
            line.trim_end_matches(['\n', '\r']).to_owned()
        }
    };
    if line.is_empty() {
        return Err(BadUsage(
            "there is no password; give it as the first line of standard input or of --password-file".to_owned(),
        )
        .into());
    }
    Ok(line)
}
