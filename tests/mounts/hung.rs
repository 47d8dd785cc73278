//! A share that hangs, as a NAS does that was switched off.

use crate::ground::Mounted;
use crate::ground::permitted;
use crate::house::House;
use crate::house::write;

#[test]
fn a_hung_share_holds_up_nobody_else_and_heals() {
    if !permitted(&["bindfs", "fusermount"]) {
        return;
    }
    let mut house = House::new("");
    let nas = Mounted::bindfs(&house.behind(), &house.at(), &["-o", "attr_timeout=0,entry_timeout=0"]);
    house.appliance.start();
    house.until_watched();
    write(&house.behind().join("a.bin"), "first");
    house.until_ran(&["nas:a.bin"]);
    nas.signal("STOP");
    write(&house.appliance.path("ingest/meanwhile.bin"), "elsewhere");
    house.until_ran(&["ingest:meanwhile.bin", "nas:a.bin"]);
    let silent = house.until_status("unavailable");
    assert!(
        silent["why"].as_str().is_some_and(|why| why.contains("no answer")),
        "{silent:#}"
    );
    house.appliance.until("the alert", || {
        house.alerts().contains(&"StorageUnreachable".to_owned()).then_some(())
    });
    // Asking about one of its objects is answered.
    let explained = house.explain("a.bin");
    assert_eq!(explained["state"], "taken", "{explained:#}");
    let codes: Vec<_> = explained["reasons"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|reason| &reason["code"])
        .collect();
    assert!(codes.contains(&&"not_answering".into()), "{explained:#}");
    write(&house.appliance.path("ingest/still.bin"), "elsewhere");
    house.until_ran(&["ingest:meanwhile.bin", "ingest:still.bin", "nas:a.bin"]);

    nas.signal("CONT");
    house.until_status("available");
    write(&house.behind().join("b.bin"), "second");
    house.until_ran(&["ingest:meanwhile.bin", "ingest:still.bin", "nas:a.bin", "nas:b.bin"]);
    house
        .appliance
        .until("the alert to end", || house.alerts().is_empty().then_some(()));

    nas.signal("STOP");
    house.until_status("unavailable");
    assert!(house.appliance.stop().success());
    assert!(
        !house.appliance.log().contains("is left behind"),
        "no part waited for the mount:\n{}",
        house.appliance.log()
    );

    // It starts without it, too.
    house.appliance.start();
    write(&house.appliance.path("ingest/after.bin"), "elsewhere");
    house.appliance.until("the other storage to go on", || {
        house.ran().contains(&"ingest:after.bin".to_owned()).then_some(())
    });
    nas.signal("CONT");
    house.until_status("available");
    write(&house.behind().join("c.bin"), "third");
    house.appliance.until("it to go on", || {
        house.ran().contains(&"nas:c.bin".to_owned()).then_some(())
    });
    assert_eq!(house.ran().len(), 6, "nothing ran twice: {:?}", house.ran());
}
