//! Storages that outputs go to: full, read-only, not there.

use crate::appliance::Appliance;
use crate::ground::Ext4;
use crate::ground::Mounted;
use crate::ground::permitted;
use crate::house::House;
use crate::house::write;
use std::path::Path;

fn copy(storage: &str) -> String {
    format!(
        "name = \"copies\"\n[source]\nstorage = \"ingest\"\nprefix = \"in/\"\nextensions = [\"*\"]\n[output]\nstorage = \"{storage}\"\n\
         [[activity]]\nid = \"keep\"\ntype = \"copy\"\nstorage = \"{storage}\"\nprefix = \"kept/\"\n"
    )
}

/// Waits until the daemon complains in these words.
fn until_told(appliance: &Appliance, words: &str) {
    appliance.until(&format!("{words:?} to be told"), || {
        appliance.log().contains(words).then_some(())
    });
}

fn until_succeeded(appliance: &Appliance) {
    appliance.until("the task to succeed", || {
        let tasks = appliance.tasks();
        (tasks.first()?["status"] == "Succeed").then_some(())
    });
}

fn outside_of_staging(root: &Path) -> Vec<String> {
    let files = crate::appliance::files_beneath(root);
    files
        .into_iter()
        .filter(|file| !file.starts_with(".reelmill/"))
        .collect()
}

#[test]
fn a_full_and_a_read_only_disk_leave_nothing_half_done_and_heal() {
    if !permitted(&["mkfs.ext4", "mount"]) {
        return;
    }
    let mut appliance = Appliance::new("");
    appliance.workflow_file("copies", &copy("renditions"));
    let target = appliance.path("renditions");
    let disk = Ext4::mount(&appliance.path("image"), &target, 8);
    let filler = target.join("filler");
    let mut file = std::fs::File::create(&filler).expect("made");
    while std::io::Write::write_all(&mut file, &[7; 4096]).is_ok() {}
    drop(file);
    appliance.start();
    let film = vec![42; 3 << 20];
    std::fs::create_dir(appliance.path("ingest/in")).expect("made");
    std::fs::write(appliance.path("ingest/in/film.bin"), &film).expect("written");
    until_told(&appliance, "no space left on device");
    assert_eq!(
        outside_of_staging(&target),
        ["filler", "lost+found"].map(str::to_owned)[..1]
    );
    std::fs::remove_file(&filler).expect("removed");
    until_succeeded(&appliance);
    assert!(std::fs::read(target.join("kept/in/film.bin")).expect("there") == film);

    disk.remount("ro");
    std::fs::write(appliance.path("ingest/in/second.bin"), "second").expect("written");
    until_told(&appliance, "read-only file system");
    assert!(!target.join("kept/in/second.bin").exists());
    disk.remount("rw");
    until_succeeded(&appliance);
    assert_eq!(
        std::fs::read(target.join("kept/in/second.bin")).expect("there"),
        b"second"
    );
}

/// Where a share was there is a folder of this host, which takes whatever is written into it.
#[test]
fn nothing_is_written_into_the_hole_that_a_share_leaves() {
    if !permitted(&["bindfs", "fusermount"]) {
        return;
    }
    let mut house = House::new("watch = \"off\"");
    house.appliance.workflow_file("copies", &copy("nas"));
    let mut nas = Mounted::bindfs(&house.behind(), &house.at(), &[]);
    house.appliance.start();
    house.until_status("available");
    write(&house.appliance.path("ingest/in/a.bin"), "first");
    house.appliance.ended_tasks(2);
    assert!(house.behind().join("kept/in/a.bin").exists());

    nas.unmount();
    drop(nas);
    write(&house.appliance.path("ingest/in/b.bin"), "second");
    house.appliance.until("the copy to be refused", || {
        let tasks = house.appliance.tasks();
        tasks
            .iter()
            .map(|task| {
                house
                    .appliance
                    .get(&format!("/api/v1/tasks/{}", task["id"].as_str().expect("an id")))
            })
            .any(|task| task.to_string().contains("StorageOffline"))
            .then_some(())
    });
    house.until_status("frozen");
    assert_eq!(crate::appliance::files_beneath(&house.at()), Vec::<String>::new());
    let _nas = Mounted::bindfs(&house.behind(), &house.at(), &[]);
    house.appliance.until("the copy to be made", || {
        house.behind().join("kept/in/b.bin").exists().then_some(())
    });
    house.until_status("available");
}
