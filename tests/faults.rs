//! Does every bad input and every ill storage end with the right fault, and the daemon alive? Through the real binary.

mod appliance;

use appliance::Appliance;
use appliance::clips;
use appliance::receiver::Receiver;
use appliance::reelmill;
use appliance::said;
use appliance::workflows;
use serde_json::Value;
use serde_json::json;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

fn appliance(extra: &str) -> Appliance {
    let mut appliance = Appliance::new(extra);
    appliance.workflow_file("small", &workflows::small("small"));
    appliance.start();
    appliance
}

/// The fault of a job, which must name operation, subject, cause and remedy.
fn fault<'a>(task: &'a Value, activity: &str) -> &'a Value {
    let fault = &job(task, activity)["fault"];
    for field in ["operation", "subject", "cause", "remedy"] {
        let text = fault[field].as_str().unwrap_or_default();
        assert!(text.len() > 2, "the fault of {activity} lacks its {field}: {fault:#}");
    }
    fault
}

fn job<'a>(task: &'a Value, activity: &str) -> &'a Value {
    task["jobs"]
        .as_array()
        .and_then(|jobs| jobs.iter().find(|job| job["activity"] == activity))
        .unwrap_or_else(|| panic!("no job {activity} in {task:#}"))
}

/// Delivers bytes and returns the one task they made, ended.
fn run_bytes(appliance: &Appliance, key: &str, bytes: &[u8]) -> Value {
    let path = appliance.path("made-here");
    std::fs::write(&path, bytes).expect("the file is written");
    let before = appliance.tasks().len();
    appliance.deliver(&path, key);
    appliance.ended_tasks(before + 1).remove(0)
}

fn nothing_published(appliance: &Appliance) {
    assert_eq!(
        appliance.files("renditions"),
        Vec::<String>::new(),
        "nothing may stand in the output storage"
    );
}

/// A copy of the short clip whose `moov` stands at its end and is cut off.
fn without_moov() -> Vec<u8> {
    let clip = clips::made(
        "moov-last.mp4",
        &[
            "-f",
            "lavfi",
            "-i",
            "testsrc2=size=320x240:rate=25:duration=3",
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
        ],
    );
    let bytes = std::fs::read(clip).expect("the clip is readable");
    let moov = bytes
        .windows(4)
        .rposition(|window| window == b"moov")
        .expect("an MP4 has a moov");
    bytes[..moov - 4].to_vec()
}

#[test]
fn files_that_are_no_media_fail_with_their_reason() {
    let mut appliance = appliance("");
    for (key, bytes, code) in [
        (
            "letter.mp4",
            b"Dear sir, this is not a film. ".repeat(2_000),
            "SourceNotMedia",
        ),
        ("no-moov.mp4", without_moov(), "SourceTruncated"),
    ] {
        let task = run_bytes(&appliance, key, &bytes);
        assert_eq!(task["status"], "Failed", "{task:#}");
        let fault = fault(&task, "ladder");
        assert_eq!(fault["code"], code, "{fault:#}");
        assert_eq!(fault["retryable"], false, "the same bytes cannot succeed: {fault:#}");
        assert!(fault["subject"].as_str().unwrap_or_default().contains(key), "{fault:#}");
    }
    nothing_published(&appliance);
    assert!(appliance.is_running());
}

#[test]
fn a_clip_cut_in_its_middle_is_never_a_short_success() {
    let mut appliance = appliance("");
    let bytes = std::fs::read(clips::short()).expect("the clip is readable");
    let task = run_bytes(&appliance, "cut.mp4", &bytes[..bytes.len() / 2]);
    assert_eq!(task["status"], "Failed", "{task:#}");
    assert_eq!(fault(&task, "ladder")["code"], "SourceTruncated", "{task:#}");
    nothing_published(&appliance);
    assert!(appliance.is_running());
}

