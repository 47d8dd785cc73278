//! The lines between a daemon and its workers: what is understood says the same when it is said again.
#![no_main]
use libfuzzer_sys::fuzz_target;
use reelmill::media::spec_check;
use reelmill::worker::protocol::Message;
use reelmill::worker::protocol::Order;

fuzz_target!(|line: &[u8]| {
    if let Ok(order) = serde_json::from_slice::<Order>(line) {
        for job in &order.jobs {
            spec_check::check(&job.work);
        }
        let again = serde_json::to_vec(&order).expect("an order is JSON");
        let again: Order = serde_json::from_slice(&again).expect("its own writing is read");
        assert_eq!(again.jobs.len(), order.jobs.len());
    }
    if let Ok(message) = serde_json::from_slice::<Message>(line) {
        let again = serde_json::to_vec(&message).expect("a message is JSON");
        serde_json::from_slice::<Message>(&again).expect("its own writing is read");
    }
});
