//! tus 1.0.0, sentence by sentence.

use crate::desk::Desk;
use crate::desk::base64;
use crate::desk::bytes;
use crate::desk::metadata_of;
use sha1::Digest as _;
use std::io::Read as _;
use std::io::Write as _;
use std::time::Duration;

const MIB: usize = 1 << 20;

#[test]
fn says_what_it_can_do_and_refuses_other_versions() {
    let desk = Desk::with("[library]\nstorage = \"renditions\"\nmax_upload_bytes = 1000\n");
    let reply = desk.send("OPTIONS", "/api/v1/uploads", &[], b"");
    assert_eq!((reply.status, reply.header("tus-version")), (204, Some("1.0.0")));
    assert_eq!(reply.header("tus-max-size"), Some("1000"));
    assert_eq!(reply.header("tus-checksum-algorithm"), Some("sha1,sha256,md5"));
    let extensions = reply.header("tus-extension").expect("extensions");
    for extension in [
        "creation",
        "creation-with-upload",
        "termination",
        "expiration",
        "checksum",
    ] {
        assert!(extensions.split(',').any(|one| one == extension), "{extensions}");
    }
    // Another version, and on PATCH none, is not carried out.
    let other = desk.send(
        "POST",
        "/api/v1/uploads",
        &[("Tus-Resumable", "0.2.2"), ("Upload-Length", "5")],
        b"",
    );
    assert_eq!((other.status, other.header("tus-version")), (412, Some("1.0.0")));
    let path = desk.begin(5, &[("filename", "a.mp4"), ("register", "false")]);
    let none = desk.send(
        "PATCH",
        &path,
        &[
            ("Content-Type", "application/offset+octet-stream"),
            ("Upload-Offset", "0"),
        ],
        b"12345",
    );
    assert_eq!((none.status, desk.offset(&path)), (412, 0));
    // A length, or the promise of one; not more than may be sent.
    for (headers, status) in [
        (vec![], 400),
        (vec![("Upload-Length", "5"), ("Upload-Defer-Length", "1")], 400),
        (vec![("Upload-Defer-Length", "2")], 400),
        (vec![("Upload-Length", "-5")], 400),
        (vec![("Upload-Length", "+5")], 400),
        (vec![("Upload-Length", "5"), ("Upload-Metadata", "filename %%")], 400),
        (vec![("Upload-Length", "1001")], 413),
    ] {
        let reply = desk.tus("POST", "/api/v1/uploads", &headers, b"");
        assert_eq!(reply.status, status, "{headers:?} {}", reply.text());
    }
    // What a PATCH must say.
    let piece = "application/offset+octet-stream";
    for (headers, status) in [
        (vec![("Upload-Offset", "0")], 415),
        (vec![("Content-Type", "video/mp4"), ("Upload-Offset", "0")], 415),
        (vec![("Content-Type", piece)], 400),
        (vec![("Content-Type", piece), ("Upload-Offset", "x")], 400),
        (vec![("Content-Type", piece), ("Upload-Offset", "3")], 409),
        (
            vec![
                ("Content-Type", piece),
                ("Upload-Offset", "0"),
                ("Upload-Checksum", "crc32 AAAA"),
            ],
            400,
        ),
    ] {
        let reply = desk.tus("PATCH", &path, &headers, b"12345");
        assert_eq!(reply.status, status, "{headers:?} {}", reply.text());
    }
    assert_eq!(desk.patch(&path, 0, b"123456").status, 413, "more than was announced");
    assert_eq!(desk.offset(&path), 0);
    assert_eq!(desk.tus("HEAD", "/api/v1/uploads/none", &[], b"").status, 404);
    assert_eq!(desk.patch("/api/v1/uploads/none", 0, b"1").status, 404);
}