#[test]
fn an_empty_file_waits_in_the_folder_and_fails_when_asked_for_by_hand() {
    let appliance = appliance("");
    std::fs::write(appliance.path("ingest/empty.mp4"), b"").expect("the file is written");
    appliance.deliver(&clips::silent(), "after.mp4");
    let tasks = appliance.ended_tasks(1);
    assert!(
        tasks[0].to_string().contains("after.mp4"),
        "only the file with content runs by itself: {tasks:#?}"
    );
    let reply = appliance.post(
        "/api/v1/tasks",
        &json!({"workflow": "small", "object": "ingest:empty.mp4"}),
    );
    if reply.status < 300 {
        let task = appliance.ended_tasks(2).remove(0);
        assert_eq!(task["status"], "Failed", "{task:#}");
        assert_eq!(fault(&task, "ladder")["code"], "SourceEmpty", "{task:#}");
    } else {
        assert!(reply.text().contains("empty"), "a refusal says why: {}", reply.text());
    }
}

#[test]
fn sound_alone_gets_audio_renditions_and_no_pictures() {
    let appliance = appliance("");
    appliance.deliver(&clips::sound_only(), "song.m4a");
    let task = appliance.ended_tasks(1).remove(0);
    assert_eq!(task["status"], "Succeed", "{task:#}");
    for activity in ["sprite", "poster"] {
        assert_eq!(job(&task, activity)["status"], "Skipped", "{task:#}");
    }
    let files = appliance.files("renditions");
    assert!(files.iter().any(|file| file.ends_with(".m4a")), "{files:?}");
    assert!(!files.iter().any(|file| file.ends_with(".jpg")), "{files:?}");
}

#[test]
fn pictures_alone_get_renditions_without_sound() {
    let appliance = appliance("");
    appliance.deliver(&clips::silent(), "silent.mp4");
    let task = appliance.ended_tasks(1).remove(0);
    assert_eq!(task["status"], "Succeed", "{task:#}");
    let rendition = appliance.path("renditions/silent/240p.mp4");
    let probe = Command::new("ffprobe")
        .args(["-v", "error", "-show_entries", "stream=codec_type", "-of", "csv=p=0"])
        .arg(&rendition)
        .output()
        .expect("ffprobe is installed");
    assert_eq!(
        String::from_utf8_lossy(&probe.stdout).trim(),
        "video",
        "{}",
        rendition.display()
    );
}

/// Starts a task over the long clip and returns once its worker decodes.
fn in_the_middle(appliance: &Appliance) {
    appliance.deliver(&clips::long(), "long.mp4");
    appliance.until("a worker to be in the middle", || {
        let tasks = appliance.tasks();
        let task = tasks.first()?;
        let full = appliance.get(&format!("/api/v1/tasks/{}", task["id"].as_str()?));
        let percent = full["progress"]["percent"].as_f64().or_else(|| {
            full["jobs"]
                .as_array()?
                .iter()
                .find_map(|job| job["progress"]["percent"].as_f64())
        })?;
        assert!(percent < 99.0, "the clip is too short for this test");
        (percent > 1.0).then_some(())
    });
}

#[test]
fn a_source_changed_during_the_attempt_is_not_published() {
    let appliance = slow_appliance();
    in_the_middle(&appliance);
    let mut file = std::fs::OpenOptions::new()
        .append(true)
        .open(appliance.path("ingest/long.mp4"))
        .expect("it opens");
    std::io::Write::write_all(&mut file, b"more").expect("it grows");
    drop(file);
    appliance.until("the changed source to fail its task", || {
        let tasks = appliance.tasks();
        let first = tasks.last()?;
        let task = appliance.get(&format!("/api/v1/tasks/{}", first["id"].as_str()?));
        (task["status"] == "Failed").then(|| assert_eq!(fault(&task, "ladder")["code"], "SourceChanged", "{task:#}"))
    });
}

#[test]
fn a_source_deleted_during_the_attempt_is_not_published() {
    let appliance = slow_appliance();
    in_the_middle(&appliance);
    std::fs::remove_file(appliance.path("ingest/long.mp4")).expect("it is removed");
    let task = appliance.ended_tasks(1).remove(0);
    assert_eq!(task["status"], "Failed", "{task:#}");
    assert_eq!(fault(&task, "ladder")["code"], "SourceChanged", "{task:#}");
    nothing_published(&appliance);
}

