//! Shares that vanish and come back, folders that lose most of what was in them.

use crate::ground::Mounted;
use crate::ground::is_mounted;
use crate::ground::kill;
use crate::ground::permitted;
use crate::ground::sshfs_permitted;
use crate::ground::until;
use crate::house::House;
use crate::house::noop;
use crate::house::write;

#[test]
fn what_another_host_writes_is_found_by_polling() {
    if !permitted(&["bindfs", "fusermount"]) {
        return;
    }
    let mut house = House::new("");
    let _nas = Mounted::bindfs(&house.behind(), &house.at(), &[]);
    house.appliance.start();
    house.until_watched();
    let storage = house.storage();
    assert_eq!(
        (&storage["watch"], &storage["file_system"]),
        (&"poll".into(), &"fuse".into())
    );
    write(&house.behind().join("day/a.bin"), "from elsewhere");
    house.until_ran(&["nas:day/a.bin"]);
}

/// The trap: the server of a share dies, sshfs ends, and where the share was there is an empty folder of this host.
#[test]
fn an_sftp_share_whose_server_dies_freezes_and_thaws_and_runs_nothing_again() {
    if !sshfs_permitted() {
        return;
    }
    let mut house = House::new("");
    write(&house.behind().join("old.bin"), "was there");
    let pid = house.place.path().join("server");
    let mut nas = Mounted::sshfs(&house.behind(), &house.at(), &pid);
    house.appliance.start();
    house.until_watched();
    write(&house.behind().join("a.bin"), "first");
    house.until_ran(&["nas:a.bin"]);

    let server = std::fs::read_to_string(&pid)
        .expect("its id")
        .trim()
        .parse()
        .expect("a number");
    kill(server, "KILL");
    nas.ended();
    until("the share to be gone", || !is_mounted(&house.at()));
    let frozen = house.until_status("frozen");
    let why = frozen["why"].as_str().expect("a reason");
    assert!(why.contains("fuse.sshfs"), "{why}");
    house.appliance.until("the alert", || {
        house.alerts().contains(&"StorageFrozen".to_owned()).then_some(())
    });
    // What somebody puts into the hole is not of the storage.
    write(&house.at().join("stray.bin"), "into the hole");
    let explained = house.explain("stray.bin");
    assert!(
        explained["explanation"]
            .as_str()
            .is_some_and(|said| said.contains("is triggered now")),
        "{explained:#}"
    );
    std::fs::remove_file(house.at().join("stray.bin")).expect("removed");
    // Nothing is forgotten by a restart in between.
    assert!(house.appliance.stop().success());
    house.appliance.start();
    house.until_status("frozen");

    let _nas = Mounted::sshfs(&house.behind(), &house.at(), &pid);
    house.until_status("available");
    house.until_scanned();
    write(&house.behind().join("b.bin"), "second");
    house.until_ran(&["nas:a.bin", "nas:b.bin"]);
    house
        .appliance
        .until("the alert to end", || house.alerts().is_empty().then_some(()));
}

#[test]
fn a_share_unmounted_in_the_middle_of_its_first_scan_is_scanned_again() {
    if !permitted(&["bindfs", "fusermount"]) {
        return;
    }
    const FILES: usize = 30_000;
    let mut house = House::new("");
    for at in 0..FILES {
        let folder = house.behind().join((at / 300).to_string());
        if at % 300 == 0 {
            std::fs::create_dir(&folder).expect("made");
        }
        std::fs::File::create(folder.join(format!("{at}.bin"))).expect("made");
    }
    let mut nas = Mounted::bindfs(&house.behind(), &house.at(), &[]);
    house.appliance.start();
    house.appliance.until("the scan to be on its way", || {
        let storage = house.storage();
        let scan = &storage["scan"];
        assert!(storage["last_scan_at"].is_null(), "too fast for this test: {storage:#}");
        (scan["found"].as_u64()? > 1_000 && scan["first"] == true).then(|| assert_eq!(storage["status"], "scanning"))
    });
    nas.unmount();
    house.until_status("frozen");
    assert!(house.storage()["last_scan_at"].is_null());
    drop(nas);
    let _nas = Mounted::bindfs(&house.behind(), &house.at(), &[]);
    house.until_watched();
    write(&house.behind().join("7/new.bin"), "new");
    house.until_ran(&["nas:7/new.bin"]);
    assert_eq!(house.storage()["objects"], FILES + 1);
}

