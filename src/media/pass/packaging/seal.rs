//! AES-128 of HLS: whole segments in CBC mode with PKCS#7 padding, as RFC 8216 section 4.3.2.4 says.
//!
//! Guarantees: the key is in no message, proof or event, and no debug text of this shows it. Deliberately absent: keys
//! for samples (SAMPLE-AES, CENC), which need licence servers.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::media::av::source;
use crate::media::error;
use crate::media::pass::plan::Form;
use crate::media::pass::plan::OutputPlan;
use crate::media::pass::plan::Plan;
use crate::media::side_file::SideFiles;
use crate::media::spec::EncryptionSpec;
use aes::Aes128;
use cbc::cipher::BlockDecryptMut;
use cbc::cipher::BlockEncryptMut;
use cbc::cipher::KeyIvInit;
use cbc::cipher::generic_array::GenericArray;
use std::collections::BTreeMap;

/// Bytes of a block, of a key and of an initialisation vector.
pub const BLOCK: usize = 16;

const OPERATION: &str = "seal segments";

/// Name of the key's file beside the folders of a set.
pub const KEY_FILE: &str = "enc.key";

/// The key of a set and how players come by it.
#[derive(Clone)]
pub struct Seal {
    key: [u8; BLOCK],
    iv: Option<[u8; BLOCK]>,
    uri: Option<String>,
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seal").field("uri", &self.uri).finish_non_exhaustive()
    }
}

/// The seals of a plan's sets, by job and group.
pub type Seals = BTreeMap<(usize, usize), Result<Seal, Fault>>;

/// Makes or fetches the key of each sealed set.
pub fn of_plan(plan: &Plan, side: &SideFiles) -> Seals {
    let mut seals = Seals::new();
    for output in &plan.outputs {
        if let Some(spec) = spec_of(output) {
            seals
                .entry((output.job, output.group))
                .or_insert_with(|| Seal::make(spec, side));
        }
    }
    seals
}

fn spec_of(output: &OutputPlan) -> Option<&EncryptionSpec> {
    match &output.form {
        Form::Segments(form) => form.encryption.as_ref(),
        Form::File(_) | Form::Captions(_) => None,
    }
}

impl Seal {
    fn make(spec: &EncryptionSpec, side: &SideFiles) -> Result<Self, Fault> {
        let mut key = [0; BLOCK];
        match &spec.key {
            None => getrandom::fill(&mut key).map_err(|cause| {
                Fault::new(
                    "KeyUnavailable",
                    Blame::Host,
                    OPERATION,
                    "the system's random numbers",
                    cause.to_string(),
                    "Nothing is to be done; the job is tried again.",
                )
            })?,
            Some(name) => {
                let file = side.get(name)?;
                let unreadable = |cause: String| {
                    Fault::new(
                        "KeyUnusable",
                        Blame::Request,
                        OPERATION,
                        name,
                        cause,
                        "Put a file of exactly 16 bytes there.",
                    )
                    .retryable(false)
                };
                let size_bytes = file.size_bytes().map_err(|cause| unreadable(cause.to_string()))?;
                if size_bytes != BLOCK as u64 {
                    return Err(unreadable(format!("it has {size_bytes} bytes")));
                }
                let read = source::fill(&*file, &mut key, 0).map_err(|cause| unreadable(cause.to_string()))?;
                if read < BLOCK {
                    return Err(unreadable(format!("it ends after {read} bytes")));
                }
            }
        }
        let iv = match &spec.iv {
            None => None,
            Some(text) => {
                let mut iv = [0; BLOCK];
                hex::decode_to_slice(text, &mut iv)
                    .map_err(|_| error::broken_invariant(OPERATION, "iv", "it is not 32 hex digits"))?;
                Some(iv)
            }
        };
        Ok(Seal {
            key,
            iv,
            uri: spec.key_uri.clone(),
        })
    }

    /// What the key's file holds, when the set has one.
    pub fn key_file(&self) -> Option<&[u8; BLOCK]> {
        self.uri.is_none().then_some(&self.key)
    }

