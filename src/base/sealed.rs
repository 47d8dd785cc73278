//! Secrets at rest: what must be read back later (access keys, keys of destinations) and must not lie open in a backup
//! of the database.
//!
//! ChaCha20-Poly1305 (RFC 8439) with a random nonce; the sealed text is `s1:` and the Base64 of nonce and ciphertext.
//! What it is sealed for is authenticated with it, so a sealed secret moved to another row does not open. Guarantees:
//! a text that was changed does not open. Deliberately absent: where the key lies (the daemon reads it from its state
//! directory), and passwords, which are hashed.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use chacha20poly1305::ChaCha20Poly1305;
use chacha20poly1305::KeyInit;
use chacha20poly1305::Nonce;
use chacha20poly1305::aead::Aead;
use chacha20poly1305::aead::Payload;

/// Bytes of the key.
pub const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 12;
const MARK: &str = "s1:";

/// Seals and opens with one key.
#[derive(Clone)]
pub struct Sealer(ChaCha20Poly1305);

impl Sealer {
    /// A sealer with this key.
    pub fn new(key: &[u8; KEY_BYTES]) -> Self {
        Sealer(ChaCha20Poly1305::new(key.into()))
    }

    /// `secret`, sealed for `purpose` (such as `accesskey:ID`).
    ///
    /// # Errors
    /// A host fault: the system has no random numbers.
    pub fn seal(&self, purpose: &str, secret: &str) -> Result<String, Fault> {
        let mut nonce = [0_u8; NONCE_BYTES];
        getrandom::fill(&mut nonce).map_err(|error| not_sealed(purpose, format!("no random numbers: {error}")))?;
        let payload = Payload {
            msg: secret.as_bytes(),
            aad: purpose.as_bytes(),
        };
        let sealed = self
            .0
            .encrypt(Nonce::from_slice(&nonce), payload)
            .map_err(|_| not_sealed(purpose, "the secret is too long".to_owned()))?;
        let whole = [nonce.as_slice(), sealed.as_slice()].concat();
        Ok(format!("{MARK}{}", STANDARD_NO_PAD.encode(whole)))
    }

    /// The secret in `sealed`; none when it was sealed with another key, for another purpose, or changed.
    pub fn open(&self, purpose: &str, sealed: &str) -> Option<String> {
        let whole = STANDARD_NO_PAD.decode(sealed.strip_prefix(MARK)?).ok()?;
        let (nonce, sealed) = whole.split_at_checked(NONCE_BYTES)?;
        let payload = Payload {
            msg: sealed,
            aad: purpose.as_bytes(),
        };
        let secret = self.0.decrypt(Nonce::from_slice(nonce), payload).ok()?;
        String::from_utf8(secret).ok()
    }
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealer")
    }
}

fn not_sealed(purpose: &str, cause: String) -> Fault {
    Fault::new(
        "SecretNotSealed",
        Blame::Host,
        "seal",
        purpose,
        cause,
        "Check that the kernel offers getrandom(2) to this process.",
    )
}

#[cfg(test)]
mod tests {
    use super::KEY_BYTES;
    use super::Sealer;

    #[test]
    fn opens_only_with_its_key_and_for_its_purpose() {
        let sealer = Sealer::new(&[7; KEY_BYTES]);
        let sealed = sealer.seal("accesskey:a", "a secret").expect("sealed");
        assert!(!sealed.contains("secret"));
        assert_eq!(sealer.open("accesskey:a", &sealed).as_deref(), Some("a secret"));
        assert_eq!(sealer.open("accesskey:b", &sealed), None);
        assert_eq!(Sealer::new(&[8; KEY_BYTES]).open("accesskey:a", &sealed), None);
        let mut changed = sealed.clone();
        let last = changed.pop().expect("not empty");
        changed.push(if last == 'A' { 'B' } else { 'A' });
        assert_eq!(sealer.open("accesskey:a", &changed), None);
        assert_ne!(
            sealer.seal("accesskey:a", "a secret").expect("sealed"),
            sealed,
            "a nonce each"
        );
    }
}
