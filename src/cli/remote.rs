//! Which daemon a command speaks to, and how it proves that it may.
//!
//! Guarantees: what the command line says comes before the environment, and that before the configuration; a mistake
//! elsewhere in the configuration hides no daemon. Deliberately absent: speaking to it (`client`).

use crate::cli::outcome::BadUsage;
use std::path::Path;
use std::path::PathBuf;
use url::Url;

/// Which daemon, and with which token.
#[derive(Debug, Clone, clap::Args)]
pub struct Remote {
    /// Address of the daemon [default: REELMILL_SERVER, else the listen address of the configuration].
    #[arg(long, value_name = "URL")]
    pub server: Option<String>,
    /// The token [default: --token-file, else REELMILL_TOKEN, else STATE_DIR/admin.token].
    #[arg(long, value_name = "TOKEN", conflicts_with = "token_file")]
    pub token: Option<String>,
    /// File that holds the token.
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// PEM of authorities to trust beside the system's [default: REELMILL_CA_FILE, else tls_cert of the configuration].
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// Print JSON for programs.
    #[arg(long)]
    pub json: bool,
}

/// A daemon that was found.
#[derive(Debug)]
pub struct Place {
    /// Where it answers.
    pub server: Url,
    /// What it is shown.
    pub token: String,
    /// PEM of authorities to trust beside the system's; none: no others.
    pub authorities: Option<PathBuf>,
}

/// Where to look when nobody says.
struct Defaults {
    server: String,
    token_file: PathBuf,
    /// The daemon's own certificate, so that a host knows its own daemon whoever signed it.
    certificate: Option<PathBuf>,
}

impl Remote {
    /// Finds out the server and the token, with what the configuration file says where nothing else does.
    ///
    /// # Errors
    /// The address is none, or there is no token.
    pub fn find(&self, config: &Path) -> anyhow::Result<Place> {
        let defaults = defaults(config);
        let server = self
            .server
            .clone()
            .or_else(|| variable("REELMILL_SERVER"))
            .unwrap_or_else(|| defaults.server.clone());
        let server = Url::parse(&server)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
            .ok_or_else(|| {
                BadUsage(format!(
                    "--server {server} is not an address such as http://127.0.0.1:8080"
                ))
            })?;
        let authorities = self.ca_file.clone();
        let authorities = authorities.or_else(|| variable("REELMILL_CA_FILE").map(PathBuf::from));
        let authorities = authorities.or(defaults.certificate.filter(|file| file.exists()));
        let token = match (&self.token, &self.token_file, variable("REELMILL_TOKEN")) {
            (Some(token), _, _) => token.clone(),
            (None, Some(file), _) => read_token(file)?,
            (None, None, Some(token)) => token,
            (None, None, None) => read_token(&defaults.token_file)?,
        };
        let authorities = authorities.filter(|_| server.scheme() == "https");
        Ok(Place {
            server,
            token,
            authorities,
        })
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn read_token(file: &Path) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(file).map_err(|error| {
        BadUsage(format!(
            "there is no token: read of {} failed: {error}. Run this as the user of the daemon or root, or give --token, --token-file or REELMILL_TOKEN.",
            file.display()
        ))
    })?;
    Ok(text.trim().to_owned())
}

/// What the configuration says of the daemon's address and state. Read leniently: a mistake elsewhere in the file is
/// no reason why a running daemon cannot be asked how it is.
fn defaults(config: &Path) -> Defaults {
    let table: toml::Table = std::fs::read_to_string(config)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or_default();
    let server = table.get("server").and_then(toml::Value::as_table);
    let text = |key: &str| server.and_then(|server| server.get(key)).and_then(toml::Value::as_str);
    let listen = text("listen").unwrap_or("127.0.0.1:8080");
    let state_dir = text("state_dir").unwrap_or("/var/lib/reelmill");
    let folder = config.parent().unwrap_or(Path::new(""));
    let certificate = text("tls_cert").filter(|file| !file.is_empty());
    // A certificate is for a name, and the address for people has it.
    let public_url = text("public_url").filter(|url| certificate.is_some() && url.starts_with("https://"));
    Defaults {
        server: public_url.map_or_else(|| server_address(listen, certificate.is_some()), str::to_owned),
        certificate: certificate.map(|file| folder.join(file)),
        // Relative paths in the file begin at its folder.
        token_file: folder.join(state_dir).join("admin.token"),
    }
}

/// The address at which a daemon that listens on `listen` can be reached from its own host.
fn server_address(listen: &str, tls: bool) -> String {
    let scheme = if tls { "https" } else { "http" };
    match listen.parse::<std::net::SocketAddr>() {
        Ok(address) if address.ip().is_unspecified() => format!("{scheme}://127.0.0.1:{}", address.port()),
        _ => format!("{scheme}://{listen}"),
    }
}

#[cfg(test)]
mod tests {
    use super::defaults;
    use super::server_address;

    #[test]
    fn the_daemon_of_this_host_is_found_by_its_configuration() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("reelmill.toml");
        std::fs::write(&file, "[server]\nlisten = \"0.0.0.0:9000\"\nstate_dir = \"/srv/r\"\n").expect("written");
        let found = defaults(&file);
        assert_eq!(found.server, "http://127.0.0.1:9000");
        assert_eq!(found.token_file, std::path::Path::new("/srv/r/admin.token"));
        std::fs::write(&file, "[server]\nstate_dir = \"state\"\n").expect("written");
        assert_eq!(defaults(&file).token_file, folder.path().join("state/admin.token"));
        assert_eq!(defaults(&folder.path().join("none")).server, "http://127.0.0.1:8080");
        assert_eq!(server_address("[::]:80", true), "https://127.0.0.1:80");
    }
}
