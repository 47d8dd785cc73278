//! What a device failed that need not be made there, made once more in software.
//!
//! Guarantees: when it is due is the daemon's own rule, so that both agree; what is made in software is not tried a third
//! time; the product says why it was. Pure.

use crate::base::fault::Fault;
use crate::media::product::JobProduct;
use crate::media::spec::Backend;
use crate::scheduler::retry::NextTry;
use crate::scheduler::retry::RetryPolicy;

/// Fault code of a worker that the kernel ended for want of memory.
const OUT_OF_MEMORY: &str = "WorkerOutOfMemory";

/// Whether a job that failed with this is made once more in software. `policy` is what it was made under; a worker that
/// `died` may have died of a device.
pub fn is_due(policy: Backend, fault: &Fault, died: bool) -> bool {
    let next = RetryPolicy::default().next_on_device(fault, (0, 0), (died, false), policy);
    policy == Backend::Auto && matches!(next, NextTry::After { software: true, .. })
}

/// Whether the death of a worker may be a device's doing: what the kernel ends for want of memory is not.
pub fn may_be_of_device(fault: &Fault) -> bool {
    fault.code != OUT_OF_MEMORY
}

/// Why, in one line.
pub fn why(fault: &Fault) -> String {
    format!("{} failed: {}", fault.operation, fault.cause).replace('\n', " ")
}

/// Adds to a product why it was made in software.
pub fn tell(product: &mut JobProduct, why: &str) {
    product.fallback_reason.get_or_insert_with(|| why.to_owned());
    product.warnings.push(format!(
        "the device failed and this was made once more in software: {why}"
    ));
}

#[cfg(test)]
mod tests {
    use super::is_due;
    use super::may_be_of_device;
    use super::tell;
    use super::why;
    use crate::base::fault::Blame;
    use crate::base::fault::Fault;
    use crate::media::product::JobProduct;
    use crate::media::spec::Backend;

    fn fault(code: &str) -> Fault {
        Fault::new(code, Blame::Host, "run worker", "a.mp4", "it fell\nover", "Look.")
    }

    #[test]
    fn only_what_a_device_did_and_nobody_demanded_of_it_is_made_again() {
        for (policy, code, died, expected) in [
            (Backend::Auto, "DeviceFailed", false, true),
            (Backend::Auto, "DeviceBusy", false, true),
            (Backend::Auto, "WorkerCrashed", true, true),
            (Backend::Auto, "WorkerHung", true, true),
            (Backend::Auto, "WorkerCrashed", false, false),
            (Backend::Auto, "SourceTruncated", false, false),
            (Backend::Gpu, "DeviceFailed", false, false),
            (Backend::Gpu, "WorkerCrashed", true, false),
            (Backend::Software, "WorkerCrashed", true, false),
            (Backend::Software, "DeviceFailed", false, false),
        ] {
            assert_eq!(is_due(policy, &fault(code), died), expected, "{policy:?} {code} {died}");
        }
        assert!(may_be_of_device(&fault("WorkerForbidden")) && !may_be_of_device(&fault("WorkerOutOfMemory")));
    }

    #[test]
    fn the_product_says_why_in_one_line() {
        let mut product = JobProduct::default();
        tell(&mut product, &why(&fault("WorkerCrashed")));
        assert_eq!(
            product.fallback_reason.as_deref(),
            Some("run worker failed: it fell over")
        );
        assert_eq!(product.warnings.len(), 1);
    }
}
