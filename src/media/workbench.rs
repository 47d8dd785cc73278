//! A source laid out for pictures to be taken of it, without a pass: read by its index, or once in order.
//!
//! Guarantees: by the index, what is read and decoded is a key frame a picture, or what lies between a key frame and the
//! moment; in order, each frame is decoded once for all jobs. Deliberately absent: which way a job goes, and whether it is
//! tried again (`pictures_alone`).

use crate::base::fault::Fault;
use crate::media::av::AvError;
use crate::media::av::Decoder;
use crate::media::av::Demuxer;
use crate::media::av::Frame;
use crate::media::av::Packet;
use crate::media::av::Parameters;
use crate::media::av::decode::Decode;
use crate::media::av::log::About;
use crate::media::bright_search;
use crate::media::claimed_length::is_overlong;
use crate::media::error;
use crate::media::facts::MediaFacts;
use crate::media::facts::Ratio;
use crate::media::frame_decoder::Elsewhere;
use crate::media::frame_decoder::FrameDecoder;
use crate::media::frame_painter::FramePainter;
use crate::media::frame_seeker::FrameSeeker;
use crate::media::frame_seeker::ShownFrame;
use crate::media::frame_seeker::decode_next;
use crate::media::gather::Fit;
use crate::media::key_decoders::KeyDecoders;
use crate::media::key_decoders::KeysAhead;
use crate::media::key_index::KeyIndex;
use crate::media::limits::Limits;
use crate::media::picture_job::PictureJob;
use crate::media::probe::Opened;
use crate::media::product::JobEnd;
use crate::media::timeline;
use crate::media::timeline::Clock;
use crate::media::timeline::Timeline;
use std::sync::Arc;

/// What it does, for faults.
pub const OPERATION: &str = "snapshot";

/// A moment so long after its key frame is not served by it, whatever was asked for.
const FAR_FROM_KEY_S: f64 = 15.0;

/// Threads that decoding forward uses at most: stretches are short, and each thread costs a frame of delay.
const MAX_THREADS: u32 = 4;

/// Told how far the work is (0..=1) and how many frames were decoded; answers false to stop.
pub type OnProgress<'a> = dyn FnMut(f64, u64) -> bool + 'a;

/// Picture jobs as they are kept here.
pub type Job = PictureJob<Arc<Frame>>;

/// Why a job did not come to its end by seeking.
pub enum Setback {
    /// The whole attempt is over.
    Fault(Fault),
    /// The index is of no use after all.
    Index,
    /// Key frames do not say when they are shown.
    Untimed,
}

/// The opened source with what its pictures need.
pub struct Workbench<'a> {
    demuxer: &'a mut Demuxer,
    /// As probed, with the length put right once it was seen.
    facts: MediaFacts,
    painter: FramePainter,
    limits: &'a Limits,
    /// Decodes instead of libavcodec.
    elsewhere: Option<&'a Elsewhere<'a>>,
    threads: u32,
    stream: usize,
    length_s: Option<f64>,
    frame_s: f64,
    /// Seconds a unit of the stream's time stamps.
    unit_s: f64,
    /// Time stamp of the first thing shown or heard: where the source's clock begins.
    zero: Option<i64>,
    /// Something was read or sought; reading in order must begin with a seek.
    touched: bool,
    /// Frames are shown in another order than they are decoded in.
    reorders: bool,
    /// Key frames turned out not to say when they are shown.
    untimed: bool,
    /// End of the last frame seen in order, on the source's clock.
    seen_s: f64,
    /// That was the last there is.
    seen_end: bool,
    /// Damaged or lost frames among those decoded.
    damaged: u64,
    frames: u64,
}

