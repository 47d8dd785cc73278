//! Publishing into folder storages: whole or not at all, again after every crash, and a clear word when it cannot be.

use reelmill::base::ids::AttemptId;
use reelmill::executor::Executor;
use reelmill::executor::Identity;
use reelmill::executor::PublishFile;
use reelmill::executor::local::LocalExecutor;
use reelmill::executor::local::LocalExecutorOptions;
use reelmill::objects::local::Folder;
use reelmill::objects::rights::Rights;
use reelmill::objects::storages::FolderStorage;
use reelmill::objects::storages::Medium;
use reelmill::objects::uri::ObjectUri;
use reelmill::workflow::resolved::AfterRule;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

struct Bench {
    _root: tempfile::TempDir,
    out: PathBuf,
    executor: LocalExecutor,
    attempt: AttemptId,
}

impl Bench {
    fn new() -> Self {
        let root = tempfile::tempdir().expect("a temporary directory");
        let out = root.path().join("out");
        std::fs::create_dir(&out).expect("the output folder");
        Self::into(root, out)
    }

    fn into(root: tempfile::TempDir, out: PathBuf) -> Self {
        let options = LocalExecutorOptions::new(root.path().join("scratch")).with_folder("out", &out);
        let executor = LocalExecutor::new(options);
        let attempt = AttemptId::fresh();
        std::fs::create_dir_all(executor.scratch_dir(&attempt)).expect("the scratch directory");
        Bench {
            _root: root,
            out,
            executor,
            attempt,
        }
    }

    /// A file in scratch that is to become `key`.
    fn made(&self, key: &str, content: &[u8]) -> PublishFile {
        use md5::Digest;
        let scratch_path = key.replace('/', "_");
        std::fs::write(self.executor.scratch_dir(&self.attempt).join(&scratch_path), content)
            .expect("scratch is there");
        PublishFile {
            from: None,
            from_etag: None,
            output: String::new(),
            scratch_path,
            to: ObjectUri::new("out", key),
            size_bytes: content.len() as u64,
            md5: hex::encode(md5::Md5::digest(content)),
            overwrite: false,
        }
    }

    async fn publish(&self, files: &[PublishFile]) -> Result<(), String> {
        let answer = self.executor.publish(&self.attempt, files).await;
        answer
            .map(|stand| assert_eq!(stand.len(), files.len()))
            .map_err(|fault| {
                assert!(!fault.cause.is_empty() && fault.remedy.ends_with('.'), "{fault:?}");
                fault.code
            })
    }

    /// Everything in the output storage, relative, sorted.
    fn tree(&self) -> Vec<String> {
        let mut names: Vec<String> = walkdir::WalkDir::new(&self.out)
            .min_depth(1)
            .into_iter()
            .map(|entry| entry.expect("readable"))
            .filter(|entry| !entry.path().ends_with("lost+found"))
            .map(|entry| {
                let path = entry.path().strip_prefix(&self.out).expect("beneath it");
                path.display().to_string()
            })
            .collect();
        names.sort();
        names
    }
}

#[tokio::test]
async fn a_set_appears_whole_and_leaves_nothing_else() {
    let bench = Bench::new();
    let files = [
        bench.made("clip/hls/seg-1.m4s", b"one"),
        bench.made("clip/hls/seg-2.m4s", b""),
        bench.made("clip/hls.m3u8", b"#EXTM3U"),
    ];
    assert_eq!(bench.publish(&files).await, Ok(()));
    let expected = [
        "clip",
        "clip/hls",
        "clip/hls.m3u8",
        "clip/hls/seg-1.m4s",
        "clip/hls/seg-2.m4s",
    ];
    assert_eq!(bench.tree(), expected);
    assert_eq!(
        std::fs::read(bench.out.join("clip/hls/seg-1.m4s")).expect("it is there"),
        b"one"
    );
    // Again, as after a crash before the store heard of it; scratch may be gone by then.
    std::fs::remove_dir_all(bench.executor.scratch_dir(&bench.attempt)).expect("scratch is removed");
    assert_eq!(bench.publish(&files).await, Ok(()));
    assert_eq!(bench.tree(), expected);
}

