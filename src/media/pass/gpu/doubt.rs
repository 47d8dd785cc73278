//! What the device's decoder finds wrong with a source, before it counts as the source's fault.
//!
//! Guarantees: a source is refused for its pictures only after libavcodec found the same, where the policy leaves the
//! choice. Deliberately absent: how much damage is too much.

use crate::base::fault::Fault;
use crate::media::av::DeviceTrouble;
use crate::media::error;
use crate::media::pass::attempt::Pass;
use crate::media::pass::reader::Reading;
use crate::media::spec::Backend;

const OPERATION: &str = "decode";

impl Pass<'_> {
    /// The fault of the device where its decoder made less of the source than libavcodec may make: too many damaged
    /// pictures, none at all, or (`is_short`) not all that the container promises.
    pub(in crate::media::pass) fn doubt_device(&self, reading: &Reading, is_short: bool) -> Result<(), Fault> {
        if self.work.decoding_device().is_none() || self.hardware.policy() != Backend::Auto {
            return Ok(());
        }
        let why = match self.check_damage(reading) {
            Err(fault) => fault.cause,
            Ok(()) if reading.decoded == 0 => "not one picture could be decoded".to_owned(),
            Ok(()) if is_short => "the pictures end before the file does".to_owned(),
            Ok(()) => return Ok(()),
        };
        let cause = format!("by the device's decoder: {why}");
        Err(error::device_refused(
            OPERATION,
            &self.name,
            DeviceTrouble::Refused,
            cause,
        ))
    }
}