impl<'a> Workbench<'a> {
    /// Over an opened source; none without video. At most so many threads of its own decode, unless `elsewhere` does.
    pub fn set_up(
        opened: &'a mut Opened,
        threads: u32,
        limits: &'a Limits,
        elsewhere: Option<&'a Elsewhere<'a>>,
    ) -> Option<Self> {
        let (stream, video) = opened.facts.main_video()?;
        let raw = opened.demuxer.stream(stream.index)?;
        let rate = video.nominal_rate().map_or(25.0, |rate| rate.value());
        let lag_s = timeline::lag_s(&opened.facts);
        Some(Workbench {
            painter: FramePainter::of_source(video),
            limits,
            elsewhere,
            threads: threads.clamp(1, MAX_THREADS),
            stream: stream.index,
            length_s: stream.duration_s.or(opened.facts.duration_s),
            frame_s: 1.0 / rate.max(0.001),
            unit_s: raw.time_base().value(),
            zero: opened
                .facts
                .start_time_s
                .map(|start_s| ((start_s + lag_s) / raw.time_base().value()).round() as i64)
                .or(raw.start_time()),
            touched: false,
            reorders: video.has_b_frames > 0,
            untimed: false,
            seen_s: 0.0,
            seen_end: false,
            damaged: 0,
            frames: 0,
            facts: opened.facts.clone(),
            demuxer: &mut opened.demuxer,
        })
    }

    /// Its facts, with the length put right once it was seen.
    pub fn facts(&self) -> &MediaFacts {
        &self.facts
    }

    /// Key frames turned out not to say when they are shown.
    pub fn is_untimed(&self) -> bool {
        self.untimed
    }

    /// The index, if it covers the stream. Matroska and ASF read theirs only when somebody seeks. What streams have
    /// is no index but the places where a probe read, all of them called key frames.
    pub fn usable_index(&mut self) -> Option<KeyIndex> {
        if self.demuxer.may_jump() {
            return None;
        }
        let lazy = ["matroska", "asf"]
            .iter()
            .any(|name| self.demuxer.format_name().contains(name));
        if lazy {
            self.touched = true;
            self.demuxer.seek(self.stream, self.zero.unwrap_or(0)).ok()?;
        }
        KeyIndex::read(self.demuxer, self.stream, self.length_s)
    }

    /// Whoever decodes; `threads` are for libavcodec.
    fn decoder(&self, threads: u32) -> Result<Box<dyn FrameDecoder>, Fault> {
        let Some(elsewhere) = self.elsewhere else {
            return Ok(Box::new(self.own_decoder(threads)?));
        };
        let open = || {
            let (parameters, unit) = self.coded()?;
            elsewhere(&parameters, unit, self.limits)
        };
        open().map_err(|refusal| self.refusal(&refusal))
    }

    fn own_decoder(&self, threads: u32) -> Result<Decoder, Fault> {
        let open = || {
            let (parameters, unit) = self.coded()?;
            Decoder::open(&parameters, unit, threads, self.limits)
        };
        open().map_err(|refusal| self.refusal(&refusal))
    }

    /// What the packets are, and the unit of their times.
    fn coded(&self) -> Result<(Parameters, Ratio), AvError> {
        let stream = self.demuxer.stream(self.stream);
        let stream = stream.ok_or_else(|| AvError::argument("avcodec_open2"))?;
        Ok((stream.parameters()?, stream.time_base()))
    }

    fn refusal(&self, refusal: &AvError) -> Fault {
        match self.demuxer.watch().trouble() {
            Some(trouble) => error::source_unreadable(OPERATION, self.demuxer.name(), trouble),
            None => error::source_refused(OPERATION, self.demuxer.name(), refusal),
        }
    }

