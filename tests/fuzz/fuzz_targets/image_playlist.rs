//! The image playlist of a sprite: what is read makes a playlist of as many sheets again.
#![no_main]
use libfuzzer_sys::fuzz_target;
use reelmill::media::image_playlist;

fuzz_target!(|text: &str| {
    if let Ok(segments) = image_playlist::read(text) {
        let sizes = vec![u64::MAX; segments.len()];
        image_playlist::bandwidth(&segments, &sizes);
        image_playlist::write(&segments);
    }
});
