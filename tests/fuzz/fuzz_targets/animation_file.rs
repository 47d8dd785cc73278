//! The reader that proves GIFs: of any bytes it says what they are or what is wrong with them.
#![no_main]
use libfuzzer_sys::fuzz_target;
use reelmill::media::animation_file;
use reelmill::media::spec::AnimationFormat;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(facts) = animation_file::read(bytes, AnimationFormat::Gif) {
        assert!(facts.frames > 0);
    }
    animation_file::webp_repeats_at(bytes);
});