#[test]
fn a_killed_worker_is_a_failed_attempt_and_the_job_runs_again() {
    let mut appliance = slow_appliance();
    in_the_middle(&appliance);
    let worker = appliance.until("the worker's process", || child_of(appliance.pid()));
    appliance::signal(worker, "KILL");
    let task = appliance.ended_tasks(1).remove(0);
    assert_eq!(task["status"], "Succeed", "{task:#}");
    let attempts = task["attempts"].as_array().expect("attempts are shown");
    assert!(
        attempts.len() >= 2,
        "the killed attempt and its successors: {attempts:#?}"
    );
    assert!(
        attempts.iter().any(|attempt| attempt.to_string().contains("KILL")),
        "the cause is told: {attempts:#?}"
    );
    assert!(appliance.is_running());
}

/// An appliance whose encode of the long clip takes a while.
fn slow_appliance() -> Appliance {
    let mut appliance = Appliance::new("");
    appliance.workflow_file(
        "small",
        &workflows::small("small")
            .replace("ultrafast", "slow")
            .replace("height = 240", "height = 720"),
    );
    appliance.start();
    appliance
}

/// A child process of `parent`, if it has one.
fn child_of(parent: u32) -> Option<u32> {
    std::fs::read_dir("/proc").ok()?.flatten().find_map(|entry| {
        let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
        let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
        let after_name = stat.rsplit_once(')')?.1;
        (after_name.split_whitespace().nth(1)? == parent.to_string()).then_some(pid)
    })
}

/// A small ext4 file system mounted somewhere, or none where that is not permitted.
struct Loop {
    at: PathBuf,
}

impl Loop {
    fn mount(image: &Path, at: &Path, megabytes: u64, options: &str) -> Option<Self> {
        let file = std::fs::File::create(image).expect("the image is made");
        file.set_len(megabytes * 1_048_576).expect("the image has its size");
        let made = Command::new("mkfs.ext4")
            .args(["-q", "-m", "0", "-O", "^has_journal"])
            .arg(image)
            .status();
        if !made.is_ok_and(|status| status.success()) {
            println!("skipped: mkfs.ext4 is not here");
            return None;
        }
        std::fs::create_dir_all(at).expect("the mount point is made");
        let mounted = Command::new("mount").args(["-o", options]).arg(image).arg(at).status();
        if !mounted.is_ok_and(|status| status.success()) {
            println!("skipped: loop mounts are not permitted here");
            return None;
        }
        Some(Loop { at: at.to_owned() })
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.at).status();
    }
}

#[test]
fn a_full_output_storage_fails_cleanly_and_heals() {
    let mut appliance = Appliance::new("");
    appliance.workflow_file("small", &workflows::small("small"));
    let Some(_mounted) = Loop::mount(&appliance.path("image"), &appliance.path("renditions"), 2, "loop") else {
        return;
    };
    let filler = appliance.path("renditions/filler");
    // In small pieces: one large write that does not fit writes nothing at all here.
    let mut file = std::fs::File::create(&filler).expect("it is made");
    while std::io::Write::write_all(&mut file, &[7; 1024]).is_ok() {}
    drop(file);
    appliance.start();
    appliance.deliver(&clips::short(), "short.mp4");
    appliance.until("the full disk to be told", || {
        let tasks = appliance.tasks();
        let task = appliance.get(&format!("/api/v1/tasks/{}", tasks.first()?["id"].as_str()?));
        task.to_string().contains("OutputDiskFull").then_some(())
    });
    let stray: Vec<String> = appliance
        .files("renditions")
        .into_iter()
        .filter(|file| file.contains("short/"))
        .collect();
    assert!(
        stray.iter().all(|file| file.starts_with(".reelmill/")),
        "nothing half-done under a final name: {stray:?}"
    );
    std::fs::remove_file(&filler).expect("room is made");
    let task = appliance.ended_tasks(1).remove(0);
    if task["status"] == "Failed" {
        let id = task["id"].as_str().expect("an id");
        assert!(appliance.post(&format!("/api/v1/tasks/{id}/retry"), &json!({})).status < 300);
    }
    let task = appliance.until("the task to succeed after room was made", || {
        let task = appliance.ended_tasks(1).remove(0);
        (task["status"] == "Succeed").then_some(task)
    });
    assert_eq!(task["status"], "Succeed", "{task:#}");
}

