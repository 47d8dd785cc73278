//! The secrets this module makes: tokens, sessions, access keys, the key that signs links, and the one that seals
//! secrets in the database.
//!
//! Guarantees: 256 bits of the kernel's randomness; files are 0600 from their first byte and whole or absent; nothing
//! here is ever logged. Deliberately absent: keys of destinations and storages, which the configuration names.

use crate::base::clock::UtcMs;
use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::base::ids::TaskId;
use crate::base::sealed::Sealer;
use crate::store::Store;
use crate::store::tokens::Role;
use crate::store::tokens::Token;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::Digest;
use sha2::Sha256;
use std::io::ErrorKind;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::path::PathBuf;

/// What tokens begin with, so that scanners for leaked secrets know them.
const TOKEN_PREFIX: &str = "reelmill_";

/// A new token's text, to be shown once.
///
/// # Errors
/// The kernel gives no randomness.
pub fn fresh_token() -> Result<String, Fault> {
    Ok(format!("{TOKEN_PREFIX}{}", URL_SAFE_NO_PAD.encode(random()?)))
}

/// A new key to sign with, to be shown once.
///
/// # Errors
/// The kernel gives no randomness.
pub fn fresh_key() -> Result<String, Fault> {
    Ok(URL_SAFE_NO_PAD.encode(random()?))
}

/// A new cookie's value, or what a page proves itself with.
///
/// # Errors
/// The kernel gives no randomness.
pub fn fresh_session() -> Result<String, Fault> {
    Ok(URL_SAFE_NO_PAD.encode(random()?))
}

/// A new access key: its id and its secret, letters and digits alone, since some clients escape nothing else.
///
/// # Errors
/// The kernel gives no randomness.
pub fn fresh_access_key() -> Result<(String, String), Fault> {
    Ok((format!("RMAK{}", alphanumeric(20)?), alphanumeric(40)?))
}

/// So many random letters and digits.
fn alphanumeric(length: usize) -> Result<String, Fault> {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut text = String::with_capacity(length);
    while text.len() < length {
        // Bytes beyond the last whole multiple of 62 would make the first digits more likely.
        let sound = random()?.into_iter().filter(|byte| *byte < 248);
        text.extend(
            sound
                .map(|byte| char::from(DIGITS[usize::from(byte % 62)]))
                .take(length - text.len()),
        );
    }
    Ok(text)
}

/// How a token is kept: its SHA-256 in hex. A token has 256 random bits, so a slow hash would add nothing.
pub fn token_sha256(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}

/// Makes sure that somebody can come in: at the first start makes an admin token and writes it to
/// `STATE_DIR/admin.token`. A file that is there is believed, so a restored older database accepts it again. Returns
/// the file when it was made now.
///
/// If the process dies between the file and the row, the next start adds the row.
///
/// # Errors
/// The file cannot be read or written, or the database failed.
pub async fn first_admin_token(store: &Store, state_dir: &Path, now: UtcMs) -> Result<Option<PathBuf>, Fault> {
    let file = state_dir.join("admin.token");
    let database = |error: crate::store::error::StoreError| error.fault("the admin token");
    let (token, made) = match read_secret(&file)? {
        Some(text) => (text.trim().to_owned(), false),
        None if store.has_admin_token().await.map_err(database)? => return Ok(None),
        None => {
            let token = fresh_token()?;
            write_secret(&file, format!("{token}\n").as_bytes())?;
            (token, true)
        }
    };
    let sha256 = token_sha256(&token);
    // A token that was revoked stays so, whatever file still holds it.
    if !token.is_empty() && store.token_by_sha256(&sha256).await.map_err(database)?.is_none() {
        let row = Token {
            id: TaskId::fresh().into_string(),
            name: "first start".to_owned(),
            role: Role::Admin,
            sha256,
            created: now,
            used: None,
            revoked: None,
            expires: None,
        };
        store.add_token(row).await.map_err(database)?;
    }
    Ok(made.then_some(file))
}

/// The secret that signs links to objects, in `STATE_DIR/link.secret`; made when there is none. Deleting the file and
/// restarting makes every link that was given out useless.
///
/// # Errors
/// The file cannot be read or written, or holds something else.
pub fn link_secret(state_dir: &Path) -> Result<[u8; 32], Fault> {
    kept_secret(
        &state_dir.join("link.secret"),
        "BadLinkSecret",
        "Delete it; a new one is made at the next start and links given out before stop working.",
    )
}