    /// Carries out one job with an index.
    pub fn by_seeking(
        &mut self,
        job: &mut Job,
        keys: KeyIndex,
        report: &mut dyn FnMut(usize, u64) -> bool,
    ) -> Result<(), Setback> {
        self.touched = true;
        let (unit_s, zero) = (self.unit_s, self.zero.unwrap_or(0));
        let units = |moment_s: f64| zero as f64 + moment_s / unit_s;
        let moments: Vec<f64> = job.moments_s().iter().map(|moment_s| units(*moment_s)).collect();
        let shared = job.wants_own_frames() && keys.is_shared(&moments);
        if job.is_intra() && (shared || keys.serves_poorly(&moments, keys.units(FAR_FROM_KEY_S))) {
            job.make_exact();
        }
        // Key frames are decoded side by side; the way to exact frames is one stream of them.
        let is_ours = self.elsewhere.is_none();
        let lanes = is_ours && job.is_intra() && !job.minds_black() && moments.len() > 2 && self.threads > 1;
        let lanes: Result<Vec<Decoder>, Fault> = (0..if lanes { self.threads } else { 0 })
            .map(|_| self.own_decoder(1))
            .collect();
        let lanes = lanes.map_err(Setback::Fault)?;
        let threads = if job.is_intra() { 1 } else { self.threads };
        let mut decoder = self.decoder(threads).map_err(Setback::Fault)?;
        let name = self.demuxer.name().to_owned();
        let watch = self.demuxer.watch();
        let trouble = |refusal: AvError| match watch.trouble() {
            Some(trouble) => Setback::Fault(error::source_unreadable(OPERATION, &name, trouble)),
            None if refusal.is_device() => Setback::Fault(error::source_refused(OPERATION, &name, &refusal)),
            None => Setback::Index,
        };
        let reorders = self.reorders;
        let (mut found, mut ahead_frames) = (false, 0);
        let mut seeker = FrameSeeker::new(self.demuxer, &mut *decoder, self.stream, keys);
        let painter = &mut self.painter;
        let mut paint = |frame: &Arc<Frame>, fit: Fit| painter.image(frame, fit);
        let seconds = |shown: &ShownFrame| (shown.pts - zero) as f64 * unit_s;
        std::thread::scope(|scope| {
            let mut ahead = (!lanes.is_empty()).then(|| KeysAhead::new(KeyDecoders::start(scope, lanes)));
            while let Some(moment_s) = job.pending_s().filter(|_| !job.is_done()) {
                let moment = units(moment_s);
                let (key, mut shown) = match &mut ahead {
                    Some(ahead) => (None, ahead.next(&mut seeker, &moments).map_err(trouble)?),
                    None if job.is_intra() => seeker.key_frame_at(moment).map_err(trouble)?.unzip(),
                    None => (None, None),
                };
                if reorders && seeker.has_untimed_keys() {
                    return Err(Setback::Untimed);
                }
                // What is shown when a clip begins is the very frame, where its key frame is cut away.
                if shown.as_ref().is_none_or(|shown| job.is_too_early(seconds(shown))) {
                    shown = seeker.frame_at(moment).map_err(trouble)?;
                }
                match shown {
                    Some(shown) => {
                        found = true;
                        job.offer(seconds(&shown), shown.frame, &mut paint);
                        job.settle_next(&mut paint);
                    }
                    None => job.miss_next(),
                }
                bright_search::go_on(job, &mut seeker, key, moment_s, &units, &seconds, &mut paint).map_err(trouble)?;
                if let Some(ahead) = &ahead {
                    ahead_frames = ahead.decoders().frames();
                }
                if !report(job.decided(), seeker.frames() + ahead_frames) {
                    return Err(Setback::Fault(error::stopped(OPERATION, &name)));
                }
            }
            Ok(())
        })?;
        let damaged = seeker.damaged();
        self.frames = decoder.frames() + ahead_frames;
        // What was damaged on the way there is no matter of the pictures.
        self.damaged = damaged + job.missed() as u64;
        if found || job.is_done() {
            Ok(())
        } else {
            Err(Setback::Index)
        }
    }

    /// After all frames went by: whether the source had claimed a length far beyond them. The facts are right then.
    pub fn put_length_right(&mut self) -> bool {
        let said_s = Timeline::of(&self.facts).span.duration_s;
        if !self.seen_end || !said_s.is_some_and(|said_s| is_overlong(said_s, self.seen_s)) {
            return false;
        }
        let has_sound = self.facts.main_audio().is_some();
        if let Some(stream) = self.facts.streams.get_mut(self.stream) {
            stream.duration_s = Some(self.seen_s);
        }
        if !has_sound {
            self.facts.duration_s = Some(self.seen_s);
        }
        self.length_s = Some(self.seen_s);
        true
    }

    /// Goes back to the first frame.
    fn rewind(&mut self) -> Result<(), AvError> {
        // Transport streams are searched by time to somewhere near it, which may be behind the first key frame.
        if self.demuxer.may_jump() && self.demuxer.seek_byte(0).is_ok() {
            return Ok(());
        }
        let start = self.zero.unwrap_or(0);
        self.demuxer
            .seek(self.stream, start)
            .or_else(|_| self.demuxer.seek_byte(0))
    }