#[test]
fn a_read_only_output_storage_fails_with_a_remedy() {
    let mut appliance = Appliance::new("");
    appliance.workflow_file("small", &workflows::small("small"));
    let Some(_mounted) = Loop::mount(&appliance.path("image"), &appliance.path("renditions"), 4, "loop,ro") else {
        return;
    };
    appliance.start();
    appliance.deliver(&clips::short(), "short.mp4");
    appliance.until("the read-only storage to be told", || {
        let tasks = appliance.tasks();
        let task = appliance.get(&format!("/api/v1/tasks/{}", tasks.first()?["id"].as_str()?));
        task.to_string().contains("OutputNotWritable").then_some(())
    });
    assert!(appliance.is_running());
}

#[test]
fn an_unknown_configuration_key_is_refused_with_the_nearest_known_one() {
    let appliance = Appliance::new("[capacity]\nthreds = 2\n");
    let output = reelmill(&["serve", "--config", appliance.config().to_str().expect("UTF-8")]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(
        text.contains("threds") && text.contains("threads") && text.contains("reelmill.toml"),
        "{text}"
    );
}

#[test]
fn a_workflow_with_a_cycle_is_refused_by_name() {
    let appliance = appliance("");
    let cyclic = appliance.path("cyclic.toml");
    let node = |id: &str, need: &str| format!("[[activity]]\nid = \"{id}\"\ntype = \"noop\"\nneeds = [\"{need}\"]\n");
    std::fs::write(
        &cyclic,
        format!(
            "name = \"cyclic\"\n[source]\nstorage = \"ingest\"\n{}{}",
            node("egg", "hen"),
            node("hen", "egg")
        ),
    )
    .expect("the definition is written");
    let output = appliance.cli(&["workflow", "apply", cyclic.to_str().expect("UTF-8")]);
    assert!(!output.status.success(), "{}", said(&output));
    let text = said(&output);
    assert!(
        text.contains("egg") && text.contains("hen") && text.contains("circle"),
        "{text}"
    );
}

#[test]
fn a_receiver_that_is_down_for_the_whole_run_gets_everything_in_order_later() {
    let port = appliance::free_port();
    let mut appliance = Appliance::new(&format!(
        "[callback]\nurl = \"http://127.0.0.1:{port}/hook\"\nprofile = \"ims\"\nauth_key = \"Abc123Abc123\"\n"
    ));
    appliance.workflow_file("small", &workflows::small("small"));
    appliance.start();
    appliance.deliver(&clips::silent(), "silent.mp4");
    let task = appliance.ended_tasks(1).remove(0);
    assert_eq!(
        task["status"], "Succeed",
        "a dead receiver is no failure of the task: {task:#}"
    );
    let receiver = Receiver::start_at(port);
    let callbacks = appliance.until("all callbacks to arrive", || {
        let accepted = receiver.accepted();
        accepted
            .iter()
            .any(|callback| callback.event_type() == "WorkflowTaskComplete")
            .then_some(accepted)
    });
    assert_eq!(
        callbacks.last().map(|callback| callback.event_type()).as_deref(),
        Some("WorkflowTaskComplete")
    );
    let sequence: Vec<u64> = callbacks
        .iter()
        .map(|callback| {
            callback
                .header("X-Reelmill-Event-Seq")
                .and_then(|seq| seq.parse().ok())
                .expect("a sequence")
        })
        .collect();
    assert!(
        sequence.windows(2).all(|pair| pair[0] < pair[1]),
        "in order: {sequence:?}"
    );
}