#[tokio::test]
async fn a_replay_finishes_from_every_half_way_state() {
    let content = [&b"first"[..], b"second", b"third"];
    // 0: nothing yet, 1: torn copy in staging, 2: whole in staging, 3: under its name.
    for state in 0..64 {
        let states = [state % 4, state / 4 % 4, state / 16];
        let bench = Bench::new();
        let files: Vec<_> = (0..3)
            .map(|at| bench.made(&format!("set/{at}.bin"), content[at]))
            .collect();
        let staging = bench.out.join(".reelmill").join(bench.attempt.as_str());
        for (at, state) in states.into_iter().enumerate() {
            use md5::Digest;
            let staged = staging.join(hex::encode(md5::Md5::digest(files[at].to.key.as_bytes())));
            let (path, bytes) = match state {
                0 => continue,
                1 => (staged, &content[at][..2]),
                2 => (staged, content[at]),
                _ => (bench.out.join(&files[at].to.key), content[at]),
            };
            std::fs::create_dir_all(path.parent().expect("it has one")).expect("it can be made");
            std::fs::write(path, bytes).expect("it can be written");
        }
        assert_eq!(bench.publish(&files).await, Ok(()), "{states:?}");
        assert_eq!(
            bench.tree(),
            ["set", "set/0.bin", "set/1.bin", "set/2.bin"],
            "{states:?}"
        );
        for at in 0..3 {
            let found = std::fs::read(bench.out.join(&files[at].to.key)).expect("it is there");
            assert_eq!(found, content[at], "{states:?}");
        }
    }
}

#[tokio::test]
async fn another_object_is_never_replaced_unasked() {
    let bench = Bench::new();
    std::fs::write(bench.out.join("b.mp4"), b"somebody else's").expect("it can be written");
    let mut files = [bench.made("a.mp4", b"ours"), bench.made("b.mp4", b"ours as well.")];
    assert_eq!(bench.publish(&files).await, Err("OutputTaken".to_owned()));
    assert!(
        !bench.out.join("a.mp4").exists(),
        "the set is named together or not at all"
    );
    assert_eq!(
        std::fs::read(bench.out.join("b.mp4")).expect("it is there"),
        b"somebody else's"
    );
    files[1].overwrite = true;
    assert_eq!(bench.publish(&files).await, Ok(()));
    assert_eq!(
        std::fs::read(bench.out.join("b.mp4")).expect("it is there"),
        b"ours as well."
    );
    assert_eq!(bench.tree(), ["a.mp4", "b.mp4"]);

    let under_a_file = bench.made("a.mp4/x.mp4", b"x");
    assert_eq!(bench.publish(&[under_a_file]).await, Err("OutputTaken".to_owned()));
    std::fs::create_dir(bench.out.join("folder")).expect("a folder in the way");
    let over_a_folder = bench.made("folder", b"x");
    assert_eq!(bench.publish(&[over_a_folder]).await, Err("OutputTaken".to_owned()));
}

#[tokio::test]
async fn scratch_that_is_not_what_was_proved_is_not_published() {
    let bench = Bench::new();
    let file = bench.made("a.mp4", b"proved");
    let scratch = bench.executor.scratch_dir(&bench.attempt).join("a.mp4");
    std::fs::write(&scratch, b"spoilt").expect("it can be written");
    assert_eq!(
        bench.publish(std::slice::from_ref(&file)).await,
        Err("ScratchLost".to_owned())
    );
    std::fs::remove_file(&scratch).expect("it is there");
    assert_eq!(
        bench.publish(std::slice::from_ref(&file)).await,
        Err("ScratchLost".to_owned())
    );
    // What a worker that was taken over might leave behind.
    std::os::unix::fs::symlink("/etc/passwd", &scratch).expect("a link");
    assert_eq!(
        bench.publish(std::slice::from_ref(&file)).await,
        Err("ScratchLost".to_owned())
    );
    let sideways = PublishFile {
        scratch_path: "../../out/x".to_owned(),
        from: None,
        ..file
    };
    assert_eq!(bench.publish(&[sideways]).await, Err("ScratchLost".to_owned()));
    assert!(
        bench.tree().iter().all(|name| name.starts_with(".reelmill")),
        "{:?}",
        bench.tree()
    );
    bench.executor.discard(&bench.attempt, &["out".to_owned()]).await;
    assert_eq!(bench.tree(), Vec::<String>::new());
}

#[tokio::test]
async fn no_key_leads_out_of_the_storage() {
    let bench = Bench::new();
    std::os::unix::fs::symlink("/tmp", bench.out.join("away")).expect("a link");
    for (key, code) in [
        ("../x.mp4", "KeyInvalid"),
        ("a//x.mp4", "KeyInvalid"),
        ("./x.mp4", "KeyInvalid"),
        (".reelmill/x.mp4", "KeyInvalid"),
        ("away/x.mp4", "PathLeavesStorage"),
    ] {
        let mut file = bench.made("x.mp4", b"x");
        file.to.key = key.to_owned();
        assert_eq!(bench.publish(&[file]).await, Err(code.to_owned()), "{key}");
    }
    let mut file = bench.made("x.mp4", b"x");
    file.to.key = format!("{}.mp4", "x".repeat(300));
    assert_eq!(
        bench.publish(std::slice::from_ref(&file)).await,
        Err("OutputNameTooLong".to_owned())
    );
    file.to.storage = "nowhere".to_owned();
    assert_eq!(bench.publish(&[file]).await, Err("StorageUnknown".to_owned()));
}