/// Nobody takes away most of what was there, unless somebody says so, or we did.
#[test]
fn a_mass_disappearance_freezes_until_it_is_back_or_meant() {
    let mut house = House::new("");
    for at in 0..30 {
        write(&house.at().join(format!("old/{at}.bin")), "was there");
    }
    house.appliance.start();
    house.until_watched();
    write(&house.at().join("a.bin"), "first");
    house.until_ran(&["nas:a.bin"]);

    let (old, away) = (house.at().join("old"), house.place.path().join("away"));
    std::fs::rename(&old, &away).expect("renamed");
    let frozen = house.until_status("frozen");
    assert!(
        frozen["why"]
            .as_str()
            .is_some_and(|why| why.contains("most of its objects are gone")),
        "{frozen:#}"
    );
    // A doubt survives the daemon.
    assert!(house.appliance.stop().success());
    house.appliance.start();
    house.until_status("frozen");
    std::fs::rename(&away, &old).expect("renamed");
    house.until_status("available");
    house.until_scanned();

    std::fs::rename(&old, &away).expect("renamed");
    house.until_status("frozen");
    let output = house.appliance.cli(&["storage", "thaw", "nas"]);
    assert!(output.status.success(), "{}", crate::appliance::said(&output));
    house.until_status("available");
    house.until_scanned();
    write(&house.at().join("b.bin"), "second");
    house.until_ran(&["nas:a.bin", "nas:b.bin"]);
    let explained = house.explain("old/3.bin");
    assert!(!explained["gone_at"].is_null(), "{explained:#}");
    // What was said once needs not to be said again.
    assert!(house.appliance.stop().success());
    house.appliance.start();
    house.until_watched();
    house.until_scanned();
    assert_eq!(house.storage()["status"], "available");
    assert_eq!(house.post("/api/v1/storages/nas/thaw").status, 409);
}

#[test]
fn what_our_own_rules_and_deletions_take_away_raises_no_doubt() {
    const FILES: usize = 24;
    let mut house = House::new("");
    house
        .appliance
        .workflow_file("nas", &noop("nas", "nas", "after = \"delete\""));
    house.appliance.start();
    house.until_watched();
    for at in 0..FILES {
        write(&house.at().join(format!("{at}.bin")), &format!("file {at}"));
    }
    house.appliance.until("every source to be deleted", || {
        let left = std::fs::read_dir(house.at()).expect("readable").count();
        (left == 0 && house.appliance.tasks().len() == FILES).then_some(())
    });
    house.until_scanned();
    assert_eq!(house.storage()["status"], "available", "{:#}", house.storage());

    // The same by a user's word, through the API.
    house.appliance.stop();
    house.appliance.workflow_file("nas", &noop("nas", "nas", ""));
    house.appliance.start();
    house.until_watched();
    for at in 0..FILES {
        write(&house.at().join(format!("again-{at}.bin")), &format!("file {at}"));
    }
    house.appliance.ended_tasks(2 * FILES);
    let media = house.appliance.get("/api/v1/media?limit=500");
    let ids: Vec<&serde_json::Value> = media["items"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| &one["id"])
        .collect();
    let reply = house.appliance.post(
        "/api/v1/media/delete",
        &serde_json::json!({ "ids": ids, "what": "all" }),
    );
    assert!(reply.status < 300, "{} {}", reply.status, reply.text());
    house.appliance.until("every file to be deleted", || {
        (std::fs::read_dir(house.at()).expect("readable").count() == 0).then_some(())
    });
    house.until_scanned();
    assert_eq!(house.storage()["status"], "available", "{:#}", house.storage());
    assert!(
        !house.appliance.log().contains("the storage is frozen"),
        "{}",
        house.appliance.log()
    );
}

#[test]
fn without_its_sentinel_a_folder_is_not_the_storage() {
    let mut house = House::new("sentinel = \"THIS-IS-NAS\"");
    write(&house.at().join("a.bin"), "was there");
    house.appliance.start();
    let frozen = house.until_status("frozen");
    assert!(
        frozen["why"].as_str().is_some_and(|why| why.contains("THIS-IS-NAS")),
        "{frozen:#}"
    );
    // A thaw cannot make up for it.
    assert_eq!(house.post("/api/v1/storages/nas/thaw").status, 202);
    write(&house.at().join("THIS-IS-NAS"), "yes");
    house.until_status("available");
    house.until_watched();
    write(&house.at().join("b.bin"), "new");
    house.until_ran(&["nas:b.bin"]);
    assert_eq!(house.explain("THIS-IS-NAS")["reasons"][0]["code"], "sentinel");
    std::fs::remove_file(house.at().join("THIS-IS-NAS")).expect("removed");
    house.until_status("frozen");
}
