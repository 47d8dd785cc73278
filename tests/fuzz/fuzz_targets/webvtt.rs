//! The index of a sprite: what is read is written back and read the same.
#![no_main]
use libfuzzer_sys::fuzz_target;
use reelmill::media::webvtt;

fuzz_target!(|text: &str| {
    if let Ok(cues) = webvtt::read(text) {
        webvtt::flaw(&cues);
        let again = webvtt::read(&webvtt::write(&cues, &["a note".to_owned()])).expect("its own writing is read");
        assert_eq!(again, cues);
    }
});
