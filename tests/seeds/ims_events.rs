//! Seed 002: the events of IMS, in the order of its tables, each caused for real and met by a receiver.

use crate::appliance::clips;
use crate::appliance::http;
use crate::house::House;
use crate::house::inside;
use crate::house::text;
use serde_json::Value;
use serde_json::json;
use std::io::Read;
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

/// A server that gives every caller these bytes; its address.
fn giving(bytes: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("bound");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let mut head = [0_u8; 4096];
            let _ = stream.read(&mut head);
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                bytes.len()
            );
            let _ = stream.write_all(&bytes);
        }
    });
    format!("http://{address}")
}

/// Sends `bytes` by the plain way; the upload as it ended.
fn upload(house: &House, wish: &Value, bytes: &[u8]) -> Value {
    let begun = house.did("POST", "/api/v1/uploads", Some(wish));
    let path = format!("/api/v1/uploads/{}", text(&begun["id"]));
    let token = house.appliance.token();
    let reply = http::request(house.appliance.port(), "PUT", &path, Some(&token), &[], bytes).expect("an answer");
    assert!((200..300).contains(&reply.status), "{} {}", reply.status, reply.text());
    let ended = reply.json();
    assert_eq!(ended["status"], "Success", "{ended:#}");
    ended
}

/// The message of the event of this type about this media, whose envelope is the one every sample has.
fn message(house: &House, event_type: &str, media: &Value) -> Value {
    let callback = house.event(event_type, |body| {
        // AIMediaAuditComplete says its media in a text of JSON.
        body["MessageBody"]["MediaId"]
            .as_str()
            .is_some_and(|id| id.contains(media.as_str().unwrap_or("?")))
    });
    let body = callback.json();
    assert_eq!(body["EventType"], event_type);
    assert!(body["UserId"].is_u64(), "{body:#}");
    let at = text(&body["EventTime"]);
    assert!(
        at.len() == 20 && at.ends_with('Z'),
        "the format is yyyy-MM-ddTHH:mm:ssZ: {at}"
    );
    body["MessageBody"].clone()
}

fn has(message: &Value, fields: &[&str]) {
    for field in fields {
        assert!(!message[*field].is_null(), "{field} is missing: {message:#}");
    }
}