    /// The `EXT-X-KEY` line of a playlist one folder beneath the key's file.
    pub fn key_line(&self) -> String {
        let own = format!("../{KEY_FILE}");
        let uri = self.uri.as_deref().unwrap_or(&own);
        let iv = self
            .iv
            .map(|iv| format!(",IV=0x{}", hex::encode_upper(iv)))
            .unwrap_or_default();
        format!("#EXT-X-KEY:METHOD=AES-128,URI=\"{uri}\"{iv}")
    }

    /// Initialisation vector of the segment with this media sequence number.
    fn iv_of(&self, sequence: u64) -> [u8; BLOCK] {
        self.iv.unwrap_or_else(|| u128::from(sequence).to_be_bytes())
    }

    /// Seals the segment with this media sequence number.
    pub fn segment(&self, sequence: u64) -> Sealer {
        let key = GenericArray::from(self.key);
        Sealer {
            cipher: cbc::Encryptor::<Aes128>::new(&key, &GenericArray::from(self.iv_of(sequence))),
            rest: Vec::with_capacity(BLOCK),
        }
    }

    /// Opens sealed blocks: `before` is the block before the first one, none at the beginning of the segment.
    pub fn open_blocks(&self, sequence: u64, before: Option<&[u8; BLOCK]>, blocks: &mut [u8]) {
        let iv = before.copied().unwrap_or_else(|| self.iv_of(sequence));
        let key = GenericArray::from(self.key);
        let mut cipher = cbc::Decryptor::<Aes128>::new(&key, &GenericArray::from(iv));
        for block in blocks.chunks_exact_mut(BLOCK) {
            cipher.decrypt_block_mut(GenericArray::from_mut_slice(block));
        }
    }
}

/// One segment while it is sealed.
pub struct Sealer {
    cipher: cbc::Encryptor<Aes128>,
    rest: Vec<u8>,
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sealer").finish_non_exhaustive()
    }
}

impl Sealer {
    /// Takes plain bytes; answers the sealed ones that are complete.
    pub fn update(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.rest.extend_from_slice(bytes);
        let whole = self.rest.len() / BLOCK * BLOCK;
        let mut sealed: Vec<u8> = self.rest.drain(..whole).collect();
        for block in sealed.chunks_exact_mut(BLOCK) {
            self.cipher.encrypt_block_mut(GenericArray::from_mut_slice(block));
        }
        sealed
    }

    /// The last block with its padding.
    pub fn finish(mut self) -> Vec<u8> {
        let missing = BLOCK - self.rest.len();
        let padding = vec![missing as u8; missing];
        self.update(&padding)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seal() -> Seal {
        Seal {
            key: [7; BLOCK],
            iv: None,
            uri: None,
        }
    }

    #[test]
    fn what_is_sealed_opens_again_from_any_block() {
        let plain: Vec<u8> = (0..100_u8).collect();
        let mut sealer = seal().segment(3);
        let mut sealed = sealer.update(&plain[..33]);
        sealed.extend(sealer.update(&plain[33..]));
        sealed.extend(sealer.finish());
        assert_eq!(sealed.len(), 112);
        let mut all = sealed.clone();
        seal().open_blocks(3, None, &mut all);
        assert_eq!(all[..100], plain);
        assert_eq!(all[100..], [12; 12]);
        let before: [u8; BLOCK] = sealed[16..32].try_into().expect("a block");
        let mut later = sealed[32..48].to_vec();
        seal().open_blocks(3, Some(&before), &mut later);
        assert_eq!(later, plain[32..48]);
        let mut wrong = sealed;
        seal().open_blocks(4, None, &mut wrong);
        assert_ne!(wrong[..16], plain[..16], "each segment has a vector of its own");
    }

    #[test]
    fn debug_text_holds_no_key() {
        let text = format!("{:?}", seal());
        assert!(!text.contains('7'), "{text}");
        assert_eq!(seal().key_line(), "#EXT-X-KEY:METHOD=AES-128,URI=\"../enc.key\"");
    }
}
