//! One of libav's bitstream filters: packets as a container packs them in, packets as a bare decoder wants them out.
//!
//! Guarantees: times and marks of packets go with them; what goes in stays untouched. Deliberately absent: decoding.

use crate::media::av::error::AvError;
use crate::media::av::error::check;
use crate::media::av::log;
use crate::media::av::packet::Packet;
use crate::media::av::packet::rational;
use crate::media::av::parameters::Parameters;
use crate::media::facts::Ratio;
use ffmpeg_the_third::ffi;
use std::ffi::CString;
use std::ptr::NonNull;

/// A filter of one stream.
#[derive(Debug)]
pub struct BitstreamFilter {
    raw: NonNull<ffi::AVBSFContext>,
}

// SAFETY: the context belongs to this value alone.
unsafe impl Send for BitstreamFilter {}

impl BitstreamFilter {
    /// Opens one by libav's name, `h264_mp4toannexb`, for packets of such a stream in that unit.
    pub fn open(name: &str, parameters: &Parameters, unit: Ratio) -> Result<Self, AvError> {
        log::start();
        let name = CString::new(name).map_err(|_| AvError::argument("av_bsf_get_by_name"))?;
        // SAFETY: null or a constant of libav's.
        let filter = unsafe { ffi::av_bsf_get_by_name(name.as_ptr()) };
        if filter.is_null() {
            return Err(AvError::new(ffi::AVERROR_BSF_NOT_FOUND, "av_bsf_get_by_name"));
        }
        let mut raw = std::ptr::null_mut();
        // SAFETY: a filter of libav's; the answer is ours to write to.
        check("av_bsf_alloc", unsafe { ffi::av_bsf_alloc(filter, &mut raw) })?;
        let opened = BitstreamFilter {
            raw: NonNull::new(raw).ok_or_else(|| AvError::memory("av_bsf_alloc"))?,
        };
        // SAFETY: a context that is not begun, so its fields are ours to set; live parameters.
        unsafe {
            check(
                "avcodec_parameters_copy",
                ffi::avcodec_parameters_copy((*raw).par_in, parameters.as_ptr()),
            )?;
            (*raw).time_base_in = rational(unit);
            check("av_bsf_init", ffi::av_bsf_init(raw))?;
        }
        Ok(opened)
    }

    /// The codec's own header as the packets that come out go with it: start codes where those have them.
    pub fn extradata(&self) -> &[u8] {
        // SAFETY: of an opened filter; libav owns that many readable bytes there for as long as it lives.
        unsafe {
            let parameters = &*self.raw.as_ref().par_out;
            if parameters.extradata.is_null() || parameters.extradata_size <= 0 {
                return &[];
            }
            std::slice::from_raw_parts(parameters.extradata, parameters.extradata_size as usize)
        }
    }

    /// Gives it a packet. `Again` never comes when all packets were received before.
    pub fn send(&mut self, packet: &Packet) -> Result<(), AvError> {
        let taken = packet.share()?;
        // SAFETY: live context and packet; the call takes the packet's data over.
        check("av_bsf_send_packet", unsafe {
            ffi::av_bsf_send_packet(self.raw.as_ptr(), taken.as_ptr())
        })?;
        Ok(())
    }

    /// No more packets: what is still inside comes out.
    pub fn send_end(&mut self) -> Result<(), AvError> {
        // SAFETY: a live context; null is the end.
        check("av_bsf_send_packet", unsafe {
            ffi::av_bsf_send_packet(self.raw.as_ptr(), std::ptr::null_mut())
        })?;
        Ok(())
    }

    /// The next packet; none when it wants one first, or after the end.
    pub fn receive(&mut self) -> Result<Option<Packet>, AvError> {
        let packet = Packet::new()?;
        // SAFETY: live context and packet.
        let answer = unsafe { ffi::av_bsf_receive_packet(self.raw.as_ptr(), packet.as_ptr()) };
        match check("av_bsf_receive_packet", answer) {
            Ok(_) => Ok(Some(packet)),
            Err(error) if error.is_again() || error.is_eof() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Forgets everything, after a seek or the end.
    pub fn flush(&mut self) {
        // SAFETY: a live, opened context.
        unsafe { ffi::av_bsf_flush(self.raw.as_ptr()) }
    }
}

impl Drop for BitstreamFilter {
    fn drop(&mut self) {
        let mut raw = self.raw.as_ptr();
        // SAFETY: freed once, by its owner.
        unsafe { ffi::av_bsf_free(&mut raw) }
    }
}

#[cfg(test)]
mod tests {
    use super::BitstreamFilter;
    use crate::media::av::Packet;
    use crate::media::av::Parameters;
    use crate::media::facts::Ratio;

    const UNIT: Ratio = Ratio { num: 1, den: 90_000 };
    /// An avcC with one SPS and one PPS.
    const AVCC: &[u8] = &[1, 66, 0, 10, 0xff, 0xe1, 0, 4, 0x67, 66, 0, 10, 1, 0, 2, 0x68, 0xce];

    fn avc() -> Parameters {
        let mut parameters = Parameters::of_video("h264").expect("known");
        parameters.set_extradata(AVCC).expect("copied");
        parameters
    }

    #[test]
    fn lengths_become_start_codes_and_headers_come_first() {
        let mut filter = BitstreamFilter::open("h264_mp4toannexb", &avc(), UNIT).expect("opened");
        assert_eq!(
            filter.extradata(),
            [0, 0, 0, 1, 0x67, 66, 0, 10, 0, 0, 0, 1, 0x68, 0xce]
        );
        let mut packet = Packet::of_bytes(&[0, 0, 0, 3, 0x65, 0x88, 0x80]).expect("a packet");
        packet.set_times(Some(7), Some(5), 2);
        filter.send(&packet).expect("taken");
        let out = filter.receive().expect("filtered").expect("there");
        assert!(out.data().ends_with(&[0, 0, 1, 0x65, 0x88, 0x80]));
        assert!(out.data().starts_with(&[0, 0, 0, 1, 0x67]));
        assert_eq!((out.pts(), out.dts(), out.is_key()), (Some(7), Some(5), true));
        assert_eq!(packet.data().len(), 7, "what went in is as it was");
        assert!(filter.receive().expect("empty").is_none());
        filter.send_end().expect("ended");
        assert!(filter.receive().expect("the end").is_none());
    }

    #[test]
    fn broken_lengths_are_refused_and_the_next_packet_is_not() {
        let mut filter = BitstreamFilter::open("h264_mp4toannexb", &avc(), UNIT).expect("opened");
        filter
            .send(&Packet::of_bytes(&[0, 0, 99, 0, 0x65]).expect("a packet"))
            .expect("taken");
        assert!(filter.receive().is_err());
        let good = Packet::of_bytes(&[0, 0, 0, 2, 0x41, 0x9a]).expect("a packet");
        filter.send(&good).expect("taken");
        assert!(filter.receive().expect("filtered").is_some());
        assert!(BitstreamFilter::open("no_such_filter", &avc(), UNIT).is_err());
    }
}