#[tokio::test]
async fn names_that_are_no_text_survive() {
    let bench = Bench::new();
    let file = bench.made("caf%E9 100%.mp4", b"x");
    assert_eq!(bench.publish(std::slice::from_ref(&file)).await, Ok(()));
    let name = std::os::unix::ffi::OsStrExt::as_bytes(
        std::fs::read_dir(&bench.out)
            .expect("readable")
            .next()
            .expect("one file")
            .expect("readable")
            .file_name()
            .as_os_str(),
    )
    .to_vec();
    assert_eq!(name, b"caf\xe9 100%.mp4");
    assert!(bench.executor.head(&file.to).await.expect("it can be asked").is_some());
}

#[tokio::test]
async fn a_storage_that_is_gone_is_offline_not_empty() {
    let bench = Bench::new();
    let file = bench.made("x.mp4", b"x");
    std::fs::remove_dir(&bench.out).expect("it is empty");
    assert_eq!(
        bench.publish(std::slice::from_ref(&file)).await,
        Err("StorageOffline".to_owned())
    );
    let fault = bench.executor.head(&file.to).await.expect_err("nothing can be said");
    assert_eq!((fault.code.as_str(), fault.retryable), ("StorageOffline", true));
}

#[tokio::test]
async fn a_sweep_removes_what_dead_attempts_left() {
    let bench = Bench::new();
    let dead = AttemptId::fresh();
    for attempt in [&bench.attempt, &dead] {
        let staging = bench.out.join(".reelmill").join(attempt.as_str());
        std::fs::create_dir_all(&staging).expect("it can be made");
        std::fs::write(staging.join("half"), b"x").expect("it can be written");
    }
    bench.executor.sweep(std::slice::from_ref(&bench.attempt)).await;
    assert!(
        bench
            .out
            .join(".reelmill")
            .join(bench.attempt.as_str())
            .join("half")
            .exists()
    );
    assert!(!bench.out.join(".reelmill").join(dead.as_str()).exists());
    bench.executor.sweep(&[]).await;
    assert_eq!(bench.tree(), Vec::<String>::new());
    assert!(!bench.executor.scratch_dir(&bench.attempt).exists());
}

#[tokio::test]
async fn the_after_rule_touches_only_what_was_processed() {
    let bench = Bench::new();
    let source = ObjectUri::new("out", "in/clip.mp4");
    let put = |content: &[u8]| {
        std::fs::create_dir_all(bench.out.join("in")).expect("it can be made");
        std::fs::write(bench.out.join("in/clip.mp4"), content).expect("it can be written");
    };
    let identity = || async {
        bench
            .executor
            .head(&source)
            .await
            .expect("it can be asked")
            .expect("it is there")
    };
    let moving = AfterRule::Move("done/".to_owned());
    for expected in ["done/in/clip.mp4", "done/in/clip-2.mp4"] {
        put(b"source");
        let then = identity().await;
        // Twice, as after a crash.
        for _ in 0..2 {
            assert_eq!(bench.executor.after(&source, &then, &moving).await, Ok(()));
        }
        assert!(bench.out.join(expected).exists(), "{expected}: {:?}", bench.tree());
        assert!(!bench.out.join("in/clip.mp4").exists());
    }
    put(b"source");
    let then = identity().await;
    let other = Identity {
        mtime_ns: then.mtime_ns - 1,
        ..then.clone()
    };
    for rule in [moving, AfterRule::Delete] {
        let fault = bench
            .executor
            .after(&source, &other, &rule)
            .await
            .expect_err("it is another file");
        assert_eq!((fault.code.as_str(), fault.retryable), ("SourceChanged", false));
        assert!(bench.out.join("in/clip.mp4").exists());
    }
    assert_eq!(bench.executor.after(&source, &then, &AfterRule::Delete).await, Ok(()));
    assert!(!bench.out.join("in/clip.mp4").exists());
    assert_eq!(bench.executor.after(&source, &then, &AfterRule::Delete).await, Ok(()));
}

