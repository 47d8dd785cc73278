//! Workflow definitions as people write them: read, written and read again, and resolved.
#![no_main]
use libfuzzer_sys::fuzz_target;
use reelmill::workflow::definition::Definition;
use reelmill::workflow::resolve::resolve;
use reelmill::workflow::template::Templates;

fuzz_target!(|text: &str| {
    if let Ok(definition) = Definition::from_toml(text) {
        let again = definition.to_toml();
        Definition::from_toml(&again).expect("its own writing is read");
        let _ = resolve(&definition, &Templates::shipped());
    }
    let _ = Definition::from_json(text);
});