/// What seals secrets in the database, by the key in `STATE_DIR/seal.key`; made when there is none. Without the file
/// the sealed secrets of a database cannot be read: it belongs to every backup, at another place.
///
/// # Errors
/// The file cannot be read or written, or holds something else.
pub fn sealer(state_dir: &Path) -> Result<Sealer, Fault> {
    let key = kept_secret(
        &state_dir.join("seal.key"),
        "BadSealKey",
        "Put the file back that belongs to this database; after deleting it, access keys and the secrets of \
         destinations have to be entered anew.",
    )?;
    Ok(Sealer::new(&key))
}

/// The 256 bits in `file`, made when there is none.
fn kept_secret(file: &Path, code: &str, remedy: &str) -> Result<[u8; 32], Fault> {
    let Some(text) = read_secret(file)? else {
        let secret = random()?;
        write_secret(file, hex::encode(secret).as_bytes())?;
        return Ok(secret);
    };
    hex::decode(text.trim())
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| {
            Fault::new(
                code,
                Blame::Request,
                "read",
                file.display().to_string(),
                "it does not hold 64 hex digits",
                remedy,
            )
        })
}

fn random() -> Result<[u8; 32], Fault> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| {
        Fault::new(
            "NoRandomness",
            Blame::Host,
            "make",
            "a secret",
            error.to_string(),
            "Check that the kernel offers getrandom(2) to this process.",
        )
    })?;
    Ok(bytes)
}

fn read_secret(file: &Path) -> Result<Option<String>, Fault> {
    match std::fs::read_to_string(file) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unusable("read", file, &error)),
    }
}

/// Writes the file whole, for its owner only.
fn write_secret(file: &Path, content: &[u8]) -> Result<(), Fault> {
    let mut name = file.as_os_str().to_owned();
    name.push(".new");
    let new = PathBuf::from(name);
    let write = || -> std::io::Result<()> {
        // What an interrupted start left behind may have other permissions.
        match std::fs::remove_file(&new) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut out = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&new)?;
        out.write_all(content)?;
        out.sync_all()?;
        std::fs::rename(&new, file)?;
        if let Some(folder) = file.parent() {
            std::fs::File::open(folder)?.sync_all()?;
        }
        Ok(())
    };
    write().map_err(|error| unusable("write", file, &error))
}

fn unusable(operation: &str, file: &Path, error: &std::io::Error) -> Fault {
    Fault::new(
        "SecretFileUnusable",
        Blame::Host,
        operation,
        file.display().to_string(),
        error.to_string(),
        "Check that server.state_dir belongs to the daemon's user and its disk is not full.",
    )
}

#[cfg(test)]
mod tests {
    use super::first_admin_token;
    use super::link_secret;
    use super::token_sha256;
    use crate::base::clock::UtcMs;
    use crate::store::Store;
    use crate::store::tokens::Role;
    use std::os::unix::fs::PermissionsExt;

    #[tokio::test]
    async fn the_first_start_makes_one_private_token_and_later_ones_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&folder.path().join("state.db")).expect("opens");
        let file = first_admin_token(&store, folder.path(), UtcMs(1))
            .await
            .expect("works")
            .expect("is made");
        let mode = std::fs::metadata(&file).expect("is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let token = std::fs::read_to_string(&file).expect("readable");
        let found = store
            .token_by_sha256(&token_sha256(token.trim()))
            .await
            .expect("reads")
            .expect("known");
        assert_eq!((found.role, found.revoked), (Role::Admin, None));
        assert_eq!(
            first_admin_token(&store, folder.path(), UtcMs(2)).await.expect("works"),
            None
        );
        // The file may be moved to a safe place; that makes no second token.
        std::fs::remove_file(&file).expect("removed");
        assert_eq!(
            first_admin_token(&store, folder.path(), UtcMs(3)).await.expect("works"),
            None
        );
        assert_eq!(store.tokens().await.expect("reads").len(), 1);
    }

    #[test]
    fn the_link_secret_survives_a_restart() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = link_secret(folder.path()).expect("is made");
        assert_eq!(link_secret(folder.path()).expect("is read"), first);
        std::fs::write(folder.path().join("link.secret"), "short").expect("written");
        assert_eq!(link_secret(folder.path()).expect_err("refused").code, "BadLinkSecret");
    }
}