#[test]
fn seed_002_media_asset_upload_and_management() {
    let house = House::start(
        "ims",
        "[security]\nallow_private_pulls = true\n[library]\nstorage = \"ingest\"\n",
    );
    let clip = std::fs::read(clips::short()).expect("the clip is readable");
    let served = giving(clip.clone());

    // Table 1. "An audio or video file is uploaded." FileUploadComplete: MediaId, MediaType, FileUrl, Size, AppId, UserData,
    // Status.
    let wish = json!({"key": "lib/film.mp4", "size_bytes": clip.len(), "user_data": {"asset": 7}, "register": false});
    let film = upload(&house, &wish, &clip);
    let told = message(&house, "FileUploadComplete", &film["media"]);
    has(&told, &["AppId", "FileUrl"]);
    assert_eq!(
        (&told["Status"], &told["MediaType"], &told["Size"]),
        (&json!("Success"), &json!("video"), &json!(clip.len().to_string())),
        "{told:#}"
    );
    assert_eq!(inside(&told["UserData"]), json!({"asset": 7}));

    // "A file is uploaded from a URL." UploadByURLComplete: SourceURL and JobId.
    let pull = house.did(
        "POST",
        "/api/v1/pulls",
        Some(&json!({"url": format!("{served}/big_buck_bunny.mp4"), "key": "lib/fetched.mp4", "register": false})),
    );
    let pulled = house.appliance.until("the pull to end", || {
        let pull = house.appliance.get(&format!("/api/v1/pulls/{}", text(&pull["id"])));
        (pull["status"] == "Success").then_some(pull)
    });
    let told = message(&house, "UploadByURLComplete", &pulled["media"]);
    has(&told, &["AppId", "MediaType"]);
    assert_eq!(
        (&told["Status"], &told["SourceURL"], &told["JobId"]),
        (
            &json!("Success"),
            &json!(format!("{served}/big_buck_bunny.mp4")),
            &pull["id"]
        ),
        "{told:#}"
    );
    // "The task status. Valid values:" Success and Fail: a pull that cannot be made is told too.
    let nobody = house.did(
        "POST",
        "/api/v1/pulls",
        Some(&json!({"url": "http://127.0.0.1:9/gone.mp4"})),
    );
    house.did("POST", &format!("/api/v1/pulls/{}/cancel", text(&nobody["id"])), None);

    // "An image is uploaded." ImageUploadComplete, MediaType image.
    let picture = std::process::Command::new("ffmpeg")
        .args([
            "-v",
            "error",
            "-f",
            "lavfi",
            "-i",
            "color=red:s=32x32",
            "-frames:v",
            "1",
            "-f",
            "mjpeg",
            "-",
        ])
        .output()
        .expect("ffmpeg is installed")
        .stdout;
    let wish = json!({"key": "lib/cover.jpg", "size_bytes": picture.len(), "register": false});
    let image = upload(&house, &wish, &picture);
    let told = message(&house, "ImageUploadComplete", &image["media"]);
    assert_eq!(
        (&told["MediaType"], &told["Status"]),
        (&json!("image"), &json!("Success")),
        "{told:#}"
    );
    has(&told, &["FileUrl", "Size", "AppId"]);

    // "An auxiliary media asset is uploaded." AttachedMediaUploadComplete, MediaType text.
    let subtitles = b"1\n00:00:00,000 --> 00:00:01,000\nHello\n";
    let wish = json!({"key": "lib/film.srt", "size_bytes": subtitles.len(), "role": "attachment", "kind": "subtitle",
        "media": film["media"]});
    upload(&house, &wish, subtitles);
    let told = message(&house, "AttachedMediaUploadComplete", &film["media"]);
    assert_eq!(
        (&told["MediaType"], &told["Status"]),
        (&json!("text"), &json!("Success")),
        "{told:#}"
    );
    has(&told, &["FileUrl", "Size", "AppId"]);

    // "A media stream is registered." RegisterStreamComplete: FileUrl, MediaId, UserData.
    let film_path = format!("/api/v1/media/{}", text(&film["media"]));
    house.appliance.deliver(&clips::short(), "lib/dub.mp4");
    house.did(
        "POST",
        &format!("{film_path}/renditions"),
        Some(&json!({"object": "ingest:lib/dub.mp4", "name": "dub", "user_data": {"lang": "de"}})),
    );
    let told = message(&house, "RegisterStreamComplete", &film["media"]);
    assert!(text(&told["FileUrl"]).ends_with("lib/dub.mp4"), "{told:#}");
    assert_eq!(inside(&told["UserData"]), json!({"lang": "de"}));

    // "A media stream is uploaded." StreamUploadComplete.
    let wish = json!({"key": "lib/240p.mp4", "size_bytes": clip.len(), "role": "rendition", "kind": "240p",
        "media": film["media"]});
    upload(&house, &wish, &clip);
    let told = message(&house, "StreamUploadComplete", &film["media"]);
    assert!(text(&told["FileUrl"]).ends_with("lib/240p.mp4"), "{told:#}");

    // "A media stream is uploaded from a URL." UploadStreamByURLComplete: SourceURL, JobId.
    let pull = house.did(
        "POST",
        "/api/v1/pulls",
        Some(
            &json!({"url": format!("{served}/mov_bbb.mp4"), "key": "lib/bbb.mp4", "role": "rendition", "kind": "bbb",
            "media": film["media"]}),
        ),
    );
    let told = message(&house, "UploadStreamByURLComplete", &film["media"]);
    assert_eq!(told["JobId"], pull["id"], "{told:#}");
    has(&told, &["SourceURL", "Status"]);

    // Table 2. "A manual review is complete." CreateAuditComplete: AuditStatus, Auditor, Reason, Comment, CreationTime.
    let review = house.did(
        "POST",
        &format!("{film_path}/reviews"),
        Some(&json!({"instructions": "look at the end"})),
    );
    house.did(
        "POST",
        &format!("/api/v1/reviews/{}/approve", text(&review["id"])),
        Some(&json!({"reason": "test", "comment": "fine"})),
    );
    let told = message(&house, "CreateAuditComplete", &film["media"]);
    has(&told, &["Auditor", "CreationTime"]);
    assert_eq!(
        (&told["AuditStatus"], &told["Reason"], &told["Comment"], &told["Status"]),
        (&json!("Normal"), &json!("test"), &json!("fine"), &json!("Success")),
        "{told:#}"
    );

    // "A callback is triggered once the media asset analysis is complete." RegisterMediaComplete.
    house.appliance.deliver(&clips::short(), "shelf/old.mp4");
    let registered = house.did(
        "POST",
        "/api/v1/media",
        Some(&json!({"object": "ingest:shelf/old.mp4"})),
    );
    let told = message(&house, "RegisterMediaComplete", &registered["id"]);
    assert_eq!(told["Status"], "Success", "{told:#}");
    // "The error code returned if the task fails."
    std::fs::create_dir_all(house.appliance.path("ingest/shelf")).expect("a folder");
    std::fs::write(house.appliance.path("ingest/shelf/no.mp4"), b"no film at all").expect("written");
    let broken = house.did("POST", "/api/v1/media", Some(&json!({"object": "ingest:shelf/no.mp4"})));
    let told = message(&house, "RegisterMediaComplete", &broken["id"]);
    assert_eq!(told["Status"], "Fail", "{told:#}");
    has(&told, &["ErrorCode", "ErrorMessage"]);

    // "A media asset's basic information is updated." MediaBaseChangeComplete: MediaContent, a text of JSON with OldValue and
    // NewValue.
    house.did(
        "PATCH",
        &film_path,
        Some(&json!({"title": "The film", "tags": ["a", "b"]})),
    );
    let told = message(&house, "MediaBaseChangeComplete", &film["media"]);
    assert_eq!(
        (&told["OperateMode"], &told["MediaType"], &told["Status"]),
        (&json!("update"), &json!("video"), &json!("Success")),
        "{told:#}"
    );
    let content = inside(&told["MediaContent"]);
    assert_eq!(inside(&content["Title"])["NewValue"], "The film", "{content:#}");
    has(&content, &["Tags"]);

    // "A media asset is deleted." DeleteMediaComplete: DeleteType.
    house.did("DELETE", &format!("{film_path}?what=all"), None);
    let told = message(&house, "DeleteMediaComplete", &film["media"]);
    assert_eq!(
        (&told["DeleteType"], &told["Status"]),
        (&json!("all"), &json!("Success")),
        "{told:#}"
    );
    assert!(
        !house.appliance.path("ingest/lib/film.mp4").exists(),
        "the source is gone"
    );
}

