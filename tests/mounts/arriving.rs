//! Many files at once, with the daemon dying on the way.

use crate::house::House;
use crate::house::write;
use std::collections::BTreeSet;

#[test]
fn thousands_of_files_moved_in_at_once_run_once_each_through_two_deaths() {
    const FILES: usize = 3_000;
    let mut house = House::new("");
    let aside = house.place.path().join("aside");
    for at in 0..FILES {
        write(&aside.join(format!("{}/{at:04}.bin", at / 500)), "x");
    }
    house.appliance.start();
    house.until_watched();
    std::fs::rename(&aside, house.at().join("new")).expect("moved in");
    for _ in 0..2 {
        let before = house.ran_count();
        house.appliance.until("some more to be there", || {
            let now = house.ran_count();
            (now > before + 200 || now == FILES).then_some(())
        });
        house.appliance.kill_9();
        house.appliance.start();
    }
    house
        .appliance
        .until("all to be there", || (house.ran_count() >= FILES).then_some(()));
    house.until_scanned();
    let keys = house.all_ran();
    let each: BTreeSet<&String> = keys.iter().collect();
    assert_eq!((keys.len(), each.len()), (FILES, FILES));
}