#[test]
fn links_inside_a_storage_are_followed_and_others_are_not() {
    let root = tempfile::tempdir().expect("a temporary directory");
    let folder = Folder::new("in", root.path());
    std::fs::write(root.path().join("a.mp4"), b"x").expect("it can be written");
    std::os::unix::fs::symlink("a.mp4", root.path().join("near.mp4")).expect("a link");
    std::os::unix::fs::symlink("/etc/passwd", root.path().join("far.mp4")).expect("a link");
    assert!(folder.open("near.mp4").is_ok());
    let fault = folder.open("far.mp4").expect_err("it leads out");
    assert_eq!(fault.code, "PathLeavesStorage");
    assert_eq!(
        folder.open("none.mp4").expect_err("it is not there").code,
        "SourceVanished"
    );
    let empty = tempfile::tempdir().expect("a temporary directory");
    let fault = Folder::new("nas", empty.path())
        .open("a.mp4")
        .expect_err("nothing is there");
    assert_eq!((fault.code.as_str(), fault.retryable), ("StorageOffline", true));
}

/// A small ext4 file system on a loop device; none: this user may not mount.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(root: &Path) -> Option<Self> {
        let (image, point) = (root.join("disk.img"), root.join("disk"));
        std::fs::File::create(&image)
            .and_then(|file| file.set_len(16 << 20))
            .expect("an image");
        std::fs::create_dir(&point).expect("a mount point");
        let ran = |command: &mut Command| command.output().is_ok_and(|output| output.status.success());
        let made = ran(Command::new("mkfs.ext4").arg("-q").arg(&image))
            && ran(Command::new("mount").arg("-o").arg("loop").arg(&image).arg(&point));
        if !made {
            println!("skipped: no loop mounts for this user");
        }
        made.then_some(SmallDisk(point))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[tokio::test]
async fn a_full_disk_names_nothing_and_keeps_nothing() {
    let root = tempfile::tempdir().expect("a temporary directory");
    let Some(disk) = SmallDisk::mount(root.path()) else {
        return;
    };
    let bench = Bench::into(root, disk.0.clone());
    let files = [
        bench.made("small.mp4", &[1; 4096]),
        bench.made("large.mp4", &vec![2; 64 << 20]),
    ];
    assert_eq!(bench.publish(&files).await, Err("OutputDiskFull".to_owned()));
    assert_eq!(bench.tree(), Vec::<String>::new());
    // Room was made.
    let small = &files[..1];
    assert_eq!(bench.publish(small).await, Ok(()));
    assert_eq!(bench.tree(), ["small.mp4"]);
}

#[tokio::test]
async fn a_read_only_storage_says_so() {
    let root = tempfile::tempdir().expect("a temporary directory");
    let Some(disk) = SmallDisk::mount(root.path()) else {
        return;
    };
    let remounted = Command::new("mount").args(["-o", "remount,ro"]).arg(&disk.0).status();
    assert!(remounted.expect("mount runs").success());
    let bench = Bench::into(root, disk.0.clone());
    let file = bench.made("a.mp4", b"x");
    let fault = bench
        .executor
        .publish(&bench.attempt, std::slice::from_ref(&file))
        .await
        .expect_err("it cannot be written");
    assert_eq!((fault.code.as_str(), fault.retryable), ("OutputNotWritable", true));
    assert!(fault.remedy.contains("read-write"), "{fault}");
    assert!(fault.subject.contains("a.mp4"), "{fault}");
}

#[tokio::test]
async fn modes_are_those_of_the_storage() {
    let root = tempfile::tempdir().expect("a temporary directory");
    let out = root.path().join("out");
    std::fs::create_dir(&out).expect("the output folder");
    let options = LocalExecutorOptions::new(root.path().join("scratch"));
    let folder = Folder::new("out", &out).with_rights(Rights {
        file_mode: Some(0o664),
        folder_mode: Some(0o2775),
        group: None,
    });
    options.storages.insert(Medium::Folder(FolderStorage::new(folder)));
    let bench = Bench {
        executor: LocalExecutor::new(options),
        ..Bench::into(root, out)
    };
    std::fs::create_dir_all(bench.executor.scratch_dir(&bench.attempt)).expect("the scratch directory");
    let file = bench.made("deep/a.mp4", b"x");
    assert_eq!(bench.publish(&[file]).await, Ok(()));
    let mode = |path: &str| {
        std::fs::metadata(bench.out.join(path))
            .expect("it is there")
            .permissions()
            .mode()
            & 0o7777
    };
    assert_eq!((mode("deep"), mode("deep/a.mp4")), (0o2775, 0o664));
}
