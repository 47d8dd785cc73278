//! Passwords of people: how they are kept and compared.
//!
//! Guarantees: argon2id, with the parameters in each kept text, off the async threads, few at once so that log-ins cannot
//! eat the memory; a name that does not exist costs as much as a wrong password. Deliberately absent: rules about their
//! make-up, which make people choose worse ones.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::web::error::Problem;
use argon2::Argon2;
use argon2::password_hash::PasswordHash;
use argon2::password_hash::PasswordHasher;
use argon2::password_hash::PasswordVerifier;
use argon2::password_hash::SaltString;
use std::sync::Arc;
use tokio::sync::OnceCell;
use tokio::sync::Semaphore;

/// Hashes at once; each takes 19 MiB.
const AT_ONCE: usize = 2;
/// Characters a password must have and may have.
const LENGTH: std::ops::RangeInclusive<usize> = 10..=256;

/// Hashes and compares. Clones share the turns.
#[derive(Debug, Clone)]
pub struct Passwords {
    turns: Arc<Semaphore>,
    /// What the password of nobody is compared with.
    decoy: Arc<OnceCell<String>>,
}

impl Default for Passwords {
    fn default() -> Self {
        Passwords {
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            decoy: Arc::default(),
        }
    }
}

impl Passwords {
    /// How `password` is kept: a PHC string of argon2id.
    ///
    /// # Errors
    /// The kernel gives no randomness, or there is no memory.
    pub async fn hash(&self, password: &str) -> Result<String, Fault> {
        let password = password.to_owned();
        self.turn(move || {
            let mut salt = [0_u8; 16];
            getrandom::fill(&mut salt).map_err(|error| unusable(&error.to_string()))?;
            let salt = SaltString::encode_b64(&salt).map_err(|error| unusable(&error.to_string()))?;
            let hash = Argon2::default().hash_password(password.as_bytes(), &salt);
            hash.map(|hash| hash.to_string())
                .map_err(|error| unusable(&error.to_string()))
        })
        .await
    }

    /// Whether `password` is the kept one; none is kept: no, after the same work.
    ///
    /// # Errors
    /// As [`hash`](Self::hash).
    pub async fn matches(&self, password: &str, kept: Option<&str>) -> Result<bool, Fault> {
        let decoy = self
            .decoy
            .get_or_try_init(|| self.hash("the password of nobody"))
            .await?;
        let (password, phc, known) = (password.to_owned(), kept.unwrap_or(decoy).to_owned(), kept.is_some());
        self.turn(move || {
            let Ok(hash) = PasswordHash::new(&phc) else {
                return Err(unusable("the kept password is not a PHC string"));
            };
            let same = Argon2::default().verify_password(password.as_bytes(), &hash).is_ok();
            Ok(same & known)
        })
        .await
    }

    async fn turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let _turn = self.turns.acquire().await.expect("the semaphore is never closed");
        tokio::task::spawn_blocking(work)
            .await
            .unwrap_or_else(|error| Err(unusable(&error.to_string())))
    }
}

/// Refuses a password that nobody should have.
///
/// # Errors
/// It is too short, too long, or the name.
pub fn check(name: &str, password: &str) -> Result<(), Problem> {
    if LENGTH.contains(&password.chars().count()) && password.to_lowercase() != name {
        return Ok(());
    }
    Err(Problem::unacceptable(
        "BadPassword",
        "the password is shorter than 10 or longer than 256 characters, or is the user's name",
        "Choose a longer one, such as a few words.",
    ))
}

fn unusable(cause: &str) -> Fault {
    Fault::new(
        "PasswordNotHashed",
        Blame::Host,
        "hash",
        "a password",
        cause,
        "Check the memory of this host and try again.",
    )
}

#[cfg(test)]
mod tests {
    use super::Passwords;

    #[tokio::test]
    async fn only_the_right_password_matches() {
        let passwords = Passwords::default();
        let kept = passwords.hash("correct horse battery").await.expect("hashed");
        assert!(kept.starts_with("$argon2id$"), "{kept}");
        for (given, kept, same) in [
            ("correct horse battery", Some(kept.as_str()), true),
            ("correct horse", Some(kept.as_str()), false),
            ("the password of nobody", None, false),
        ] {
            assert_eq!(passwords.matches(given, kept).await.expect("compared"), same, "{given}");
        }
        assert_ne!(
            passwords.hash("correct horse battery").await.expect("hashed"),
            kept,
            "a salt each"
        );
    }
}