#[test]
fn a_file_comes_in_pieces_and_becomes_a_media() {
    let desk = Desk::new();
    let content = bytes(300_000);
    let metadata = [
        ("filename", "take one.mp4"),
        ("title", "Take 1"),
        ("tags", "a,b"),
        ("workflow", "noop"),
    ];
    let path = desk.begin(content.len(), &metadata);
    let head = desk.tus("HEAD", &path, &[], b"");
    assert_eq!(head.header("upload-length"), Some("300000"));
    assert_eq!(head.header("upload-metadata"), Some(metadata_of(&metadata).as_str()));
    assert!(head.header("upload-expires").is_some_and(|at| at.ends_with(" GMT")));
    let reply = desk.patch(&path, 0, &content[..100_000]);
    assert_eq!((reply.status, reply.header("upload-offset")), (204, Some("100000")));
    let wrong = desk.patch(&path, 0, &content[..100_000]);
    assert_eq!((wrong.status, wrong.header("upload-offset")), (409, Some("100000")));
    // The other way knows the same upload.
    assert_eq!(desk.appliance.get(&path)["offset"], 100_000);
    let last = desk.patch(&path, 100_000, &content[100_000..]);
    assert_eq!(
        (last.status, last.header("upload-offset")),
        (204, Some("300000")),
        "{}",
        last.text()
    );
    let view = desk.ended(&path);
    assert_eq!(
        (&view["status"], &view["object"]),
        (&"Success".into(), &"renditions:uploads/take one.mp4".into()),
        "{view:#}"
    );
    assert_eq!(desk.file("uploads/take one.mp4"), content);
    assert_eq!(desk.offset(&path), 300_000);
    assert_eq!(
        desk.patch(&path, 300_000, b"").status,
        204,
        "the answer to the last piece was lost"
    );
    // What was wanted.
    let tasks = desk.appliance.ended_tasks(1);
    assert_eq!(view["tasks"][0], tasks[0]["id"]);
    assert_eq!(
        (&tasks[0]["status"], &tasks[0]["media"]["id"]),
        (&"Succeed".into(), &view["media"]),
        "{:#}",
        tasks[0]
    );
    let media = desk
        .appliance
        .get(&format!("/api/v1/media/{}", view["media"].as_str().expect("an id")));
    assert_eq!(media["object"], "renditions:uploads/take one.mp4");
    let facts = desk.facts("FileUploadComplete");
    assert_eq!(
        (facts.len(), &facts[0]["size_bytes"]),
        (1, &300_000.into()),
        "{facts:#?}"
    );
    assert_eq!(
        desk.appliance.files("renditions"),
        ["uploads/take one.mp4"],
        "nothing else is left"
    );
}

#[test]
fn what_came_before_an_interruption_counts_and_two_writers_do_not_meet() {
    let desk = Desk::new();
    let content = bytes(3 * MIB);
    let path = desk.begin(content.len(), &[("key", "in/a.mp4"), ("register", "false")]);
    // Somebody is sending: others are refused.
    let sending = desk.half_patch(&path, 0, content.len(), &content[..MIB + 5]);
    let staged = desk.appliance.path("renditions/.reelmill/uploads");
    let staged = staged.join(path.rsplit('/').next().expect("an id"));
    desk.appliance.until("some of it to be written", || {
        (staged.metadata().ok()?.len() > 0).then_some(())
    });
    assert_eq!(desk.patch(&path, 0, b"x").status, 423);
    assert_eq!(desk.put(&path, "bytes 0-0/*", b"x").status, 423);
    drop(sending);
    // The connection broke: what came is there.
    let offset = desk.appliance.until("what came to count", || {
        let offset = desk.offset(&path);
        (offset > 0).then_some(offset)
    });
    assert_eq!(offset, MIB + 5);
    desk.appliance.until("the upload to be free", || {
        let reply = desk.patch(&path, offset, &content[offset..]);
        (reply.status == 204).then_some(())
    });
    assert_eq!(desk.ended(&path)["status"], "Success");
    assert_eq!(desk.file("in/a.mp4"), content);
}

#[test]
fn kill_9_while_it_is_sent_costs_no_more_than_the_last_seconds() {
    let mut desk = Desk::new();
    let content = bytes(48 * MIB);
    let path = desk.begin(content.len(), &[("key", "long.mp4"), ("register", "false")]);
    let sending = desk.half_patch(&path, 0, content.len(), &content[..40 * MIB]);
    desk.appliance.until("some of it to be durable", || {
        (desk.offset(&path) >= 32 * MIB).then_some(())
    });
    desk.appliance.kill_9();
    drop(sending);
    desk.appliance.start();
    let offset = desk.offset(&path);
    assert!((32 * MIB..=40 * MIB).contains(&offset), "{offset}");
    assert_eq!(desk.patch(&path, offset, &content[offset..]).status, 204);
    assert_eq!(desk.ended(&path)["status"], "Success");
    assert!(desk.file("long.mp4") == content, "every byte is the one that was sent");
}

#[test]
fn checksums_are_kept_and_a_wrong_piece_leaves_nothing() {
    let desk = Desk::new();
    let content = bytes(2 * MIB + 7);
    let path = desk.begin(content.len(), &[("key", "sum.mp4"), ("register", "false")]);
    let send = |offset: usize, body: &[u8], checksum: &str| {
        desk.tus(
            "PATCH",
            &path,
            &[
                ("Content-Type", "application/offset+octet-stream"),
                ("Upload-Offset", &offset.to_string()),
                ("Upload-Checksum", checksum),
            ],
            body,
        )
    };
    let wrong = format!("sha1 {}", base64(&sha1::Sha1::digest(b"something else")));
    assert_eq!(send(0, &content[..2 * MIB], &wrong).status, 460);
    assert_eq!(desk.offset(&path), 0);
    let right = format!("sha1 {}", base64(&sha1::Sha1::digest(&content[..2 * MIB])));
    assert_eq!(send(0, &content[..2 * MIB], &right).status, 204);
    let rest = format!("sha256 {}", base64(&sha2::Sha256::digest(&content[2 * MIB..])));
    assert_eq!(send(2 * MIB, &content[2 * MIB..], &rest).status, 204);
    assert_eq!(desk.ended(&path)["status"], "Success");
    assert_eq!(desk.file("sum.mp4"), content);
}