#[test]
fn seed_002_workflow_media_processing_and_video_ai() {
    let house = House::start("ims", "");
    let hook = house.appliance.path("hooks/opinion");
    std::fs::write(
        &hook,
        "#!/bin/sh\ncat >/dev/null\necho '{\"verdict\":\"pass\",\"labels\":[{\"name\":\"goal\",\"confidence\":0.9}]}'\n",
    )
    .expect("the hook is written");
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).expect("it is executable");
    let rung = json!({"codec": "h264", "height": 128, "preset": "ultrafast", "rate": "crf", "crf": 30.0});
    house.workflow(&json!({
        "name": "everything", "source": {"storage": "ingest"}, "output": {"storage": "renditions"},
        "callback": {"also_unified": true, "destination": "mam", "legacy_events": true},
        "activity": [
            {"id": "facts", "type": "analysis"},
            {"id": "sheet", "type": "snapshot", "mode": "sprite", "interval_s": 1},
            {"id": "moving", "type": "dynamic_image", "format": "gif", "width": 160},
            {"id": "ladder", "type": "transcode", "group": [
                {"kind": "hls", "name": "HLS", "output": [{"name": "128p", "video": rung}]}]},
            {"id": "moderation", "type": "moderation", "exec": "opinion"},
            {"id": "tags", "type": "content_analysis", "exec": "opinion"},
            {"id": "cover", "type": "cover"},
        ],
    }));
    house.drop_clip("show/one.mp4");
    let task = house.task_over("show/one.mp4");
    assert_eq!(task["status"], "Succeed", "{task:#}");
    let (media, task_id) = (&task["media"]["id"], text(&task["id"]));

    // Table 3. "A workflow task is complete." WorkflowTaskComplete: TaskInput (a text of JSON), TaskId, WorkflowId, Status,
    // CreateTime.
    let told = house.event("WorkflowTaskComplete", |body| {
        body["MessageBody"]["TaskId"] == task_id.as_str()
    });
    let told = told.json()["MessageBody"].clone();
    assert_eq!(told["Status"], "Succeed");
    assert_eq!(inside(&told["TaskInput"])["Media"], *media);
    has(&told, &["WorkflowId", "CreateTime"]);

    // Table 4. "Audio or video analysis is complete." VideoAnalysisComplete: MetaInfo with texts, and Fps as a number.
    let told = message(&house, "VideoAnalysisComplete", media);
    for field in ["Duration", "Height", "Width", "Bitrate", "Size"] {
        assert!(told["MetaInfo"][field].is_string(), "{field}: {told:#}");
    }
    assert!(told["MetaInfo"]["Fps"].is_f64(), "{told:#}");

    // "Video snapshotting is complete." SnapshotComplete: Input, Output and TemplateConfig are texts of JSON.
    let told = house.event("SnapshotComplete", |body| body["MessageBody"]["Type"] == "Sprite");
    let told = told.json()["MessageBody"].clone();
    for field in ["Input", "Output", "TemplateConfig"] {
        assert!(inside(&told[field]).is_object(), "{field}: {told:#}");
    }
    assert!(told["Count"].as_u64().is_some_and(|count| count > 0), "{told:#}");
    has(
        &told,
        &[
            "JobId",
            "TriggerSource",
            "Name",
            "TemplateId",
            "SubmitTime",
            "FinishTime",
            "Status",
        ],
    );
    assert!(
        told["ErrorCode"].is_null(),
        "\"The error code returned when the task fails\": {told:#}"
    );

    // "A dynamic image is generated." DynamicImageComplete.
    let told = house.event("DynamicImageComplete", |_| true).json()["MessageBody"].clone();
    has(
        &told,
        &[
            "JobId",
            "Input",
            "Output",
            "TemplateConfig",
            "SubmitTime",
            "FinishTime",
            "Status",
        ],
    );

    // "A transcoding subtask is complete (scheduled for deprecation)": TranscodeComplete, where legacy events are asked for.
    let told = house.event("TranscodeComplete", |_| true).json()["MessageBody"].clone();
    has(
        &told,
        &[
            "ParentJobId",
            "JobId",
            "TriggerSource",
            "OutFileMeta",
            "OutputUrl",
            "FinishTime",
            "Status",
        ],
    );
    // "The parent transcoding task is complete": TranscodeParentComplete.
    let parent = house.event("TranscodeParentComplete", |_| true).json()["MessageBody"].clone();
    assert_eq!(parent["ParentJobId"], told["ParentJobId"], "{parent:#}");
    assert!(
        parent["Jobs"].as_array().is_some_and(|jobs| !jobs.is_empty()),
        "{parent:#}"
    );

    // "A media transcoding job is complete." MediaConvertComplete, Status Complete.
    let job = house.event("MediaConvertComplete", |_| true).json()["MessageBody"].clone();
    assert_eq!(job["Status"], "Complete", "{job:#}");
    // "A media transcoding output group is complete."
    let group = house.event("MediaConvertOutputGroupComplete", |_| true).json()["MessageBody"].clone();
    assert_eq!(
        (&group["JobId"], &group["Name"]),
        (&job["JobId"], &json!("HLS")),
        "{group:#}"
    );
    // "A media transcoding output is complete."
    let output = house.event("MediaConvertOutputComplete", |_| true).json()["MessageBody"].clone();
    assert_eq!(
        (&output["JobId"], &output["Name"]),
        (&job["JobId"], &json!("128p")),
        "{output:#}"
    );
    assert_eq!(
        inside(&output["UserData"]),
        json!({"ImsSrc": "Workflow", "TaskId": task_id})
    );
    assert_ne!(
        output["TaskId"], group["TaskId"],
        "output and group have ids of their own"
    );
    for list in ["videoStreamInfoList", "audioStreamInfoList", "subtitleStreamInfoList"] {
        assert!(output["OutFileMeta"][list].is_array(), "{list}: {output:#}");
    }

    // Table 5. "An AI-powered review is complete." AIMediaAuditComplete: MediaId is a text of JSON.
    let told = message(&house, "AIMediaAuditComplete", media);
    assert_eq!(inside(&told["MediaId"]), json!({"media": media, "type": "Media"}));
    has(&told, &["JobId", "Status"]);
    // "An AI-powered production task is complete." AIProduceComplete, FunctionName Cover; Result holds Score, Time, Url.
    let told = house.event("AIProduceComplete", |body| {
        body["MessageBody"]["FunctionName"] == "Cover"
    });
    let told = told.json()["MessageBody"].clone();
    let result = inside(&told["Result"]);
    let first = &result.as_array().expect("a list")[0];
    assert!(
        first["Score"].is_number() && first["Time"].is_string() && first["Url"].is_string(),
        "{told:#}"
    );
    assert!(
        told["OutputFiles"].as_array().is_some_and(|files| !files.is_empty()),
        "{told:#}"
    );
    // "AI analysis of a media asset is complete and the results are saved to the library." MediaAiAnalysisComplete.
    let told = message(&house, "MediaAiAnalysisComplete", media);
    assert_eq!(
        (&told["Status"], &told["JobStatus"], &told["Type"]),
        (&json!("Success"), &json!("AnalyzeSuccess"), &json!("StandardSmartTag")),
        "{told:#}"
    );
    let shown = house.appliance.get(&format!("/api/v1/media/{}", text(media)));
    assert!(
        shown.to_string().contains("goal"),
        "what was found is shown with the media: {shown:#}"
    );
}
