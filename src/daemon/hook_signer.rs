//! Signatures of questions to hooks: the same as of callbacks, by keys of their own.
//!
//! Guarantees: a question that should be signed and cannot be is not asked. Deliberately absent: keeping keys.

use crate::base::clock::UtcMs;
use crate::callback::signing;
use crate::callback::signing::Key;
use crate::config::hook_keys::HookKeys;
use crate::executor::hook::Signer;

/// Signs by the keys that the files hold at that moment; none: there are no files.
pub(super) fn signer(keys: &HookKeys) -> Option<Signer> {
    let keys = keys.clone();
    (!keys.is_empty()).then(|| {
        Signer::new(move |body| {
            let keys: Vec<Key> = keys.read()?.iter().map(|key| Key::new(key.expose())).collect();
            let timestamp = UtcMs::now().0.div_euclid(1_000).to_string();
            Ok(vec![
                (signing::SIGNATURE, signing::signature_header(&timestamp, body, &keys)),
                (signing::TIMESTAMP, timestamp),
            ])
        })
    })
}
