//! What a storage says of itself and of its objects.

use crate::appliance::said;
use crate::ground::Mounted;
use crate::ground::permitted;
use crate::house::House;
use crate::house::write;

/// First reason of `key`, and what is said in sentences.
fn reason(house: &House, key: &str) -> (String, String) {
    let told = house.explain(key);
    let code = told["reasons"][0]["code"].as_str().unwrap_or("none").to_owned();
    (code, told["explanation"].as_str().expect("sentences").to_owned())
}

#[test]
fn every_object_is_explained_and_every_storage_says_how_it_is() {
    let mut house = House::new("exclude = [\"*.log\"]");
    std::fs::create_dir(house.at().join("folder")).expect("made");
    write(&house.at().join("old.bin"), "was there");
    house.appliance.start();
    house.until_watched();
    write(&house.at().join("a.bin"), "first");
    house.until_ran(&["nas:a.bin"]);
    for (path, text) in [("b.part", "x"), (".hidden", "x"), ("c.log", "x"), ("empty.bin", "")] {
        write(&house.at().join(path), text);
    }
    std::os::unix::fs::symlink("a.bin", house.at().join("link.bin")).expect("linked");
    std::os::unix::fs::symlink("folder", house.at().join("to-folder")).expect("linked");
    for (key, code) in [
        ("b.part", "ignored"),
        (".hidden", "ignored"),
        ("c.log", "excluded"),
        ("empty.bin", "empty"),
        ("link.bin", "link"),
        ("to-folder/x.bin", "link"),
        ("folder", "folder"),
        ("nowhere.bin", "missing"),
        ("../etc/passwd", "outside"),
    ] {
        let (found, text) = reason(&house, key);
        assert_eq!(found, code, "{key}: {text}");
        assert!(text.ends_with('.'), "{key}: {text}");
    }
    let taken = house.explain("a.bin");
    assert_eq!(taken["state"], "taken");
    assert_eq!(taken["tasks"].as_array().map(Vec::len), Some(1), "{taken:#}");
    let workflows = taken["workflows"].as_array().expect("a list");
    let takes = |name: &str| workflows.iter().any(|one| one["name"] == name && one["takes"] == true);
    assert!(takes("nas") && !takes("ingest"), "{taken:#}");
    let old = house.explain("old.bin");
    assert!(
        old["explanation"]
            .as_str()
            .is_some_and(|text| text.contains("before the storage")),
        "{old:#}"
    );
    // One that is being written settles never, and says so.
    let growing = house.at().join("growing.bin");
    house.appliance.until("a file that grows to be told", || {
        let mut text = std::fs::read_to_string(&growing).unwrap_or_default();
        text.push_str("more ");
        write(&growing, &text);
        let (code, _) = reason(&house, "growing.bin");
        (code == "settling" || code == "growing").then_some(())
    });

    let storage = house.storage();
    assert_eq!(storage["status"], "available");
    assert!(
        storage["free_bytes"].as_u64() > Some(0) && storage["total_bytes"].as_u64() > storage["free_bytes"].as_u64()
    );
    assert!(
        storage["objects"].as_u64() >= Some(2) && storage["backlog"].as_u64() >= Some(1),
        "{storage:#}"
    );
    for (args, word) in [
        (vec!["storage", "list"], "nas"),
        (vec!["storage", "show", "nas"], "free bytes"),
        (vec!["storage", "explain", "nas", "c.log"], "exclude"),
        (vec!["storage", "scan", "nas"], ""),
    ] {
        let output = house.appliance.cli(&args);
        assert!(output.status.success(), "{args:?}: {}", said(&output));
        assert!(
            String::from_utf8_lossy(&output.stdout).contains(word),
            "{args:?}: {}",
            said(&output)
        );
    }
    assert!(!house.appliance.cli(&["storage", "show", "nothing"]).status.success());
}

#[test]
fn a_folder_that_may_not_be_listed_is_told_and_costs_nothing_else() {
    const SOMEBODY: u32 = 65_534;
    if !permitted(&["bindfs", "fusermount", "setpriv"]) {
        return;
    }
    let mut house = House::new("");
    // A mount of another group that lets nobody else in, not even root.
    let (inside, closed) = (house.place.path().join("inside"), house.at().join("closed"));
    write(&inside.join("secret.bin"), "theirs");
    std::fs::create_dir(&closed).expect("made");
    let theirs = Mounted::bindfs_of(SOMEBODY, &inside, &closed);
    assert!(std::fs::read_dir(&closed).is_err(), "nobody else may look");
    house.appliance.start();
    house.until_watched();
    let note = house.storage()["note"].clone();
    assert!(note.as_str().is_some_and(|note| note.contains("closed")), "{note}");
    write(&house.at().join("a.bin"), "first");
    house.until_ran(&["nas:a.bin"]);
    let told = house.explain("closed/secret.bin");
    assert_eq!(told["reasons"][0]["code"], "unreadable", "{told:#}");
    drop(theirs);
    write(&closed.join("b.bin"), "second");
    house.until_ran(&["nas:a.bin", "nas:closed/b.bin"]);
    house
        .appliance
        .until("the note to go", || house.storage()["note"].is_null().then_some(()));
}
