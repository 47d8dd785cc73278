//! What keeps one device, its decoders or its encoders from being used, in words.
//!
//! Guarantees: what is no fault is said to be none. Deliberately absent: what concerns the whole driver, which
//! `driver_remedy` says.

use crate::media::cuda::driver::Identity;
use crate::media::cuda::driver_remedy::ENCODER_SINCE;
use crate::media::cuda::driver_remedy::code;
use crate::media::cuda::driver_remedy::piece;
use crate::media::cuda::driver_remedy::words;
use crate::media::cuda::error::CudaError;
use crate::media::device_report::MissingPiece;

/// The driver does not compile our kernels.
pub fn no_kernels(error: &CudaError) -> MissingPiece {
    piece(
        "kernels",
        words(error),
        "Install a newer driver; if it is new, report this with the output of `reelmill check`.",
    )
}

/// The device was found and cannot be opened.
pub fn not_opened(error: &CudaError, device: &Identity) -> MissingPiece {
    let words = words(error);
    if device.is_prohibited {
        return piece(
            "device",
            "its compute mode is Prohibited: nobody may use it",
            "Let its administrator set another mode (nvidia-smi -c DEFAULT).",
        );
    }
    match error.code {
        code::UNAVAILABLE => piece(
            "device",
            words,
            "Another program has it for itself (compute mode Exclusive_Process): end that, or nvidia-smi -c DEFAULT.",
        ),
        code::NO_MEMORY => piece(
            "device",
            words,
            "Other programs have taken its memory: nvidia-smi names them.",
        ),
        _ => piece(
            "device",
            words,
            "See what the kernel says of it (dmesg | grep -e NVRM -e Xid); reset it (nvidia-smi -r) or restart the host.",
        ),
    }
}

/// It decodes nothing.
pub fn no_decoder(device: &Identity, error: Option<&CudaError>) -> MissingPiece {
    if let Some(error) = error {
        return piece(
            "NVDEC",
            words(error),
            "See what the kernel says (dmesg | grep -e NVRM -e Xid); libnvcuvid must be of the driver's version.",
        );
    }
    if device.is_slice() {
        return slice("NVDEC", "decoder");
    }
    piece(
        "NVDEC",
        "the driver names no codec that this device decodes",
        "Nothing to repair where the card has none; sources are decoded in software.",
    )
}

/// It encodes nothing, and nothing is wrong.
pub fn no_encoder(device: &Identity) -> MissingPiece {
    if device.is_slice() {
        return slice("NVENC", "encoder");
    }
    piece(
        "NVENC",
        "this device has no encoder (A100, H100 and H200, for example, have none)",
        "Nothing to repair: it decodes and scales, and renditions are encoded in software.",
    )
}

/// Its encoders do not answer.
pub fn encoder_failed(error: &CudaError) -> MissingPiece {
    piece(
        "NVENC",
        words(error),
        format!("Encoding needs driver {ENCODER_SINCE} or newer, with libnvidia-encode of exactly its version."),
    )
}

/// It encodes, and other programs use all that it can at once.
pub fn no_session() -> MissingPiece {
    piece(
        "NVENC sessions",
        "every encoder session that the driver allows is in use",
        "Other programs hold them (nvidia-smi encodersessions); meanwhile renditions are encoded in software, or wait.",
    )
}

fn slice(what: &str, word: &str) -> MissingPiece {
    piece(
        what,
        format!("this slice of a device (MIG) has no {word}"),
        "Make the slice with a profile that has media engines (+me), or lend the whole device; until then that is done in software.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Identity {
        Identity {
            name: name.to_owned(),
            ..Identity::default()
        }
    }

    fn refused(code: i32) -> CudaError {
        CudaError::cuda("cuDevicePrimaryCtxRetain", code, "words of the driver")
    }

    #[test]
    fn a_card_without_an_encoder_is_no_fault_and_a_slice_can_be_made_anew() {
        let card = no_encoder(&named("NVIDIA H200"));
        assert!(card.remedy.starts_with("Nothing to repair") && card.remedy.contains("software"));
        let slice = named("NVIDIA A100-SXM4-40GB MIG 1g.5gb");
        assert!(no_encoder(&slice).remedy.contains("+me"));
        assert!(no_decoder(&slice, None).remedy.contains("+me"));
    }

    #[test]
    fn who_may_use_a_device_is_told_from_what_is_wrong_with_it() {
        let mut device = named("NVIDIA L4");
        assert!(not_opened(&refused(46), &device).remedy.contains("Exclusive_Process"));
        assert!(not_opened(&refused(2), &device).remedy.contains("memory"));
        assert!(not_opened(&refused(719), &device).cause.contains("719"));
        device.is_prohibited = true;
        assert!(
            not_opened(&refused(999), &device)
                .remedy
                .contains("nvidia-smi -c DEFAULT")
        );
    }

    #[test]
    fn every_cause_has_no_full_stop_and_every_remedy_has_one() {
        let (device, error) = (named("NVIDIA A100 MIG 1g.5gb"), refused(1));
        let all = [
            not_opened(&error, &device),
            no_decoder(&device, None),
            no_decoder(&device, Some(&error)),
            no_decoder(&named("card"), None),
            no_encoder(&device),
            no_encoder(&named("card")),
            encoder_failed(&error),
            no_session(),
        ];
        for one in all {
            assert!(!one.cause.ends_with('.') && one.remedy.ends_with('.'), "{one:?}");
        }
    }
}