#[test]
fn creation_with_upload_and_a_length_that_comes_later() {
    let desk = Desk::new();
    let metadata = metadata_of(&[("key", "first.mp4"), ("register", "false")]);
    let piece = ("Content-Type", "application/offset+octet-stream");
    let reply = desk.tus(
        "POST",
        "/api/v1/uploads",
        &[piece, ("Upload-Length", "10"), ("Upload-Metadata", &metadata)],
        b"01234",
    );
    assert_eq!(
        (reply.status, reply.header("upload-offset")),
        (201, Some("5")),
        "{}",
        reply.text()
    );
    let path = reply.header("location").expect("a place").to_owned();
    assert_eq!(desk.patch(&path, 5, b"56789").status, 204);
    assert_eq!(desk.ended(&path)["status"], "Success");
    assert_eq!(desk.file("first.mp4"), b"0123456789");

    let metadata = metadata_of(&[("key", "later.mp4"), ("register", "false")]);
    let reply = desk.tus(
        "POST",
        "/api/v1/uploads",
        &[("Upload-Defer-Length", "1"), ("Upload-Metadata", &metadata)],
        b"",
    );
    let path = reply.header("location").expect("a place").to_owned();
    assert_eq!(
        desk.tus("HEAD", &path, &[], b"").header("upload-defer-length"),
        Some("1")
    );
    assert_eq!(desk.patch(&path, 0, b"abc").status, 204);
    let with_length = |length: &str, body: &[u8]| {
        desk.tus(
            "PATCH",
            &path,
            &[piece, ("Upload-Offset", "3"), ("Upload-Length", length)],
            body,
        )
    };
    assert_eq!(with_length("2", b"").status, 400, "less than came");
    assert_eq!(with_length("6", b"def").status, 204);
    assert_eq!(desk.ended(&path)["status"], "Success");
    assert_eq!(desk.file("later.mp4"), b"abcdef");
}

#[test]
fn uploads_are_ended_by_hand_by_method_override_and_by_time() {
    let mut desk = Desk::new();
    let pieces = |desk: &Desk| desk.appliance.files("renditions");
    let path = desk.begin(10, &[("key", "gone.mp4")]);
    assert_eq!(desk.patch(&path, 0, b"01234").status, 204);
    assert_eq!(pieces(&desk).len(), 1);
    assert_eq!(desk.tus("DELETE", &path, &[], b"").status, 204);
    assert_eq!(pieces(&desk), Vec::<String>::new());
    assert_eq!(desk.tus("HEAD", &path, &[], b"").status, 410);
    assert_eq!(desk.patch(&path, 5, b"56789").status, 410);
    // For clients that cannot send PATCH and DELETE.
    let path = desk.begin(10, &[("key", "over.mp4"), ("register", "false")]);
    let over = |method: &str, headers: &[(&str, &str)], body: &[u8]| {
        let mut all = vec![("X-HTTP-Method-Override", method)];
        all.extend_from_slice(headers);
        desk.tus("POST", &path, &all, body)
    };
    let piece = ("Content-Type", "application/offset+octet-stream");
    assert_eq!(over("PATCH", &[piece, ("Upload-Offset", "0")], b"01234").status, 204);
    assert_eq!(desk.offset(&path), 5);
    assert_eq!(over("DELETE", &[], b"").status, 204);
    let bare = desk.send("POST", &path, &[], b"");
    assert_eq!(bare.status, 405);
    // What nobody goes on with is dropped, and told.
    let path = desk.begin(10, &[("key", "late.mp4")]);
    assert_eq!(desk.patch(&path, 0, b"01234").status, 204);
    desk.appliance.stop();
    desk.sql("update uploads set expires_ms = 1 where state = 'open'");
    desk.appliance.start();
    let view = desk.ended(&path);
    assert_eq!(
        (&view["status"], &view["fault"]["code"]),
        (&"Fail".into(), &"UploadExpired".into()),
        "{view:#}"
    );
    assert_eq!(desk.tus("HEAD", &path, &[], b"").status, 410);
    desk.appliance
        .until("its pieces to be gone", || pieces(&desk).is_empty().then_some(()));
    let facts = desk.facts("FileUploadComplete");
    assert_eq!(
        facts.last().expect("an event")["fault"]["code"],
        "UploadExpired",
        "{facts:#?}"
    );
}

#[test]
fn a_refusal_is_heard_even_by_whoever_is_still_sending() {
    let desk = Desk::new();
    let path = desk.begin(4 * MIB, &[("key", "a.mp4")]);
    let mut stream = desk.half_patch(&path, 7, 4 * MIB, &bytes(MIB));
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .expect("a time limit");
    let _ = stream.write_all(&bytes(MIB));
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).expect("an answer");
    assert_eq!(&answer, b"HTTP/1.1 409");
}