    /// Reads the file from its start for all these jobs.
    pub fn in_order(&mut self, jobs: &mut [&mut Job], on_progress: &mut OnProgress<'_>) -> Result<(), Fault> {
        for job in jobs.iter_mut().filter(|job| job.is_lone() && job.begins_late()) {
            // The next key frame may be far.
            job.make_exact();
        }
        let keys_only = jobs.iter().all(|job| job.is_intra());
        if !keys_only {
            // Every frame is decoded anyway: nobody need be content with key frames.
            jobs.iter_mut().for_each(|job| job.make_exact());
        }
        self.demuxer.keep_only(&[self.stream]);
        if keys_only {
            self.demuxer.keep_keys_only(self.stream);
        }
        if std::mem::replace(&mut self.touched, true) {
            self.rewind().map_err(|refusal| self.refusal(&refusal))?;
        }
        let mut decoder = self.decoder(self.threads)?;
        decoder.decode_only(if keys_only { Decode::Keys } else { Decode::All });
        // Without what lies between them, key frames are no stream that every decoder follows.
        let is_alone = keys_only && self.elsewhere.is_some();
        let mut clock = Clock::new(self.zero, self.unit_s, self.frame_s);
        let mut more = true;
        while more && jobs.iter().any(|job| !job.is_done()) {
            let mut packet = Packet::new().map_err(|refusal| self.refusal(&refusal))?;
            more = self
                .demuxer
                .read(&mut packet)
                .map_err(|refusal| self.refusal(&refusal))?;
            if more && packet.stream_index() != self.stream {
                continue;
            }
            if keys_only && self.reorders && more && packet.is_key() && packet.pts().is_none() {
                // Its time of decoding is all there is, and only the frames around it tell when it is shown.
                self.untimed = true;
                break;
            }
            let packet = more.then_some(&packet);
            let shown = decode_next(&mut *decoder, packet, is_alone).map_err(|refusal| self.refusal(&refusal))?;
            for (pts, frame) in shown {
                let frame_s = clock.time(pts);
                self.seen_s = self.seen_s.max(frame_s + self.frame_s);
                for job in jobs.iter_mut() {
                    if keys_only && job.is_too_early(frame_s) {
                        continue;
                    }
                    job.offer(frame_s, Arc::clone(&frame), &mut |frame, fit| {
                        self.painter.image(frame, fit)
                    });
                }
                let share = self
                    .length_s
                    .map_or(0.0, |length_s| (frame_s / length_s).clamp(0.0, 1.0));
                if !on_progress(share, decoder.frames()) {
                    return Err(error::stopped(OPERATION, self.demuxer.name()));
                }
            }
        }
        // The last key frame says nothing of the frames after it.
        self.seen_end = !more && !keys_only;
        for job in jobs {
            job.settle_all(&mut |frame, fit| self.painter.image(frame, fit));
        }
        self.frames = decoder.frames();
        self.damaged = decoder.damaged_frames() + decoder.refused_packets();
        Ok(())
    }

    /// The end of a job whose frames have all gone by.
    pub fn end(&mut self, mut job: Job) -> JobEnd {
        let seen = self.frames + self.damaged;
        let percent = 100.0 * self.damaged as f64 / seen.max(1) as f64;
        // One bad frame among few is no pattern yet, as long as there is a good one.
        if percent > self.limits.max_damaged_percent && (self.damaged > 1 || self.frames == 0) {
            job.fail(error::source_damaged(
                OPERATION,
                self.demuxer.name(),
                format!(
                    "{} of {seen} frames decoded for pictures are damaged ({percent:.1} %)",
                    self.damaged
                ),
                About::Video,
            ));
        } else if self.damaged > 0 {
            job.warn(format!(
                "{} of {seen} frames decoded for pictures are damaged",
                self.damaged
            ));
        }
        job.finish(&mut |frame, fit| self.painter.image(frame, fit))
    }
}
